"""Ids, texts and metadata of the documents of a split, as a Parquet file that is written as they come."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from lda_app.corpus.documents import Document

_OWN_COLUMN = re.compile(r"(metadata\.)*(id|text)")
_TEXTS_AT_A_TIME = 2_000


class DocumentWriter:
    """Writes documents in order, if there are any; use it as a context manager.

    The columns are ``id``, ``text`` and one a metadata name, in order of appearance; metadata of the names
    ``id`` and ``text`` become ``metadata.id`` and ``metadata.text``. A document without some metadata has a
    null there. The bytes depend on the documents and on how they are grouped alone.

    Parameters
    ----------
    path
        The file to write.
    texts
        Whether to keep the texts.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lda_app.corpus.documents import Document
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "documents.parquet"
    >>> with DocumentWriter(path) as writer:
    ...     writer.append([Document("a", "The orbit", metadata={"year": "1993"})])
    >>> read_documents(path).to_dict("records")
    [{'id': 'a', 'text': 'The orbit', 'year': '1993'}]
    """

    def __init__(self, path: Path, *, texts: bool = True) -> None:
        self._path = path
        own = [pa.field("id", pa.string()), pa.field("text", pa.large_string())]
        self._schema = pa.schema(own if texts else own[:1])
        self._parts: list[Path] = []
        self._writer: pq.ParquetWriter | None = None

    def append(self, documents: Sequence[Document]) -> None:
        """Add documents; they form a row group."""
        rows = [_row(document) for document in documents]
        new = dict.fromkeys(name for row in rows for name in row if name not in ("id", "text"))
        names = [name for name in new if name not in self._schema.names]
        if names or self._writer is None:
            self._start_part(names)
        assert self._writer is not None
        columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in self._schema]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))

    def __enter__(self) -> DocumentWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        if kind is None:
            self._join_parts()

    def _start_part(self, names: Iterable[str]) -> None:
        """Begin a file with more columns, for the columns of a Parquet file are fixed."""
        if self._writer is not None:
            self._writer.close()
        for name in names:
            self._schema = self._schema.append(pa.field(name, pa.string()))
        self._parts.append(self._path.with_name(f"{self._path.name}.part{len(self._parts)}"))
        self._writer = _open_writer(self._parts[-1], self._schema)

    def _join_parts(self) -> None:
        if len(self._parts) < 2:
            for part in self._parts:
                part.rename(self._path)
            return
        with _open_writer(self._path, self._schema) as writer:
            for part in self._parts:
                with pq.ParquetFile(part) as file:
                    for group in range(file.num_row_groups):
                        writer.write_table(_widened(file.read_row_group(group), self._schema))
                part.unlink()


def read_documents(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read documents, a row each, all columns as text; missing where a document has no such metadata."""
    frame: pd.DataFrame = pq.read_table(path, columns=columns, partitioning=None).to_pandas()
    return frame


def column_names(path: Path) -> list[str]:
    """Name the columns, without reading them."""
    return list(pq.read_schema(path).names)


def read_texts(path: Path) -> Iterator[str] | None:
    """Read the texts alone, in order, a few thousand in memory at a time; None if the file has none.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lda_app.corpus.documents import Document
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "documents.parquet"
    >>> with DocumentWriter(path) as writer:
    ...     writer.append([Document("a", "The orbit"), Document("b", "A moon")])
    >>> list(read_texts(path))
    ['The orbit', 'A moon']
    """
    return _stream_texts(path) if "text" in column_names(path) else None


def _stream_texts(path: Path) -> Iterator[str]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_TEXTS_AT_A_TIME, columns=["text"]):
            yield from (text or "" for text in batch.column(0).to_pylist())


def read_some_documents(
    path: Path, rows: npt.NDArray[np.integer[Any]], columns: list[str] | None = None
) -> pd.DataFrame:
    """Read some documents, whatever the size of the table: a row group at a time is in memory.

    Parameters
    ----------
    path
        The table.
    rows
        Row numbers, ascending.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> from lda_app.corpus.documents import Document
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "documents.parquet"
    >>> with DocumentWriter(path) as writer:
    ...     writer.append([Document("a", "orbit"), Document("b", "moon")])
    ...     writer.append([Document("c", "goal")])
    >>> read_some_documents(path, np.array([1, 2])).id.tolist()
    ['b', 'c']
    """
    parts, start = [], 0
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            here = rows[(rows >= start) & (rows < end)] - start
            if len(here):
                parts.append(file.read_row_group(group, columns=columns).take(here))
            start = end
        empty = file.schema_arrow.empty_table()
    table = pa.concat_tables(parts) if parts else empty.select(columns or empty.column_names)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def stream_documents(
    path: Path, start: int = 0, columns: list[str] | None = None
) -> Iterator[tuple[int, pa.Table]]:
    """Read documents from a row on: groups of them, each with the number of its first row.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from lda_app.corpus.documents import Document
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "documents.parquet"
    >>> with DocumentWriter(path) as writer:
    ...     writer.append([Document("a", "orbit"), Document("b", "moon")])
    ...     writer.append([Document("c", "goal")])
    >>> [(first, table["id"].to_pylist()) for first, table in stream_documents(path, 1)]
    [(1, ['b']), (2, ['c'])]
    """
    first = 0
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            end = first + file.metadata.row_group(group).num_rows
            if end > start:
                skipped = max(0, start - first)
                yield first + skipped, file.read_row_group(group, columns=columns).slice(skipped)
            first = end


def _open_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False, write_statistics=False)


def _row(document: Document) -> dict[str, str]:
    return {
        **{_column(name): value for name, value in document.metadata.items()},
        "id": document.id,
        "text": document.text,
    }


def _column(name: str) -> str:
    return f"metadata.{name}" if _OWN_COLUMN.fullmatch(name) else name


def _widened(table: pa.Table, schema: pa.Schema) -> pa.Table:
    for field in schema:
        if field.name not in table.schema.names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(schema.names)
