"""Add topics to the user's rows in one pass over any source, and write them as a table."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

import numpy as np

from lda_app.corpus.counting import chunks_of
from lda_app.corpus.documents import JsonText
from lda_app.errors import ConfigError
from lda_app.fitted.topics import topic_proportions
from lda_app.system.storage import atomic_file, check_writable, spreadsheet_safe, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from lda_app.corpus.documents import Document
    from lda_app.corpus.preprocess import Preprocessor
    from lda_app.corpus.sources import Source
    from lda_app.fitted.inference import FloatArray
    from lda_app.fitted.model import LabelledModel, ShareIntervals

    Row = tuple[str | int | float | bool | None, ...]

LITTLE_KNOWN = 0.1
_SHARE_DIGITS = 6
_PREFIX = "lda_"


@dataclass(frozen=True, eq=False)
class Transformed:
    """A block of documents and their topics.

    Parameters
    ----------
    documents
        The D documents.
    shares
        (D, K) posterior mean of θ; the prior mean for a document without any known word.
    known_tokens, unknown_tokens
        (D,) number of tokens in and outside the model's vocabulary.
    intervals
        Intervals of the shares, if requested.
    """

    documents: list[Document]
    shares: FloatArray
    known_tokens: npt.NDArray[np.int64]
    unknown_tokens: npt.NDArray[np.int64]
    intervals: ShareIntervals | None = None

    @property
    def too_little_known(self) -> npt.NDArray[np.bool_]:
        """Whether less than a tenth of a document's tokens are known, or it has none, (D,)."""
        tokens = self.known_tokens + self.unknown_tokens
        # Divide rather than multiply: 0.1 * 30 is slightly more than 3 in floating point.
        return np.asarray(self.known_tokens / np.maximum(tokens, 1) < LITTLE_KNOWN)

    @property
    def top_topics(self) -> npt.NDArray[np.int64]:
        """Column of the largest share, (D,)."""
        return np.asarray(self.shares.argmax(axis=1))


def transform(
    documents: Iterable[Document],
    preprocessor: Preprocessor,
    model: LabelledModel,
    level: float | None = None,
) -> Iterator[Transformed]:
    """Infer the topics of documents in blocks, in order.

    The result for a document depends only on its own text.

    Parameters
    ----------
    documents
        Raw documents.
    preprocessor
        Preprocessor of the model.
    model
        The labelled model; only visible topics get a share.
    level
        Level of credible intervals, or None for none. With intervals, shares are means of posterior draws,
        and inference takes longer.

    Examples
    --------
    >>> from lda_app.corpus.documents import Document
    >>> from lda_app.corpus.preprocess import Preprocessor, PreprocessOptions
    >>> from lda_app.corpus.vocabulary import Vocabulary
    >>> from lda_app.fitted.labels import Labels
    >>> from lda_app.fitted.model import MeanFieldModel
    >>> words = Vocabulary(("moon", "orbit"))
    >>> model = MeanFieldModel(np.ones(2), np.eye(2), words).labelled(Labels(2))
    >>> documents = [Document("1", "the orbit, an orbit"), Document("2", "engine")]
    >>> (result,) = transform(documents, Preprocessor(PreprocessOptions(), words), model)
    >>> result.shares.round(3).tolist(), result.known_tokens.tolist(), result.too_little_known.tolist()
    ([[0.25, 0.75], [0.5, 0.5]], [2, 0], [False, True])
    """
    for chunk in chunks_of(documents, lambda document: document.text):
        counted = preprocessor.count_all(document.text for document in chunk)
        tokens = counted.matrix.lengths(), counted.unknown_tokens
        if level is None:
            shares = topic_proportions(model.posterior(counted.matrix))
            yield Transformed(chunk, shares[:, model.columns], *tokens)
        else:
            intervals = model.intervals(counted.matrix, level).of_topics(model.columns)
            yield Transformed(chunk, intervals.mean, *tokens, intervals)


@dataclass(frozen=True)
class Table:
    """Table layout: the user's columns in their order, then the app's.

    Parameters
    ----------
    columns
        The user's columns, including text and id.
    text_column, id_column
        Columns with the text and the document id, or None.
    topics
        Number and name of each topic, in the order of the share columns.
    intervals
        Whether to include the interval of each share.
    """

    columns: tuple[str, ...]
    text_column: str | None
    id_column: str | None
    topics: Mapping[int, str]
    intervals: bool = False

    @classmethod
    def of(cls, source: Source, topics: Mapping[int, str], *, intervals: bool = False) -> Table:
        """Create a table with the columns of a source that has been read once."""
        return cls(tuple(source.columns), source.text_column, source.id_column, topics, intervals)

    @property
    def header(self) -> tuple[str, ...]:
        """Names of all columns; the app's get the prefix ``lda_`` on a name clash.

        Examples
        --------
        >>> Table(("text", "topic_0"), "text", None, {0: "moon", 1: "engine"}).header[-2:]
        ('lda_topic_0', 'lda_topic_1')
        """
        topics = [f"topic_{topic}" for topic in self.topics]
        added = [
            *("known_tokens", "unknown_tokens", "too_little_known", "top_topic", "top_topic_words"),
            *topics,
            *(f"{topic}_{end}" for topic in topics if self.intervals for end in ("lower", "upper")),
        ]
        while not set(self.columns).isdisjoint(added):
            added = [_PREFIX + name for name in added]
        return (*self.columns, *added)

    def rows(self, chunk: Transformed) -> Iterator[Row]:
        """Yield one row per document, matching the header.

        Missing columns are None, as is the top topic of a document without any known token.
        """
        topics = list(self.topics.items())
        parts = zip(
            chunk.documents,
            chunk.known_tokens.tolist(),
            chunk.unknown_tokens.tolist(),
            chunk.too_little_known.tolist(),
            chunk.top_topics.tolist(),
            self._figures(chunk).astype(np.float64).round(_SHARE_DIGITS).tolist(),
            strict=True,
        )
        for document, known, unknown, too_little, top, figures in parts:
            topic = topics[top] if known else (None, None)
            yield (*self._own(document), known, unknown, too_little, *topic, *figures)

    def _figures(self, chunk: Transformed) -> FloatArray:
        """Shares (D, K), followed by the interval ends of each topic in turn."""
        if not self.intervals:
            return chunk.shares
        assert chunk.intervals is not None
        ends = np.stack([chunk.intervals.lower, chunk.intervals.upper], axis=2)
        return np.hstack([chunk.shares, ends.reshape(len(ends), -1)])

    def _own(self, document: Document) -> Iterator[str | None]:
        for column in self.columns:
            if column == self.text_column:
                yield document.text
            elif column == self.id_column:
                yield document.id
            else:
                yield document.metadata.get(column)


