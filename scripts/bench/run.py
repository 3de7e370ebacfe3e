"""Run cells, each in a process of its own; what is there and up to date is passed over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench import corpora, results
from bench.clock import Clock
from bench.corpora import CORPORA
from bench.methods import METHODS
from lda_app.errors import LdaAppError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.cells import Cell
    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus

_MOST_SECONDS = 1800.0
_WARM_UP_DOCUMENTS, _WARM_UP_TOPICS = 40, 2


def run(cells: Iterable[Cell], folder: Path) -> dict[Cell, str]:
    """Make the results that are missing.

    Returns
    -------
    dict
        Why there is none, for each cell without a result.
    """
    opened = Opened(folder)
    missing = {cell: reason for cell in cells if (reason := _run_one(cell, opened, folder))}
    for cell, reason in missing.items():
        print(f"{cell}: no result: {reason}", file=sys.stderr)
    return missing


class Opened:
    """The corpora that were needed so far, each opened or built once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "corpora"
        self._known: dict[str, Corpus | LdaAppError] = {}

    def corpus(self, name: str) -> Corpus:
        """Return a corpus, or raise what stood against it before."""
        if name not in self._known:
            try:
                self._known[name] = corpora.load(name, self._folder)
            except LdaAppError as error:
                self._known[name] = error
        known = self._known[name]
        if isinstance(known, LdaAppError):
            raise known
        return known


def _run_one(cell: Cell, opened: Opened, folder: Path) -> str | None:
    """Make the result of a cell if need be; return why there is none."""
    if METHODS[cell.method].versions() is None:
        return f"not installed: {', '.join(METHODS[cell.method].module.PACKAGES)}; make bench installs them"
    try:
        fingerprint = opened.corpus(cell.corpus).fingerprint
    except LdaAppError as error:
        return str(error)
    if results.read(folder, cell, fingerprint) is not None:
        return None
    print(f"{cell} …", file=sys.stderr)
    return _in_own_session([sys.executable, "-m", "bench", "cell", str(folder), *map(str, cell)])


def _in_own_session(command: list[str]) -> str | None:
    """Run a command such that all its processes can be told from others; return why it failed."""
    # Threads that wait for each other without sleeping slow down all the others of the same machine.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, start_new_session=True, env=environment) as process:
        try:
            code = process.wait(_MOST_SECONDS)
        except subprocess.TimeoutExpired:
            return f"not ready after {_MOST_SECONDS:.0f} seconds"
        else:
            return f"exit code {code}" if code else None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def run_cell(cell: Cell, folder: Path) -> None:
    """Train and measure one model in this process, and write the result."""
    from bench.figures import curve, figures

    corpus, label = corpora.load(cell.corpus, folder / "corpora"), CORPORA[cell.corpus].label
    train, test = (corpora.split_of_corpus(corpus, name, label) for name in ("train", "test"))
    method = METHODS[cell.method]
    inputs = results.inputs(cell, corpus.fingerprint)  # before, for code may be changed meanwhile
    _warm_up(cell, train.doc_term)
    clock = Clock(keeps_snapshots=cell.has_curve)
    fitted = method.fit(train.doc_term, cell.num_topics, cell.seed, clock)
    usage = clock.stop()
    result = {
        "cell": cell._asdict(),
        "inputs": inputs,
        "usage": usage._asdict(),
        "figures": figures(fitted, train, test),
        "curve": curve(clock.snapshots, test.doc_term),
    }
    results.write(folder, cell, result)


def _warm_up(cell: Cell, train: DocTermMatrix) -> None:
    """Learn something small, so that neither imports nor compilation are counted."""
    some = train.rows(np.arange(min(_WARM_UP_DOCUMENTS, train.num_documents)))
    METHODS[cell.method].warm_up(some, _WARM_UP_TOPICS, Clock())
