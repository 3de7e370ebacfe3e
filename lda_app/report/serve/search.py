"""Search documents: topics and metadata from the index, words by reading the texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.labels import Labels
    from lda_app.report.serve.index import DocumentIndex

MOST_FOUND = 100_000
"""Maximum number of documents in one response."""
MOST_READ = 64_000_000
"""Bytes of texts and metadata to read before returning a partial result."""


class QuestionError(Exception):
    """The request cannot be answered, for example because the document does not exist."""


@dataclass(frozen=True)
class Query:
    """Search criteria.

    Parameters
    ----------
    words
        Words that must all occur in the document's id, metadata or text, ignoring case.
    topic
        Topic that must occur in the document; None for any.
    least
        Minimum share of this topic.
    column
        Metadata column to filter by; None for any.
    value
        Required value in this column.
    """

    words: str = ""
    topic: int | None = None
    least: float = 0.0
    column: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Found:
    """A batch of search results.

    Parameters
    ----------
    rows
        Matching documents, in corpus order.
    shares
        Each document's share of the requested topic.
    cursor
        Row at which to resume; None at the end.
    """

    rows: list[int]
    shares: list[float] | None
    cursor: int | None


def search(
    corpus: Corpus,
    index: DocumentIndex,
    labels: Labels,
    query: Query,
    cursor: int = 0,
    most_read: int = MOST_READ,
) -> Found:
    """Find documents starting at a row, up to the size limit of one response.

    A topic's share includes all topics merged into it. Documents are read in groups, so memory grows by only
    a few bytes per document.

    Raises
    ------
    QuestionError
        If there is no such topic or column.
    """
    shares = None if query.topic is None else _shares(index, labels, query.topic)
    wanted = np.ones(index.num_documents, dtype=bool)
    if shares is not None:
        wanted &= shares >= query.least
    if query.column is not None:
        wanted &= _column_is(index, query.column, query.value or "")
    wanted[:cursor] = False
    terms = query.words.split()
    if terms:
        rows, end = _containing(corpus, index, wanted, terms, cursor, most_read)
    else:
        rows, end = np.flatnonzero(wanted), None
    if len(rows) > MOST_FOUND:
        rows, end = rows[:MOST_FOUND], int(rows[MOST_FOUND - 1]) + 1
    rounded = None if shares is None else np.round(shares[rows].astype(np.float64), 4).tolist()
    return Found(rows.tolist(), rounded, end)


def members_of(index: DocumentIndex, labels: Labels, topic: int) -> tuple[int, ...]:
    """Return the topics that are merged into this one, and itself.

    Raises
    ------
    QuestionError
        If there is no such topic.
    """
    members = labels.members(topic) if 0 <= topic < index.num_topics else ()
    if not members:
        raise QuestionError(f"there is no topic {topic}")
    return members


def _shares(index: DocumentIndex, labels: Labels, topic: int) -> npt.NDArray[np.float32]:
    parts = [index.of_topic(k) for k in members_of(index, labels, topic)]
    return np.asarray(np.sum(parts, axis=0, dtype=np.float32))


def _column_is(index: DocumentIndex, name: str, value: str) -> npt.NDArray[np.bool_]:
    for column in index.columns:
        if column.name == name:
            return column.is_value(value)
    raise QuestionError(f"no column {name!r} to filter documents by")


def _containing(
    corpus: Corpus,
    index: DocumentIndex,
    wanted: npt.NDArray[np.bool_],
    terms: list[str],
    cursor: int,
    most_read: int,
) -> tuple[npt.NDArray[np.int64], int | None]:
    """Return the wanted documents that contain all terms, and the row at which to resume."""
    found, read = [np.empty(0, dtype=np.int64)], 0
    for first, table in _groups(corpus, index, cursor):
        here = wanted[first : first + len(table)]
        if read >= most_read:
            return np.concatenate(found), first
        if here.any():
            read += table.nbytes
            found.append(first + np.flatnonzero(here & has_terms(table, terms)))
    return np.concatenate(found), None


def _groups(corpus: Corpus, index: DocumentIndex, cursor: int) -> Iterator[tuple[int, pa.Table]]:
    """Read the documents of all splits from a row, numbered consecutively."""
    for split, start, end in zip(index.splits, index.starts[:-1], index.starts[1:], strict=True):
        if cursor < end:
            for first, table in corpus.stream_documents(split, max(0, cursor - int(start))):
                yield int(start) + first, table


def has_terms(table: pa.Table, terms: list[str]) -> npt.NDArray[np.bool_]:
    """Return a mask (D,) of documents that contain every term in some column.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"id": ["a", "b"], "text": ["The ORBIT", None], "desk": ["news", "orbit"]})
    >>> has_terms(table, ["orbit", "news"]).tolist()
    [True, False]
    """
    every = np.ones(len(table), dtype=bool)
    for term in terms:
        some = np.zeros(len(table), dtype=bool)
        for column in table.columns:
            matches = pc.match_substring(column, term, ignore_case=True)
            some |= matches.fill_null(False).to_numpy()
        every &= some
    return every
