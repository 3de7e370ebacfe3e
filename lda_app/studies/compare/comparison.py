"""A comparison on one corpus: planned, gone on with where it stopped, and written.

compare.json                    the corpus that it is of
results/k50-topica-s0.json      what was measured of a training, with all that it depends on
logs/k50-topica-s0.log          what the program printed
comparison.json                 everything
comparison.md, perplexity.svg   the table, and perplexity over seconds
"""

from __future__ import annotations

import difflib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import lda_app
from lda_app.errors import ConfigError, FolderError, Interrupted, LdaAppError
from lda_app.runtime import interruptible, log, progress
from lda_app.storage import check_writable, sha256_of, write_atomic
from lda_app.studies.compare.methods import ALIASES, METHODS, OWN
from lda_app.studies.compare.provenance import machine
from lda_app.studies.compare.sessions import Ended, run_in_session
from lda_app.studies.compare.worker import TRAINING, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lda_app.corpus.folder import Corpus
    from lda_app.runtime import Interruption

    Result = dict[str, Any]

SCHEMA_VERSION = 1
PROTOCOL = 1
"""To be raised when a figure is computed in another way: all results are then made again."""

RIVALS = ("sklearn", "gensim", "tomotopy", "topica", "prodlda")
MARKER = "compare.json"
_FILES = frozenset(
    {MARKER, "comparison.json", "comparison.md", "perplexity.svg", "results", "logs", "corpus"}
)
_WORKER = "lda_app.studies.compare.worker"
_LEAST_GRACE, _GRACE = 5.0, 0.1  # seconds, share of the limit: for a step that is under way to end


class Cell(NamedTuple):
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
    def cells(self) -> list[Cell]:
        """All trainings, seed by seed, so that one of each is there early."""
        wanted = [Cell(method, seed) for seed in self.seeds for method in self.methods]
        first = self.seeds[0]
        return [cell for cell in wanted if not self._is_run(cell) or cell.seed == first]

    def _is_run(self, cell: Cell) -> bool:
        return self.run is not None and cell.method == OWN

    def path(self, part: str, cell: Cell, suffix: str) -> Path:
        """Return the place of a file of a training."""
        return self.folder / part / f"k{self.num_topics}-{cell.method}-s{cell.seed}.{suffix}"

    def inputs(self, cell: Cell) -> dict[str, Any]:
        """Return all that a result depends on but the time limit."""
        method = METHODS[cell.method]
        run = self.run / "manifest.json" if self.run is not None and cell.method == OWN else None
        return {
            "protocol": PROTOCOL,
            "corpus": self.corpus.fingerprint,
            "label": self.label,
            "settings": method.settings,
            "versions": method.versions(),
            "code": method.code(),
            "machine": machine(),
            "run": None if run is None else sha256_of(run),
        }

    def read(self, cell: Cell) -> Result | None:
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

    def task(self, cell: Cell) -> Task:
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
    lda_app.errors.ConfigError: --with: no method 'tomotopi'; did you mean 'tomotopy'? There are sklearn, \
scikit-learn, lda-app, lda-app-fast, lda-app-elbo, lda-app-figurnov, gensim, scikit-learn-batch, \
scikit-learn-online, tomotopy, topica, topica-every-20, prodlda
    """
    known = [*ALIASES, *METHODS]
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            raise ConfigError(
                f"--with: no method {name!r}; did you mean {nearest!r}? There are {', '.join(known)}"
            )
    return tuple(dict.fromkeys([OWN, *(ALIASES.get(name, name) for name in names)]))


def require_place(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something else than a comparison.

    Raises
    ------
    ConfigError
        If it does, or is a file.
    FileSystemError
        If nothing can be written there.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--out {folder} is a file: name a folder")
    entries = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    foreign = sorted(name for name in entries - _FILES if not name.startswith("."))
    if foreign or (entries - {"corpus"} and MARKER not in entries):
        what = f"; it holds {', '.join(foreign[:3])}" if foreign else ""
        raise ConfigError(f"--out {folder} exists and holds no comparison{what}: choose another place")
    if overwrite:
        for name in ("results", "logs"):
            shutil.rmtree(folder / name, ignore_errors=True)
        (folder / MARKER).unlink(missing_ok=True)
    check_writable(folder)


def compare(comparison: Comparison) -> dict[str, Any]:
    """Make the results that are missing, and write all that the folder is to hold.

    Returns
    -------
    dict
        All results, as in ``comparison.json``.

    Raises
    ------
    ConfigError
        If the folder holds a comparison of another corpus, or the corpus has no test split.
    Interrupted
        After SIGINT or SIGTERM; what is finished is kept.
    LdaAppError
        If no method gave a result.
    """
    _claim(comparison)
    missing = _run_all(comparison)
    found = [result for cell in comparison.cells if (result := comparison.read(cell)) is not None]
    if not found:
        raise LdaAppError(f"no method gave a result: {'; '.join(missing.values())}")
    document = _document(comparison, found, missing)
    _write(comparison.folder, document)
    return document


def _claim(comparison: Comparison) -> None:
    """Let the folder be of this corpus, and no other."""
    corpus, folder = comparison.corpus, comparison.folder
    if "test" not in corpus.splits:
        raise ConfigError(
            f"{corpus.path} has no test split to measure on: build it with a --test-fraction above 0"
        )
    marker = folder / MARKER
    if marker.exists():
        try:
            there = json.loads(marker.read_text(encoding="utf-8"))["corpus"]
        except (ValueError, KeyError, TypeError):
            raise FolderError(f"{marker} is damaged: remove it, or begin anew with --overwrite") from None
        if there != corpus.fingerprint:
            raise ConfigError(
                f"{folder} holds a comparison on another corpus: choose another place, or give --overwrite"
            )
    for part in ("results", "logs"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_atomic(marker, json.dumps({"corpus": corpus.fingerprint}).encode())


def _run_all(comparison: Comparison) -> dict[str, str]:
    """Run what is missing, one after the other; return why there is none, by the training's name."""
    missing = {}
    with interruptible() as interruption, progress("Comparing", len(comparison.cells), "trainings") as bar:
        for cell in comparison.cells:
            bar.note(f"{cell.method}, seed {cell.seed}")
            if reason := _run(comparison, cell, interruption):
                missing[f"{cell.method}, seed {cell.seed}"] = reason
                log.warning("%s, seed %d: no result: %s", cell.method, cell.seed, reason)
            if interruption.requested:
                raise Interrupted(
                    f"stopped after {bar.count} of {len(comparison.cells)} trainings; "
                    "the same command goes on from there",
                    interruption.requested,
                )
            bar.advance()
    return missing


