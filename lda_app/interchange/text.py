"""Text files, gzipped or not; what is wrong with one is said of the file."""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, cast

from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GZIP = b"\x1f\x8b"


def first_bytes(path: Path, size: int = 16) -> bytes:
    """Return how a file begins.

    Raises
    ------
    CorpusError
        If it is missing, a folder, or empty.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(size)
    except IsADirectoryError:
        raise CorpusError(f"{path} is a folder; give a file") from None
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror}") from None
    if not head:
        raise CorpusError(f"{path} is empty; expected topics or shares")
    return head


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    r"""Open a text file, and name it in what goes wrong while it is read.

    Raises
    ------
    CorpusError
        If it is missing, truncated or not UTF-8.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "topics.csv.gz"
    >>> _ = path.write_bytes(gzip.compress(b"topic,moon\n"))
    >>> with opened(path) as stream:
    ...     stream.readline()
    'topic,moon\n'
    """
    try:
        with _stream(path) as stream:
            yield stream
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(f"{path}: cannot be read: {error}") from None


def _stream(path: Path) -> TextIO:
    if first_bytes(path).startswith(_GZIP):
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")
