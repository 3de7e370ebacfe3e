"""``lda-app train``: what a finished run says of itself."""

import json


def test_the_figure_held_out_has_its_protocol_documents_and_tokens(cli, quick, tiny_run, tmp_path):
    run = tmp_path / "run"
    done = cli("train", tiny_run.corpus, "--out", run, *quick)
    metrics = json.loads((run / "metrics.json").read_text())
    held_out = metrics["validation_perplexity"]
    size = f"({held_out['num_documents']} documents, {held_out['num_tokens']} tokens)"
    assert f"Model in {run}: the best weights, of step {metrics['best_step']}\n" in done.stderr
    assert f"Perplexity held out, document_completion: {held_out['value']:.1f} {size}\n" in done.stderr
    assert size in (run / "model_card.md").read_text()


def test_without_documents_held_out_the_last_weights_are_kept(cli, quick, tiny_run, tmp_path):
    run = tmp_path / "run"
    done = cli("train", tiny_run.corpus, "--out", run, *quick, "--validation-fraction", "0")
    assert f"Model in {run}: the last weights, of step " in done.stderr
    assert "Perplexity" not in done.stderr
    assert "not measured: no documents were held out" in (run / "model_card.md").read_text()
