"""Phrases: words that stand beside each other more often than chance would have it, and plain n-grams.

Texts come as streams of word numbers, in which -1 divides what is not adjacent: documents, sentences, and
words with a number or a short word between them. A phrase is a pair of words, or a pair of a phrase and a
word, and is written with a space, which no word has: *new york*, *new york times*. One of the two may be a
stop word that is not among the most frequent, for lists of stop words hold *new*, *second* and *world*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from lda_app.corpus.logarithms import EXACT, log_count
from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    Ids = npt.NDArray[np.int32]
    Keys = npt.NDArray[np.int64]
    Streams = Callable[[], Iterable[Ids]]

_FUNCTION_WORD = 200  # more than one token in 200: "the", "is", "with"; fewer: "new", "second"
_COUNTER_BITS = 22
_COUNTERS = 1 << _COUNTER_BITS


@dataclass(frozen=True)
class PhraseOptions:
    """Which phrases are counted.

    Parameters
    ----------
    max_words
        Words of a phrase at most, 2 or 3.
    min_count
        Occurrences in the training documents. None, for n-grams, is as many as the vocabulary asks for.
    min_npmi
        Normalised pointwise mutual information at least, -1 to 1; None takes every sequence of words.
    keep_parts
        Whether a phrase is counted beside its words, as n-grams are, or in their place.

    Raises
    ------
    ConfigError
        If a value cannot be used.

    Examples
    --------
    >>> PhraseOptions().describe()
    'up to 3 words, at least 10 times, NPMI at least 0.5'
    >>> PhraseOptions.ngrams(2).describe()
    'all sequences of up to 2 words, beside the words'
    """

    max_words: int = 3
    min_count: int | None = 10
    min_npmi: float | None = 0.5
    keep_parts: bool = False

    def __post_init__(self) -> None:
        if self.max_words not in (2, 3):
            raise ConfigError(f"--phrase-words and --ngram take 2 or 3 words, got {self.max_words}")
        if self.min_count is not None and self.min_count < 1:
            raise ConfigError(f"--phrase-count must be at least 1, got {self.min_count}")
        if self.min_npmi is not None and not -1 <= self.min_npmi <= 1:
            raise ConfigError(f"--phrase-npmi must be between -1 and 1, got {self.min_npmi}")

    @classmethod
    def ngrams(cls, max_words: int) -> PhraseOptions:
        """Return the options of plain n-grams."""
        return cls(max_words, min_count=None, min_npmi=None, keep_parts=True)

    def describe(self) -> str:
        """Say all of it in a line, for manifests."""
        if self.keep_parts:
            return f"all sequences of up to {self.max_words} words, beside the words"
        return f"up to {self.max_words} words, at least {self.min_count} times, NPMI at least {self.min_npmi}"


@dataclass(frozen=True)
class Phrase:
    """A phrase that was found: its two parts, how often it occurs in training, and its NPMI if it counts."""

    left: str
    right: str
    count: int
    npmi: float | None

    @property
    def text(self) -> str:
        """The phrase as it is in the vocabulary."""
        return f"{self.left} {self.right}"


@dataclass(frozen=True)
class Phrases:
    """Phrases to be looked for in texts.

    Parameters
    ----------
    rounds
        The (left, right) pairs of words, and then the pairs of which one part is such a pair.
    keep_parts
        As in `PhraseOptions`.
    """

    rounds: tuple[tuple[tuple[str, str], ...], ...]
    keep_parts: bool = False

    def count(
        self,
        ids: Ids,
        ends: npt.NDArray[np.int64],
        words: Sequence[str],
        stop: npt.NDArray[np.bool_] | None = None,
    ) -> tuple[list[str], sparse.csr_array[Any, Any]]:
        """Count words and phrases.

        Parameters
        ----------
        ids
            Documents as numbers of words, with -1 at least at the end of each.
        ends
            (D,) where each document ends in `ids`.
        words
            The words that are numbered.
        stop
            (words,) which of them are counted as parts of phrases alone; None for none.

        Returns
        -------
        list
            The words, then the phrases of them.
        scipy.sparse.csr_array
            (D, words and phrases) counts.

        Examples
        --------
        >>> phrases = Phrases(((("new", "york"),),))
        >>> ids = np.array([0, 1, 2, -1, 1, 0, -1], dtype=np.int32)
        >>> names, counts = phrases.count(ids, np.array([4, 7]), ["new", "york", "moon"])
        >>> names, counts.toarray().tolist()
        (['new', 'york', 'moon', 'new york'], [[0, 0, 1, 1], [1, 1, 0, 0]])
        """
        names, streams, ends = self.find(ids, ends, words, stop)
        parts = [_counts(stream, ends, len(names)) for stream in streams]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return names, total

    def find(
        self,
        ids: Ids,
        ends: npt.NDArray[np.int64],
        words: Sequence[str],
        stop: npt.NDArray[np.bool_] | None = None,
    ) -> tuple[list[str], list[Ids], npt.NDArray[np.int64]]:
        """Find words and phrases in order.

        Parameters
        ----------
        ids, ends, words, stop
            As in :meth:`count`.

        Returns
        -------
        list
            The words, then the phrases of them.
        list
            Streams of their numbers, -1 where there is none: one, with phrases in the place of their parts,
            or one each for the words, pairs and triples that begin at a place.
        numpy.ndarray
            (D,) where each document ends in the streams.

        Examples
        --------
        >>> phrases = Phrases(((("new", "york"),),))
        >>> ids = np.array([0, 1, 2, -1, 1, 0, -1], dtype=np.int32)
        >>> names, (stream,), ends = phrases.find(ids, np.array([4, 7]), ["new", "york", "moon"])
        >>> stream.tolist(), ends.tolist()
        ([3, 2, -1, 1, 0, -1], [3, 6])
        """
        names, tables = self._tables(words)
        stop = np.zeros(len(words), dtype=bool) if stop is None else stop
        if self.keep_parts:
            return names, _sequences(_without(ids, stop), tables), ends
        for table in tables:
            ids, ends = _joined(ids, ends, table)
        return names, [_without(ids, stop)], ends

    def _tables(self, words: Sequence[str]) -> tuple[list[str], list[_PairTable]]:
        """Number the phrases whose parts are there, behind the words."""
        numbers = {word: number for number, word in enumerate(words)}
        tables = []
        for pairs in self.rounds:
            there = [pair for pair in pairs if pair[0] in numbers and pair[1] in numbers]
            left = np.array([numbers[left] for left, _ in there], dtype=np.int64)
            right = np.array([numbers[right] for _, right in there], dtype=np.int64)
            for one, other in there:
                numbers.setdefault(f"{one} {other}", len(numbers))
            into = np.array([numbers[f"{one} {other}"] for one, other in there], dtype=np.int32)
            tables.append(_PairTable.of(left, right, into))
        return list(numbers), tables

    def to_json(self) -> dict[str, Any]:
        """Return all that `from_json` needs."""
        return {"rounds": [list(map(list, pairs)) for pairs in self.rounds], "keep_parts": self.keep_parts}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Phrases:
        """Make the phrases that `to_json` described.

        Examples
        --------
        >>> phrases = Phrases(((("new", "york"),),))
        >>> Phrases.from_json(phrases.to_json()) == phrases
        True
        """
        rounds = tuple(tuple((str(one), str(other)) for one, other in pairs) for pairs in content["rounds"])
        return cls(rounds, bool(content["keep_parts"]))


def learn(
    streams: Streams,
    words: Sequence[str],
    options: PhraseOptions,
    min_count: int,
    stop: npt.NDArray[np.bool_] | None = None,
) -> list[list[Phrase]]:
    """Find the phrases of training documents, those of two words first.

    The normalised pointwise mutual information of x and y (Bouma 2009) is
    ln[p(x, y) / p(x) p(y)] / -ln p(x, y), of the shares of the tokens that are x, that are y, and that are
    x before y. It is 1 where neither occurs without the other, and 0 where they are independent.

    Memory holds the words, the frequent pairs and a block of the stream: pairs that are too rare are told
    apart by hashed counters first (Park, Chen and Yu 1995).

    Parameters
    ----------
    streams
        Gives the blocks of the stream, from the start at each call.
    words
        The words that are numbered.
    options
        Which phrases.
    min_count
        Occurrences of a phrase at least.
    stop
        (words,) which of them are stop words: of these, a phrase has one at most, of at most a 200th of the
        tokens, and an n-gram none.

    Returns
    -------
    list of list of Phrase
        A list a round, in alphabetical order.

    Examples
    --------
    >>> stream = np.array([0, 1, -1, 2, -1] * 9 + [0, 2, -1], dtype=np.int32)
    >>> ((found,),) = learn(lambda: [stream], ["new", "york", "moon"], PhraseOptions(max_words=2), 5)
    >>> found.text, found.count, round(found.npmi, 3)
    ('new york', 9, 0.91)
    """
    stop = np.zeros(len(words), dtype=bool) if stop is None else stop
    rounds: list[list[Phrase]] = []
    for _ in range(2, options.max_words + 1):
        phrases = as_phrases(rounds, options)
        names, tables = phrases._tables(words)

        def pairs(tables: list[_PairTable] = tables) -> Iterator[tuple[Ids, Ids, Ids]]:
            for ids in streams():
                block = _without(ids, stop) if options.keep_parts else ids
                yield _adjacent(block, tables, keep_parts=options.keep_parts)

        usable = np.append(~stop, np.ones(len(names) - len(words), dtype=bool))
        rounds.append(_learn_round(pairs, names, usable, len(words) if rounds else 0, options, min_count))
    return rounds


def as_phrases(rounds: Sequence[Sequence[Phrase]], options: PhraseOptions) -> Phrases:
    """Return what is to be looked for in texts of what was found."""
    pairs = tuple(tuple((phrase.left, phrase.right) for phrase in found) for found in rounds)
    return Phrases(pairs, options.keep_parts)


def npmi(pair: int, left: int, right: int, total: int) -> float:
    """Normalised pointwise mutual information of two adjacent words (Bouma 2009), from counts.

    It is computed in decimals and rounded once: the same on every processor, never beyond its bounds of -1
    and 1, and equal to a limit that it reaches exactly.

    Parameters
    ----------
    pair, left, right
        Occurrences, at least one, of the pair and of its two parts.
    total
        Tokens in all.

    Examples
    --------
    >>> npmi(10, 10, 10, 100), npmi(1, 10, 10, 100), npmi(2, 3, 3, 3)
    (1.0, 0.0, -1.0)
    """
    if pair == total:  # there is no other word
        return 1.0
    if pair * total == left * right:  # independent, where rounding would leave a trace of either sign
        return 0.0
    together, apart = log_count(pair), log_count(total)
    information = EXACT.subtract(EXACT.add(together, apart), EXACT.add(log_count(left), log_count(right)))
    return float(EXACT.divide(information, EXACT.subtract(apart, together)))


@dataclass(frozen=True)
class _PairTable:
    """Pairs of numbers, sorted by a key, and the number of each."""

    keys: Keys
    into: Ids

    @classmethod
    def of(cls, left: Keys, right: Keys, into: Ids) -> _PairTable:
        keys = _keys(left, right)
        order = np.argsort(keys)
        return cls(keys[order], into[order])

    def find(self, left: Ids, right: Ids) -> Ids:
        """Return the number of each pair, -1 where there is none."""
        if not len(self.keys):
            return np.full(len(left), -1, dtype=np.int32)
        keys = _keys(left, right)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found = (self.keys[place] == keys) & (left >= 0) & (right >= 0)
        return np.where(found, self.into[place], np.int32(-1))


def _keys(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Keys:
    return (left.astype(np.int64) << 32) | right.astype(np.int64) & 0xFFFFFFFF


def _joined(ids: Ids, ends: npt.NDArray[np.int64], table: _PairTable) -> tuple[Ids, npt.NDArray[np.int64]]:
    """Put phrases in the place of their parts, from left to right where they overlap."""
    if len(ids) < 2:
        return ids, ends
    pair = table.find(ids[:-1], ids[1:])
    marked = pair >= 0
    place = np.arange(len(pair))
    starts = marked.copy()
    starts[1:] &= ~marked[:-1]
    chosen = marked & ((place - np.maximum.accumulate(np.where(starts, place, 0))) % 2 == 0)
    joined, kept = ids.copy(), np.ones(len(ids), dtype=bool)
    joined[:-1][chosen] = pair[chosen]
    kept[1:][chosen] = False
    return joined[kept], np.concatenate([[0], np.cumsum(kept)])[ends]


def _without(ids: Ids, stop: npt.NDArray[np.bool_]) -> Ids:
    """Put -1 in the place of stop words; `ids` may hold phrases, whose numbers are higher."""
    dropped = np.zeros(int(ids.max(initial=len(stop))) + 2, dtype=bool)
    dropped[: len(stop)] = stop
    return np.where(dropped[ids], np.int32(-1), ids)


def _sequences(ids: Ids, tables: Sequence[_PairTable]) -> list[Ids]:
    """Return for each place the word, the pair, and the three words that begin there; -1 for none."""
    streams = [ids]
    for width, table in enumerate(tables, start=1):
        stream = np.full_like(ids, -1)
        if len(ids) > width:
            stream[:-width] = table.find(streams[-1][:-width], ids[width:])
        streams.append(stream)
    return streams


def _adjacent(ids: Ids, tables: Sequence[_PairTable], *, keep_parts: bool) -> tuple[Ids, Ids, Ids]:
    """Return the tokens of a block, and the two parts of each adjacent pair."""
    if keep_parts:
        width = len(tables) + 1
        longest = _sequences(ids, tables)[-1]
        return ids, longest[:-width], ids[width:]
    ends = np.zeros(0, dtype=np.int64)
    for table in tables:
        ids, ends = _joined(ids, ends, table)
    return ids, ids[:-1], ids[1:]


def _counts(ids: Ids, ends: npt.NDArray[np.int64], num_names: int) -> sparse.csr_array[Any, Any]:
    kept = ids >= 0
    indptr = np.concatenate([[0], np.cumsum(kept)])[np.concatenate([[0], ends])]
    ones = np.ones(int(indptr[-1]), dtype=np.int32)
    counts: sparse.csr_array[Any, Any] = sparse.csr_array(
        (ones, ids[kept], indptr), shape=(len(ends), num_names)
    )
    counts.sum_duplicates()
    return counts


def _learn_round(
    pairs: Callable[[], Iterator[tuple[Ids, Ids, Ids]]],
    names: Sequence[str],
    usable: npt.NDArray[np.bool_],
    first_phrase: int,
    options: PhraseOptions,
    min_count: int,
) -> list[Phrase]:
    """Find the frequent pairs, in a later round those with one phrase, and choose among them."""
    counts = np.zeros(len(names), dtype=np.int64)
    for ids, _, _ in pairs():
        counts += np.bincount(ids[ids >= 0], minlength=len(names))
    if options.keep_parts:  # what begins an n-gram was found frequent before
        frequent, first_phrase = np.full(len(names), fill_value=True), 0
    else:
        frequent = (counts >= min_count) & (usable | (counts * _FUNCTION_WORD <= counts.sum()))
    keys, together = _frequent_pairs(_eligible(pairs, frequent, usable, first_phrase), min_count)
    total, occurrences, least = int(counts.sum()), counts.tolist(), options.min_npmi
    found = []
    for key, times in zip(keys.tolist(), together.tolist(), strict=True):
        left, right = key >> 32, key & 0xFFFFFFFF
        score = None if least is None else npmi(times, occurrences[left], occurrences[right], total)
        if score is None or least is None or score >= least:
            found.append(Phrase(names[left], names[right], times, score))
    return sorted(found, key=lambda phrase: (phrase.left, phrase.right))


def _eligible(
    pairs: Callable[[], Iterator[tuple[Ids, Ids, Ids]]],
    frequent: npt.NDArray[np.bool_],
    usable: npt.NDArray[np.bool_],
    first_phrase: int,
) -> Callable[[], Iterator[Keys]]:
    """Give the keys of the pairs that may be phrases: of frequent parts that are not both stop words."""

    def keys() -> Iterator[Keys]:
        for _, left, right in pairs():
            wanted = (left >= 0) & (right >= 0)
            wanted &= frequent[left] & frequent[right] & (usable[left] | usable[right])
            if first_phrase:
                wanted &= (left >= first_phrase) ^ (right >= first_phrase)
            yield _keys(left[wanted], right[wanted])

    return keys


def _frequent_pairs(keys: Callable[[], Iterator[Keys]], min_count: int) -> tuple[Keys, npt.NDArray[np.int64]]:
    """Count the pairs that occur often enough; first hashed, so that memory need not hold the rare ones."""
    counters = np.zeros(_COUNTERS, dtype=np.int64)
    for block in keys():
        counters += np.bincount(_hashed(block), minlength=_COUNTERS)
    frequent = counters >= min_count
    found, counts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    for block in keys():
        new, times = np.unique(block[frequent[_hashed(block)]], return_counts=True)
        found, place = np.unique(np.concatenate([found, new]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, times])).astype(np.int64)
    kept = counts >= min_count
    return found[kept], counts[kept]


def _hashed(keys: Keys) -> npt.NDArray[np.int64]:
    """Spread keys over the counters by Fibonacci hashing (Knuth, TAOCP 3, section 6.4)."""
    spread = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (spread >> np.uint64(64 - _COUNTER_BITS)).astype(np.int64)
