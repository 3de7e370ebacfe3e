"""``lda-app eval``."""

import json
import shutil

import pytest


def test_the_table_names_each_figure_s_protocol_and_size(cli, tiny_run):
    done = cli("eval", tiny_run.run)
    assert done.code == 0
    for name in ("elbo", "elbo_document_mean", "importance", "document_completion", "document_npmi"):
        assert name in done.stdout
    completion = next(line for line in done.stdout.splitlines() if "document_completion" in line)
    low, _, high, *measured_on = completion.split()[3:]
    assert float(low) <= float(completion.split()[2]) <= float(high)
    assert low != high
    assert measured_on == ["test", "16", "96"]
    assert "95% interval" in done.stdout
    assert "3 of 3" in done.stdout
    assert "\x1b" not in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_a_terminal_of_any_width_shows_whole_names(cli, tiny_run, monkeypatch, columns):
    monkeypatch.setattr("lda_app.cli.tables.is_plain", lambda: False)
    monkeypatch.setenv("COLUMNS", str(columns))
    out = cli("eval", tiny_run.run).stdout
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= columns
    assert "document_completion" in out
    assert "seed 0" in out


def test_json_is_one_document_and_repeats_itself(cli, tiny_run):
    first, again = (cli("eval", tiny_run.run, "--json").stdout for _ in range(2))
    figures = json.loads(first)
    assert first == again
    assert figures["schema_version"] == 2
    assert figures["live_topics"]["value"] == 3
    assert 1 < figures["perplexity"]["document_completion"]["value"] < 24
    assert str(tiny_run.run.parent) not in first


def test_another_seed_draws_other_halves(cli, tiny_run):
    values = [
        json.loads(cli("eval", tiny_run.run, "--json", "--seed", seed).stdout)["perplexity"]
        for seed in (0, 1)
    ]
    assert values[0]["document_completion"]["value"] != values[1]["document_completion"]["value"]


def test_the_training_split_can_be_evaluated(cli, tiny_run):
    figures = json.loads(cli("eval", tiny_run.run, "--split", "train", "--json").stdout)
    assert figures["perplexity"]["elbo"]["num_documents"] == 44
    assert {entry["reference_split"] for entry in figures["coherence"]} == {"train"}


def test_protocols_are_chosen_and_a_slow_one_says_how_many_documents_it_scored(cli, tiny_run):
    options = ("--protocols", "left_to_right,elbo", "--max-documents", 5, "--level", 0.9)
    done = cli("eval", tiny_run.run, *options)
    assert "5 of 16" in done.stdout
    assert "90% interval" in done.stdout
    assert "document_completion" not in done.stdout


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--protocols", "elbo,left-to-right"), ("'left-to-right'", "did you mean left_to_right?")),
        (("--protocols", "elbo,"), ("''", "document_completion")),
        (("--level", "95"), ("--level", "between 0 and 1", "95")),
        (("--level", "nan"), ("--level", "nan")),
    ],
)
def test_options_that_cannot_be_used_are_named(cli, tiny_run, assert_refused, options, parts):
    assert_refused(cli("eval", tiny_run.run, *options), 2, *parts)


@pytest.mark.parametrize("option", ["--importance-samples", "--left-to-right-particles", "--max-documents"])
def test_nothing_is_measured_by_no_samples(cli, tiny_run, option):
    done = cli("eval", tiny_run.run, option, 0)
    assert done.code == 2
    assert option in done.stderr


def test_words_that_were_pruned_are_counted(cli, tmp_path):
    from lda_app.corpus.folder import open_corpus

    texts = tmp_path / "texts.csv"
    texts.write_text("text\n" + "orbit moon\n" * 40 + "orbit moon unheard\n")
    assert cli("corpus", "build", texts, "--out", tmp_path / "corpus", "--min-df", 2).code == 0
    corpus = open_corpus(tmp_path / "corpus")
    assert sum(corpus.num_pruned(split) for split in corpus.splits) == 1


def test_imported_counts_do_not_tell_what_was_left_out(cli, tmp_path, tiny_run, monkeypatch):
    from lda_app.corpus.folder import Corpus

    monkeypatch.setattr(Corpus, "num_pruned", lambda corpus, split: None)
    line = next(x for x in cli("eval", tiny_run.run).stdout.splitlines() if "out_of_vocabulary" in x)
    assert line.split() == ["words", "left", "out", "out_of_vocabulary", "unknown", "test", "unknown"]


def test_output_holds_the_json_document(cli, tiny_run, tmp_path):
    out = tmp_path / "figures.json"
    assert "perplexity" in cli("eval", tiny_run.run, "--output", out).stdout
    assert out.read_text() == cli("eval", tiny_run.run, "--json").stdout


