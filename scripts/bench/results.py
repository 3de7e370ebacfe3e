"""A JSON file a cell, with all that it depends on: if that is the same, it is not made again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.methods import METHODS
from lda_app.studies.compare.provenance import machine
from lda_app.system.storage import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from bench.cells import Cell

    Result = dict[str, Any]

PROTOCOL = 1
"""To be raised when a figure is computed in another way: all results are then out of date."""


def inputs(cell: Cell, fingerprint: str) -> dict[str, Any]:
    """Return all that the result of a cell depends on; ``fingerprint`` is the corpus's."""
    method = METHODS[cell.method]
    return {
        "protocol": PROTOCOL,
        "corpus": fingerprint,
        "settings": method.settings,
        "versions": method.versions(),
        "code": method.code(),
        "machine": machine(),
    }


def read(folder: Path, cell: Cell, fingerprint: str) -> Result | None:
    """Read the result of a cell; None if it is missing or out of date."""
    try:
        result: Result = json.loads(_path(folder, cell).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return result if result["inputs"] == inputs(cell, fingerprint) else None


def write(folder: Path, cell: Cell, result: Result) -> None:
    """Keep the result of a cell."""
    path = _path(folder, cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(result, indent=1).encode())


def _path(folder: Path, cell: Cell) -> Path:
    return folder / "results" / f"{cell}.json"
