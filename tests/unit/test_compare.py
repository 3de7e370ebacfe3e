"""Programs beside each other: what is run, gone on with and stopped, and what a result depends on."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.folder import build_corpus
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.errors import ConfigError, Interrupted, LdaAppError
from lda_app.evaluation.clustering import purity
from lda_app.models.threads import one_torch_thread
from lda_app.studies.compare import comparison as comparison_module
from lda_app.studies.compare import pages, running, table
from lda_app.studies.compare.clock import Clock
from lda_app.studies.compare.comparison import MARKER, Comparison, Trial, require_place
from lda_app.studies.compare.figures import decoded_completion, proportions
from lda_app.studies.compare.methods import METHODS, Fitted, Method
from lda_app.studies.compare.provenance import modules_behind
from lda_app.studies.compare.running import compare
from lda_app.studies.compare.sessions import Ended, run_in_session
from lda_app.studies.compare.worker import TRAINING, Task, work
from lda_app.system.runtime import Interruption, rng

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class ByHand:
    """A method that counts the words of every other document, in as many sweeps as it is told."""

    PACKAGES = ("numpy",)
    __file__ = __file__

    def __init__(self) -> None:
        self.fits = 0
        self.fails = False

    def fit(self, train: DocTermMatrix, num_topics: int, seed: int, settings: Any, clock: Clock) -> Fitted:
        self.fits += 1
        if self.fails:
            raise LdaAppError("no luck")
        rows = (train.rows(np.arange(part, train.num_documents, num_topics)) for part in range(num_topics))
        counts = np.array([1e-3 + np.bincount(r.indices, r.counts, r.num_words) for r in rows])
        alpha, beta = np.ones(num_topics), counts / counts.sum(axis=1, keepdims=True)
        clock.start()
        with clock.limited():
            for _ in range(settings["sweeps"]):
                clock.snapshot(lambda: (alpha, beta))
        return Fitted(alpha, beta, lambda documents: np.ones((documents.num_documents, num_topics)))


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> ByHand:
    """The methods are two of the same kind, and workers work in this process."""
    module = ByHand()
    methods = {"lda-app": Method(module, {"sweeps": 1}), "endless": Method(module, {"sweeps": 10**9})}
    for place in ("comparison", "running", "worker"):
        monkeypatch.setattr(f"lda_app.studies.compare.{place}.METHODS", methods)
    monkeypatch.setattr("lda_app.studies.compare.figures._SECONDS_OF_INFERENCE", 0.0)
    monkeypatch.setattr("lda_app.studies.compare.measuring._warm_up", lambda *_: None)
    monkeypatch.setattr(running, "run_in_session", _in_this_process)
    return module


def _in_this_process(command: list[str], *, log_file: Path, **_: Any) -> Ended | None:
    try:
        work(Task(**json.loads(command[-1])))
    except LdaAppError as error:
        log_file.write_text(f"something\n{error}\n")
        return Ended("exit code 1")
    return None


@pytest.fixture
def plan(tmp_path: Path, tiny_csv: Path) -> Callable[..., Comparison]:
    """Plan a comparison on a tiny corpus: ``plan(methods=…, seeds=…)``."""
    source = open_source(str(tiny_csv), SourceOptions(text_column="text", id_column="id"))
    corpus = build_corpus(source, tmp_path / "corpus", PreprocessOptions(min_df=1), test_fraction=0.3)

    def planned(**changes: Any) -> Comparison:
        values = {"methods": ("lda-app",), "seeds": (0,), **changes}
        return Comparison(tmp_path / "out", corpus, 3, **values)

    return planned


def test_a_comparison_is_made_once_and_written(by_hand: ByHand, plan: Callable[..., Comparison]) -> None:
    document = compare(plan(seeds=(0, 1), label="subject"))
    assert by_hand.fits == 2
    assert compare(plan(seeds=(0, 1), label="subject")) == document
    assert by_hand.fits == 2
    folder = plan().folder
    assert json.loads((folder / "comparison.json").read_text()) == document
    assert "| lda-app | 2 |" in (folder / "comparison.md").read_text()
    assert (folder / "perplexity.svg").read_text().startswith("<?xml")
    assert document["schema_version"] == 1
    assert {"own", "ref", "npmi_test", "c_npmi", "c_v", "purity"} <= document["results"][0]["figures"].keys()


def test_what_a_result_depends_on_makes_it_anew(
    by_hand: ByHand, plan: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(plan())
    compare(plan(label="subject"))
    assert by_hand.fits == 2
    monkeypatch.setattr(comparison_module, "PROTOCOL", comparison_module.PROTOCOL + 1)
    compare(plan(label="subject"))
    assert by_hand.fits == 3
    plan().path("results", Trial("lda-app", 0), "json").write_text("{")
    compare(plan(label="subject"))
    assert by_hand.fits == 4


def test_a_training_that_is_late_is_measured_as_it_is_then(
    by_hand: ByHand, plan: Callable[..., Comparison]
) -> None:
    planned = plan(methods=("lda-app", "endless"), time_limit=0.3)
    document = compare(planned)
    finished, stopped = document["results"]
    assert (finished["stopped"], stopped["stopped"]) == (False, True)
    assert 0.3 < stopped["usage"]["seconds"] < 60
    assert stopped["figures"]["ref"] == finished["figures"]["ref"]
    assert [point[1] for point in stopped["curve"]] == [stopped["figures"]["ref"]]
    assert table.rows(document["results"])[1][1][0] == "endless*"
    assert "endless*: stopped after 0.3 s" in pages.page(document)
    compare(planned)
    assert by_hand.fits == 2
    assert plan(time_limit=1e-9).read(Trial("lda-app", 0)) is None
    assert plan(time_limit=60).read(Trial("endless", 0)) is None


def test_a_training_that_shows_nothing_is_stopped_from_outside(
    by_hand: ByHand, plan: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "run_in_session", lambda *_, **__: Ended("stopped", was_late=True))
    document = compare(plan(time_limit=1.0))
    assert document["results"][0]["figures"] is None
    titles, (row,) = table.rows(document["results"])
    assert (titles, row) == (["method", "seeds"], ["lda-app*", "1"])
    compare(plan(time_limit=1.0))


def test_a_worker_has_its_time_and_a_little_more(tmp_path: Path) -> None:
    phase = tmp_path / "phase"
    too_late = running._until(Interruption(), phase, 10.0)
    assert too_late(1000.0) is None
    phase.write_text(TRAINING)
    assert too_late(1000.0) is None
    assert too_late(1014.0) is None
    assert "stopped after 10 s" in (too_late(1016.0) or "")
    phase.write_text("measuring")
    assert too_late(2000.0) is None


def test_a_method_that_fails_or_is_missing_does_not_stop_the_others(
    by_hand: ByHand, plan: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(plan())
    monkeypatch.setattr(by_hand, "fails", True)
    document = compare(plan(methods=("lda-app", "endless")))
    assert len(document["results"]) == 1
    assert "exit code 1: no luck" in document["missing"]["endless, seed 0"]
    monkeypatch.setattr(by_hand, "PACKAGES", ("no-such-rival",), raising=False)
    with pytest.raises(LdaAppError, match=r"not installed; pip install 'lda-app\[compare\]'.* no-such-rival"):
        compare(plan())


def test_an_interruption_keeps_what_is_finished(
    by_hand: ByHand, plan: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    def interrupted(*arguments: Any, **options: Any) -> Ended | None:
        if by_hand.fits:
            signal.raise_signal(signal.SIGINT)
            return Ended("interrupted", was_late=True)
        return _in_this_process(*arguments, **options)

    monkeypatch.setattr(running, "run_in_session", interrupted)
    with pytest.raises(Interrupted, match="after 1 of 3 trainings") as caught:
        compare(plan(seeds=(0, 1, 2)))
    assert caught.value.exit_code == 130
    monkeypatch.setattr(running, "run_in_session", _in_this_process)
    assert len(compare(plan(seeds=(0, 1, 2)))["results"]) == 3
    assert by_hand.fits == 3


def test_a_folder_is_of_one_corpus(by_hand: ByHand, plan: Callable[..., Comparison]) -> None:
    compare(plan())
    marker = plan().folder / MARKER
    marker.write_text(json.dumps({"corpus": "another"}))
    with pytest.raises(ConfigError, match="another corpus"):
        compare(plan())
    compare(plan(), overwrite=True)
    assert by_hand.fits == 2


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"thesis\.txt"):
        require_place(tmp_path)
    with pytest.raises(ConfigError, match="a file"):
        require_place(tmp_path / "thesis.txt")
    require_place(tmp_path / "new")


@pytest.mark.slow
def test_our_code_is_what_training_and_inference_import() -> None:
    """The modules found by reading code hold those that a training has loaded, and none of other commands."""
    found = {
        path.as_posix().rpartition("/lda_app/")[2]
        for path in modules_behind(METHODS["lda-app"].module.__name__)
    }
    script = (
        "import sys; import numpy as np; from lda_app.corpus.doc_term import DocTermMatrix;"
        "from lda_app.studies.compare.clock import Clock;"
        "from lda_app.studies.compare.methods import METHODS;"
        "counts = DocTermMatrix.from_scipy(np.eye(30, dtype=int) + 1);"
        "fitted = METHODS['lda-app'].warm_up(counts, 2, Clock()); fitted.infer(counts);"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('lda_app')), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {line.rpartition("/lda_app/")[2] for line in done.stdout.split()}
    rivals = {name for name in loaded if "/compare/methods/" in name}
    assert loaded - rivals <= found
    assert {"training/step.py", "models/gibbs.py", "fitted/inference.py"} <= found
    others = ("cli/", "interchange/", "studies/compare/comparison.py", "corpus/sources/", "transform.py")
    assert not [name for name in found if name.startswith(others)]


def test_a_rival_s_code_is_its_module(tmp_path: Path) -> None:
    module = ByHand()
    before = Method(module, {}).code()
    module.__file__ = str(tmp_path / "changed.py")
    (tmp_path / "changed.py").write_text("# changed\n")
    assert Method(module, {}).code() != before


def test_a_process_that_fails_hangs_or_is_killed_is_told(tmp_path: Path) -> None:
    def run(code: str, **options: Any) -> Ended | None:
        options = {"too_late": lambda _: None, "log_file": tmp_path / "log", **options}
        return run_in_session([sys.executable, "-c", code], **options)

    assert run("print('hello')") is None
    assert (tmp_path / "log").read_text() == "hello\n"
    assert run("raise SystemExit(3)") == Ended("exit code 3")
    assert run("import os; os.kill(os.getpid(), 9)") == Ended(
        "killed by signal 9, possibly because memory ran out"
    )
    late = run("import time; time.sleep(60)", too_late=lambda elapsed: "late" if elapsed > 0.2 else None)
    assert late == Ended("late", was_late=True)


def test_prodlda_learns_topics_and_its_words_are_scored_by_its_decoder() -> None:
    generator = rng(0, "simulated")
    beta = np.repeat(np.eye(3), 10, axis=1) * 0.08 + 0.02 / 3
    theta = generator.dirichlet(np.full(3, 0.1), size=400)
    beta /= beta.sum(axis=1, keepdims=True)
    counts = DocTermMatrix.from_scipy(np.stack([generator.multinomial(40, p) for p in theta @ beta]))
    method = METHODS["prodlda"]
    brief = Method(method.module, method.settings | {"epochs": 30, "batch_size": 50, "dropout": 0.0})
    with one_torch_thread():
        fitted = brief.fit(counts, 3, 0, Clock())
    assert fitted.decode is not None
    shares = proportions(fitted, counts)
    np.testing.assert_allclose(np.exp(fitted.decode(shares)).sum(axis=1), 1, rtol=1e-5)
    assert purity(shares.argmax(axis=1), theta.argmax(axis=1)) > 0.8
    assert decoded_completion(fitted, counts) < 27  # of words that are equally probable: 30
    uniform = Fitted(
        fitted.alpha, fitted.beta, fitted.infer, lambda theta: np.full((len(theta), 30), -np.log(30))
    )
    assert decoded_completion(uniform, counts) == pytest.approx(30)
