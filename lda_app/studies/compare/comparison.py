"""A comparison on one corpus: its plan, its folder, and how it is resumed.

compare.json                    the corpus that it is of
results/k50-topica-s0.json      figures of a training, with everything they depend on
logs/k50-topica-s0.log          what the program printed
comparison.json                 everything
comparison.md, perplexity.svg   the table, and perplexity over seconds
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lda_app.errors import ConfigError
from lda_app.studies.compare.methods import ALIASES, METHODS, OWN
from lda_app.studies.compare.provenance import machine
from lda_app.studies.compare.worker import Task
from lda_app.system.storage import check_writable, sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lda_app.corpus.folder import Corpus

    Result = dict[str, Any]

PROTOCOL = 1
"""Increase this when a measure is computed differently, so that all results are recomputed."""

MARKER = "compare.json"
_FILES = frozenset(
    {MARKER, "comparison.json", "comparison.md", "perplexity.svg", "results", "logs", "corpus"}
)


class Trial(NamedTuple):
    """One training."""

    method: str
    seed: int


@dataclass(frozen=True)
class Comparison:
    """What is compared, and where.

    Parameters
    ----------
    folder
        Where results are kept.
    corpus
        What is learned from, and measured on: it has a test split.
    num_topics
        K.
    methods
        Names in :data:`lda_app.studies.compare.methods.METHODS`.
    seeds
        Each method is trained with each.
    time_limit
        Seconds of training after which one is stopped.
    label
        Column of the documents' labels.
    run
        A model directory of ours, measured in place of a training.
    """

    folder: Path
    corpus: Corpus
    num_topics: int
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    time_limit: float | None = None
    label: str | None = None
    run: Path | None = None

    @property
    def cells(self) -> list[Trial]:
        """All trainings, seed by seed, so that one of each is there early."""
        wanted = [Trial(method, seed) for seed in self.seeds for method in self.methods]
        first = self.seeds[0]
        return [cell for cell in wanted if not self._is_run(cell) or cell.seed == first]

    def _is_run(self, cell: Trial) -> bool:
        return self.run is not None and cell.method == OWN

    def path(self, part: str, cell: Trial, suffix: str) -> Path:
        """Return the place of a file of a training."""
        return self.folder / part / f"k{self.num_topics}-{cell.method}-s{cell.seed}.{suffix}"

    def inputs(self, cell: Trial) -> dict[str, Any]:
        """Return all that a result depends on but the time limit."""
        method = METHODS[cell.method]
        run = None if self.run is None or cell.method != OWN else sha256_of(self.run / "manifest.json")
        return {
            "protocol": PROTOCOL,
            "corpus": self.corpus.fingerprint,
            "label": self.label,
            "settings": method.settings,
            "versions": method.versions(),
            "code": method.code(),
            "machine": machine(),
            "run": run,
        }

    def read(self, cell: Trial) -> Result | None:
        """Return what was measured of a training; None if that is missing or out of date."""
        try:
            result: Result = json.loads(self.path("results", cell, "json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        same = result.get("inputs") == json.loads(json.dumps(self.inputs(cell)))
        return result if same and self._is_within_limit(result) else None

    def _is_within_limit(self, result: Result) -> bool:
        if result["stopped"]:
            return bool(result["time_limit"] == self.time_limit)
        seconds = result["usage"]["seconds"]
        return self.time_limit is None or bool(result["inputs"]["run"]) or seconds <= self.time_limit

    def task(self, cell: Trial) -> Task:
        """Return what a worker is to do for a training."""
        return Task(
            corpus=str(self.corpus.path.resolve()),
            method=cell.method,
            num_topics=self.num_topics,
            seed=cell.seed,
            result=str(self.path("results", cell, "new").resolve()),
            phase=str(self.path("logs", cell, "phase").resolve()),
            follows=cell.seed == self.seeds[0],
            time_limit=self.time_limit,
            label=self.label,
            run=str(self.run.resolve()) if self.run is not None and cell.method == OWN else None,
        )


def resolve_methods(names: Sequence[str]) -> tuple[str, ...]:
    """Return the methods of these names, ours first, each once.

    Raises
    ------
    ConfigError
        If there is none of a name; the nearest is named.

    Examples
    --------
    >>> resolve_methods(["topica", "sklearn"])
    ('lda-app', 'topica', 'scikit-learn-online')
    >>> resolve_methods(["tomotopi"])
    Traceback (most recent call last):
        ...
    lda_app.errors.ConfigError: --with: unknown method 'tomotopi'; did you mean 'tomotopy'? Choose from \
sklearn, scikit-learn, lda-app, lda-app-fast, lda-app-elbo, lda-app-figurnov, gensim, scikit-learn-batch, \
scikit-learn-online, tomotopy, topica, topica-every-20, prodlda
    """
    known = [*ALIASES, *METHODS]
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            raise ConfigError(
                f"--with: unknown method {name!r}; did you mean {nearest!r}? Choose from {', '.join(known)}"
            )
    return tuple(dict.fromkeys([OWN, *(ALIASES.get(name, name) for name in names)]))


def require_place(folder: Path) -> None:
    """Refuse a folder that holds something else than a comparison.

    Raises
    ------
    ConfigError
        If it does, or is a file.
    FileSystemError
        If nothing can be written there.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--out {folder} is a file; give a folder")
    entries = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    foreign = sorted(name for name in entries - _FILES if not name.startswith("."))
    if foreign or (entries - {"corpus"} and MARKER not in entries):
        what = f" (it contains {', '.join(foreign[:3])})" if foreign else ""
        raise ConfigError(f"--out {folder} exists and is not a comparison{what}; choose another folder")
    check_writable(folder)
