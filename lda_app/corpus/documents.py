"""A document: what a source yields and the preprocessor counts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


class JsonText(str):
    """A JSON value that is no string, as the text that a table shows of it: empty for null.

    Examples
    --------
    >>> JsonText.of([1, None]), JsonText.of([1, None]).value
    ('[1, null]', [1, None])
    >>> JsonText.of(None), JsonText.of(None).value
    ('', None)
    """

    __slots__ = ()

    @classmethod
    def of(cls, value: Any) -> JsonText:
        """Write a value as text."""
        return cls("" if value is None else json.dumps(value, ensure_ascii=False))

    @property
    def value(self) -> Any:
        """The value itself."""
        return json.loads(self) if self else None


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its identity, as its source states it.

    Parameters
    ----------
    id
        Unique within its source.
    text
        Without NUL characters; otherwise as the source has it.
    split
        ``"train"`` or ``"test"`` if the source defines the split, else None.
    metadata
        The other columns, unchanged, as text; JSON values that are no strings as `JsonText`.
    place
        Where a message can point to, such as ``"news.csv:12"``.

    Examples
    --------
    >>> Document("7", "The shuttle reached orbit", place="news.txt:7").id
    '7'
    """

    id: str
    text: str
    split: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    place: str = ""
