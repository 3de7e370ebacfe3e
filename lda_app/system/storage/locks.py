"""One process at a time writes to a place."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from lda_app.errors import FileSystemError
from lda_app.system.storage.paths import leftovers, target, writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_held: set[Path] = set()


@contextmanager
def folder_lock(path: Path) -> Iterator[None]:
    """Keep other processes from writing `path`, and sweep what dead ones left beside it.

    May be nested in the same process. The lock vanishes with the process, however it ends.

    Raises
    ------
    FileSystemError
        Where another process holds the lock, naming it, or where nothing can be written.
    """
    path = target(path)
    if path in _held:
        yield
        return
    lock = path.with_name(f".{path.name}.lock")
    missing = [parent for parent in path.parents if not parent.exists()]
    with writing(path):
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(lock, path)
    _held.add(path)
    try:
        with writing(path):
            _sweep(path)
        yield
    finally:
        _held.discard(path)
        with suppress(OSError):
            lock.unlink()
            for parent in missing:
                parent.rmdir()  # fails, rightly, where something was written
        os.close(descriptor)


def _acquire(lock: Path, path: Path) -> int:
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            # A record lock and not flock: worker processes, which may outlive this one, do not inherit it.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, lock):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, str(os.getpid()).encode())
                return descriptor
        except (BlockingIOError, PermissionError):
            holder = os.pread(descriptor, 32, 0).decode(errors="replace") or "(unknown)"
            os.close(descriptor)
            raise FileSystemError(
                f"{path} is in use by process {holder}: wait until it ends or choose another location"
            ) from None
        except BaseException:
            lock.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether the open file is the one at `path`, for its last holder may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sweep(path: Path) -> None:
    """Remove what dead processes left; only they can have, for the lock is ours."""
    old = leftovers(path, "old")
    if old and not path.exists():
        old[0].rename(path)
    for entry in leftovers(path):
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
