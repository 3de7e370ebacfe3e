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
from importlib import metadata
from typing import TYPE_CHECKING, TypeAlias

import regex

from lda_app.corpus.segment import segmenter
from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

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
# What is neither a form nor white space nor joins words; between the words of a phrase there is none of it.
BREAK = "\x01"
_BREAKS = regex.compile(rf"[^\p{{L}}\p{{M}}\p{{N}}\p{{Cf}}{_APOSTROPHES}\s\p{{Pc}}\-‐‑]+")
_FORM_OR_BREAK = regex.compile(rf"{BREAK}|{_FORM.pattern}")
_ASCII_BREAKS = "".join(
    code if code.isalnum() or code == "'" else " " if code.isspace() or code in "-_" else BREAK
    for code in map(chr, range(128))
)
_TO_APOSTROPHE = str.maketrans(dict.fromkeys(_APOSTROPHES, "'"))
_SPACE = re.compile(r"\s")
_INVISIBLE = regex.compile(r"\p{Cf}+")
# Each of these characters says about as much as two letters of an alphabet.
_DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
# Without spaces between words, longer runs are clauses; text segmented beforehand has shorter ones.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]")
_IN_WORD = r"(?:[^\P{L}\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]|[\p{M}\p{N}])"
_CLAUSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー]{9}|[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]{17}")
_APOSTROPHE_IS_A_LETTER = frozenset({"br", "uk"})
_PIECE = 1_000_000  # characters tokenized at once, so that a huge text takes no more memory than its size
_REMEMBERED = 1_000_000  # forms
_LONG_FORM = 12  # characters: with a segmenter, longer ones are clauses, which hardly occur twice

AUTO = "auto"


@dataclass(frozen=True)
class TokenizerOptions:
    """What counts as a word.

    Parameters
    ----------
    language
        ISO 639-1 code; it chooses the stop words, the stemmer and the lemmas. ``auto`` is to be replaced by
        the language of the corpus before a text is read.
    lowercase
        Whether to ignore case.
    min_length, max_length
        Characters of a word; one of Chinese, Japanese or Korean counts twice.
    stop_words
        ``default``, the list of the package stopwordsiso for the language; ``none``; or the words.
    normalize
        ``none``; ``stem``, nltk's Snowball stemmer; or ``lemma``, the dictionary form by simplemma.
    segment
        Whether to find the words of Chinese, Japanese and Thai; otherwise they are what spaces divide.
    keep_words
        Words that are counted whatever their length, though they are numbers or stop words, and as they are.
    drop_words
        Words that are left out beside the stop words.
    replacements
        (text, text that is put in its place) before words are looked for. A left side is found between
        other letters and digits only, whatever the white space in it; longer ones come first.

    Raises
    ------
    ConfigError
        If a value cannot be used, or there is no list, stemmer or dictionary for the language.

    Examples
    --------
    >>> TokenizerOptions(language="english")
    Traceback (most recent call last):
        ...
    lda_app.errors.ConfigError: --language 'english' has no stop words; closest: en; or use --stop-words none
    """

    language: str = "en"
    lowercase: bool = True
    min_length: int = 3
    max_length: int = 40
    stop_words: StopWords = "default"
    normalize: str = "none"
    segment: bool = True
    keep_words: tuple[str, ...] = ()
    drop_words: tuple[str, ...] = ()
    replacements: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.min_length <= self.max_length:
            raise ConfigError(
                "--min-length must be at least 1 and at most --max-length, "
                f"got {self.min_length} and {self.max_length}"
            )
        both = sorted(set(self.keep_words) & set(self.drop_words))
        if both:
            raise ConfigError(f"{both[0]!r} is in both --keep-words and --drop-words; remove it from one")
        if self.normalize not in ("none", "stem", "lemma"):
            raise ConfigError(f"--normalize must be none, stem or lemma, got {self.normalize!r}")
        if isinstance(self.stop_words, str) and self.stop_words not in ("default", "none"):
            raise ConfigError(
                f"stop words must be 'default', 'none' or a list of words, got {self.stop_words!r}"
            )
        if self.language != AUTO:
            self._require_resources()

    def _require_resources(self) -> None:
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
        if options.language == AUTO:
            raise ConfigError("--language auto: detect the language of the corpus first")
        self.options = options
        self._stop_words = resolve_stop_words(options)
        self._keep = resolve_keep_words(options)
        self._replace = _replacer(options)
        self._segment = segmenter(options.language) if options.segment else None
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
            cased = self._prepared(piece)
            # One pass of str.translate is several times as fast as a regular expression.
            yield cased.translate(_ASCII_FORMS).split() if cased.isascii() else _FORM.findall(cased)

    def stream(self, text: str) -> Iterator[list[str]]:
        r"""Yield the forms of a text as `forms` does, with a break where something is between two of them.

        White space, hyphens and underscores are nothing.

        Examples
        --------
        >>> list(Tokenizer(TokenizerOptions()).stream("New York's moon-rise; orbit"))
        [['new', "york's", 'moon', 'rise', '\x01', 'orbit']]
        """
        for piece in _pieces(text):
            cased = self._prepared(piece)
            if cased.isascii():
                yield cased.translate(_ASCII_BREAKS).replace(BREAK, f" {BREAK} ").split()
            else:
                yield _FORM_OR_BREAK.findall(_BREAKS.sub(BREAK, cased))

    def sequence(self, form: str) -> tuple[str | None, ...]:
        """Look up the words of a form in order, stop words among them, None for each part that is no word.

        Examples
        --------
        >>> tokenizer = Tokenizer(TokenizerOptions(language="zh"))
        >>> tokenizer.sequence("中国的历史"), tokenizer.sequence("这个历史"), tokenizer.is_stop_word("这个")
        (('中国', None, '历史'), ('这个', '历史'), True)
        """
        return tuple(
            word for part, words in self._readings(form) for word in words or (self._as_stop_word(part),)
        )

    def explain(self, form: str) -> str | None:
        """Name the rule by which a form gives no word; None if it gives one.

        Returns
        -------
        str
            ``stop word``, ``number``, ``too short``, ``too long``, or ``clause`` for a run of letters of a
            script without spaces between words.

        Examples
        --------
        >>> tokenizer = Tokenizer(TokenizerOptions())
        >>> [tokenizer.explain(form) for form in ("the", "42", "zz", "orbit")]
        ['stop word', 'number', 'too short', None]
        """
        readings = self._readings(form)
        if any(words for _, words in readings):
            return None
        if any(words == () for _, words in readings):
            return "stop word"
        part = max((part for part, _ in readings), key=len, default="")
        if _CLAUSE.search(part):
            return "clause"
        if not part[:1].isalpha():
            return "number"
        return "too long" if len(part) > self.options.max_length else "too short"

    def is_stop_word(self, word: str) -> bool:
        """Tell whether a word of `sequence` is left out, unless a phrase takes it in."""
        return word not in self._keep and word.lower() in self._stop_words

    def _as_stop_word(self, part: str) -> str | None:
        dense = 0 if part.isascii() else len(_DENSE.findall(part))
        long_enough = len(part) + dense >= self.options.min_length and part.isalpha()
        return part if long_enough and self.is_stop_word(part) else None

    def read(self, form: str) -> Words:
        """Look up the words of a form: none for a stop word, None for what is no word, such as a number.

        Examples
        --------
        >>> tokenizer = Tokenizer(TokenizerOptions())
        >>> tokenizer.read("shuttle's"), tokenizer.read("don't"), tokenizer.read("42")
        (('shuttle',), (), None)
        """
        if self._segment is not None and len(form) > _LONG_FORM and not form.isascii():
            return self._read(form)
        return self._remembered(form)

    def _prepared(self, text: str) -> str:
        cased = _lower(text, self.options.language) if self.options.lowercase else text
        return cased if self._replace is None else self._replace(cased)

    def _read(self, form: str) -> Words:
        readings = [words for _, words in self._readings(form) if words is not None]
        return tuple(word for words in readings for word in words) if readings else None

    def _readings(self, form: str) -> list[tuple[str, Words]]:
        """Return the parts of a form and the words of each."""
        if form in self._keep:
            return [(form, (form,))]
        if form in self._stop_words:
            return [(form, ())]
        if form.isascii() and form.isalnum():
            return [(form, self._as_word(form))]
        whole = _clean(form)
        if whole in self._keep:
            return [(whole, (whole,))]
        if whole.lower() in self._stop_words:
            return [(whole, ())]
        parts = [whole] if self.options.language in _APOSTROPHE_IS_A_LETTER else whole.split("'")
        if self._segment is not None and _UNSPACED.search(whole):
            parts = [word for part in parts for word in self._segment(part)]
        return [(part, self._as_word(part)) for part in parts]

    def _as_word(self, text: str) -> Words:
        """Read a clean text that has no apostrophe to be split at."""
        if text in self._keep:
            return (text,)
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
    listed: Collection[str] = () if options.stop_words == "none" else options.stop_words
    if options.stop_words == "default":
        listed = _listed_stop_words(options.language)
    return frozenset(_clean(_lower(word, options.language)) for word in (*listed, *options.drop_words))


