"""Document index: topic shares, inferred once, and metadata as codes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lda_app.system.runtime import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.inference import FloatArray, Infer
    from lda_app.system.runtime import Progress

    Rows = npt.NDArray[np.int64]

STEPS = 65_535
"""Shares are quantized to this many steps, two bytes each."""
MOST_VALUES = 2000
"""Maximum number of values of a filter column; columns with more can be searched but not filtered by."""
_BLOCK = 8192  # documents inferred and stored together


class ShareTable:
    """Means of q(θ|w) for all documents in a split, in a temporary file.

    Within a block of documents, shares are stored topic by topic, so that one topic can be read without the
    others. The file has no name and disappears with the process.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    bar
        Progress bar, advanced by the documents in each block.

    Attributes
    ----------
    num_topics
        K, number of topics.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> from lda_app.system.runtime import Progress
    >>> documents = DocTermMatrix.from_scipy([[3, 0], [0, 1]])
    >>> infer = lambda block: block.to_scipy().toarray() + 1.0
    >>> table = ShareTable(documents, infer, Progress("Inferring", 2, "documents"))
    >>> table.of_topic(0).round(2), table.of_documents(np.array([1])).round(2)
    (array([0.8 , 0.33], dtype=float32), array([[0.33, 0.67]], dtype=float32))
    """

    def __init__(self, doc_term: DocTermMatrix, infer: Infer, bar: Progress) -> None:
        self._num_documents = doc_term.num_documents
        with tempfile.TemporaryFile(prefix="lda-app-") as file:
            # Use write(): if the disk fills up, writing through a memory map would kill the process.
            for start in range(0, self._num_documents, _BLOCK):
                rows = np.arange(start, min(start + _BLOCK, self._num_documents))
                block = _in_steps(infer(doc_term.rows(rows)))
                file.write(block.tobytes())
                bar.advance(len(rows))
            file.flush()
            shape = (-(-self._num_documents // _BLOCK), len(block), _BLOCK)
            self._parts = np.memmap(file, dtype=np.uint16, mode="r", shape=shape)
        self.num_topics = len(block)

    def of_topic(self, topic: int) -> npt.NDArray[np.float32]:
        """Return the share of one topic in each document, (D,)."""
        parts = self._parts[:, topic].reshape(-1)[: self._num_documents]
        return np.asarray(parts, dtype=np.float32) / np.float32(STEPS)

    def of_documents(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Return the shares of all topics in the given documents, (R, K)."""
        parts = self._parts[rows // _BLOCK, :, rows % _BLOCK]
        return np.asarray(parts, dtype=np.float32) / np.float32(STEPS)


def _in_steps(concentration: FloatArray) -> npt.NDArray[np.uint16]:
    """Return quantized shares (K, _BLOCK), topic by topic, padded with zeros."""
    shares = concentration / concentration.sum(axis=1, keepdims=True)
    block = np.zeros((shares.shape[1], _BLOCK), dtype=np.uint16)
    block[:, : len(shares)] = np.rint(shares * STEPS).T
    return block


@dataclass(frozen=True, eq=False)
class MetadataColumn:
    """A metadata column to filter documents by.

    Parameters
    ----------
    name
        Name of the column.
    values
        Its distinct values.
    codes
        (D,) index of each document's value, −1 for none.
    """

    name: str
    values: tuple[str, ...]
    codes: npt.NDArray[np.int16]

    def is_value(self, value: str) -> npt.NDArray[np.bool_]:
        """Return a mask (D,) of documents that have a value."""
        code = self.values.index(value) if value in self.values else len(self.values)
        return np.asarray(self.codes == code)


@dataclass(frozen=True, eq=False)
class DocumentIndex:
    """Index of all documents of a corpus, numbered consecutively across its splits.

    Parameters
    ----------
    splits
        Names of the splits.
    starts
        (S + 1,) row of each split's first document, followed by the total number of documents.
    tables
        Shares of each split's documents.
    columns
        Metadata columns to filter by.
    """

    splits: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    tables: tuple[ShareTable, ...]
    columns: tuple[MetadataColumn, ...]

    @property
    def num_documents(self) -> int:
        """Total number of documents."""
        return int(self.starts[-1])

    @property
    def num_topics(self) -> int:
        """K, number of topics."""
        return self.tables[0].num_topics

    def place(self, row: int) -> tuple[str, int]:
        """Return a document's split and its row in it."""
        number = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.splits[number], int(row - self.starts[number])

    def of_topic(self, topic: int) -> npt.NDArray[np.float32]:
        """Return the share of one topic in each document, (D,)."""
        return np.concatenate([table.of_topic(topic) for table in self.tables])

    def of_documents(self, rows: Sequence[int]) -> list[npt.NDArray[np.float32]]:
        """Return the shares (K,) of each given document."""
        places = (self.place(row) for row in rows)
        return [
            self.tables[self.splits.index(split)].of_documents(np.array([own]))[0] for split, own in places
        ]


def index_documents(corpus: Corpus, infer: Infer) -> DocumentIndex:
    """Infer the topics of all documents, and read their metadata.

    Memory use is two bytes per document and column; shares go to a temporary file.

    Parameters
    ----------
    corpus
        Corpus that the model was trained on.
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    """
    sizes = [corpus.split(split).num_documents for split in corpus.splits]
    with progress("Indexing topics", sum(sizes), "documents") as bar:
        tables = tuple(ShareTable(corpus.split(split), infer, bar) for split in corpus.splits)
    starts = np.cumsum([0, *sizes], dtype=np.int64)
    names = dict.fromkeys(name for split in corpus.splits for name in corpus.metadata_columns(split))
    columns = [column for name in names if (column := _read_column(corpus, name)) is not None]
    if len(sizes) > 1 and "split" not in names:
        codes = np.repeat(np.arange(len(sizes), dtype=np.int16), sizes)
        columns.append(MetadataColumn("split", corpus.splits, codes))
    return DocumentIndex(corpus.splits, starts, tables, tuple(columns))


def _read_column(corpus: Corpus, name: str) -> MetadataColumn | None:
    """Read a metadata column as codes, or return None if it has too many values."""
    number: dict[str, int] = {}
    parts = []
    for split in corpus.splits:
        if name not in corpus.metadata_columns(split):
            parts.append(np.full(corpus.split(split).num_documents, -1, dtype=np.int16))
            continue
        for _, table in corpus.stream_documents(split, columns=[name]):
            encoded = table.column(0).combine_chunks().dictionary_encode()
            known = [number.setdefault(value, len(number)) for value in encoded.dictionary.to_pylist()]
            if len(number) > MOST_VALUES:
                return None
            places = encoded.indices.fill_null(-1).to_numpy()
            parts.append(np.array([*known, -1], dtype=np.int16)[places])
    values = sorted(number)
    sorted_place = {value: place for place, value in enumerate(values)}
    rank = np.array([*(sorted_place[value] for value in number), -1], dtype=np.int16)
    return MetadataColumn(name, tuple(values), rank[np.concatenate(parts)])
