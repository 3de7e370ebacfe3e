"""Text files, gzipped or not, in any encoding: decoded line by line, with errors that point to a byte."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import itertools
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Generator, Iterator
    from pathlib import Path

    Readable = io.BufferedReader | gzip.GzipFile

GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 1 << 20  # bytes
HEAD = 8192  # bytes that tell what kind of file it is
# The mark of UTF-32 comes first, as that of little endian UTF-16 is its beginning.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
BINARY_MAGIC = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF")


@dataclass(frozen=True)
class TextFile:
    """A file of text.

    Parameters
    ----------
    path
        Where it is.
    name
        What messages call it.
    encoding, errors
        As in `SourceOptions`. A byte order mark is never part of the text.
    """

    path: Path
    name: str
    encoding: str = "utf-8"
    errors: str = "strict"

    def lines(self, warnings: Counter[str]) -> Generator[str]:
        r"""Yield the lines with their ends (LF, CR LF or CR); NUL characters are dropped and counted.

        Raises
        ------
        CorpusError
            The file cannot be opened, is cut off, or has bytes that the encoding does not know.
        """
        with self.binary() as binary:
            counted = _CountedBytes(binary)
            try:
                yield from _cleaned(self._decoded(counted), warnings)
            except UnicodeDecodeError as error:
                # The decoder was last given error.object, which ends where the reading stands.
                offset = counted.count - len(error.object) + error.start
                raise self._undecodable(error, offset) from error
            except UnicodeError as error:  # of UTF-16 and UTF-32 without a mark
                hint = f"no byte order mark; give --encoding {self.encoding}-le or {self.encoding}-be"
                raise CorpusError(f"{self.name}: byte 0: {hint}") from error

    @contextmanager
    def binary(self) -> Iterator[Readable]:
        """Open the file, unpacked, for reading; a failure to read inside the block is a CorpusError."""
        try:
            with self.path.open("rb") as file:
                packed = self.path.suffix.lower() == ".gz" or file.peek(2)[:2] == GZIP_MAGIC
                if packed and file.peek(1):
                    with gzip.open(file) as unpacked:
                        yield unpacked
                else:
                    yield file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CorpusError(
                f"{self.name}: damaged or truncated gzip file ({error}); download or copy it again"
            ) from error
        except OSError as error:
            raise CorpusError(f"{self.name}: cannot be read: {error.strerror or error}") from error

    def head(self) -> bytes:
        """Return the first bytes, unpacked."""
        with self.binary() as binary:
            return binary.read(HEAD)

    def describe(self) -> dict[str, Any]:
        """Return name, size in bytes and sha256, as stored."""
        digest, size = hashlib.sha256(), 0
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
        return {"name": self.name, "bytes": size, "sha256": digest.hexdigest()}

    def _decoded(self, binary: _CountedBytes) -> Iterator[str]:
        self._refuse_utf16()
        with io.TextIOWrapper(binary, encoding=self.encoding, errors=self.errors, newline="") as text:
            yield from text

    def _refuse_utf16(self) -> None:
        """Stop before UTF-16 is read as UTF-8, for which plain English would pass: its other half is NUL."""
        guess = guess_utf16(self.head())
        if guess and not codecs.lookup(self.encoding).name.startswith(("utf-16", "utf-32")):
            raise CorpusError(
                f"{self.name}: byte 0: this is {guess}, not {self.encoding}; give --encoding {guess}"
            )

    def _undecodable(self, error: UnicodeDecodeError, offset: int) -> CorpusError:
        byte = error.object[error.start]
        return CorpusError(
            f"{self.name}:{self._line_at(offset)}: byte {offset} (0x{byte:02x}) is not {self.encoding}; "
            "set the right --encoding (such as cp1252), or --encoding-errors replace"
        )

    def _line_at(self, offset: int) -> int:
        """Return the number of the line that holds the byte at `offset`, counted from 1."""
        with self.binary() as binary:
            before = _CountedBytes(binary, limit=offset)
            with io.TextIOWrapper(before, encoding=self.encoding, errors="replace", newline="") as text:
                number, line = 0, "\n"
                for number, line in enumerate(text, start=1):  # noqa: B007  the last line is what counts
                    pass
        return number + line.endswith(("\n", "\r"))


class _CountedBytes(io.BufferedIOBase):
    """A stream that counts the bytes read from it and ends after `limit`; closing it closes nothing."""

    def __init__(self, binary: Readable, limit: int | None = None) -> None:
        self._binary = binary
        self._limit = limit
        self.count = 0
        self.name = "counted bytes"

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        wanted = HEAD if size < 0 else size
        if self._limit is not None:
            wanted = min(wanted, self._limit - self.count)
        block = self._binary.read(wanted)
        self.count += len(block)
        return block


def _cleaned(lines: Iterator[str], warnings: Counter[str]) -> Iterator[str]:
    """Drop NUL characters, counting them, and a byte order mark at the start."""
    first = next(lines, "")
    for line in itertools.chain([first.removeprefix("\ufeff")] if first else [], lines):
        if "\0" in line:
            warnings["NUL characters dropped"] += line.count("\0")
            yield line.replace("\0", "")
        else:
            yield line


def guess_utf16(head: bytes) -> str | None:
    """Return the name of the UTF-16 or UTF-32 that the first bytes of a file look like, or None.

    Without a byte order mark, it is the NULs at every other byte of Latin letters that tell.

    Examples
    --------
    >>> guess_utf16("plain".encode("utf-16"))
    'utf-16'
    >>> guess_utf16("plain text".encode("utf-16-be"))
    'utf-16-be'
    >>> guess_utf16(b"plain text") is None
    True
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    if len(head) < 8:
        return None
    even, odd = head[::2], head[1::2]
    if odd.count(0) > 0.7 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.7 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return None


def looks_binary(head: bytes, encoding: str) -> bool:
    r"""Tell whether the first bytes of a file are no text, whatever the encoding.

    Examples
    --------
    >>> looks_binary(bytes(range(256)), "utf-8")
    True
    >>> looks_binary("naïve\0".encode("latin-1"), "latin-1")
    False
    """
    if head.startswith(BINARY_MAGIC):
        return True
    if not head or guess_utf16(head):
        return False
    text = head.decode(encoding, errors="replace")
    control = sum(c < " " and c not in "\t\n\r\f\x1b" for c in text)
    wrong = text[:-1].count("\ufffd")  # the last character may be cut in two
    return control > 1 + 0.1 * len(text) or (control > 0 and wrong > 0)
