"""``lda-app train``: what a finished run says of itself."""

import json

import pytest

from tests.cli.conftest import overriding


def test_the_figure_held_out_has_its_protocol_documents_and_tokens(cli, quick, tiny_run, tmp_path):
    run = tmp_path / "run"
    done = cli("train", tiny_run.corpus, "--out", run, *quick)
    metrics = json.loads((run / "metrics.json").read_text())
    held_out = metrics["validation_perplexity"]
    size = f"({held_out['num_documents']} documents, {held_out['num_tokens']} tokens)"
    assert f"Model saved in {run} after {metrics['steps']} steps\n" in done.stderr
    assert f"Held-out perplexity, document_completion: {held_out['value']:.1f} {size}\n" in done.stderr
    assert size in (run / "model_card.md").read_text()


def test_without_documents_held_out_no_perplexity_is_told(cli, quick, tiny_run, tmp_path):
    run = tmp_path / "run"
    done = cli("train", tiny_run.corpus, "--out", run, *overriding(quick, "--validation-fraction", "0"))
    assert f"Model saved in {run} after " in done.stderr
    assert "Perplexity" not in done.stderr
    assert "not measured: no documents were held out" in (run / "model_card.md").read_text()


PUBLISHED = ("--preset", "figurnov", "--steps", "20", "--num-topics", "3")


def test_a_run_keeps_all_values_of_its_preset(cli, tiny_run, tmp_path):
    run = tmp_path / "run"
    assert cli("train", tiny_run.corpus, "--out", run, *PUBLISHED, "--hidden", "8").code == 0
    training = json.loads((run / "config.json").read_text())["training"]
    assert training["preset"] == "figurnov"
    assert (training["encoder"], training["alpha"], training["batch_size"]) == ("mlp", 0.7, 32)
    assert (training["hidden"], training["steps"], training["epochs"]) == (8, 20, None)
    assert json.loads((run / "metrics.json").read_text())["steps"] == 20
    assert "is already finished" in cli("train", "--resume", run, "--preset", "figurnov").stderr


def test_a_model_of_the_published_recipe_is_used_as_any_other(cli, tiny_run, tmp_path):
    run = tmp_path / "run"
    assert cli("train", tiny_run.corpus, "--out", run, *PUBLISHED).code == 0
    assert json.loads(cli("topics", run, "--format", "json").stdout)
    assert json.loads(cli("eval", run, "--json").stdout)
    (tmp_path / "texts.txt").write_text("orbit shuttle moon\ngoal hockey puck\n")
    assert len(cli("transform", run, tmp_path / "texts.txt").stdout.splitlines()) == 2


def test_fast_is_a_third_of_the_steps(cli, tiny_run, tmp_path):
    done = []
    for preset in ("default", "fast"):
        run = tmp_path / preset
        cli("train", tiny_run.corpus, "--out", run, "--preset", preset, "--num-topics", 2, "--batch-size", 40)
        done.append(json.loads((run / "metrics.json").read_text())["steps"])
    assert done[1] == pytest.approx(done[0] / 3, rel=0.2)


def test_adam_does_not_learn_topics_from_refined_samples(cli, assert_refused, tiny_run, tmp_path):
    done = cli("train", tiny_run.corpus, "--out", tmp_path / "run", "--beta-optimizer", "adam")
    assert_refused(done, 2, "--beta-optimizer must be natural", "adam needs topic_update elbo")
