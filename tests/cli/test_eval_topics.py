"""``lda-app eval``: coherence, quality of topics and labels, and what it says to bad input."""

import json

import pytest

from lda_app.evaluation.coherence import MEASURES


@pytest.fixture(scope="session")
def labelled_run(tmp_path_factory, tiny_texts, save_planted):
    """Save the planted model over a corpus whose documents have metadata, and over one without texts."""
    from lda_app.corpus.folder import build_corpus
    from lda_app.corpus.preprocess import PreprocessOptions
    from lda_app.corpus.sources import SourceOptions, open_source

    folder = tmp_path_factory.mktemp("labelled")
    lines = ["id,text,subject,same"]
    lines += [f"d{i},{t},{['space', 'sport', ''][i % 3]},x" for i, t in enumerate(tiny_texts)]
    (folder / "texts.csv").write_text("\n".join(lines))
    options = SourceOptions(text_column="text", id_column="id")

    def save(name, **build):
        source = open_source(str(folder / "texts.csv"), options)
        corpus = build_corpus(
            source, folder / f"corpus-{name}", PreprocessOptions(min_df=1), test_fraction=0.4, **build
        )
        save_planted(folder / name, corpus, tiny_texts)
        return folder / name

    return {"labels": save("labels"), "no-texts": save("no-texts", texts=False)}


def figures_of(cli, run, *options):
    done = cli("eval", run, "--protocols", "elbo", "--json", *options)
    assert done.code == 0, done.stderr
    return json.loads(done.stdout)


def test_the_summary_tells_of_every_measure(cli, tiny_run):
    out = cli("eval", tiny_run.run, "--protocols", "elbo").stdout
    for name in (*MEASURES, "unique_share", "inverted_rbo_0.9", "frex_0.7", "kl_vacuous", "exp_entropy"):
        assert name in out
    assert "dead topics" not in out


def test_json_has_a_row_a_topic(cli, tiny_run):
    figures = figures_of(cli, tiny_run.run)
    assert [entry["protocol"] for entry in figures["coherence"]] == [*MEASURES, "document_npmi"]
    assert figures["coherence_left_out"] is None
    assert [topic["id"] for topic in figures["topics"]] == [0, 1, 2]
    for topic in figures["topics"]:
        assert set(topic["coherence"]) == set(MEASURES)
        assert len(topic["top_words"]) == 10
        assert not topic["dead"]
        assert topic["label"] is None
    by_topic = [topic["coherence"]["c_v"] for topic in figures["topics"]]
    assert by_topic == next(e for e in figures["coherence"] if e["protocol"] == "c_v")["per_topic"]
    assert figures["effective_topics"]["value"] == pytest.approx(3, abs=0.1)


def test_measures_and_top_words_are_chosen(cli, tiny_run):
    figures = figures_of(cli, tiny_run.run, "--coherence", "npmi, c_v,c_v", "--top-words", "4")
    assert [entry["protocol"] for entry in figures["coherence"]] == ["document_npmi", "c_v"]
    assert {entry["num_top_words"] for entry in figures["coherence"]} == {4}
    assert figures["duplicate_topics"]["protocol"] == "2_of_4_shared"
    assert len(figures["topics"][0]["top_words"]) == 4


@pytest.mark.parametrize("reference", ["train", "test"])
def test_a_split_is_the_reference(cli, tiny_run, reference):
    figures = figures_of(cli, tiny_run.run, "--reference", reference)
    assert [e["protocol"] for e in figures["coherence"]] == [*MEASURES]
    assert {entry["reference_split"] for entry in figures["coherence"]} == {reference}


