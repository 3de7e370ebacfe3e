"""The benchmark: its own metrics, what it makes again and what it does not, its page."""

from __future__ import annotations

import csv
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bench import page, results, run, summary
from bench.cells import Cell, full, quick
from bench.corpora import CORPORA, Named, Rewritten, load
from bench.methods import METHODS
from scipy.special import digamma

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.folder import build_corpus
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.evaluation.completion import document_completion
from lda_app.models.fold_in import fold_in
from lda_app.studies.compare.clock import Clock, cpu_seconds, peak_memory
from lda_app.studies.compare.curve import draw
from lda_app.studies.compare.figures import Split, figures, proportions, split_of_corpus
from lda_app.studies.compare.methods import Fitted, Method
from lda_app.system.runtime import rng

if TYPE_CHECKING:
    from pathlib import Path

    from lda_app.corpus.folder import Corpus

SUBJECTS = {
    "space": "orbit shuttle moon rocket launch satellite astronaut telescope",
    "sport": "goal hockey puck player team season score league",
}
CELL = Cell("tiny", 2, "by-hand", 0)


@pytest.fixture(autouse=True)
def _time_inference_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lda_app.studies.compare.figures._SECONDS_OF_INFERENCE", 0.0)


@pytest.fixture(scope="module")
def simulated() -> tuple[DocTermMatrix, np.ndarray, np.ndarray, np.ndarray]:
    """Counts of 300 documents of 40 tokens, with the α, β and θ that they were drawn from."""
    generator = rng(0, "simulated")
    alpha, beta = np.full(4, 0.1), generator.dirichlet(np.full(30, 0.1), size=4)
    theta = generator.dirichlet(alpha, size=300)
    counts = np.stack([generator.multinomial(40, shares @ beta) for shares in theta])
    return DocTermMatrix.from_scipy(counts), alpha, beta, theta


class ByHand:
    """A module of methods, as ``lda_app.studies.compare.methods`` finds them, that knows the answer."""

    PACKAGES = ("numpy",)
    __file__ = __file__

    def __init__(self) -> None:
        self.fits = 0

    def fit(self, train: DocTermMatrix, num_topics: int, seed: int, settings: Any, clock: Clock) -> Fitted:
        """Count the words of every other document."""
        clock.start()
        self.fits += 1
        rows = (train.rows(np.arange(part, train.num_documents, num_topics)) for part in range(num_topics))
        beta = np.array([0.1 + np.bincount(r.indices, r.counts, r.num_words) for r in rows])
        clock.snapshot(lambda: (np.ones(num_topics), beta))
        return Fitted(np.ones(num_topics), beta / beta.sum(axis=1, keepdims=True), _even(num_topics))


def _even(num_topics: int) -> Any:
    return lambda documents: np.ones((documents.num_documents, num_topics))


@pytest.fixture
def by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ByHand:
    """A tiny corpus and a method, known to the benchmark; cells are run in this process."""
    file = tmp_path / "tiny.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "subject"))
        writer.writerows((words, subject) for _ in range(20) for subject, words in SUBJECTS.items())

    def build(out: Path) -> Corpus:
        source = open_source(str(file), SourceOptions(text_column="text"))
        return build_corpus(source, out, PreprocessOptions(), test_fraction=0.25, workers=1)

    module = ByHand()
    monkeypatch.setitem(CORPORA, "tiny", Named("two subjects", "subject", build))
    monkeypatch.setitem(METHODS, "by-hand", Method(module, {}))
    monkeypatch.setattr(run, "_in_own_session", lambda _: run.run_cell(CELL, tmp_path))
    return module


def test_fold_in_is_mean_field(simulated: tuple[Any, ...]) -> None:
    doc_term, alpha, beta, _ = simulated
    counts = doc_term.to_scipy().toarray()
    expected = alpha + np.full((300, 4), 40 / 4)
    for _ in range(7):
        weights = np.exp(digamma(expected))
        expected = alpha + weights * ((counts / (weights @ beta)) @ beta.T)
    np.testing.assert_allclose(fold_in(doc_term, alpha, beta, sweeps=7), expected, rtol=1e-9)


def test_fold_in_keeps_the_tokens_and_survives_a_tiny_prior(simulated: tuple[Any, ...]) -> None:
    doc_term, _, beta, _ = simulated
    concentration = fold_in(doc_term, np.full(4, 1e-3), beta)
    np.testing.assert_allclose(concentration.sum(axis=1), 40 + 4e-3)


def test_figures_of_the_truth(simulated: tuple[Any, ...]) -> None:
    doc_term, alpha, beta, theta = simulated
    split = Split(doc_term, theta.argmax(axis=1))
    found = figures(Fitted(alpha, beta, lambda part: fold_in(part, alpha, beta)), split, split)
    oracle = document_completion(doc_term, lambda _: theta, beta, seed=0).value
    assert found["own"] == pytest.approx(found["ref"])
    assert oracle < found["ref"] < 1.2 * oracle
    assert found["ref"] < found["elbo"] < 30
    assert found["live"] == 4
    assert found["purity"] > 0.9
    assert found["nmi"] > 0.7
    in_figures = {column.key for column in page.COLUMNS if column.part == "figures"}
    assert in_figures == found.keys()


def test_a_document_without_words_has_the_proportions_of_the_prior() -> None:
    documents = DocTermMatrix.from_scipy([[1, 2], [0, 0]])
    fitted = Fitted(np.array([1.0, 3.0]), np.eye(2), lambda part: 1 + part.to_scipy().toarray())
    assert proportions(fitted, documents).tolist() == [[0.4, 0.6], [0.25, 0.75]]


