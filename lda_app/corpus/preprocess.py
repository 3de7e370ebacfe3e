"""Which words are counted: pruning fitted on the training split, then the same counts for any text."""

from __future__ import annotations

import hashlib
import math
import platform
import unicodedata
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.corpus.counting import chunks_of, count_words, read_tokens, relabel
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.duplicates import WAYS
from lda_app.corpus.phrases import PhraseOptions, Phrases
from lda_app.corpus.segment import segmenter_versions
from lda_app.corpus.tokenize import (
    AUTO,
    Tokenizer,
    TokenizerOptions,
    resolve_keep_words,
    resolve_stop_words,
)
from lda_app.errors import ConfigError, CorpusError, FolderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import Counts
    from lda_app.corpus.vocabulary import Vocabulary

_SMALL = 100  # training documents: below, a share of documents says little about a word
_COMMON = 0.5
_DOCUMENTS_PER_MIN_DF = 200


@dataclass(frozen=True)
class PreprocessOptions:
    """What counts as a word, and which words are kept.

    A number of documents is an int from 1, a share of the training documents a float up to 1.0.

    Parameters
    ----------
    tokenizer
        What counts as a word.
    min_df
        Least number of training documents of a word. None is 1 for up to 399 documents, plus one for each
        further 200, up to 5.
    max_df
        Largest number of training documents of a word. None is half of all documents, or all of fewer than
        100.
    max_vocab
        Largest vocabulary: the words of the most training documents; ties in alphabetical order.
    phrases
        Which phrases are counted; None counts words alone.
    drop_duplicates
        ``exact`` or ``near`` leaves out the documents of a corpus that repeat an earlier one; ``none``.

    Raises
    ------
    ConfigError
        If a value cannot be used.

    Examples
    --------
    >>> PreprocessOptions(min_df=0.5, max_df=0.1)
    Traceback (most recent call last):
        ...
    lda_app.errors.ConfigError: --max-df 0.1 is below --min-df 0.5, which leaves no words
    """

    tokenizer: TokenizerOptions = field(default_factory=TokenizerOptions)
    min_df: int | float | None = None
    max_df: int | float | None = None
    max_vocab: int = 10_000
    phrases: PhraseOptions | None = None
    drop_duplicates: str = "none"

    def __post_init__(self) -> None:
        _check_frequency("--min-df", self.min_df)
        _check_frequency("--max-df", self.max_df)
        if (
            self.min_df is not None
            and self.max_df is not None
            and type(self.min_df) is type(self.max_df)
            and self.max_df < self.min_df
        ):
            raise ConfigError(
                f"--max-df {self.max_df} is below --min-df {self.min_df}, which leaves no words"
            )
        if self.drop_duplicates not in WAYS:
            raise ConfigError(f"--drop-duplicates must be none, exact or near, got {self.drop_duplicates!r}")
        if not isinstance(self.max_vocab, int) or self.max_vocab < 1:
            raise ConfigError(f"--max-vocab must be a whole number of at least 1, got {self.max_vocab!r}")

    def describe(self) -> dict[str, Any]:
        """Return all options by name; the user's lists of words by their length and sha256.

        Examples
        --------
        >>> PreprocessOptions(TokenizerOptions(stop_words=("a", "the"))).describe()["stop_words"]
        '2 given words, sha256 11a3ae8f8ec6'
        """
        options = asdict(self)
        options["phrases"] = "none" if self.phrases is None else self.phrases.describe()
        tokenizer = options.pop("tokenizer")
        for name, given in tokenizer.items():
            if isinstance(given, tuple):
                tokenizer[name] = _described(given)
        return {**tokenizer, **options}


