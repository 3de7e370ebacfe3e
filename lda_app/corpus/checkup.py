"""What is in a collection of texts, and what would go wrong with it: the report of ``lda-app doctor``.

Two passes over the source, in memory that grows with the distinct words and by some tens of bytes a document.
"""

from __future__ import annotations

import tempfile
import zlib
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import regex

from lda_app.corpus.counting import WordCounts, count_words, map_chunks
from lda_app.corpus.duplicates import exact_duplicates, fingerprints, near_duplicates
from lda_app.corpus.languages import Sample
from lda_app.corpus.preprocess import prune
from lda_app.errors import CorpusError
from lda_app.system.runtime import progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lda_app.corpus.documents import Document
    from lda_app.corpus.duplicates import DuplicateDocument, Fingerprints
    from lda_app.corpus.languages import Detected
    from lda_app.corpus.preprocess import PreprocessOptions
    from lda_app.corpus.sources import Source
    from lda_app.corpus.tokenize import Tokenizer

    Counts = npt.NDArray[np.int64]

_EXAMPLES = 8
_COUNTERS = 1 << 22
_LINE_SHARE = 0.01  # of the documents, from which on a line is boilerplate
_LINE_DOCUMENTS = 3
_LONG_LINE = 200
_LETTERS = regex.compile(r"\p{L}{2}")
# UTF-8 that was read as Windows-1252, and characters lost to a wrong decoding.
_GARBLED = regex.compile("\N{REPLACEMENT CHARACTER}|[ÃÂ][\x80-\xbf]|â€")


@dataclass(frozen=True)
class DroppedWords:
    """The words that a rule leaves out.

    Parameters
    ----------
    rule
        What the rule says.
    words, tokens
        Distinct words, and their occurrences.
    examples
        The most frequent of them, with their occurrences.
    """

    rule: str
    words: int
    tokens: int
    examples: dict[str, int]


@dataclass(frozen=True)
class Boilerplate:
    """A line that many documents share."""

    line: str
    documents: int


@dataclass(frozen=True)
class Repeated:
    """A document that repeats an earlier one."""

    id: str
    of: str
    kind: str


@dataclass(frozen=True)
class Checkup:
    """The state of a collection of texts.

    Parameters
    ----------
    num_documents, num_empty, num_without_words
        Documents; those without a character, and those without a word that is counted.
    num_words, num_tokens
        What would be counted: distinct words, and their occurrences.
    lengths
        Quantiles of the counted tokens a document: min, 25%, median, 75%, max, and the mean.
    longest
        Id of the document of the most tokens, and its share of all tokens.
    language
        The languages of a sample; None where there are too few letters.
    num_exact, num_near
        Documents that repeat an earlier one.
    repeated
        Some of them.
    boilerplate
        Lines of several documents, most frequent first.
    dropped
        What each rule leaves out.
    num_garbled
        Documents with marks of a wrong encoding.
    num_unread
        Documents of which more than half of the characters matched no word.
    troubles
        What the source met, and how often.
    left_out
        (place, reason) of the rows that could not be read.
    """

    num_documents: int
    num_empty: int
    num_without_words: int
    num_words: int
    num_tokens: int
    lengths: dict[str, float]
    longest: tuple[str, float]
    language: Detected | None
    num_exact: int
    num_near: int
    repeated: list[Repeated]
    boilerplate: list[Boilerplate]
    dropped: list[DroppedWords]
    num_garbled: int
    num_unread: int
    troubles: dict[str, int]
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return asdict(self)


def check_up(source: Source, options: PreprocessOptions, workers: int | None = None) -> Checkup:
    """Examine a collection of texts.

    Parameters
    ----------
    source
        The documents; read twice.
    options
        What would count as a word, and which words would be kept; all documents are taken for training.
    workers
        Processes, as of `lda_app.corpus.counting.map_chunks`.

    Raises
    ------
    CorpusError
        If a document cannot be read, or there is none.
    """
    with tempfile.TemporaryFile() as file:
        seen = _Seen(file)
        sample = Sample()
        stream: Any = _sampling(source, sample)
        with closing(stream), progress("Examining documents", unit="documents") as bar:
            for documents, found in map_chunks(_examine, stream, _text, options.tokenizer, workers):
                seen.add(found)
                bar.advance(len(documents))
        duplicates = seen.duplicates()
    return _summed_up(source, options, seen, sample.detect(), duplicates)


