"""Documents in Parquet files: a row each, the other columns kept as metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lda_app.corpus.documents import JsonText
from lda_app.corpus.sources.tables import TableSource
from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.documents import Document

_ROWS_AT_A_TIME = 2_000


class ParquetSource(TableSource):
    """Rows of a Parquet file; values that are no text are kept as JSON, dates and times as ISO 8601."""

    format = "parquet"
    options_used = ("text_column", "id_column")

    def _read(self) -> Iterator[Document]:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(self.file.path) as table:
                self.take_header(table.schema_arrow.names)
                number = 0
                for batch in table.iter_batches(_ROWS_AT_A_TIME):
                    for row in batch.to_pylist():
                        number += 1
                        cells = {name: as_text(value) for name, value in row.items()}
                        yield self.document(cells, number, f"{self.name}:{number}")
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{self.name}: cannot be read as Parquet: {error}") from error


def as_text(value: Any) -> str:
    """Return a value as the text that a table shows of it.

    Examples
    --------
    >>> import datetime
    >>> [as_text(value) for value in ("moon", 3, None, [1.5], datetime.date(1969, 7, 20))]
    ['moon', '3', '', '[1.5]', '1969-07-20']
    """
    if isinstance(value, str):
        return value.replace("\0", "")
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    try:
        return JsonText.of(value)
    except (TypeError, ValueError):
        return str(value)