@dataclass(frozen=True)
class Pruning:
    """The words that are left, and why others are not.

    Parameters
    ----------
    words
        The words that are left, in alphabetical order.
    num_rare, num_common, num_beyond
        Words dropped as too rare, as too common, and for ``--max-vocab``.
    min_documents, max_documents
        The limits that were applied, in training documents.
    relaxed
        Whether the default limits had to be dropped.
    """

    words: tuple[str, ...]
    num_rare: int
    num_common: int
    num_beyond: int
    min_documents: int
    max_documents: int
    relaxed: bool

    def describe(self) -> dict[str, int]:
        """Return all but the words, by name."""
        return {
            "min_documents": self.min_documents,
            "max_documents": self.max_documents,
            "words_too_rare": self.num_rare,
            "words_too_common": self.num_common,
            "words_beyond_max_vocab": self.num_beyond,
        }


def prune(
    words: Sequence[str],
    document_frequency: npt.NDArray[np.int64],
    num_documents: int,
    options: PreprocessOptions,
) -> Pruning:
    """Choose the vocabulary; the answer does not depend on the order of the words.

    Limits that the user did not give are dropped if they would leave no word at all.

    Parameters
    ----------
    words
        (W,) distinct words.
    document_frequency
        (W,) training documents that have each word.
    num_documents
        Training documents in all.
    options
        The limits.

    Raises
    ------
    ConfigError
        If the limits exclude each other for this number of documents.
    CorpusError
        If no word is left.

    Examples
    --------
    >>> prune(["orbit", "moon", "apogee"], np.array([3, 2, 1]), 3, PreprocessOptions(min_df=2)).words
    ('moon', 'orbit')
    """
    low, high = _limits(num_documents, options)
    always = resolve_keep_words(options.tokenizer)
    given = np.array([word in always for word in words], dtype=bool) & (document_frequency > 0)
    frequent, common = (document_frequency >= low) | given, (document_frequency > high) & ~given
    kept = frequent & ~common
    relaxed = not kept.any()
    if relaxed:
        low = low if options.min_df is not None else 1
        high = high if options.max_df is not None else num_documents
        frequent, common = (document_frequency >= low) | given, (document_frequency > high) & ~given
        kept = frequent & ~common
    if not kept.any():
        raise CorpusError(_no_word_left(options, num_documents, has_words=bool(document_frequency.any())))
    best_first = sorted(
        np.flatnonzero(kept).tolist(), key=lambda i: (not given[i], -document_frequency[i], words[i])
    )
    return Pruning(
        words=tuple(sorted(words[i] for i in best_first[: options.max_vocab])),
        num_rare=int((~frequent & (document_frequency > 0)).sum()),
        num_common=int(common.sum()),
        num_beyond=max(0, len(best_first) - options.max_vocab),
        min_documents=low,
        max_documents=high,
        relaxed=relaxed,
    )


@dataclass(frozen=True)
class Counted:
    """Counts of raw texts.

    Parameters
    ----------
    matrix
        (D, V) counts of the words of the vocabulary.
    unknown_tokens
        (D,) tokens of each text that are no words of the vocabulary; stop words are no tokens.
    """

    matrix: DocTermMatrix
    unknown_tokens: npt.NDArray[np.int64]


