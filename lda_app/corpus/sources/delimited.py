"""Documents in csv and tsv files: a row each, the other columns kept as metadata."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from lda_app.corpus.sources.base import quoted
from lda_app.corpus.sources.files import TextSource
from lda_app.corpus.sources.tables import TableSource
from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.documents import Document


class DelimitedSource(TableSource, TextSource):
    """Rows of a csv or tsv file; the first row names the columns."""

    format = "csv"
    delimiter = ","
    options_used = ("text_column", "id_column", "delimiter", "skip_bad_lines")

    def _documents(self, lines: Iterator[str]) -> Iterator[Document]:
        rows = self._rows(lines)
        _, header = next(rows, (0, []))
        if not header:
            raise CorpusError(
                f"{self.name}: the file is empty; expected a header row and one row per document"
            )
        self._check_header(header)
        self.take_header(header)
        for number, (line, row) in enumerate(rows, start=1):
            place = f"{self.name}:{line}"
            if len(row) != len(header):
                self._ragged(place, len(row), len(header))
                continue
            yield self.document(dict(zip(header, row, strict=True)), number, place)

    def _rows(self, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the line on which each row begins, and its cells; blank lines are passed over."""
        csv.field_size_limit(2**31 - 1)  # the default ends the reading at a text of 131,072 characters
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        in_header = True
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._malformed(f"{self.name}:{line}", error, in_header=in_header)
                continue
            if row:
                in_header = False
                yield line, row
            else:
                self.warnings["blank lines skipped"] += 1

    @property
    def _delimiter(self) -> str:
        return self.options.delimiter or self.delimiter

    def _malformed(self, place: str, error: csv.Error, *, in_header: bool) -> None:
        if "unexpected end of data" in str(error):  # it may have swallowed any number of rows
            hint = "double the quote if it is part of the text"
            raise CorpusError(f'{place}: the quote (") opened in this row is never closed; {hint}') from error
        if in_header:
            raise CorpusError(f"{place}: malformed quoting in the header ({error})") from error
        self.bad_line(place, f"malformed quoting ({error})")

    def _ragged(self, place: str, cells: int, columns: int) -> None:
        reason = f"{cells} cells, but the header has {columns} columns"
        self.bad_line(place, reason, hint="check the quotes and --delimiter; ")

    def _check_header(self, header: list[str]) -> None:
        other = next((mark for mark in ",;\t|" if mark in header[0] and mark != self._delimiter), None)
        if len(header) == 1 and other and header[0] != self.options.text_column:
            option = "tab" if other == "\t" else f"'{other}'"
            raise CorpusError(
                f"{self.name}:1: only one column, {quoted(header[0])}; "
                f"if that is not its name, try --delimiter {option}"
            )


class TabSource(DelimitedSource):
    """Rows of a tsv file."""

    format = "tsv"
    delimiter = "\t"