def name_of_stop_words(options: TokenizerOptions) -> str:
    """Say where the stop words come from, for manifests.

    Examples
    --------
    >>> name_of_stop_words(TokenizerOptions(stop_words=("a", "the"), drop_words=("inc",)))
    '--stop-words, plus 1 from --drop-words'
    """
    listed = {
        "none": "none",
        "default": f"stopwordsiso {metadata.version('stopwordsiso')}, {options.language}",
    }
    name = listed[options.stop_words] if isinstance(options.stop_words, str) else "--stop-words"
    return name + (f", plus {len(options.drop_words)} from --drop-words" if options.drop_words else "")


def resolve_keep_words(options: TokenizerOptions) -> frozenset[str]:
    """Return the words that are kept in any case, as they are counted.

    Examples
    --------
    >>> sorted(resolve_keep_words(TokenizerOptions(keep_words=("US", "3D"))))
    ['3d', 'us']
    """
    words = options.keep_words
    return frozenset(_clean(_lower(word, options.language) if options.lowercase else word) for word in words)


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


def _replacer(options: TokenizerOptions) -> Callable[[str], str] | None:
    """Return the function that makes the replacements in a text of the right case."""
    if not options.replacements:
        return None

    def plain(text: str) -> str:
        spaced = " ".join(unicodedata.normalize("NFC", text).split())
        return _lower(spaced, options.language) if options.lowercase else spaced

    table = {plain(left): f" {plain(right)} " for left, right in options.replacements}
    pattern = regex.compile(rf"(?<!{_IN_WORD})\L<left>(?!{_IN_WORD})", left=list(table))

    def replace(text: str) -> str:
        spaced = " ".join(unicodedata.normalize("NFC", text).split())
        replaced: str = pattern.sub(lambda found: table[found[0]], spaced)
        return replaced

    return replace


def _require_language(code: str, supported: Collection[str], what: str, way_out: str) -> None:
    if code in supported:
        return
    names = {name: known for known, name in STEMMERS.items() if known in supported}
    near = difflib.get_close_matches(code.lower(), [*sorted(supported), *names], n=1, cutoff=0)[0]
    raise ConfigError(
        f"--language {code!r} has no {what}; closest: {names.get(near, near)}; or use {way_out}"
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