class _Writer(Protocol):
    def __init__(self, stream: IO[bytes], table: Table) -> None: ...

    def write(self, rows: Iterable[Row]) -> None: ...

    def close(self) -> None: ...


class _CsvWriter:
    """CSV in UTF-8; text that a spreadsheet would run as a formula gets a prefix."""

    def __init__(self, stream: IO[bytes], table: Table) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(map(spreadsheet_safe, table.header))

    def write(self, rows: Iterable[Row]) -> None:
        self._writer.writerows(map(_csv_cell, row) for row in rows)

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


class _JsonLinesWriter:
    """JSON lines in UTF-8; columns that a document lacks are omitted.

    JSON values from the input keep their types.
    """

    def __init__(self, stream: IO[bytes], table: Table) -> None:
        self._stream = stream
        self._header = table.header

    def write(self, rows: Iterable[Row]) -> None:
        for row in rows:
            filled = {
                name: value.value if isinstance(value, JsonText) else value
                for name, value in zip(self._header, row, strict=True)
                if value is not None
            }
            self._stream.write(f"{json.dumps(filled, ensure_ascii=False)}\n".encode())

    def close(self) -> None:
        pass


class _ParquetWriter:
    """Parquet with the user's columns as text."""

    def __init__(self, stream: IO[bytes], table: Table) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        count, text = pa.int64(), pa.string()
        types = [*[text] * len(table.columns), count, count, pa.bool_(), count, text]
        types += [pa.float64()] * (len(table.header) - len(types))
        self._schema = pa.schema(list(zip(table.header, types, strict=True)))
        self._writer = parquet.ParquetWriter(stream, self._schema)

    def write(self, rows: Iterable[Row]) -> None:
        import pyarrow as pa

        columns = zip(*rows, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


_WRITERS: dict[str, type[_Writer]] = {
    ".csv": _CsvWriter,
    ".jsonl": _JsonLinesWriter,
    ".parquet": _ParquetWriter,
}


def check_output(path: Path, *, overwrite: bool) -> None:
    """Check in advance that an output can be written as a table.

    Raises
    ------
    ConfigError
        If the suffix is not .csv, .jsonl or .parquet, or the file exists and may not be overwritten.
    FileSystemError
        If the location is not writable.

    Examples
    --------
    >>> from pathlib import Path
    >>> check_output(Path("shares.xlsx"), overwrite=False)
    Traceback (most recent call last):
        ...
    lda_app.errors.ConfigError: --output shares.xlsx: the suffix must be .csv, .jsonl or .parquet, got '.xlsx'
    """
    if path.suffix.lower() not in _WRITERS:
        raise ConfigError(
            f"--output {path}: the suffix must be .csv, .jsonl or .parquet, got {path.suffix!r}"
        )
    if path.is_dir():
        raise ConfigError(f"--output {path} is a folder; give a file name")
    if path.exists() and not overwrite:
        raise ConfigError(
            f"--output {path} already exists; use --overwrite to replace it, or choose another name"
        )
    check_writable(path)


def write_table(path: Path, table: Table, chunks: Iterable[Transformed]) -> None:
    """Write documents and their topics to a file atomically.

    Parameters
    ----------
    path
        Output file; its suffix sets the format: .csv, .jsonl or .parquet.
    table
        Layout of the columns.
    chunks
        Blocks from :func:`transform`.

    Raises
    ------
    FileSystemError
        If the file cannot be written.
    """
    make_writer = _WRITERS[path.suffix.lower()]
    with atomic_file(path) as stream, closing(make_writer(stream, table)) as writer:
        for chunk in chunks:
            writer.write(table.rows(chunk))


def write_left_out(path: Path, left_out: Sequence[tuple[str, str]]) -> None:
    r"""Write the places of unreadable rows and the reasons to a CSV file.

    Raises
    ------
    FileSystemError
        If the file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "shares.left_out.csv"
    >>> write_left_out(path, [("news.csv:7", "2 cells, but the header has 3 columns")])
    >>> path.read_text()
    'place,reason\nnews.csv:7,"2 cells, but the header has 3 columns"\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("place", "reason"))
    writer.writerows((spreadsheet_safe(place), reason) for place, reason in left_out)
    write_atomic(path, text.getvalue().encode())


def _csv_cell(value: str | float | bool | None) -> str | float:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    return spreadsheet_safe(value) if isinstance(value, str) else value