@dataclass(frozen=True)
class _Found:
    """What was found in a chunk of texts."""

    counted: WordCounts
    dropped: dict[str, Counter[str]]
    prints: Fingerprints
    lines: npt.NDArray[np.uint64]
    garbled: int


def _examine(tokenizer: Tokenizer, texts: Sequence[str]) -> _Found:
    dropped: dict[str, Counter[str]] = defaultdict(Counter)
    forms = Counter(form for text in texts for piece in tokenizer.forms(text) for form in piece)
    for form, times in forms.items():
        rule = tokenizer.explain(form)
        if rule is not None and any(map(str.isalnum, form)):
            dropped[rule][form] += times
    lines = [hash_of for text in texts for hash_of in _line_hashes(text)]
    garbled = sum(_GARBLED.search(text) is not None for text in texts)
    return _Found(
        count_words(tokenizer, texts),
        dict(dropped),
        fingerprints(tokenizer, texts, near=True),
        np.array(lines, dtype=np.uint64),
        garbled,
    )


def _lines(text: str) -> set[str]:
    """Return the distinct lines of a text of several that have a word in them."""
    lines = {" ".join(line.split()) for line in text.splitlines()} - {""}
    return {line for line in lines if _LETTERS.search(line)} if len(lines) > 1 else set()


def _line_hashes(text: str) -> list[int]:
    return [_line_hash(line) for line in _lines(text)]


def _line_hash(line: str) -> int:
    return zlib.crc32(line.encode()) & (_COUNTERS - 1)


class _Seen:
    """What the first pass has found so far."""

    def __init__(self, signatures: IO[bytes]) -> None:
        self.word_ids: dict[str, int] = {}
        self.frequency = np.zeros(0, dtype=np.int64)  # documents of each word
        self.tokens = np.zeros(0, dtype=np.int64)  # occurrences of each word
        self.dropped: dict[str, Counter[str]] = defaultdict(Counter)
        self.lines = np.zeros(_COUNTERS, dtype=np.int64)
        self.garbled = 0
        self.unread = 0
        self._lengths: list[Counts] = []
        self._hashes: list[npt.NDArray[np.uint64]] = []
        self._signatures = signatures

    def add(self, found: _Found) -> None:
        """Add what was found in a chunk."""
        matrix = found.counted.matrix
        ids = np.array(
            [self.word_ids.setdefault(word, len(self.word_ids)) for word in found.counted.words],
            dtype=np.int64,
        )
        self._grow()
        self.frequency[ids] += np.bincount(matrix.indices, minlength=len(ids))
        self.tokens[ids] += np.bincount(matrix.indices, matrix.counts, minlength=len(ids)).astype(np.int64)
        for rule, words in found.dropped.items():
            self.dropped[rule].update(words)
        self.lines += np.bincount(found.lines.astype(np.int64), minlength=_COUNTERS)
        self.garbled += found.garbled
        self.unread += int(found.counted.unread.sum())
        self._lengths.append(matrix.lengths())
        self._hashes.append(found.prints.exact)
        self._signatures.write(found.prints.near.tobytes())

    def _grow(self) -> None:
        missing = len(self.word_ids) - len(self.frequency)
        if missing > 0:
            room = np.zeros(missing + len(self.frequency), dtype=np.int64)
            self.frequency = np.concatenate([self.frequency, room])
            self.tokens = np.concatenate([self.tokens, room])

    @property
    def lengths(self) -> Counts:
        """Counted tokens of each document."""
        return np.concatenate(self._lengths)

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """Hash of the text of each document, 0 for an empty one."""
        return np.concatenate(self._hashes)

    def duplicates(self) -> dict[int, DuplicateDocument]:
        """Return the documents that repeat an earlier one."""
        self._signatures.flush()
        shape = (len(self.hashes), -1)
        signatures = np.memmap(self._signatures, dtype=np.uint16, mode="r").reshape(shape)
        return near_duplicates(signatures, self.hashes, exact_duplicates(self.hashes))


