"""One file of documents: the base of tables, json lines and plain lines."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from lda_app.corpus.documents import Document
from lda_app.corpus.sources.base import BaseSource
from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.options import SourceOptions
    from lda_app.corpus.sources.text_file import TextFile


class FileSource(BaseSource):
    """Documents of one file.

    Parameters
    ----------
    file
        The file.
    options
        How to read it; each kind of file uses the options that concern it.
    """

    format: str
    options_used: tuple[str, ...] = ()

    def __init__(self, file: TextFile, options: SourceOptions) -> None:
        super().__init__(file.name)
        self.file = file
        self.options = options

    def describe(self) -> dict[str, Any]:
        """Name the file, its size and hash, and the options that concern it."""
        names = (*self.options_used, "encoding", "encoding_errors")
        options = {name: getattr(self.options, name) for name in names}
        return {"kind": self.format, "files": [self.file.describe()], "options": options}

    def bad_line(self, place: str, reason: str, hint: str = "") -> None:
        """Leave a row out with a warning if the user allowed it, else raise CorpusError."""
        if not self.options.skip_bad_lines:
            raise CorpusError(f"{place}: {reason}; {hint}use --skip-bad-lines to skip such rows")
        self.warnings["bad rows skipped"] += 1
        self.left_out.append((place, reason))


class TextSource(FileSource):
    """Documents of a file of text."""

    def _read(self) -> Iterator[Document]:
        with contextlib.closing(self.file.lines(self.warnings)) as lines:
            yield from self._documents(lines)

    @abstractmethod
    def _documents(self, lines: Iterator[str]) -> Iterator[Document]:
        """Yield the documents of the file's lines, which come with their ends."""


class LineSource(TextSource):
    """A plain text file, a document a line; ids are line numbers, an empty line is an empty document."""

    format = "txt"

    def _documents(self, lines: Iterator[str]) -> Iterator[Document]:
        for number, line in enumerate(lines, start=1):
            yield Document(str(number), line.rstrip("\r\n"), place=f"{self.name}:{number}")