def _run(comparison: Comparison, cell: Cell, interruption: Interruption) -> str | None:
    """Make a result if need be; return why there is none."""
    method = METHODS[cell.method]
    if method.versions() is None:
        packages = " ".join(method.module.PACKAGES)
        return f"not installed; pip install 'lda-app[compare]', or pip install {packages}"
    if comparison.read(cell) is not None:
        return None
    log.info("%s, seed %d …", cell.method, cell.seed)
    task, inputs = comparison.task(cell), comparison.inputs(cell)
    new, log_file = Path(task.result), comparison.path("logs", cell, "log")
    for stale in (new, Path(task.phase)):
        stale.unlink(missing_ok=True)
    ended = run_in_session(
        [sys.executable, "-m", _WORKER, task.to_json()],
        too_late=_until(interruption, Path(task.phase), comparison.time_limit),
        log_file=log_file,
        environment={"PYTHONPATH": str(Path(lda_app.__file__).parents[1])},
    )
    Path(task.phase).unlink(missing_ok=True)
    if interruption.requested:
        return None
    if ended is not None and not ended.was_late:
        return f"{ended.reason}{_last_line(log_file)}"
    measured = json.loads(new.read_text(encoding="utf-8")) if ended is None else _nothing(ended)
    result = {**cell._asdict(), "inputs": inputs, "time_limit": comparison.time_limit, **measured}
    write_atomic(comparison.path("results", cell, "json"), json.dumps(result, indent=1).encode())
    new.unlink(missing_ok=True)
    return None


def _until(
    interruption: Interruption, phase: Path, time_limit: float | None
) -> Callable[[float], str | None]:
    """Stop a worker when a signal came, or when it has trained for too long and does not stop by itself."""
    begun: list[float] = []

    def too_late(elapsed: float) -> str | None:
        if interruption.requested:
            return "interrupted"
        if time_limit is None or not phase.exists() or phase.read_text(encoding="utf-8") != TRAINING:
            return None
        begun.append(elapsed)
        if elapsed - begun[0] > time_limit + max(_LEAST_GRACE, _GRACE * time_limit):
            return f"stopped after {time_limit:g} s; the library shows no model before it has finished"
        return None

    return too_late


def _nothing(ended: Ended) -> dict[str, Any]:
    """Return the result of a training that was stopped and left no model."""
    return {"usage": None, "figures": None, "curve": [], "stopped": True, "reason": ended.reason}


def _last_line(log_file: Path) -> str:
    """Return what a program said at last, and where the rest is."""
    lines = log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f": {lines[-1].strip()} ({log_file})" if lines else f" ({log_file} is empty)"


def _document(comparison: Comparison, found: list[Result], missing: dict[str, str]) -> dict[str, Any]:
    corpus = comparison.corpus
    return {
        "schema_version": SCHEMA_VERSION,
        "corpus": {
            "name": corpus.name,
            "fingerprint": corpus.fingerprint,
            "num_words": len(corpus.vocabulary),
            "splits": corpus.manifest["splits"],
        },
        "num_topics": comparison.num_topics,
        "seeds": list(comparison.seeds),
        "time_limit": comparison.time_limit,
        "label": comparison.label,
        "machine": machine(),
        "results": found,
        "missing": missing,
    }


def _is_drawn(result: Result) -> bool:
    """Tell whether a result has a place in the picture: a ref and its seconds."""
    return bool(result["figures"] and result["figures"]["ref"] and result["usage"]["seconds"])


def _write(folder: Path, document: dict[str, Any]) -> None:
    from lda_app.studies.compare.curve import draw
    from lda_app.studies.compare.pages import page

    curves = {
        result["method"]: (*result["curve"], (result["usage"]["seconds"], result["figures"]["ref"]))
        for result in document["results"]
        if result["seed"] == document["seeds"][0] and _is_drawn(result)
    }
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomic(folder / "comparison.json", text.encode())
    write_atomic(folder / "comparison.md", page(document).encode())
    if curves:
        write_atomic(folder / "perplexity.svg", draw(curves).encode())