def test_a_file_of_the_user_s_is_the_reference(cli, tiny_run, tmp_path, tiny_texts):
    file = tmp_path / "mine.txt"
    file.write_text("\n".join(tiny_texts))
    figures = figures_of(cli, tiny_run.run, "--reference", file)
    assert {entry["reference_split"] for entry in figures["coherence"]} == {"mine.txt"}
    assert {entry["num_documents"] for entry in figures["coherence"]} == {60}
    file.write_text("orbit moon shuttle\n")
    few = cli("eval", tiny_run.run, "--protocols", "elbo", "--reference", file, "--coherence", "c_v")
    assert few.code == 0
    assert "do not occur in the reference" in few.stdout


def test_each_topic_has_its_line(cli, tiny_run):
    done = cli("eval", tiny_run.run, "--protocols", "elbo", "--per-topic", "--coherence", "c_npmi")
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["topic", "share", "c_npmi", "exclusivity"]
    assert {line.split()[0] for line in lines[1:4]} == {"0", "1", "2"}
    assert "in train" in done.stdout


def test_words_that_try_something_are_inert_in_the_table(cli, hostile_run):
    done = cli("eval", hostile_run, "--protocols", "elbo", "--per-topic")
    assert done.code == 0
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_table_of_topics_fits_any_terminal(cli, tiny_run, monkeypatch, columns):
    monkeypatch.setattr("lda_app.cli.tables.is_plain", lambda: False)
    monkeypatch.setenv("COLUMNS", str(columns))
    out = cli("eval", tiny_run.run, "--protocols", "elbo", "--per-topic").stdout
    assert max(map(len, out.splitlines())) <= columns


def test_labels_are_compared_with_topics(cli, labelled_run):
    figures = figures_of(cli, labelled_run["labels"], "--label-column", "subject")
    labels = figures["labels"]
    assert labels["column"] == "subject"
    assert labels["purity"] == labels["nmi"] == 1
    assert labels["classification"]["accuracy"] == 1
    assert labels["num_unlabelled"] > 0
    assert [topic["label"]["label"] for topic in figures["topics"][:2]] == ["space", "sport"]
    shown = cli("eval", labelled_run["labels"], "--protocols", "elbo", "--label-column", "subject").stdout
    for part in (
        "purity",
        "nmi",
        "logistic_regression",
        "1.000 ± 0.000",
        "majority_label",
        "without a label",
    ):
        assert part in shown
    by_topic = cli("eval", labelled_run["labels"], "--label-column", "subject", "--per-topic").stdout
    assert "sport 100%" in by_topic


def test_without_texts_documents_remain_and_the_rest_is_explained(cli, labelled_run):
    run = labelled_run["no-texts"]
    figures = figures_of(cli, run)
    assert [e["protocol"] for e in figures["coherence"]] == ["document_npmi", "u_mass", "document_npmi"]
    assert "--no-texts" in figures["coherence_left_out"]
    assert "--no-texts" in cli("eval", run, "--protocols", "elbo").stdout


@pytest.mark.parametrize(
    ("options", "code", "parts"),
    [
        (["--coherence", "c_w2v"], 2, ["'c_w2v'", "c_npmi"]),
        (["--top-words", "1"], 2, []),
        (["--reference", "gone.txt"], 3, ["gone.txt", "no such file"]),
        (["--label-column", "subjct"], 3, ["'subjct'", "subject, same"]),
        (["--label-column", "same"], 3, ["'x' in all documents"]),
        (["--label-column", "id"], 3, ["'id'", "subject, same"]),
    ],
)
def test_what_cannot_be_measured_is_refused(cli, labelled_run, options, code, parts):
    done = cli("eval", labelled_run["labels"], *options)
    assert done.code == code
    assert done.stdout == ""
    for part in parts:
        assert part in done.stderr


def test_a_measure_that_needs_texts_is_refused_without_them(cli, labelled_run, assert_refused):
    done = cli("eval", labelled_run["no-texts"], "--coherence", "c_v")
    assert_refused(done, 3, "order of words", "--no-texts")
    assert_refused(cli("topics", labelled_run["no-texts"], "--coherence", "c_v"), 3, "--no-texts")
