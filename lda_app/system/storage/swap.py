"""Put a folder into the place of another, in one step where the system can."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
from typing import TYPE_CHECKING

from lda_app.system.storage.paths import sibling, sync

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def swap(staging: Path, path: Path) -> None:
    """Put the staging folder into place; a folder that was there takes the staging folder's name."""
    if not path.exists():
        staging.rename(path)
    elif not _exchange(staging, path):
        aside = sibling(path, "old")
        path.rename(aside)
        try:
            staging.rename(path)
        except BaseException:
            aside.rename(path)
            raise
        aside.rename(staging)
    sync(path.parent)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two folders in one step; return False where system or file system cannot."""
    renameat2 = _renameat2()
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.ENOSYS, errno.EINVAL}:
        return False
    raise OSError(code, os.strerror(code), str(b))


@functools.cache
def _renameat2() -> Callable[..., int] | None:
    """Return Linux's call that swaps two folders in one step, where the C library has it."""
    try:
        call: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    return call