class Preprocessor:
    """Counts the words of raw texts as the corpus of a model was counted.

    Parameters
    ----------
    options
        As the corpus was built with.
    vocabulary
        The words to count.
    phrases
        The phrases that were found in the corpus, if phrases are counted.

    Examples
    --------
    >>> from lda_app.corpus.vocabulary import Vocabulary
    >>> preprocessor = Preprocessor(PreprocessOptions(), Vocabulary(("moon", "orbit")))
    >>> preprocessor.count("The orbit of a moon, an orbit.")
    (array([0, 1], dtype=int32), array([1, 2], dtype=int32), 0)
    """

    def __init__(
        self, options: PreprocessOptions, vocabulary: Vocabulary, phrases: Phrases | None = None
    ) -> None:
        self.options = options
        self.vocabulary = vocabulary
        self.phrases = phrases
        self._tokenizer = Tokenizer(options.tokenizer)

    def count(self, text: str) -> tuple[npt.NDArray[np.int32], Counts, int]:
        """Return word ids, their counts, and the number of unknown tokens of one text."""
        counted = self.count_all([text])
        return counted.matrix.indices, counted.matrix.counts, int(counted.unknown_tokens[0])

    def counts(self, texts: Iterable[str]) -> DocTermMatrix:
        """Return the counts of texts, a row a text."""
        return self.count_all(texts).matrix

    def count_all(self, texts: Iterable[str]) -> Counted:
        """Return the counts of texts and how many tokens of each are unknown.

        Examples
        --------
        >>> from lda_app.corpus.vocabulary import Vocabulary
        >>> preprocessor = Preprocessor(PreprocessOptions(), Vocabulary(("moon", "orbit")))
        >>> preprocessor.count_all(["moon", "apogee of an orbit"]).unknown_tokens.tolist()
        [0, 1]
        """
        num_words, index = len(self.vocabulary), self.vocabulary.index
        matrices: list[DocTermMatrix] = []
        unknown = [np.zeros(0, dtype=np.int64)]
        for chunk in chunks_of(texts, str):
            words, matrix = self._count_chunk(chunk)
            new_ids = np.array([index.get(word, -1) for word in words], dtype=np.int32)
            matrices.append(relabel(matrix, new_ids, num_words))
            unknown.append(matrix.lengths() - matrices[-1].lengths())
        return Counted(DocTermMatrix.concatenate(matrices, num_words), np.concatenate(unknown))

    def _count_chunk(self, texts: Sequence[str]) -> tuple[list[str], DocTermMatrix]:
        if self.phrases is None:
            counted = count_words(self._tokenizer, texts)
            return counted.words, counted.matrix
        stream = read_tokens(self._tokenizer, texts)
        names, counts = self.phrases.count(stream.ids, stream.ends, stream.words, stream.stop)
        if self.phrases.keep_parts:  # an n-gram that was pruned is no unknown token: its words are counted
            kept = np.array([" " not in name or name in self.vocabulary.index for name in names], dtype=bool)
            names, counts = [name for name, keep in zip(names, kept, strict=True) if keep], counts[:, kept]
        return names, DocTermMatrix.from_scipy(counts)

    def to_json(self) -> dict[str, Any]:
        """Return all that `from_json` needs, with the stop words themselves, and the tools' versions.

        Examples
        --------
        >>> from lda_app.corpus.vocabulary import Vocabulary
        >>> sorted(Preprocessor(PreprocessOptions(), Vocabulary(("moon",))).to_json())
        ['drop_duplicates', 'found_phrases', 'max_df', 'max_vocab', 'min_df', 'phrases', 'tokenizer', 'tools']
        """
        options = asdict(self.options)
        options["tokenizer"]["stop_words"] = sorted(resolve_stop_words(self.options.tokenizer))
        found = None if self.phrases is None else self.phrases.to_json()
        return {**options, "found_phrases": found, "tools": tool_versions(self.options.tokenizer.language)}

    @classmethod
    def from_json(cls, content: dict[str, Any], vocabulary: Vocabulary) -> Preprocessor:
        """Make the preprocessor that `to_json` described.

        Raises
        ------
        FolderError
            If something is missing or has a wrong value.

        Examples
        --------
        >>> from lda_app.corpus.vocabulary import Vocabulary
        >>> vocabulary = Vocabulary(("moon",))
        >>> content = Preprocessor(PreprocessOptions(min_df=3), vocabulary).to_json()
        >>> Preprocessor.from_json(content, vocabulary).options.min_df
        3
        """
        try:
            options = {name: value for name, value in content.items() if name != "tools"}
            found = options.pop("found_phrases", None)
            phrases = None if found is None else Phrases.from_json(found)
            if options.get("phrases") is not None:
                options["phrases"] = PhraseOptions(**options["phrases"])
            tokenizer = {name: _as_tuples(value) for name, value in options.pop("tokenizer").items()}
            tokenizer["stop_words"] = tuple(tokenizer["stop_words"])
            preprocess = PreprocessOptions(TokenizerOptions(**tokenizer), **options)
        except (ConfigError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise FolderError(f"preprocess.json is damaged ({error}); create the folder again") from error
        return cls(preprocess, vocabulary, phrases)


def phrase_count(options: PreprocessOptions, num_documents: int) -> int:
    """Return the least number of occurrences of a phrase, for a number of training documents.

    N-grams that occur less often than the vocabulary's least number of documents could not be kept.

    Examples
    --------
    >>> phrase_count(PreprocessOptions(phrases=PhraseOptions()), 1000)
    10
    >>> phrase_count(PreprocessOptions(phrases=PhraseOptions.ngrams(2)), 1000)
    5
    """
    given = None if options.phrases is None else options.phrases.min_count
    return _limits(num_documents, options)[0] if given is None else given


def tool_versions(language: str = "en") -> dict[str, str]:
    """Return the versions of what decides on the words of a language, for manifests.

    Examples
    --------
    >>> sorted(tool_versions())
    ['nltk', 'python', 'regex', 'simplemma', 'stopwordsiso', 'unicode']
    >>> tool_versions("zh").keys() - tool_versions("en").keys()
    {'rjieba'}
    """
    names = ["nltk", "regex", "simplemma", "stopwordsiso", *(["py3langid"] if language == AUTO else [])]
    packages = {name: metadata.version(name) for name in names}
    own = {"python": platform.python_version(), "unicode": unicodedata.unidata_version}
    return {**packages, **segmenter_versions(language), **own}


def _described(words: tuple[Any, ...]) -> str:
    """Name a list of the user's by its length and hash."""
    if not words:
        return "none"
    lines = [word if isinstance(word, str) else "\t".join(word) for word in words]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return f"{len(words)} given words, sha256 {digest[:12]}"


def _as_tuples(value: Any) -> Any:
    """Turn the lists of JSON, and those in them, into the tuples that they were."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def _limits(num_documents: int, options: PreprocessOptions) -> tuple[int, int]:
    """Return the least and the largest number of training documents that a word may be in."""
    low, high = options.min_df, options.max_df
    if low is None:
        low = min(5, max(1, num_documents // _DOCUMENTS_PER_MIN_DF))
    if high is None:
        high = _COMMON if num_documents >= _SMALL else 1.0
    least = math.ceil(_fraction(low) * num_documents) if isinstance(low, float) else low
    most = math.floor(_fraction(high) * num_documents) if isinstance(high, float) else high
    if None not in (options.min_df, options.max_df) and most < least <= num_documents:
        raise ConfigError(
            f"--max-df {high} is below --min-df {low} for {num_documents} training documents: "
            f"at most {most} but at least {least} documents; change one of them"
        )
    return max(1, least), most


def _fraction(share: float) -> Fraction:
    """Return a share as it was meant: 0.1 of 30 documents are 3, but 0.1 * 30 is 3.0000000000000004."""
    return Fraction(share).limit_denominator(10**9)


def _no_word_left(options: PreprocessOptions, num_documents: int, *, has_words: bool) -> str:
    if not has_words:
        return (
            f"no words left: {num_documents} training documents contain only stop words, numbers or words "
            "that are too short; check --language, --stop-words and --min-length"
        )
    limits = {"min_df": options.min_df, "max_df": options.max_df}
    given = ", ".join(f"{name}={value}" for name, value in limits.items() if value is not None)
    return (
        f"no words left with {given} in {num_documents} documents; use a lower --min-df or a higher --max-df"
    )


def _check_frequency(option: str, value: object) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if value is None or whole or (isinstance(value, float) and 0 < value <= 1):
        return
    raise ConfigError(
        f"{option} must be a number of documents from 1, or a fraction above 0 up to 1.0, got {value!r}"
    )
