"""Atomic files: the old one or the new one is there, at any moment."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lda_app.storage.locks import folder_lock
from lda_app.storage.paths import sibling, sync, target, writing

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that appears whole when the body ends, and not at all if it raises.

    Devices and pipes, such as ``/dev/stdout``, are written directly.

    Raises
    ------
    FileSystemError
        Where it cannot be written, or another process is writing it.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "theta.csv"
    >>> with atomic_file(out) as stream:
    ...     _ = stream.write(b"0.5")
    >>> out.read_bytes()
    b'0.5'
    """
    path = Path(path)
    if _is_device(path):
        with writing(path, path), path.open("ab") as stream:
            yield stream
        return
    path = target(path)
    with folder_lock(path):
        staging = sibling(path, "staging")
        try:
            with writing(path, staging), staging.open("xb") as stream:
                yield stream
            with writing(path):
                sync(staging)
                staging.replace(path)
                sync(path.parent)
        finally:
            staging.unlink(missing_ok=True)


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file that is the old one or the new one at any moment; see `atomic_file`."""
    with atomic_file(path) as stream:
        stream.write(data)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON into a folder under way: sorted keys, UTF-8, the same bytes each time."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_device(path: Path) -> bool:
    # /dev/stdout may stand for a regular file, to which the shell has sent the output; /dev/shm holds files.
    named = path.is_relative_to("/dev") and not path.is_relative_to("/dev/shm")  # noqa: S108
    return named or (path.exists() and not path.is_file())
