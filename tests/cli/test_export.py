"""``lda-app export``."""

import json

import numpy as np
import pandas as pd
import pytest

from lda_app.interchange import read_doc_topics

TABLES = {
    "topics": ["topic", "label", "prevalence", "coherence", "top_words"],
    "topic-words": ["topic", "word", "probability", "rank"],
    "document-topics": ["document", "topic", "share"],
}


@pytest.fixture
def export(cli, tmp_path):
    """Export a run to ``out.SUFFIX`` and return the file."""

    def call(run, to, *options):
        path = tmp_path / f"out.{ {'pyldavis': 'json', 'mallet': 'txt'}.get(to, to) }"
        done = cli("export", run, "--to", to, "--output", path, "--overwrite", *options)
        assert done.code == 0, done.stderr
        assert done.stdout == ""
        return path

    return call


def read_table(path):
    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".xlsx": pd.read_excel}
    if path.suffix == ".jsonl":
        return pd.read_json(path, lines=True)
    return readers[path.suffix](path)


@pytest.mark.parametrize("to", ["csv", "jsonl", "parquet", "xlsx"])
@pytest.mark.parametrize("table", TABLES)
def test_tables_are_the_same_in_every_format(export, tiny_run, to, table):
    found = read_table(export(tiny_run.run, to, "--table", table))
    assert list(found.columns) == TABLES[table]
    expected = read_table(export(tiny_run.run, "csv", "--table", table))
    if table == "topics":
        assert found.label.isna().all()
        found, expected = found.drop(columns="label"), expected.drop(columns="label")
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12)


def test_tables_say_what_other_commands_say(cli, export, tiny_run):
    topics = json.loads(cli("topics", tiny_run.run, "--format", "json").stdout)["topics"]
    table = read_table(export(tiny_run.run, "csv"))
    assert table.topic.tolist() == [topic["id"] for topic in topics]
    np.testing.assert_allclose(table.prevalence, [topic["prevalence"] for topic in topics])
    words = read_table(export(tiny_run.run, "csv", "--table", "topic-words", "--top", "4"))
    assert words.groupby("topic")["rank"].apply(list).tolist() == [[1, 2, 3, 4]] * 3
    first = words[words.topic == topics[0]["id"]]
    assert first.word.tolist() == [word["word"] for word in topics[0]["words"][:4]]


def test_shares_are_tidy_and_add_up(export, tiny_run):
    table = read_table(export(tiny_run.run, "csv", "--table", "document-topics", "--split", "test"))
    assert len(table) == 16 * 3
    np.testing.assert_allclose(table.groupby("document").share.sum(), 1, rtol=1e-5)
    with_ends = read_table(
        export(tiny_run.run, "csv", "--table", "document-topics", "--split", "test", "--intervals")
    )
    assert list(with_ends.columns) == ["document", "topic", "share", "lower", "upper"]
    assert (with_ends.lower <= with_ends.share).all()
    assert (with_ends.share <= with_ends.upper).all()
    assert (with_ends.share - table.share).abs().max() < 0.2


def test_labels_are_heeded(cli, export, planted, tmp_path):
    run = planted(tmp_path / "run")
    assert cli("label", run, "--merge", "0,1", "--hide", "2").code == 0
    assert cli("label", run, "leisure", "--topic", "0").code == 0
    assert read_table(export(run, "csv"))[["topic", "label"]].to_numpy().tolist() == [[0, "leisure"]]
    shares = read_table(export(run, "csv", "--table", "document-topics", "--intervals", "--level", "0.5"))
    assert set(shares.topic) == {0}
    assert (shares.lower <= shares.upper).all()
    plain = read_table(export(run, "csv", "--table", "document-topics"))
    assert (plain.share - shares.share).abs().max() < 0.2


def test_a_workbook_has_all_tables(export, tiny_run):
    sheets = pd.read_excel(export(tiny_run.run, "xlsx"), sheet_name=None)
    assert {name: list(sheet.columns) for name, sheet in sheets.items()} == TABLES


@pytest.mark.parametrize("to", ["csv", "xlsx"])
def test_no_spreadsheet_runs_a_cell(export, hostile_run, hostile_words_run, to):
    ids = read_table(export(hostile_run, to, "--table", "document-topics")).document
    assert not ids.str.startswith(("=", "\x1b")).any()
    assert ids.str.startswith("'=").any()
    words = read_table(export(hostile_words_run, to, "--table", "topic-words")).word
    assert not words.str.startswith(("=", "@")).any()
    assert not words.str.contains("[\x1b\t\u202e]").any()


def test_pyldavis_gets_five_arrays_that_fit_together(export, tiny_run):
    content = json.loads(export(tiny_run.run, "pyldavis").read_text())
    beta, theta = np.array(content["topic_term_dists"]), np.array(content["doc_topic_dists"])
    lengths, frequency = np.array(content["doc_lengths"]), np.array(content["term_frequency"])
    assert set(content) == {
        *("topic_term_dists", "doc_topic_dists", "doc_lengths", "vocab", "term_frequency")
    }
    assert beta.shape == (3, len(content["vocab"])) == (3, len(frequency))
    assert theta.shape == (len(lengths), 3)
    np.testing.assert_allclose(beta.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(theta.sum(1), 1, atol=1e-5)
    assert lengths.sum() == frequency.sum() == 44 * 12
    assert lengths.min() > 0 < frequency.min()


def test_what_mallet_writes_can_be_read(export, tiny_run):
    path = export(tiny_run.run, "mallet")
    found = read_doc_topics(path, 3)
    assert found.theta.shape == (44, 3)
    table = read_table(export(tiny_run.run, "csv", "--table", "document-topics"))
    np.testing.assert_allclose(found.theta.ravel(), table.share, atol=1e-6)
    assert path.read_text().splitlines()[0].split("\t")[:2] == ["0", table.document[0]]


def test_without_its_corpus_topics_can_be_had(cli, export, hostile_words_run, tmp_path, assert_refused):
    table = read_table(export(hostile_words_run, "csv"))
    assert table.prevalence.isna().all()
    done = cli("export", hostile_words_run, "--to", "pyldavis", "--output", tmp_path / "x.json")
    assert_refused(done, 4, "was not found", "--corpus")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--to", "csv", "--output", "x.parquet"), "the suffix for csv must be .csv"),
        (("--to", "pyldavis", "--output", "x.csv"), "the suffix for pyldavis must be .json"),
        (("--to", "mallet", "--output", "x.txt", "--table", "topics"), "leave it out"),
        (("--to", "ods", "--output", "x.ods"), "ods"),
        (("--to", "csv", "--output", "x.csv", "--top", "0"), "--top"),
        (("--to", "csv", "--output", "x.csv", "--level", "1.5"), "--level"),
        (("--to", "csv"), "--output"),
        (("--output", "x.csv"), "--to"),
    ],
)
def test_what_cannot_be_is_refused(cli, tiny_run, monkeypatch, tmp_path, assert_refused, options, part):
    monkeypatch.chdir(tmp_path)
    assert_refused(cli("export", tiny_run.run, *options), 2, part)
    assert not list(tmp_path.iterdir())


def test_an_output_that_exists_is_kept(cli, tiny_run, tmp_path, assert_refused):
    path = tmp_path / "x.csv"
    path.write_text("mine")
    assert_refused(cli("export", tiny_run.run, "--to", "csv", "--output", path), 2, "--overwrite")
    assert path.read_text() == "mine"