def test_an_output_that_exists_is_kept(cli, tiny_run, tmp_path):
    out = tmp_path / "figures.json"
    out.write_text("mine")
    done = cli("eval", tiny_run.run, "--output", out)
    assert done.code == 2
    assert "--overwrite" in done.stderr
    assert out.read_text() == "mine"
    assert cli("eval", tiny_run.run, "--output", out, "--overwrite").code == 0
    assert json.loads(out.read_text())["schema_version"] == 2


def test_an_unknown_split_is_named_with_those_there_are(cli, tiny_run):
    done = cli("eval", tiny_run.run, "--split", "dev")
    assert done.code == 2
    assert "'dev'" in done.stderr
    assert "train, test" in done.stderr


def test_a_corpus_that_moved_is_found_by_its_option(cli, tiny_run, planted, tmp_path):
    run = planted(tmp_path / "run", place=tmp_path / "gone")
    done = cli("eval", run)
    assert done.code == 4
    assert "gone" in done.stderr
    assert "--corpus" in done.stderr
    assert cli("eval", run, "--corpus", tiny_run.corpus).code == 0


def test_a_corpus_is_found_relative_to_the_run(cli, tiny_run, planted, tmp_path):
    shutil.copytree(tiny_run.corpus, tmp_path / "corpus")
    assert cli("eval", planted(tmp_path / "run", place="../corpus")).code == 0


def test_another_corpus_is_refused(cli, tiny_run, tiny_csv, tmp_path):
    from lda_app.corpus.folder import build_corpus
    from lda_app.corpus.preprocess import PreprocessOptions
    from lda_app.corpus.sources import SourceOptions, open_source

    other = tmp_path / "other"
    source = open_source(str(tiny_csv), SourceOptions(text_column="text"))
    build_corpus(source, other, PreprocessOptions(), test_fraction=0.2, seed=9)
    done = cli("eval", tiny_run.run, "--corpus", other)
    assert done.code == 4
    assert "fingerprint" in done.stderr


@pytest.mark.parametrize("command", ["eval", "topics"])
def test_a_missing_run_is_named(cli, command, tmp_path):
    done = cli(command, tmp_path / "nowhere")
    assert done.code == 4
    assert "nowhere" in done.stderr
    assert done.stdout == ""


def calibrated(cli, run, *options):
    return cli("eval", run, "--calibration", "--calibration-documents", 40, *options)


def test_calibration_is_printed_drawn_and_kept_in_the_run(cli, planted, tmp_path):
    from lda_app.system.storage import read_annotation

    run = planted(tmp_path / "run")
    done = calibrated(cli, run, "--plot", tmp_path / "coverage.svg", "--output", tmp_path / "figures.json")
    assert done.code == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith(("guide", "draws"))]
    assert [row[:3] for row in rows[:3]] == [
        ["guide", "corpus", "all"],
        ["guide", "corpus", "largest"],
        ["guide", "10", "all"],
    ]
    assert len(rows) == 20
    assert (tmp_path / "coverage.svg").read_text().count("coverage</text>") == 4
    kept = read_annotation(run, "calibration.json")
    written = json.loads((tmp_path / "figures.json").read_text())["calibration"]
    assert kept["parts"] == written["parts"]
    assert kept["schema_version"] == 1
    assert written["parts"][0]["num_documents"] == 40


def test_calibration_is_not_there_unless_asked_for(cli, planted, tmp_path):
    run = planted(tmp_path / "run")
    assert "calibration" not in json.loads(cli("eval", run, "--json").stdout)
    assert not (run / "calibration.json").exists()


@pytest.mark.parametrize("columns", [40, 80])
def test_calibration_fits_a_terminal(cli, planted, tmp_path, monkeypatch, columns):
    monkeypatch.setattr("lda_app.cli.tables.is_plain", lambda: False)
    monkeypatch.setenv("COLUMNS", str(columns))
    out = calibrated(cli, planted(tmp_path / "run"), "--protocols", "elbo").stdout
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= columns
    assert "draws" in out


def test_calibration_is_of_models_of_ours(cli, tiny_run, tmp_path, assert_refused):
    (tmp_path / "topics.csv").write_text("topic,word,weight\n0,orbit,1\n")
    options = ("--topic-words", tmp_path / "topics.csv", "--corpus", tiny_run.corpus, "--calibration")
    assert_refused(cli("eval", *options), 2, "--calibration", "RUN")


def test_a_plot_is_refused_before_any_work(cli, tiny_run, tmp_path, assert_refused):
    (tmp_path / "mine.svg").write_text("mine")
    assert_refused(cli("eval", tiny_run.run, "--plot", tmp_path / "new.svg"), 2, "--calibration")
    assert_refused(calibrated(cli, tiny_run.run, "--plot", tmp_path / "new.png"), 2, ".svg")
    assert_refused(calibrated(cli, tiny_run.run, "--plot", tmp_path / "mine.svg"), 2, "--overwrite")
    assert not (tiny_run.run / "calibration.json").exists()
