"""What every source of documents offers, and the checks that all of them share."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from array import array
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lda_app.corpus.documents import Document

HUGE_TEXT = 50_000_000  # characters: a text that makes the run's memory grow visibly
MISSING_VALUES = frozenset({"nan", "na", "n/a", "null", "none"})


class Source(Protocol):
    """Documents in a fixed order that can be read more than once.

    Attributes
    ----------
    name
        A short name for messages and manifests: a corpus name or a file name, never an absolute path.
    warnings
        How often each trouble was met in the last reading.
    left_out
        (id or place, reason) of each row that the last reading dropped.
    columns
        The columns of a row as the user has them, in order; of JSON lines the keys met so far.
    text_column, id_column
        Which of the columns are `Document.text` and `Document.id`, the others being its metadata;
        id_column is None where the documents are only numbered. All three are known with the first document.
    """

    name: str
    warnings: Counter[str]
    left_out: list[tuple[str, str]]
    columns: tuple[str, ...]
    text_column: str
    id_column: str | None

    def __iter__(self) -> Iterator[Document]:
        """Read all documents from the start; CorpusError where one cannot be read."""
        ...

    def describe(self) -> dict[str, Any]:
        """Name what was read: equal for equal input and options, no absolute path, no time."""
        ...


class BaseSource(ABC):
    """The checks of every source: ids are unique, there is a document, odd texts are counted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.warnings: Counter[str] = Counter()
        self.left_out: list[tuple[str, str]] = []
        self.columns: tuple[str, ...] = ("id", "text")
        self.text_column = "text"
        self.id_column: str | None = "id"

    @abstractmethod
    def _read(self) -> Iterator[Document]:
        """Yield the documents, filling ``warnings`` and ``left_out``."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Name what was read, as `Source.describe` asks."""

    def __iter__(self) -> Iterator[Document]:
        self.warnings.clear()
        self.left_out.clear()
        hashes = array("q")  # 8 bytes an id: little even for ten million documents
        for document in self._read():
            hashes.append(hash(document.id))
            trouble = text_trouble(document.text)
            if trouble:
                self.warnings[trouble] += 1
            yield document
        if not hashes:
            raise CorpusError(f"{self.name} contains no documents{self._why_empty()}")
        self._refuse_duplicates(hashes)

    def _refuse_duplicates(self, hashes: array[int]) -> None:
        """Read again where two hashes are equal: that alone proves nothing, and the places are wanted."""
        import numpy as np

        in_order = np.sort(np.array(hashes))
        repeated = set(in_order[1:][in_order[1:] == in_order[:-1]].tolist())
        if not repeated:
            return
        again = copy.copy(self)
        again.warnings, again.left_out = Counter(), []
        places: dict[str, str] = {}
        for document in again._read():
            if document.id in places:
                raise CorpusError(
                    f"{document.place}: the ID {quoted(document.id)} is also used at {places[document.id]}; "
                    "IDs must be unique: choose another --id-column, or leave it out to number the documents"
                )
            if hash(document.id) in repeated:
                places[document.id] = document.place

    def _why_empty(self) -> str:
        return f"; {len(self.left_out)} rows were skipped" if self.left_out else ""


def quoted(text: str, width: int = 60) -> str:
    """Quote a value of the user's in a message: on one line, and cut where it is long.

    Examples
    --------
    >>> quoted("The shuttle", width=8)
    "'The...'"
    """
    shown = repr(text)
    return shown if len(shown) <= width else f"{shown[: width - 4]}...{shown[-1]}"


def text_trouble(text: str) -> str | None:
    """Name what makes a text suspicious: the wrong column, perhaps, or a broken export; None if nothing does.

    Examples
    --------
    >>> text_trouble("NaN")
    'texts that look like a missing value, such as NaN'
    >>> text_trouble("The shuttle reached orbit")
    """
    if len(text) > HUGE_TEXT:
        return f"texts of more than {HUGE_TEXT:,} characters"
    if len(text) > 40:
        return "empty texts" if text.isspace() else None
    value = text.strip().lower()
    if not value:
        return "empty texts"
    if value in MISSING_VALUES:
        return "texts that look like a missing value, such as NaN"
    return "texts that look like a number" if _is_number(value) else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
