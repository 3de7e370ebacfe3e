"""The manifest of a sealed folder: what it holds, and the sha256 of each file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lda_app import __version__
from lda_app.errors import FolderError
from lda_app.system.storage.files import sha256_of, write_json
from lda_app.system.storage.paths import TRACE, explain, sync

MANIFEST = "manifest.json"
ANNOTATIONS = frozenset({"labels.json", "stability.json", "calibration.json", "comparison.json"})
"""Files that are added to a sealed folder later, see `lda_app.system.storage.annotations`."""


def seal(staging: Path, header: dict[str, Any]) -> None:
    """Sync all files and folders to disk and write the manifest, last."""
    manifest = staging / MANIFEST
    files = {
        name: {"bytes": (staging / name).stat().st_size, "sha256": sha256_of(staging / name)}
        for name in _file_names(staging)
    }
    content = {**header, "lda_app": __version__, "files": files}
    write_json(manifest, content)
    for entry in (*staging.rglob("*"), staging):
        sync(entry)


def read_manifest(path: Path, kind: str) -> dict[str, Any]:
    """Return what the manifest of a folder says; ``kind`` names in messages what is needed there.

    Raises
    ------
    FolderError
        If there is no folder, or its manifest is missing or damaged.
    """
    if not path.exists():
        raise FolderError(f"{path}: no such {kind} folder; check the path")
    if not path.is_dir():
        raise FolderError(f"{path} is a file, but a {kind} folder is needed here")
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
    except FileNotFoundError:
        state = (
            "is not an lda-app folder, or is unfinished: it has no manifest.json"
            if any(path.iterdir())
            else "is empty"
        )
        raise FolderError(f"{path} {state}; a {kind} folder is needed here") from None
    except OSError as error:
        raise FolderError(f"cannot read {explain(error, path / MANIFEST)}") from error
    except (ValueError, RecursionError):
        manifest = None
    if not _is_manifest(manifest):
        raise FolderError(f"{path / MANIFEST} is damaged: create the {kind} folder again")
    return dict(manifest)


def _is_manifest(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("kind"), str)
        and isinstance(value.get("format_version"), int)
        and isinstance(value.get("lda_app"), str)
        and isinstance(value.get("files"), dict)
        and all(
            isinstance(entry, dict)
            and isinstance(entry.get("bytes"), int)
            and isinstance(entry.get("sha256"), str)
            for entry in value["files"].values()
        )
    )


def check_version(path: Path, manifest: dict[str, Any], readable: int) -> None:
    """Require that a folder has the format that can be read.

    Raises
    ------
    FolderError
        If it has another.
    """
    found, maker = manifest["format_version"], manifest["lda_app"]
    made = f"{path} has format {found}, made by lda-app {maker}"
    if found > readable:
        raise FolderError(f"{made}: reading it needs at least lda-app {maker}, but this is {__version__}")
    if found < readable:
        raise FolderError(f"{made}: this version reads format {readable}; create the folder again")


def check_file(path: Path, name: str, expected: dict[str, Any], *, verify: bool) -> None:
    """Require that a file is as it was written: its size and, with `verify`, its sha256.

    Raises
    ------
    FolderError
        If it is missing or changed, or cannot be read.
    """
    file = path / name
    try:
        if not file.is_file():
            raise FolderError(f"{file} is missing: restore it or create the {path.name} folder again")
        size = file.stat().st_size
        intact = size == expected["bytes"] and (not verify or sha256_of(file) == expected["sha256"])
    except OSError as error:
        raise FolderError(f"cannot read {explain(error, file)}") from error
    if not intact:
        sizes = "" if size == expected["bytes"] else f" ({size} bytes instead of {expected['bytes']})"
        raise FolderError(
            f"{file} has changed since it was written{sizes}: restore it or create the folder again"
        )


def foreign_files(path: Path, manifest: dict[str, Any]) -> list[str]:
    """Return the files that the manifest does not name: no annotations, no traces of writing."""
    known = ANNOTATIONS | manifest["files"].keys()
    names = (name for name in _file_names(path) if name not in known)
    return [name for name in names if not any(TRACE.fullmatch(part) for part in Path(name).parts)]


def _file_names(folder: Path) -> list[str]:
    names = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())
    return sorted(name for name in names if name != MANIFEST)
