"""Sealed folders: a folder is there with all of its files, or not at all.

A sealed folder is filled in a hidden staging folder beside its place. On success each file is synced to disk
and its sha256 noted in ``manifest.json``, and only then are the staging folder and the place swapped. Whoever
kills the process, and whenever, finds the old folder or the new one; what the dead process left is swept by
the next one that writes there.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lda_app.errors import ConfigError, FolderError
from lda_app.system.runtime import log
from lda_app.system.storage.locks import folder_lock
from lda_app.system.storage.manifest import check_file, check_version, foreign_files, read_manifest, seal
from lda_app.system.storage.paths import leftovers, sibling, target, writing
from lda_app.system.storage.swap import swap

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def sealed_folder(
    path: Path, *, kind: str, format_version: int, overwrite: bool, details: dict[str, Any] | None = None
) -> Iterator[Path]:
    r"""Write a folder that is complete and checksummed, or not there at all.

    Parameters
    ----------
    path
        Where the folder is to be; missing parents are made.
    kind
        What it holds: ``"corpus"`` or ``"model"``.
    format_version
        The version of its format, which `open_folder` compares.
    overwrite
        Replace a folder of the same kind that lda-app wrote; never any other.
    details
        More entries of the manifest; may be filled until the folder is sealed.

    Yields
    ------
    Path
        The staging folder to write into; gone, and nothing else harmed, if the body raises.

    Raises
    ------
    ConfigError
        Where `path` exists and may not be replaced.
    FileSystemError
        Where it cannot be written, or another process is writing it.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "news"
    >>> with sealed_folder(out, kind="corpus", format_version=1, overwrite=False) as staging:
    ...     _ = (staging / "vocabulary.txt").write_text("orbit\n")
    >>> sorted(open_folder(out, kind="corpus", format_version=1)["files"])
    ['vocabulary.txt']
    """
    path = target(path)
    with folder_lock(path):
        check_replaceable(path, kind, overwrite=overwrite)
        staging = sibling(path, "staging")
        try:
            with writing(path, staging):
                staging.mkdir()
                yield staging
            with writing(path):
                seal(staging, {**(details or {}), "kind": kind, "format_version": format_version})
                swap(staging, path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def open_folder(path: Path, *, kind: str, format_version: int, verify: bool = True) -> dict[str, Any]:
    """Check a sealed folder and return its manifest.

    Parameters
    ----------
    path
        The folder.
    kind
        What it has to hold: ``"corpus"`` or ``"model"``.
    format_version
        The version that can be read.
    verify
        Compare the sha256 of each file, too, not only its size.

    Raises
    ------
    FolderError
        Where the folder is missing, unfinished, of another kind or version, or a file is missing or changed.
    """
    path = Path(path)
    if not path.exists() and path.name and any(leftovers(path)):
        with folder_lock(path):
            pass
    manifest = read_manifest(path, kind)
    if manifest["kind"] != kind:
        raise FolderError(f"{path} is a {manifest['kind']} folder, but a {kind} folder is needed here")
    check_version(path, manifest, format_version)
    for name, expected in manifest["files"].items():
        check_file(path, name, expected, verify=verify)
    if foreign := foreign_files(path, manifest):
        log.warning("%s: ignoring files not written by lda-app: %s", path, _some(foreign))
    return manifest


def check_replaceable(path: Path, kind: str, *, overwrite: bool) -> None:
    """Refuse a place that is taken: by anything, or with `overwrite` by what is no folder of this kind.

    Raises
    ------
    ConfigError
        Where `path` exists and may not be replaced.

    Examples
    --------
    >>> check_replaceable(Path("/"), "model", overwrite=False)
    Traceback (most recent call last):
        ...
    lda_app.errors.ConfigError: / already exists: choose another location, or use --overwrite to replace it
    """
    if not path.exists():
        return
    if not overwrite:
        raise ConfigError(f"{path} already exists: choose another location, or use --overwrite to replace it")
    if path.is_dir() and not any(path.iterdir()):
        return
    try:
        manifest = read_manifest(path, kind)
    except FolderError:
        raise ConfigError(
            f"{path} already exists and was not written by lda-app: choose another location, or remove it"
        ) from None
    if manifest["kind"] != kind:
        raise ConfigError(
            f"{path} is a {manifest['kind']} folder: choose another location for the {kind} folder"
        )
    if foreign := foreign_files(path, manifest):
        raise ConfigError(
            f"{path} contains files that lda-app did not write; move them elsewhere: {_some(foreign)}"
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
