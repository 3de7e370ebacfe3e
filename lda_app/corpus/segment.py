"""Words of languages that put no spaces between them: Chinese, Japanese and Thai.

The segmenters come with the extra ``segment`` and carry their dictionaries; nothing is fetched.
"""

from __future__ import annotations

import os
from importlib import metadata
from typing import TYPE_CHECKING

from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    Segment = Callable[[str], list[str]]

_AT_ONCE = 4_000  # characters: Sudachi takes at most 49,149 bytes


def segmenter(language: str) -> Segment | None:
    """Return the function from a run of letters to its words; None for a language with spaces.

    Parameters
    ----------
    language
        ISO 639-1 code.

    Raises
    ------
    ConfigError
        If the language needs a package that is not installed.

    Examples
    --------
    >>> segment = segmenter("zh")
    >>> segment("今天讨论历史")
    ['今天', '讨论', '历史']
    >>> segmenter("en") is None
    True
    """
    if language not in _SEGMENTERS:
        return None
    make, packages = _SEGMENTERS[language]
    try:
        cut = make()
    except ImportError as error:
        raise ConfigError(
            f"--language {language} is written without spaces between words, and {' and '.join(packages)}, "
            "needed to segment it, cannot be imported: install lda-app[segment], or use --no-segment if your "
            "text has spaces between words"
        ) from error

    def segment(text: str) -> list[str]:
        parts = (text[start : start + _AT_ONCE] for start in range(0, len(text), _AT_ONCE))
        return [word for part in parts for word in cut(part)]

    return segment


def segmenter_versions(language: str) -> dict[str, str]:
    """Return the versions of the packages that find the words of a language; empty if it has spaces.

    Examples
    --------
    >>> list(segmenter_versions("ja")), segmenter_versions("en")
    (['sudachipy', 'sudachidict-small'], {})
    """
    packages = _SEGMENTERS[language][1] if language in _SEGMENTERS else ()
    return {name: metadata.version(name) for name in packages}


def _chinese() -> Segment:
    import rjieba

    cut: Segment = rjieba.cut
    return cut


def _japanese() -> Segment:
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary(dict="small").tokenizer(mode=SplitMode.A)

    def cut(text: str) -> list[str]:
        return [morpheme.surface() for morpheme in tokenizer.tokenize(text)]

    return cut


def _thai() -> Segment:
    if "PYTHAINLP_READ_MODE" not in os.environ:  # its older name; PyThaiNLP refuses both
        os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")  # else it makes a folder in the user's home
    from pythainlp.tokenize import word_tokenize

    def cut(text: str) -> list[str]:
        words: list[str] = word_tokenize(text, engine="newmm-safe", keep_whitespace=False)
        return words

    return cut


_SEGMENTERS: dict[str, tuple[Callable[[], Segment], tuple[str, ...]]] = {
    "zh": (_chinese, ("rjieba",)),
    "ja": (_japanese, ("sudachipy", "sudachidict-small")),
    "th": (_thai, ("pythainlp",)),
}
