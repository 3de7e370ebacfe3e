"""Texts that a Python program holds in memory."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from lda_app.corpus.documents import Document
from lda_app.corpus.sources.base import BaseSource
from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class MemorySource(BaseSource):
    """Texts with the rows of a table beside them; a missing text is an empty document.

    Parameters
    ----------
    texts
        The documents; each a string, or what pandas takes for missing. Those of a Series have its index as
        ids if that names each once, others are numbered from 0.
    metadata
        A row a document, in their order; its values are kept as text, missing ones left out.

    Raises
    ------
    TypeError
        If one string is given, or a text is no string.
    CorpusError
        If the table has another number of rows, or two columns of one name.

    Examples
    --------
    >>> source = MemorySource(["The orbit", None], pd.DataFrame({"year": [1993, 1994]}))
    >>> [(document.id, document.text, document.metadata) for document in source]
    [('0', 'The orbit', {'year': '1993'}), ('1', '', {'year': '1994'})]
    """

    def __init__(self, texts: Iterable[Any], metadata: pd.DataFrame | None = None) -> None:
        super().__init__("texts")
        self._documents = list_texts(texts)
        if metadata is None:
            metadata = pd.DataFrame(index=range(len(self._documents)))
        if len(metadata) != len(self._documents):
            raise CorpusError(f"{len(self._documents)} texts, but {len(metadata)} rows of metadata")
        if not metadata.columns.is_unique:
            raise CorpusError("two metadata columns have the same name; rename one")
        columns = {str(name): metadata[name].astype(object) for name in metadata}
        self._metadata = {
            name: column.where(column.notna(), None).tolist() for name, column in columns.items()
        }
        self.columns = ("id", "text", *self._metadata)

    def _read(self) -> Iterator[Document]:
        for row, document in enumerate(self._documents):
            values = {name: column[row] for name, column in self._metadata.items()}
            present = {name: clean(str(value)) for name, value in values.items() if value is not None}
            yield replace(document, metadata=present)

    def describe(self) -> dict[str, Any]:
        """Name what was read, by a digest of ids and texts."""
        digest = hashlib.sha256()
        for document in self._documents:
            digest.update(f"{document.id}\0{document.text}\0".encode())
        return {"kind": "memory", "documents": len(self._documents), "sha256": digest.hexdigest()}


def list_texts(texts: Iterable[Any]) -> list[Document]:
    """Return texts as documents; a missing one is empty.

    Raises
    ------
    TypeError
        If one string or a whole table is given, or a text is no string.

    Examples
    --------
    >>> [(document.id, document.text) for document in list_texts(pd.Series(["The orbit"], index=["a"]))]
    [('a', 'The orbit')]
    """
    if isinstance(texts, str | bytes | pd.DataFrame):
        kind = (
            "a table; pass one of its columns"
            if isinstance(texts, pd.DataFrame)
            else "a single string; put it in a list"
        )
        raise TypeError(f"texts must be a list of strings, not {kind}")
    listed = list(texts)
    ids = [str(number) for number in range(len(listed))]
    if isinstance(texts, pd.Series):
        labels = [clean(str(label)) for label in texts.index]
        ids = labels if len(set(labels)) == len(labels) else ids
    return [
        Document(key, _as_text(text, row), place=f"text {row}")
        for row, (key, text) in enumerate(zip(ids, listed, strict=True))
    ]


def clean(text: str) -> str:
    r"""Return a text without NUL and half surrogate pairs, which no file can hold.

    Examples
    --------
    >>> clean("a\0b\ud800")
    'ab�'
    """
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _as_text(text: Any, row: int) -> str:
    if isinstance(text, str):
        return clean(text)
    if text is None or text is pd.NA or text != text:  # noqa: PLR0124 - NaN alone differs from itself
        return ""
    raise TypeError(f"text {row} must be a string, got {type(text).__name__}: {text!r:.60}")
