"""Text to words: a pure function of the text and the options, for any script.

A text falls into *forms*, the longest runs of letters, marks, digits and apostrophes. What a form means is
looked up once and remembered, because a corpus has few distinct forms: a form gives no word, one word, or
several where apostrophes join them.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, TypeAlias

import regex

from lda_app.errors import ConfigError, CorpusError
from lda_app.runtime import log

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    StopWords: TypeAlias = str | tuple[str, ...]
    Words: TypeAlias = tuple[str, ...] | None

STEMMERS = {
    "ar": "arabic", "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "nl": "dutch", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
}  # fmt: skip

_APOSTROPHES = "'’ʼ＇"
_FORM = regex.compile(rf"[\p{{L}}\p{{M}}\p{{N}}\p{{Cf}}{_APOSTROPHES}]+")
_ASCII_FORMS = "".join(chr(code) if chr(code).isalnum() or chr(code) == "'" else " " for code in range(128))
_TO_APOSTROPHE = str.maketrans(dict.fromkeys(_APOSTROPHES, "'"))
_SPACE = re.compile(r"\s")
_INVISIBLE = regex.compile(r"\p{Cf}+")
# Each of these characters says about as much as two letters of an alphabet.
_DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
# Without spaces between words, longer runs are clauses; text segmented beforehand has shorter ones.
_CLAUSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー]{9}|[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]{17}")
_APOSTROPHE_IS_A_LETTER = frozenset({"br", "uk"})
_PIECE = 1_000_000  # characters tokenized at once, so that a huge text takes no more memory than its size
_REMEMBERED = 1_000_000  # forms


@dataclass(frozen=True)
class TokenizerOptions:
    """What counts as a word.

    Parameters
    ----------
    language
        ISO 639-1 code; it chooses the stop words, the stemmer and the lemmas.
    lowercase
        Whether to ignore case.
    min_length, max_length
        Characters of a word; one of Chinese, Japanese or Korean counts twice.
    stop_words
        ``default``, the list of the package stopwordsiso for the language; ``none``; or the words.
    normalize
        ``none``; ``stem``, nltk's Snowball stemmer; or ``lemma``, the dictionary form by simplemma.

    Raises
    ------
    ConfigError
        If a value cannot be used, or there is no list, stemmer or dictionary for the language.

    Examples
    --------
    >>> TokenizerOptions(language="english")
    Traceback (most recent call last):
        ...
    lda_app.errors.ConfigError: --language 'english' has no stop words; nearest: en; or use --stop-words none
    """

    language: str = "en"
    lowercase: bool = True
    min_length: int = 3
    max_length: int = 40
    stop_words: StopWords = "default"
    normalize: str = "none"

    def __post_init__(self) -> None:
        if not 1 <= self.min_length <= self.max_length:
            raise ConfigError(
                "--min-length must be at least 1 and at most --max-length, "
                f"got {self.min_length} and {self.max_length}"
            )
        if self.normalize not in ("none", "stem", "lemma"):
            raise ConfigError(f"--normalize must be none, stem or lemma, got {self.normalize!r}")
        if isinstance(self.stop_words, str) and self.stop_words not in ("default", "none"):
            raise ConfigError(f"stop words must be 'default', 'none' or words, got {self.stop_words!r}")
        if self.stop_words == "default":
            _require_language(self.language, stop_word_languages(), "stop words", "--stop-words none")
        if self.normalize == "stem":
            _require_language(self.language, STEMMERS, "stemmer", "--normalize none")
        if self.normalize == "lemma":
            _require_language(self.language, lemma_languages(), "lemmas", "--normalize none")


class Tokenizer:
    """Splits texts into words.

    Compatibility forms stay as they are; words are lower case (unless told otherwise) and in Unicode's
    normal form C, free of zero-width and bidirectional controls. A word begins with a letter, and no word
    is a number. A word with apostrophes is dropped whole if it is a stop word (*don't*); else its parts are
    words by themselves (*l'amour*).

    Examples
    --------
    >>> tokenizer = Tokenizer(TokenizerOptions())
    >>> tokenizer("The shuttle's 3 engines don't reach Málaga’s orbit.")
    ['shuttle', 'engines', 'reach', 'málaga', 'orbit']
    """

    def __init__(self, options: TokenizerOptions) -> None:
        self.options = options
        self._stop_words = resolve_stop_words(options)
        self._normalize = _normalizer(options)
        self._remembered = lru_cache(_REMEMBERED)(self._read)

    def __call__(self, text: str) -> list[str]:
        """Return all words of a text, in order."""
        return [word for forms in self.forms(text) for form in forms for word in self.read(form) or ()]

    def forms(self, text: str) -> Iterator[list[str]]:
        """Yield the forms of a text in order, those of about a million characters at a time.

        Examples
        --------
        >>> list(Tokenizer(TokenizerOptions()).forms("don't panic: 42"))
        [["don't", 'panic', '42']]
        """
        for piece in _pieces(text):
            cased = _lower(piece, self.options.language) if self.options.lowercase else piece
            # One pass of str.translate is several times as fast as a regular expression.
            yield cased.translate(_ASCII_FORMS).split() if cased.isascii() else _FORM.findall(cased)

    def read(self, form: str) -> Words:
        """Look up the words of a form: none for a stop word, None for what is no word, such as a number.

        Examples
        --------
        >>> tokenizer = Tokenizer(TokenizerOptions())
        >>> tokenizer.read("shuttle's"), tokenizer.read("don't"), tokenizer.read("42")
        (('shuttle',), (), None)
        """
        return self._remembered(form)

    def _read(self, form: str) -> Words:
        if form in self._stop_words:
            return ()
        if form.isascii() and form.isalnum():
            return self._as_word(form)
        whole = _clean(form)
        if whole.lower() in self._stop_words:
            return ()
        parts = [whole] if self.options.language in _APOSTROPHE_IS_A_LETTER else whole.split("'")
        readings = [words for part in parts if (words := self._as_word(part)) is not None]
        return tuple(word for words in readings for word in words) if readings else None

    def _as_word(self, text: str) -> Words:
        """Read a clean text that has no apostrophe to be split at."""
        length = len(text)
        if not text.isascii():
            if _CLAUSE.search(text):
                return None
            length += len(_DENSE.findall(text))
        if length < self.options.min_length or len(text) > self.options.max_length or not text[:1].isalpha():
            return None
        if text.lower() in self._stop_words:
            return ()
        if self._normalize is None:
            return (text,)
        normal = self._normalize(text)
        return () if normal.lower() in self._stop_words else (normal,)


def resolve_stop_words(options: TokenizerOptions) -> frozenset[str]:
    """Return the words that the options leave out, lower case, in normal form C.

    Examples
    --------
    >>> "the" in resolve_stop_words(TokenizerOptions())
    True
    """
    if options.stop_words == "none":
        return frozenset()
    listed = _listed_stop_words(options.language) if options.stop_words == "default" else options.stop_words
    return frozenset(_clean(_lower(word, options.language)) for word in listed)


def read_stop_words(path: Path) -> tuple[str, ...]:
    r"""Read the user's stop words, separated by white space; a line that begins with ``#`` is a comment.

    An empty file is warned of.

    Raises
    ------
    CorpusError
        If the file cannot be read or is not UTF-8.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "stop.txt"
    >>> _ = path.write_text("# articles\nthe a an\n")
    >>> read_stop_words(path)
    ('a', 'an', 'the')
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: byte {error.start} is not UTF-8; save the stop words as UTF-8") from error
    except OSError as error:
        raise CorpusError(
            f"{path}: cannot read the stop words: {error.strerror}; "
            "--stop-words takes default, none, or a file"
        ) from error
    words = {word for line in lines if not line.startswith("#") for word in line.split()}
    if not words:
        log.warning("%s: no stop words in it; every word is counted", path)
    return tuple(sorted(words))


@cache
def stop_word_languages() -> frozenset[str]:
    """Return the codes of the languages that have a list of stop words."""
    import stopwordsiso

    return frozenset(stopwordsiso.langs())


@cache
def lemma_languages() -> frozenset[str]:
    """Return the codes of the languages that have lemmas."""
    from simplemma.strategies.dictionaries import dictionary_factory

    return frozenset(dictionary_factory.SUPPORTED_LANGUAGES)


def _listed_stop_words(language: str) -> Collection[str]:
    import stopwordsiso

    words: Collection[str] = stopwordsiso.stopwords(language)
    return words


def _normalizer(options: TokenizerOptions) -> Callable[[str], str] | None:
    """Return the function from a word to the word that is counted for it; None if that is the word."""
    if options.normalize == "stem":
        from nltk.stem.snowball import SnowballStemmer

        stem: Callable[[str], str] = SnowballStemmer(STEMMERS[options.language]).stem
        return stem
    if options.normalize == "lemma":
        from simplemma import lemmatize

        def lemma(word: str) -> str:
            found: str = lemmatize(word, lang=options.language)
            return _lower(found, options.language) if options.lowercase else found

        return lemma
    return None


def _require_language(code: str, supported: Collection[str], what: str, way_out: str) -> None:
    if code in supported:
        return
    names = {name: known for known, name in STEMMERS.items() if known in supported}
    near = difflib.get_close_matches(code.lower(), [*sorted(supported), *names], n=1, cutoff=0)[0]
    raise ConfigError(
        f"--language {code!r} has no {what}; nearest: {names.get(near, near)}; or use {way_out}"
    )


def _lower(text: str, language: str) -> str:
    """Lower case; the dotted capital I becomes a plain i, which Python gives a combining dot."""
    if text.isascii() and language != "tr":
        return text.lower()
    if language == "tr":
        text = text.replace("I", "ı")
    return text.replace("İ", "i").lower()


def _clean(form: str) -> str:
    """Return a form in normal form C, free of invisible characters and of apostrophes around it."""
    if not form.isascii():
        form = unicodedata.normalize("NFC", _INVISIBLE.sub("", form)).translate(_TO_APOSTROPHE)
    return form.strip("'")


def _pieces(text: str) -> Iterator[str]:
    """Cut a text before white space into pieces of about a million characters; short texts stay whole."""
    start = 0
    while len(text) - start > _PIECE:
        space = _SPACE.search(text, start + _PIECE)
        end = space.start() if space else len(text)
        yield text[start:end]
        start = end
    yield text[start:] if start else text
