"""Atomic files: the old one or the new one is there, at any moment."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lda_app.errors import FolderError, LdaAppError
from lda_app.system.storage.locks import folder_lock
from lda_app.system.storage.paths import sibling, sync, target, writing

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


def read_json(file: Path, kind: type[LdaAppError] = FolderError, remedy: str = "") -> dict[str, Any]:
    """Read a file of one JSON object.

    Parameters
    ----------
    file
        The file.
    kind
        What is raised if it is none: of a file that the user names, another kind than of a part of a folder.
    remedy
        What the user may do about it.

    Raises
    ------
    LdaAppError
        The given kind, if the file cannot be read or holds no JSON object.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels.json"
    >>> _ = file.write_text("[1]")
    >>> read_json(file, remedy="remove it")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    lda_app.errors.FolderError: ...labels.json: expected a JSON object, got a list; remove it
    """
    after = remedy and f"; {remedy}"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise kind(f"{file}: cannot be read: {error.strerror}{after}") from None
    except (ValueError, RecursionError) as error:
        raise kind(f"{file}: not a JSON file: {error}{after}") from None
    if not isinstance(content, dict):
        raise kind(f"{file}: expected a JSON object, got a {type(content).__name__}{after}")
    return content


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_device(path: Path) -> bool:
    # /dev/stdout may stand for a regular file, to which the shell has sent the output; /dev/shm holds files.
    named = path.is_relative_to("/dev") and not path.is_relative_to("/dev/shm")  # noqa: S108
    return named or (path.exists() and not path.is_file())
