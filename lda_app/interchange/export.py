"""Topics and documents out: tables of four kinds, what pyLDAvis takes, and MALLET's document topics."""

from __future__ import annotations

import io
import json
from contextlib import closing
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np

from lda_app.errors import ConfigError, CorpusError
from lda_app.fitted.topics import topic_proportions
from lda_app.system.runtime import one_line
from lda_app.system.storage import atomic_file, spreadsheet_safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.model import FittedModel

    Frames = Iterable[pd.DataFrame]
    Array = npt.NDArray[Any]

_BLOCK = 4096
_SHEET_ROWS = 1_048_576
_SHARE_DIGITS, _WORD_DIGITS = 6, 9


def pyldavis_arrays(model: FittedModel, doc_term: DocTermMatrix) -> dict[str, Any]:
    """Return what ``pyLDAvis.prepare(**arrays)`` takes.

    Documents without words, and words that no document has, are left out: pyLDAvis divides by their number.

    Parameters
    ----------
    model
        A trained model, of K topics.
    doc_term
        Counts (D, V) of a corpus over its vocabulary.

    Returns
    -------
    dict
        ``topic_term_dists`` (K, V), ``doc_topic_dists`` (D, K), ``doc_lengths`` (D,), ``vocab`` (V,),
        ``term_frequency`` (V,).

    Raises
    ------
    CorpusError
        If no document has a word.
    """
    lengths = doc_term.lengths()
    frequency = np.bincount(doc_term.indices, weights=doc_term.counts, minlength=doc_term.num_words)
    filled, known = np.flatnonzero(lengths), np.flatnonzero(frequency)
    if not len(filled):
        raise CorpusError("no document has a word in the vocabulary, so pyLDAvis has nothing to show")
    beta = np.asarray(model.beta[:, known], dtype=np.float64)
    return {
        "topic_term_dists": beta / beta.sum(axis=1, keepdims=True),
        "doc_topic_dists": topic_proportions(model.posterior(doc_term.rows(filled))),
        "doc_lengths": lengths[filled],
        "vocab": [model.vocabulary.words[word] for word in known.tolist()],
        "term_frequency": frequency[known].astype(np.int64),
    }


