"""Run cells, each in a process of its own; what is there and up to date is passed over."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import corpora, results
from bench.corpora import CORPORA
from bench.methods import METHODS
from lda_app.errors import LdaAppError
from lda_app.studies.compare.clock import Clock
from lda_app.studies.compare.sessions import limit_of, run_in_session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.cells import Cell
    from lda_app.corpus.folder import Corpus

_MOST_SECONDS = 1800.0


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
    """Run a command in a session of its own; return why it failed."""
    ended = run_in_session(command, too_late=limit_of(_MOST_SECONDS), python_path=Path(__file__).parents[1])
    return None if ended is None else ended.reason


def run_cell(cell: Cell, folder: Path) -> None:
    """Train and measure one model in this process, and write the result."""
    from lda_app.studies.compare.figures import split_of_corpus
    from lda_app.studies.compare.measuring import measure

    corpus, label = corpora.load(cell.corpus, folder / "corpora"), CORPORA[cell.corpus].label
    train, test = (split_of_corpus(corpus, name, label) for name in ("train", "test"))
    inputs = results.inputs(cell, corpus.fingerprint)  # before, for code may be changed meanwhile
    clock = Clock(keeps_snapshots=cell.has_curve)
    measured = measure(METHODS[cell.method], train, test, cell.num_topics, cell.seed, clock)
    results.write(folder, cell, {"cell": cell._asdict(), "inputs": inputs, **measured})
