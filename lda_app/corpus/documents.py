"""A document: what a source yields and the preprocessor counts."""

from __future__ import annotations

from dataclasses import dataclass, field


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
        ``"train"`` or ``"test"`` where the source has a split of its own, else None.
    metadata
        The other columns, unchanged, as text.
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
