"""Which encodings the files of a source are in, found without decoding errors ending the work."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lda_app.corpus.sources.files import TextSource
from lda_app.corpus.sources.folder import FolderSource
from lda_app.corpus.sources.text_file import BLOCK, guess_utf16, looks_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.sources.base import Source
    from lda_app.corpus.sources.text_file import TextFile

_LETTERS_BEYOND_LATIN = 0.3


@dataclass(frozen=True)
class FileEncoding:
    """The encoding of a file.

    Parameters
    ----------
    name
        The file.
    encoding
        ``ascii``, or the encoding that it was to be read by if all of it can be; else the guess.
    problem
        Which byte cannot be decoded; None if all can.
    guess
        What it may be in instead; None where that cannot be told.
    """

    name: str
    encoding: str
    problem: str | None = None
    guess: str | None = None


def encodings_of(source: Source) -> list[FileEncoding]:
    """Return the encoding of each text file that a source reads, its binary files left out."""
    return [_examined(file) for file in _files(source)]


def read_anyway(source: Source, files: list[FileEncoding]) -> None:
    """Let a source put a mark in the place of each byte that it cannot decode, where there are some.

    Parameters
    ----------
    source
        To be read from now on so that no byte ends the reading.
    files
        What `encodings_of` said of it.
    """
    wrong = [file for file in files if file.problem is not None]
    if not wrong:
        return
    wide = {file.guess for file in wrong if file.guess and file.guess.startswith("utf-")}
    if isinstance(source, TextSource):
        source.file = replace(source.file, encoding=next(iter(wide), source.file.encoding), errors="replace")
    elif isinstance(source, FolderSource):
        encoding = (
            next(iter(wide)) if len(wide) == 1 and len(wrong) == len(files) else source.options.encoding
        )
        source.options = replace(source.options, encoding=encoding, encoding_errors="replace")


def _files(source: Source) -> Iterator[TextFile]:
    if isinstance(source, TextSource):
        yield source.file
    elif isinstance(source, FolderSource):
        for file in source.files():
            if not looks_binary(file.head(), file.encoding):
                yield file


def _examined(file: TextFile) -> FileEncoding:
    wide = guess_utf16(file.head())
    if wide and not codecs.lookup(file.encoding).name.startswith(("utf-16", "utf-32")):
        return FileEncoding(file.name, wide, f"byte 0 is not {file.encoding}", wide)
    decoder = codecs.getincrementaldecoder(file.encoding)()
    offset, ascii_only = 0, True
    with file.binary() as binary:
        while True:
            block = binary.read(BLOCK)
            ascii_only = ascii_only and block.isascii()
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                place = offset - (len(error.object) - len(block)) + error.start
                guess = _guess(error.object)
                problem = f"byte {place} (0x{error.object[error.start]:02x}) is not {file.encoding}"
                return FileEncoding(file.name, guess or "unknown", problem, guess)
            if not block:
                return FileEncoding(file.name, "ascii" if ascii_only else file.encoding)
            offset += len(block)


def _guess(data: bytes) -> str | None:
    """Guess Windows-1252, the commonest encoding of Western text, where few letters are beyond ASCII."""
    letters = sum(byte >= 0xC0 or chr(byte).isalpha() for byte in data)
    beyond = sum(byte >= 0xC0 for byte in data)
    return "cp1252" if letters and beyond < _LETTERS_BEYOND_LATIN * letters else None
