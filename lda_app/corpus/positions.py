"""Where some words stand in documents: token order, which a document-term matrix does not keep.

Only the places of the words looked for are kept, so that a stream of documents takes the memory of a few
chunks of them.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lda_app.corpus.counting import form_blocks, map_chunks, read_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from lda_app.corpus.phrases import Phrases
    from lda_app.corpus.tokenize import Tokenizer, TokenizerOptions

_DOCUMENTS_AT_A_TIME = 2_000
_NOT_LOOKED_FOR = -1


@dataclass(frozen=True, eq=False)
class WordPositions:
    """Where the words looked for stand in D documents.

    Parameters
    ----------
    lengths
        (D,) int64 words of each document, whether they are looked for or not.
    indptr
        (D + 1,) int64 where the finds of each document begin.
    words
        (n,) int32 the number of the word found.
    places
        (n,) int64 its place among the words of its document, from 0, ascending within a document.
    """

    lengths: npt.NDArray[np.int64]
    indptr: npt.NDArray[np.int64]
    words: npt.NDArray[np.int32]
    places: npt.NDArray[np.int64]


def positions_in_texts(
    texts: Iterable[str],
    options: TokenizerOptions,
    numbers: Mapping[str, int],
    workers: int | None = None,
    *,
    phrases: Phrases | None = None,
) -> Iterator[WordPositions]:
    """Find words in a stream of raw texts, on all cores, a chunk of documents at a time.

    A document's words are those that the tokenizer gives, also those that no vocabulary has: stop words and
    what is too short take no place. A phrase is a word; an n-gram is at the place of the first of its words.

    Parameters
    ----------
    texts
        Raw texts.
    options
        What counts as a word.
    numbers
        The words to look for, each with its number.
    workers
        As in :func:`lda_app.corpus.counting.count_chunks`.
    phrases
        The phrases that are counted, if any.

    Examples
    --------
    >>> from lda_app.corpus.tokenize import TokenizerOptions
    >>> found = next(positions_in_texts(["An orbit, then the moon"], TokenizerOptions(), {"moon": 0}))
    >>> found.lengths.tolist(), found.words.tolist(), found.places.tolist()
    ([2], [0], [1])
    """
    if phrases is None:
        read = partial(_find_words, numbers=dict(numbers))
    else:
        read = partial(_find_phrases, numbers=dict(numbers), phrases=phrases)
    for _, found in map_chunks(read, texts, str, options, workers):
        yield found


def positions_in_tokens(
    documents: Iterable[Sequence[str]], numbers: Mapping[str, int]
) -> Iterator[WordPositions]:
    """Find words in a stream of documents that are lists of words already.

    Examples
    --------
    >>> found = next(positions_in_tokens([["orbit", "moon"], [], ["moon"]], {"moon": 0}))
    >>> found.lengths.tolist(), found.indptr.tolist(), found.places.tolist()
    ([2, 0, 1], [0, 1, 1, 2], [1, 0])
    """
    stream = iter(documents)
    while chunk := list(itertools.islice(stream, _DOCUMENTS_AT_A_TIME)):
        lengths = np.fromiter(map(len, chunk), dtype=np.int64, count=len(chunk))
        tokens = itertools.chain.from_iterable(chunk)
        words = np.fromiter(
            (numbers.get(token, _NOT_LOOKED_FOR) for token in tokens), dtype=np.int32, count=lengths.sum()
        )
        starts = np.cumsum(lengths) - lengths
        yield _kept(lengths, words, np.arange(len(words)) - np.repeat(starts, lengths))


def _find_words(tokenizer: Tokenizer, texts: Sequence[str], *, numbers: Mapping[str, int]) -> WordPositions:
    form_ids: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    lengths = np.zeros(len(texts), dtype=np.int64)
    parts: list[WordPositions] = []
    for ends, forms in form_blocks(tokenizer, texts, form_ids):
        readings = [tokenizer.read(form) or () for form in form_ids]
        words_of_forms = np.cumsum([0, *map(len, readings)])
        of_forms = np.array(
            [numbers.get(word, _NOT_LOOKED_FOR) for words in readings for word in words], dtype=np.int32
        )
        sizes = np.diff(words_of_forms)[forms]
        running = np.concatenate([[0], np.cumsum(sizes)])
        words = of_forms[np.arange(running[-1]) + np.repeat(words_of_forms[forms] - running[:-1], sizes)]
        new = np.diff(running[ends])
        places = np.arange(len(words)) + np.repeat(lengths - running[ends[:-1]], new)
        parts.append(_kept(new, words, places))
        lengths += new
    return _joined(parts, lengths)


def _find_phrases(
    tokenizer: Tokenizer, texts: Sequence[str], *, numbers: Mapping[str, int], phrases: Phrases
) -> WordPositions:
    read = read_tokens(tokenizer, texts)
    names, streams, ends = phrases.find(read.ids, read.ends, read.words, read.stop)
    of_names = np.array([numbers.get(name, _NOT_LOOKED_FOR) for name in names] + [_NOT_LOOKED_FOR], np.int32)
    running = np.concatenate([[0], np.cumsum(streams[0] >= 0)])
    bounds = np.concatenate([[0], ends])
    found = np.stack([of_names[stream] for stream in streams], axis=1)  # -1 is the last of the names
    index, stream = np.nonzero(found >= 0)
    rows = np.searchsorted(ends, index, side="right")
    return WordPositions(
        lengths=np.diff(running[bounds]),
        indptr=np.searchsorted(index, bounds).astype(np.int64),
        words=found[index, stream],
        places=running[index] - running[bounds[rows]],
    )


def _kept(
    lengths: npt.NDArray[np.int64], words: npt.NDArray[np.int32], places: npt.NDArray[np.int64]
) -> WordPositions:
    """Keep the words that are looked for."""
    kept = words >= 0
    ends = np.concatenate([[0], np.cumsum(lengths)])
    indptr = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)[ends]
    return WordPositions(lengths, indptr, words[kept], places[kept])


def _joined(parts: Sequence[WordPositions], lengths: npt.NDArray[np.int64]) -> WordPositions:
    """Join what was found in consecutive pieces of the same documents."""
    if len(parts) == 1:
        return WordPositions(lengths, parts[0].indptr, parts[0].words, parts[0].places)
    # A document is in consecutive pieces, so that the order of the pieces is that of its words.
    indptr = sum((part.indptr for part in parts), np.zeros(len(lengths) + 1, dtype=np.int64))
    return WordPositions(
        lengths,
        indptr,
        np.concatenate([np.zeros(0, dtype=np.int32), *(part.words for part in parts)]),
        np.concatenate([np.zeros(0, dtype=np.int64), *(part.places for part in parts)]),
    )
