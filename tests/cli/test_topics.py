"""``lda-app topics``."""

import csv
import io
import json

import numpy as np
import pytest
from scipy import sparse

SPACE = {"orbit", "shuttle", "moon", "rocket", "launch", "satellite", "astronaut", "telescope"}


def test_the_table_shows_words_shares_coherence_and_documents(cli, tiny_run):
    done = cli("topics", tiny_run.run, "--top", "4")
    assert done.code == 0
    space = next(line for line in done.stdout.splitlines() if line.lstrip().startswith("0 "))
    words = space.split()[3::2]
    assert len(words) == 4
    assert set(words) <= SPACE
    assert "%" in space.split()[1]
    assert (
        "document_npmi of the top 10 words; measured on the train split, 44 documents, 528 tokens"
        in done.stdout
    )
    assert done.stdout.count("%  doc") == 9
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_terminal_of_any_width_shows_whole_words(cli, tiny_run, monkeypatch, columns):
    monkeypatch.setattr("lda_app.cli.tables.is_plain", lambda: False)
    monkeypatch.setenv("COLUMNS", str(columns))
    out = cli("topics", tiny_run.run, "--top", "8").stdout
    assert max(map(len, out.splitlines())) <= columns
    assert set(out.split()) >= SPACE


def test_json_holds_all_of_it_in_order_of_prevalence(cli, tiny_run):
    content = json.loads(cli("topics", tiny_run.run, "--format", "json", "--num-documents", "2").stdout)
    topics = content["topics"]
    assert content["schema_version"] == 1
    assert content["coherence"]["protocol"] == "document_npmi"
    assert content["prevalence"]["num_documents"] == 44
    assert [len(topic["words"]) for topic in topics] == [10, 10, 10]
    assert sorted(topic["id"] for topic in topics) == [0, 1, 2]
    shares = [topic["prevalence"] for topic in topics]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    space = next(topic for topic in topics if topic["id"] == 0)
    assert all(set(document["text"].rstrip("…").split()) & SPACE for document in space["documents"])


def test_json_is_asked_for_as_of_all_commands(cli, tiny_run):
    assert (
        cli("topics", tiny_run.run, "--json").stdout == cli("topics", tiny_run.run, "--format", "json").stdout
    )


def test_csv_has_a_row_a_topic(cli, tiny_run):
    rows = list(
        csv.DictReader(
            io.StringIO(
                cli("topics", tiny_run.run, "--format", "csv", "--top", "3", "--num-documents", "1").stdout
            )
        )
    )
    assert len(rows) == 3
    assert list(rows[0])[:4] == ["topic", "label", "prevalence", "coherence"]
    assert list(rows[0])[4:] == [
        *("word_1", "probability_1", "word_2", "probability_2", "word_3", "probability_3"),
        *("document_1", "share_1"),
    ]
    assert {row["word_1"] for row in rows if row["topic"] == "0"} <= SPACE


def test_markdown_has_a_table_and_documents(cli, tiny_run, tmp_path):
    out = tmp_path / "topics.md"
    assert cli("topics", tiny_run.run, "--format", "markdown", "--output", out).stdout == ""
    text = out.read_text()
    assert text.startswith("# 3 topics\n")
    assert text.count("\n| ") == 5
    assert "## Representative documents" in text
    assert text == cli("topics", tiny_run.run, "--format", "markdown").stdout


def test_a_table_in_a_file_is_the_one_in_a_pipe(cli, tiny_run, tmp_path):
    out = tmp_path / "topics.txt"
    done = cli("topics", tiny_run.run, "--output", out)
    assert done.code == 0
    assert f"Wrote {out}" in done.stderr
    assert out.read_text() == cli("topics", tiny_run.run).stdout


def test_documents_of_imported_counts_show_their_label(cli, quick, tmp_path):
    sparse.save_npz(tmp_path / "counts.npz", sparse.csr_array(np.eye(30, 3, dtype=int) + 1))
    (tmp_path / "vocab.txt").write_text("moon\norbit\ngoal\n")
    (tmp_path / "labels.txt").write_text("sky\n" * 30)
    files = (tmp_path / "counts.npz", "--vocab", tmp_path / "vocab.txt", "--labels", tmp_path / "labels.txt")
    assert cli("corpus", "import", *files, "--out", tmp_path / "corpus").code == 0
    assert cli("train", tmp_path / "corpus", "--out", tmp_path / "run", *quick).code == 0
    lines = cli("topics", tmp_path / "run", "--num-documents", "1").stdout.splitlines()
    assert sum(line.endswith("  sky") for line in lines) == 3


def test_an_output_that_exists_is_kept(cli, tiny_run, tmp_path):
    out = tmp_path / "topics.md"
    out.write_text("mine")
    assert cli("topics", tiny_run.run, "--output", out).code == 2
    assert out.read_text() == "mine"


@pytest.mark.parametrize("layout", ["table", "json", "csv", "markdown"])
def test_without_its_corpus_a_model_still_shows_its_words(cli, planted, tmp_path, layout):
    done = cli("topics", planted(tmp_path / "run", place=tmp_path / "gone"), "--format", layout)
    assert done.code == 0
    assert "satellite" in done.stdout
    assert "gone" in done.stderr
    assert "--corpus" in done.stderr


@pytest.mark.parametrize("layout", ["table", "json", "csv", "markdown"])
def test_hostile_ids_and_texts_are_inert(cli, hostile_run, layout):
    out = cli("topics", hostile_run, "--format", layout, "--num-documents", "60").stdout
    assert "\x1b" not in out
    assert "\u202e" not in out
    if layout == "csv":
        cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
        assert not any(cell.startswith("=") for cell in cells)
        assert any(cell.startswith("'=") for cell in cells)
    if layout == "markdown":
        assert "<script" not in out
        assert all(line.count("|") in (0, 5) for line in out.splitlines() if not line.startswith("-"))


@pytest.mark.parametrize("layout", ["table", "json", "csv", "markdown"])
def test_hostile_words_are_inert(cli, hostile_words_run, layout):
    out = cli("topics", hostile_words_run, "--format", layout).stdout
    assert "cmd()" in out
    assert not {"\x1b", "\u202e", "\t"} & set(out)
    if layout == "csv":
        cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
        assert not any(cell.startswith(("=", "@")) for cell in cells)
    if layout == "markdown":
        assert "<script" not in out
        assert "a\\|b" in out


@pytest.mark.parametrize("option", [("--top", "0"), ("--num-documents", "-1"), ("--format", "xml")])
def test_impossible_options_are_usage_errors(cli, tiny_run, option):
    done = cli("topics", tiny_run.run, *option)
    assert done.code == 2
    assert option[0] in done.stderr


def test_no_documents_when_none_are_asked_for(cli, tiny_run):
    out = cli("topics", tiny_run.run, "--num-documents", "0").stdout
    assert "top words and documents" not in out
    assert len(out.splitlines()) == 5


@pytest.mark.parametrize("measure", ["document_npmi", "u_mass", "c_uci", "c_npmi", "c_v"])
def test_coherence_is_measured_as_asked(cli, tiny_run, measure):
    content = json.loads(cli("topics", tiny_run.run, "--coherence", measure, "--format", "json").stdout)
    assert content["coherence"]["protocol"] == measure
    assert all(topic["coherence"] is not None for topic in content["topics"])


def test_another_measure_of_coherence_is_refused(cli, tiny_run):
    done = cli("topics", tiny_run.run, "--coherence", "c_w2v")
    assert done.code == 2
    assert "c_v" in done.stderr
