"""Places to write to: the real path, what lies beside it, and what the system says when it refuses."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lda_app.errors import ConfigError, FileSystemError

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE = re.compile(r"\..+\.(lock|(staging|old)-\d+-[0-9a-f]{8})")

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def explain(error: OSError, place: str | Path | None = None) -> str:
    """Return what the system refused, where, and the way out, in one line.

    Examples
    --------
    >>> explain(OSError(errno.ENOSPC, "No space left on device"), "runs/a")
    'runs/a: No space left on device: free some space or choose another location'
    """
    where = f"{place or error.filename}: " if place or error.filename else ""
    if error.errno in _DISK_FULL:
        advice = ": free some space or choose another location"
    elif error.errno in _FORBIDDEN:
        advice = ": check the permissions or choose another location"
    else:
        advice = ""
    return f"{where}{error.strerror or error}{advice}"


def check_writable(path: Path, needed_bytes: int = 0) -> None:
    """Make sure, before long work, that its result can be written.

    Parameters
    ----------
    path
        The file or folder to be written; need not exist.
    needed_bytes
        How much it will take, if known.

    Raises
    ------
    FileSystemError
        Where the disk is read-only or full, or permission is missing.
    """
    path = target(path)
    place = next(parent for parent in path.parents if parent.exists())
    probe = sibling(place / path.name, "staging")
    with writing(path):
        try:
            with probe.open("xb") as stream:
                stream.write(b"?")
            sync(probe)
        finally:
            probe.unlink(missing_ok=True)
        free = shutil.disk_usage(place).free
    if free < needed_bytes:
        sizes = f"needs {needed_bytes / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free"
        raise FileSystemError(f"{path} {sizes}: free some space or choose another location")


@contextmanager
def writing(path: Path, staging: Path | None = None) -> Iterator[None]:
    """Turn errors of the file system into FileSystemError; with `staging`, only those of writing there."""
    try:
        yield
    except OSError as error:
        if staging is not None and not _concerns(error, staging):
            raise
        raise FileSystemError(f"cannot write {explain(error, path)}") from error


def _concerns(error: OSError, staging: Path) -> bool:
    # numpy reports a short write as a bare OSError without a number.
    short_write = type(error) is OSError and error.errno is None
    return short_write or error.errno in _DISK_FULL or str(error.filename).startswith(str(staging))


def target(path: Path) -> Path:
    """Return the absolute path behind links, so that what they point to is replaced and not they."""
    path = Path(path).resolve()
    if not path.name:
        raise ConfigError(f"cannot write to {path}: give the path of a file or folder inside it")
    return path


def sibling(path: Path, role: str) -> Path:
    """Return a new hidden name beside `path`, by which `leftovers` finds it."""
    return path.with_name(f".{path.name}.{role}-{os.getpid()}-{secrets.token_hex(4)}")


def leftovers(path: Path, role: str = "staging|old") -> list[Path]:
    """Return what `sibling` has named beside `path` and is still there, for any of some roles."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.({role})-\d+-[0-9a-f]{{8}}")
    with suppress(OSError):
        return sorted(entry for entry in path.parent.iterdir() if pattern.fullmatch(entry.name))
    return []


def sync(path: Path) -> None:
    """Have the system write a file or folder to disk before anything that follows."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
