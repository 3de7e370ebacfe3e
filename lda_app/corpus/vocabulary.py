"""The words that a model counts: fixed order, one id a word, a fingerprint to compare by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Vocabulary:
    """Words in the order of their ids.

    Parameters
    ----------
    words
        Distinct, non-blank words without line breaks, a phrase with its spaces; a word's place is its id, its
        column in a document-term matrix.

    Raises
    ------
    CorpusError
        If a word is blank, holds a line break or occurs twice.

    Examples
    --------
    >>> vocabulary = Vocabulary(("moon", "orbit"))
    >>> vocabulary.index["orbit"], len(vocabulary), vocabulary.fingerprint[:8]
    (1, 2, '25fb9900')
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        problem = _problem(self.words)
        if problem:
            raise CorpusError(f"vocabulary: {problem}")

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The id of each word."""
        return {word: number for number, word in enumerate(self.words)}

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of the words in order, as hexadecimal digits."""
        return hashlib.sha256(self._to_bytes()).hexdigest()

    def save(self, path: Path) -> None:
        """Write one word a line, UTF-8; the file's sha256 is the fingerprint."""
        path.write_bytes(self._to_bytes())

    @classmethod
    def open(cls, path: Path) -> Vocabulary:
        r"""Read a file with one word a line.

        Blanks around a word are dropped, and so is a byte order mark.

        Raises
        ------
        CorpusError
            If the file is missing, empty or not UTF-8, or a line is blank or repeats a word.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "vocab.txt"
        >>> _ = path.write_text("moon\norbit\n")
        >>> Vocabulary.open(path).words
        ('moon', 'orbit')
        """
        words = tuple(line.strip() for line in _read(path).removesuffix("\n").split("\n"))
        problem = _problem(words)
        if problem:
            raise CorpusError(f"{path}: {problem}; a vocabulary must have one word per line")
        return cls(words)

    def _to_bytes(self) -> bytes:
        return "".join(f"{word}\n" for word in self.words).encode()


def _read(path: Path) -> str:
    """Text of a file with any line ends; an unreadable one is named."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: byte {error.start} is not UTF-8; save the vocabulary as UTF-8") from error
    except OSError as error:
        raise CorpusError(f"{path}: cannot read the vocabulary: {error.strerror}") from error
    if not text:
        raise CorpusError(f"{path}: the vocabulary is empty; expected one word per line")
    return text


def _problem(words: tuple[str, ...]) -> str | None:
    """Say what makes these words no vocabulary, naming the line; None if nothing does."""
    first_line: dict[str, int] = {}
    for line, word in enumerate(words, start=1):
        if not word.strip():
            return f"line {line} is blank"
        if "\n" in word:
            return f"line {line} contains a line break: {word!r}"
        if word in first_line:
            return f"line {line} repeats the word {word!r} of line {first_line[word]}"
        first_line[word] = line
    return None