def test_a_result_is_made_once_and_again_when_what_it_depends_on_changes(
    by_hand: ByHand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = []
    changes = [
        lambda: None,
        lambda: None,
        lambda: monkeypatch.setitem(METHODS, "by-hand", Method(by_hand, {"sweeps": 10})),
        lambda: monkeypatch.setattr(results, "PROTOCOL", results.PROTOCOL + 1),
        lambda: None,
    ]
    for change in changes:
        change()
        assert run.run([CELL], tmp_path) == {}
        fits.append(by_hand.fits)
    assert np.diff(fits).tolist() == [0, 2, 2, 0]  # each with a warm-up


def test_a_method_that_is_not_installed_is_passed_over(
    by_hand: ByHand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(by_hand, "PACKAGES", ("no-such-rival",), raising=False)
    assert "no-such-rival" in run.run([CELL], tmp_path)[CELL]
    assert "no result: not installed" in capsys.readouterr().err


def test_a_cell_that_fails_or_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run._in_own_session([sys.executable, "-c", "raise SystemExit(3)"]) == "exit code 3"
    monkeypatch.setattr(run, "_MOST_SECONDS", 0.1)
    assert "not ready" in run._in_own_session([sys.executable, "-c", "import time; time.sleep(60)"])


@pytest.mark.usefixtures("by_hand")
def test_the_page_shows_what_is_there_and_names_what_is_missing(tmp_path: Path) -> None:
    run.run([CELL], tmp_path)
    out = tmp_path / "docs" / "benchmarks.md"
    page.write_page([CELL, CELL._replace(seed=1)], tmp_path, out)
    text = out.read_text()
    assert "## tiny" in text
    assert "Missing: 1 of 2 results" in text
    assert "- tiny, K = 2, seed 1: by-hand" in text
    row = next(line for line in text.splitlines() if line.startswith("| by-hand |"))
    assert row.count("|") == len(page.COLUMNS) + 3


def test_the_summary_names_the_rival_that_is_best_in_each_figure() -> None:
    def result(own: float, npmi: float) -> dict[str, Any]:
        figures = {"own": own, "ref": own, "npmi_test": npmi, "purity": 0.5, "nmi": 0.5}
        return {"figures": figures | {"live": 2, "duplicates": 0}, "usage": {"seconds": own / 100}}

    results_of = {"lda-app": (700, 0.2), "topica": (720, 0.1), "tomotopy": (800, 0.3)}
    found = {Cell("tiny", 2, method, 0): result(*values) for method, values in results_of.items()}
    found[Cell("tiny", 2, "lda-app", 1)] = result(710, 0.2)
    (row,) = summary.rows(found)
    entries = dict(zip(summary.TITLES, row, strict=True))
    assert entries["own"] == "705 : 720 = 0.979 (topica)"
    assert entries["NPMI test"] == "0.200 − 0.300 = -0.100 (tomotopy)"
    assert (entries["live"], entries["seconds"]) == ("100% (100%)", "7.0 (7.2)")


def test_the_curve_is_svg() -> None:
    curves = {"a": [(0.5, 900.0), (2.0, 800.0)], "b <": [(3.0, 790.0)], "far": [(1.0, 9e9)]}
    svg = ET.fromstring(draw(curves))
    texts = {text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"a", "b <"} <= texts
    assert "far" not in texts


def test_the_plan_has_every_corpus_and_method() -> None:
    cells = full()
    assert len(set(cells)) == len(cells)
    assert set(quick()) <= set(cells)
    assert {(cell.corpus, cell.num_topics, cell.seed) for cell in cells} == {
        (corpus, num_topics, seed)
        for corpus in CORPORA
        for num_topics, seed in ((20, 0), (100, 0), (50, 0), (50, 1), (50, 2))
    }
    assert {cell.method for cell in cells} == set(METHODS)
    assert sum(cell.method == "lda-app-figurnov" for cell in cells) == 1


def test_a_clock_counts_no_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 5.0, 6.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    clock = Clock(keeps_snapshots=True)
    clock.snapshot(lambda: (np.ones(1), np.ones((1, 1))))
    usage = clock.stop()
    assert (clock.snapshots[0].seconds, usage.seconds) == (1.0, 2.0)
    assert peak_memory() > 2**20
    assert cpu_seconds() > 0


def test_a_corpus_may_be_another_rewritten(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("one two\nthree four\n")
    shortened = Rewritten(
        "short", str(file), lambda documents: (d for d in documents if d.text.startswith("one"))
    )
    assert [document.text for document in shortened] == ["one two"]
    assert shortened.describe()["kind"] == "short"


@pytest.mark.usefixtures("by_hand")
@pytest.mark.filterwarnings("ignore")  # of the rivals
@pytest.mark.parametrize("name", list(METHODS))
def test_each_method_fits_and_infers(name: str, tmp_path: Path) -> None:
    if METHODS[name].versions() is None:
        pytest.skip(f"{METHODS[name].module.PACKAGES} are not installed; the extra `compare` names them")
    corpus = load("tiny", tmp_path / "corpora")
    train = split_of_corpus(corpus, "train", "subject").doc_term
    fitted = METHODS[name].warm_up(train, 3, Clock(keeps_snapshots=True))
    assert fitted.alpha.shape == (3,)
    np.testing.assert_allclose(fitted.beta.sum(axis=1), 1, rtol=1e-4)
    assert fitted.beta.shape == (3, train.num_words)
    assert proportions(fitted, train).shape == (train.num_documents, 3)


def test_the_page_keeps_what_compare_has_measured(tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    out.write_text("# Benchmarks\n\nold\n\n## By lda-app compare\n\n| kept |\n", encoding="utf-8")
    page.write_page([], tmp_path, out)
    text = out.read_text(encoding="utf-8")
    assert "old" not in text
    assert text.endswith("\n\n## By lda-app compare\n\n| kept |\n")
