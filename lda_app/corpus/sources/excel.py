"""Documents in Excel workbooks: a row each of the first sheet, the other columns kept as metadata."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

from lda_app.corpus.sources.parquet import as_text
from lda_app.corpus.sources.tables import TableSource
from lda_app.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.documents import Document


class ExcelSource(TableSource):
    """Rows of the first sheet of an .xlsx file, whose first row names the columns; of formulas the values.

    Needs the extra ``excel``.
    """

    format = "xlsx"
    options_used = ("text_column", "id_column", "skip_bad_lines")

    def _read(self) -> Iterator[Document]:
        rows = self._rows()
        header = [as_text(cell) for cell in next(rows, (0, ()))[1]]
        while header and not header[-1]:
            header.pop()
        if not header:
            raise CorpusError(f"{self.name}: the first sheet is empty; expected a header row")
        self.take_header(header)
        for number, (row, values) in enumerate(rows, start=1):
            place = f"{self.name}:{row}"
            cells = [as_text(value) for value in values]
            if any(cells[len(header) :]):
                self.bad_line(place, f"more cells than the {len(header)} columns in the header")
                continue
            cells += [""] * (len(header) - len(cells))
            yield self.document(dict(zip(header, cells, strict=False)), number, place)

    def _rows(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Yield number and cells of each row of the first sheet that is not blank."""
        try:
            from openpyxl import load_workbook
            from openpyxl.utils.exceptions import InvalidFileException
        except ImportError as error:
            raise ConfigError(
                f"{self.name}: reading Excel files requires openpyxl: install lda-app[excel], or save the "
                "sheet as csv"
            ) from error
        try:
            with self.file.path.open("rb") as stream:
                book = load_workbook(stream, read_only=True, data_only=True)
                for row, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
                    if any(cell is not None for cell in cells):
                        yield row, cells
                    else:
                        self.warnings["blank rows skipped"] += 1
        except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError) as error:
            raise CorpusError(f"{self.name}: cannot be read as an Excel workbook: {error}") from error
