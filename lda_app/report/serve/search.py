"""Which documents a search finds: by their topics and metadata at once, by words as their texts are read."""

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
"""Documents that one answer names, at most."""
MOST_READ = 64_000_000
"""Bytes of texts and metadata after which an answer says how far it came."""


class QuestionError(Exception):
    """There is no answer to what was asked, such as for a document that does not exist."""


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Parameters
    ----------
    words
        All of them must occur in the document's id, metadata or text, whatever their case.
    topic
        Of which the document has a part; None for any.
    least
        That part, at least.
    column
        Of metadata; None for any.
    value
        Of this column.
    """

    words: str = ""
    topic: int | None = None
    least: float = 0.0
    column: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Found:
    """A part of what a search finds.

    Parameters
    ----------
    rows
        The documents, in the order of the corpus.
    shares
        Of the topic that was asked for, in each of them.
    cursor
        Where to go on; None at the end.
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
    """Find documents from a row on, as far as one answer goes.

    A topic has the share of all that are merged into it. A group of documents is read at a time: memory grows
    by a few bytes a document alone.

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
    """Return the topics that are shown as this one.

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
    raise QuestionError(f"no column {name!r} to choose documents by")


def _containing(
    corpus: Corpus,
    index: DocumentIndex,
    wanted: npt.NDArray[np.bool_],
    terms: list[str],
    cursor: int,
    most_read: int,
) -> tuple[npt.NDArray[np.int64], int | None]:
    """Return those of the wanted documents that have all terms, and where to go on."""
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
    """Read the documents of all splits from a row on, numbered through."""
    for split, start, end in zip(index.splits, index.starts[:-1], index.starts[1:], strict=True):
        if cursor < end:
            for first, table in corpus.stream_documents(split, max(0, cursor - int(start))):
                yield int(start) + first, table


def has_terms(table: pa.Table, terms: list[str]) -> npt.NDArray[np.bool_]:
    """Tell which documents have each of the terms somewhere in their columns, (D,).

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
