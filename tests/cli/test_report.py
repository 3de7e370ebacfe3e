"""``lda-app report``: the file it writes, and what it refuses."""

import json
import re

import pytest


@pytest.fixture
def page(tiny_run, cli, tmp_path):
    """Write a page and return its path: ``page("--no-documents")``."""

    def write(*options, run=tiny_run.run):
        path = tmp_path / "report.html"
        done = cli("report", run, "--output", path, "--overwrite", *options)
        assert done.code == 0, done.stderr
        return path

    return write


def data_of(path):
    source = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', source, flags=re.DOTALL)[1])


def test_it_writes_one_file_and_says_so(tiny_run, cli, tmp_path):
    done = cli("report", tiny_run.run, "--output", tmp_path / "report.html")
    assert (done.code, done.stdout) == (0, "")
    assert "Wrote " in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_same_run_gives_the_same_bytes(page):
    first = page().read_bytes()
    assert page().read_bytes() == first


def test_figures_are_those_of_the_other_commands(page, tiny_run, cli):
    shown = data_of(page())
    topics = json.loads(cli("topics", tiny_run.run, "--format", "json").stdout)["topics"]
    figures = json.loads(cli("eval", tiny_run.run, "--json").stdout)
    for topic in topics:
        here = shown["topics"][topic["id"]]
        assert here["prevalence"] == pytest.approx(topic["prevalence"], rel=1e-3)
        assert here["coherence"] == pytest.approx(topic["coherence"], rel=1e-3)
        best = shown["words"][here["words"][0]]
        assert best == topic["words"][0]["word"]
    completion = figures["perplexity"]["document_completion"]
    assert shown["perplexity"]["value"] == pytest.approx(completion["value"])
    assert shown["perplexity"]["interval"] == [completion["interval"]["low"], completion["interval"]["high"]]


def test_documents_can_be_left_out_or_limited(page):
    whole, without = page().stat().st_size, page("--no-documents").stat().st_size
    some = page("--max-documents", "5").stat().st_size
    assert without < some < whole
    assert not data_of(page("--no-documents"))["carried"]


def test_names_of_topics_are_shown(page, planted, cli, tmp_path):
    run = planted(tmp_path / "labelled")
    assert cli("label", run, "--topic", "1", "ball games").code == 0
    assert data_of(page(run=run))["topics"][1]["label"] == "ball games"


def test_an_output_that_exists_is_refused(tiny_run, cli, tmp_path, assert_refused):
    (tmp_path / "report.html").write_text("mine")
    done = cli("report", tiny_run.run, "--output", tmp_path / "report.html")
    assert_refused(done, 2, "report.html", "--overwrite")
    assert (tmp_path / "report.html").read_text() == "mine"


def test_a_corpus_that_is_gone_is_named(planted, cli, tmp_path, assert_refused):
    run = planted(tmp_path / "run", place=tmp_path / "gone")
    assert_refused(cli("report", run, "--output", tmp_path / "report.html"), 4, "gone", "--corpus")
    assert not (tmp_path / "report.html").exists()


def test_a_corpus_can_lie_elsewhere(planted, cli, tmp_path, tiny_run):
    run = planted(tmp_path / "run", place=tmp_path / "gone")
    done = cli("report", run, "--corpus", tiny_run.corpus, "--output", tmp_path / "report.html")
    assert done.code == 0, done.stderr
