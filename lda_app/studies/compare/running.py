"""The trainings of a comparison, one after the other, resumed where they stopped."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lda_app
from lda_app.errors import ConfigError, FolderError, Interrupted, LdaAppError
from lda_app.studies.compare.comparison import MARKER
from lda_app.studies.compare.methods import METHODS
from lda_app.studies.compare.provenance import machine
from lda_app.studies.compare.sessions import Ended, run_in_session
from lda_app.studies.compare.worker import TRAINING
from lda_app.system.runtime import interruptible, log, progress
from lda_app.system.storage import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable

    from lda_app.studies.compare.comparison import Comparison, Trial
    from lda_app.system.runtime import Interruption

    Result = dict[str, Any]

SCHEMA_VERSION = 1
_PARTS = ("results", "logs")
_WORKER = "lda_app.studies.compare.worker"
_LEAST_GRACE, _GRACE = 5.0, 0.1  # seconds, share of the limit: for a step that is under way to end


def compare(comparison: Comparison, *, overwrite: bool = False) -> dict[str, Any]:
    """Make the results that are missing, and write all that the folder is to hold.

    Parameters
    ----------
    comparison
        What is compared.
    overwrite
        Drop the results that are there, of whatever corpus.

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
    _claim(comparison, overwrite=overwrite)
    missing = _run_all(comparison)
    found = [result for cell in comparison.cells if (result := comparison.read(cell)) is not None]
    if not found:
        raise LdaAppError(f"no method produced a result: {'; '.join(missing.values())}")
    document = _document(comparison, found, missing)
    _write(comparison.folder, document)
    return document


def _claim(comparison: Comparison, *, overwrite: bool) -> None:
    """Let the folder be of this corpus, and no other."""
    corpus, folder = comparison.corpus, comparison.folder
    if "test" not in corpus.splits:
        raise ConfigError(
            f"{corpus.path} has no test split to evaluate on; build it with a --test-fraction above 0"
        )
    marker = folder / MARKER
    if overwrite:
        for part in _PARTS:
            shutil.rmtree(folder / part, ignore_errors=True)
    elif marker.exists():
        try:
            there = json.loads(marker.read_text(encoding="utf-8"))["corpus"]
        except (ValueError, KeyError, TypeError):
            raise FolderError(f"{marker} is damaged; remove it, or use --overwrite to start over") from None
        if there != corpus.fingerprint:
            raise ConfigError(
                f"{folder} contains a comparison on another corpus; choose another folder, or use --overwrite"
            )
    for part in _PARTS:
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
                    "run the same command again to resume",
                    interruption.requested,
                )
            bar.advance()
    return missing


def _run(comparison: Comparison, cell: Trial, interruption: Interruption) -> str | None:
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
        python_path=Path(lda_app.__file__).parents[1],
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
            return (
                f"stopped after {time_limit:g} s; the library provides no model before training is complete"
            )
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