def write_pyldavis(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write :func:`pyldavis_arrays` as one JSON object, a row of a matrix a line.

    Raises
    ------
    FileSystemError
        If the file cannot be written.
    """
    with atomic_file(path) as stream:
        separator = "{"
        for name, values in arrays.items():
            stream.write(f'{separator}"{name}": '.encode())
            stream.writelines(part.encode() for part in _json_parts(values))
            separator = ",\n"
        stream.write(b"}\n")


def _json_parts(values: Any) -> Iterator[str]:
    if np.ndim(values) < 2:
        yield json.dumps(np.asarray(values).tolist(), ensure_ascii=False)
        return
    digits = _WORD_DIGITS if values.dtype == np.float64 else _SHARE_DIGITS
    separator = "["
    for row in values:
        yield separator + json.dumps(row.astype(np.float64).round(digits).tolist())
        separator = ",\n"
    yield "]"


def document_shares(
    model: FittedModel, doc_term: DocTermMatrix, ids: Sequence[str]
) -> Iterator[tuple[Sequence[str], Array]]:
    """Yield ids (B,) and topic shares (B, K) of some thousand documents at a time, in order."""
    start = 0
    for block in doc_term.blocks(_BLOCK):
        shares = topic_proportions(model.posterior(block))
        yield ids[start : start + len(shares)], shares
        start += len(shares)


def write_mallet(path: Path, blocks: Iterable[tuple[Sequence[str], Array]]) -> None:
    r"""Write document topics as ``mallet train-topics --output-doc-topics`` does: number⇥name⇥share⇥share….

    Blanks within a name become ``_``, for MALLET's names have none.

    Parameters
    ----------
    path
        The file.
    blocks
        Names (B,) and topic shares (B, K) of some documents at a time.

    Raises
    ------
    FileSystemError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "doc-topics.txt"
    >>> write_mallet(path, [(["moon landing"], np.array([[0.25, 0.75]]))])
    >>> path.read_text()
    '0\tmoon_landing\t0.25\t0.75\n'
    """
    number = 0
    with atomic_file(path) as stream:
        for names, shares in blocks:
            rounded = np.asarray(shares, dtype=np.float64).round(_SHARE_DIGITS).tolist()
            for name, row in zip(names, rounded, strict=True):
                cells = (str(number), "_".join(str(name).split()) or "_", *map(repr, row))
                stream.write(("\t".join(cells) + "\n").encode())
                number += 1


def write_frames(path: Path, tables: Mapping[str, Frames]) -> None:
    r"""Write tables to a file, which appears whole or not at all; its suffix decides on the format.

    Parameters
    ----------
    path
        ``.csv``, ``.jsonl``, ``.parquet`` for one table; ``.xlsx`` for any number, a sheet each.
    tables
        Name to the table's parts, of equal columns. Text that a spreadsheet would run is prefixed in .csv and
        .xlsx.

    Raises
    ------
    ConfigError
        If openpyxl is needed and missing, or a table has more rows than a sheet.
    FileSystemError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import pandas as pd
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "words.csv"
    >>> write_frames(path, {"words": [pd.DataFrame({"topic": [0], "word": ["=1+1"]})]})
    >>> path.read_text()
    "topic,word\n0,'=1+1\n"
    """
    if path.suffix == ".xlsx":
        _write_workbook(path, tables)
        return
    (frames,) = tables.values()
    with atomic_file(path) as stream, closing(_WRITERS[path.suffix](stream)) as writer:
        for frame in frames:
            writer.write(frame)


class _Writer(Protocol):
    def write(self, frame: pd.DataFrame) -> None: ...

    def close(self) -> None: ...


class _CsvWriter:
    def __init__(self, stream: IO[bytes]) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        self._header = True

    def write(self, frame: pd.DataFrame) -> None:
        _safe(frame).to_csv(self._text, index=False, header=self._header, lineterminator="\n")
        self._header = False

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


class _JsonLinesWriter:
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, frame: pd.DataFrame) -> None:
        for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
            self._stream.write(f"{json.dumps(row, ensure_ascii=False)}\n".encode())

    def close(self) -> None:
        pass


class _ParquetWriter:
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._writer: Any = None

    def write(self, frame: pd.DataFrame) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        if self._writer is None:
            types = pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()
            empty = [pa.types.is_null(field.type) for field in types]  # such as labels, where none is given
            fields = [f.with_type(pa.string()) if e else f for f, e in zip(types, empty, strict=True)]
            self._writer = parquet.ParquetWriter(self._stream, pa.schema(fields))
        self._writer.write_table(pa.Table.from_pandas(frame, self._writer.schema, preserve_index=False))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


_WRITERS: dict[str, Callable[[IO[bytes]], _Writer]] = {
    ".csv": _CsvWriter,
    ".jsonl": _JsonLinesWriter,
    ".parquet": _ParquetWriter,
}


def require_openpyxl() -> Any:
    """Return the package that writes workbooks.

    Raises
    ------
    ConfigError
        If it is not installed, naming the extra.
    """
    try:
        import openpyxl
    except ImportError:
        raise ConfigError("writing .xlsx files requires openpyxl: pip install 'lda-app[excel]'") from None
    return openpyxl


def _write_workbook(path: Path, tables: Mapping[str, Frames]) -> None:
    workbook = require_openpyxl().Workbook(write_only=True)
    for name, frames in tables.items():
        sheet = workbook.create_sheet(name)
        num_rows = 0
        for frame in frames:
            if not num_rows:
                sheet.append(list(frame.columns))
            num_rows += len(frame)
            if num_rows >= _SHEET_ROWS:
                raise ConfigError(
                    f"{name} has more rows than a sheet can hold ({_SHEET_ROWS - 1:,}); use csv or parquet, "
                    "or another --table"
                )
            for row in _safe(frame).astype(object).where(frame.notna(), None).itertuples(index=False):
                sheet.append(list(row))
    with atomic_file(path) as stream:
        workbook.save(stream)


def _safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts no spreadsheet runs, and without control characters, which sheets refuse."""
    texts = [name for name in frame if frame[name].map(lambda value: isinstance(value, str)).any()]
    return frame.assign(**{str(name): frame[name].map(_safe_cell) for name in texts})


def _safe_cell(value: Any) -> Any:
    return spreadsheet_safe(one_line(value)) if isinstance(value, str) else value