def _summed_up(
    source: Source,
    options: PreprocessOptions,
    seen: _Seen,
    language: Detected | None,
    duplicates: dict[int, DuplicateDocument],
) -> Checkup:
    lengths = seen.lengths
    some = dict(list(duplicates.items())[:_EXAMPLES])
    longest = int(lengths.argmax())
    wanted = {longest, *some, *(duplicate.of for duplicate in some.values())}
    ids, boilerplate = _read_again(source, wanted, seen.lines)
    kept, pruned = _pruned(seen, options)
    return Checkup(
        num_documents=len(lengths),
        num_empty=int((seen.hashes == 0).sum()),
        num_without_words=int((lengths == 0).sum()),
        num_words=int(kept.sum()),
        num_tokens=int(seen.tokens[: len(kept)][kept].sum()),
        lengths=_quantiles(lengths),
        longest=(ids[longest], float(lengths[longest] / max(1, lengths.sum()))),
        language=language,
        num_exact=sum(duplicate.exact for duplicate in duplicates.values()),
        num_near=sum(not duplicate.exact for duplicate in duplicates.values()),
        repeated=[Repeated(ids[place], ids[one.of], one.kind) for place, one in some.items()],
        boilerplate=boilerplate,
        dropped=[*_dropped_forms(seen), *pruned],
        num_garbled=seen.garbled,
        num_unread=seen.unread,
        troubles=dict(source.warnings),
        left_out=list(source.left_out),
    )


def _quantiles(lengths: Counts) -> dict[str, float]:
    values = np.quantile(lengths, [0, 0.25, 0.5, 0.75, 1]).tolist()
    names = ("min", "quarter", "median", "three_quarters", "max")
    return {**dict(zip(names, values, strict=True)), "mean": float(lengths.mean())}


def _read_again(source: Source, wanted: set[int], lines: Counts) -> tuple[dict[int, str], list[Boilerplate]]:
    """Look up the ids of some documents, and count the lines that may be in many documents."""
    ids: dict[int, str] = {}
    counts: Counter[str] = Counter()
    number = 0
    stream: Any = iter(source)
    likely = lines >= _LINE_DOCUMENTS
    with closing(stream), progress("Checking lines", unit="documents") as bar:
        for number, document in enumerate(bar.watched(stream)):
            if number in wanted:
                ids[number] = document.id
            counts.update(line for line in _lines(document.text) if likely[_line_hash(line)])
    least = max(_LINE_DOCUMENTS, _LINE_SHARE * (number + 1))
    shared = [(line, times) for line, times in counts.most_common() if times >= least]
    return ids, [Boilerplate(line[:_LONG_LINE], times) for line, times in shared]


def _dropped_forms(seen: _Seen) -> Iterator[DroppedWords]:
    for rule in ("stop word", "too short", "too long", "number", "clause"):
        words = seen.dropped.get(rule)
        if words:
            yield DroppedWords(rule, len(words), words.total(), dict(words.most_common(_EXAMPLES)))


def _pruned(seen: _Seen, options: PreprocessOptions) -> tuple[npt.NDArray[np.bool_], list[DroppedWords]]:
    """Say which words would be kept, and what pruning would leave out."""
    words = list(seen.word_ids)
    frequency, tokens = seen.frequency[: len(words)], seen.tokens[: len(words)]
    try:
        pruning = prune(words, frequency, len(seen.lengths), options)
    except CorpusError:
        return np.zeros(len(words), dtype=bool), []
    left = set(pruning.words)
    kept = np.array([word in left for word in words], dtype=bool)
    rare, common = frequency < pruning.min_documents, frequency > pruning.max_documents
    rules = {
        f"in fewer than {pruning.min_documents} documents": rare & ~kept,
        f"in more than {pruning.max_documents} documents": common & ~kept,
        "beyond the maximum vocabulary": ~rare & ~common & ~kept,
    }
    return kept, [
        _described(rule, words, tokens, np.flatnonzero(chosen))
        for rule, chosen in rules.items()
        if chosen.any()
    ]


def _described(rule: str, words: Sequence[str], tokens: Counts, chosen: Counts) -> DroppedWords:
    best = chosen[np.argsort(-tokens[chosen], kind="stable")[:_EXAMPLES]]
    examples = {words[word]: int(tokens[word]) for word in best.tolist()}
    return DroppedWords(rule, len(chosen), int(tokens[chosen].sum()), examples)


def _sampling(source: Source, sample: Sample) -> Iterator[Document]:
    for document in source:
        sample.add(document.text)
        yield document


def _text(document: Document) -> str:
    return document.text
