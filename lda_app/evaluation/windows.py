"""Count co-occurrences of top words in sliding windows without visiting each window.

Each window acts as a virtual document: the words at positions s … s + W − 1 of a text. A text of L words has
max(1, L − W + 1) windows; a text shorter than the window, or empty, is a single window. A word at position p
is in windows p − W + 1 to p, so two words co-occur in as many windows as these intervals overlap. A single
pass over the positions of a text's top words counts them all: time is proportional to their occurrences, not
to the window size, and memory to the number of word pairs that share a topic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from lda_app.system.compiled import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.corpus.positions import WordPositions

    IntArray = npt.NDArray[np.integer[Any]]

WHOLE_DOCUMENT = int(np.iinfo(np.int64).max // 2)


class WindowCounter:
    """Counts the windows that contain each top word, and each pair of a topic's top words.

    Parameters
    ----------
    topics
        (K, N) numbers of the top words, distinct within a row.
    num_words
        R, number of distinct words, numbered from 0.
    window
        W, window size in words; ``WHOLE_DOCUMENT`` makes each document one window.
    as_gensim
        gensim's ``CoherenceModel`` removes a word from the window when its first occurrence leaves, even if
        another is still inside. True counts like gensim, False counts every window.

    Examples
    --------
    >>> from lda_app.corpus.positions import positions_in_tokens
    >>> counter = WindowCounter(np.array([[0, 1]]), num_words=2, window=2)
    >>> for found in positions_in_tokens([["orbit", "moon", "sun", "moon"]], {"orbit": 0, "moon": 1}):
    ...     counter.add(found)
    >>> counter.num_windows, counter.together().tolist()
    (3, [[[1, 1], [1, 3]]])
    """

    def __init__(self, topics: IntArray, num_words: int, window: int, *, as_gensim: bool = True) -> None:
        if window < 1:
            raise ValueError(f"a window holds at least one word, got {window}")
        self.window = window
        self.num_windows = 0
        self._topics = topics
        self._as_gensim = as_gensim
        self._first, self._partner = _partners(topics, num_words)
        self._alone = np.zeros(num_words, dtype=np.int64)
        self._together = np.zeros(len(self._partner), dtype=np.int64)

    def add(self, found: WordPositions) -> None:
        """Count the windows of a block of documents."""
        self.num_windows += int(np.maximum(1, found.lengths - self.window + 1).sum())
        _count_overlaps(
            0, len(found.lengths), found.indptr, found.words, found.places, found.lengths,
            self.window, self._as_gensim, self._first, self._partner,
            np.zeros_like(self._alone), np.zeros_like(self._alone), self._alone, self._together,
        )  # fmt: skip

    def together(self) -> npt.NDArray[np.int64]:
        """Number of windows with each pair of a topic's words, (K, N, N); single words on the diagonal."""
        shape = len(self._alone), len(self._alone)
        one_way = sparse.csr_array((self._together, self._partner, self._first), shape=shape)
        both = (one_way + one_way.T + sparse.diags_array(self._alone, dtype=np.int64)).tocsr()
        return of_topics(both, self._topics)


def of_topics(together: Any, topics: IntArray) -> npt.NDArray[np.int64]:
    """Extract the block (N, N) of each topic from a sparse matrix of pairs: (K, N, N).

    Examples
    --------
    >>> of_topics(sparse.csr_array([[3, 1], [1, 2]]), np.array([[1, 0]])).tolist()
    [[[2, 1], [1, 3]]]
    """
    num_topics, num_words = topics.shape
    rows = np.repeat(topics, num_words, axis=1).ravel()
    columns = np.tile(topics, num_words).ravel()
    blocks = np.asarray(together[rows, columns], dtype=np.int64)
    return blocks.reshape(num_topics, num_words, num_words)


def _partners(topics: IntArray, num_words: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """List the words that share a topic with each word, as sparse rows (row starts and words)."""
    num_topics, size = topics.shape
    ends = np.arange(num_topics + 1) * size
    ones = np.ones(topics.size, dtype=np.int32)
    has_word = sparse.csr_array((ones, topics.ravel(), ends), shape=(num_topics, num_words))
    shared = sparse.csr_array(has_word.T @ has_word)
    shared.setdiag(0)
    shared.eliminate_zeros()
    return shared.indptr.astype(np.int64), shared.indices.astype(np.int64)


@kernel
def _count_overlaps(
    start: int,
    stop: int,
    indptr: Any,
    words: Any,
    places: Any,
    lengths: Any,
    window: int,
    as_gensim: bool,
    first: Any,
    partner: Any,
    inside: Any,
    since: Any,
    alone: Any,
    together: Any,
) -> None:
    """Add the windows of documents start … stop − 1 to ``alone`` (R,) and ``together`` (one entry per pair).

    ``inside`` (R,) is how often a word is in the current window, ``since`` the window in which it entered.
    Words enter and leave in window order.
    """
    for d in range(start, stop):
        leaving = indptr[d]
        for entering in range(indptr[d], indptr[d + 1]):
            w, now = words[entering], max(0, places[entering] - window + 1)
            while places[leaving] < now:
                left, end = words[leaving], places[leaving] + 1
                _leave(left, end, as_gensim, first, partner, inside, since, alone, together)
                leaving += 1
            if inside[w] == 0:
                since[w] = now
            inside[w] = 1 if as_gensim else inside[w] + 1
        num_windows = max(1, lengths[d] - window + 1)
        for place in range(leaving, indptr[d + 1]):
            w, end = words[place], min(places[place] + 1, num_windows)
            _leave(w, end, as_gensim, first, partner, inside, since, alone, together)


@kernel
def _leave(
    w: int,
    end: int,
    as_gensim: bool,
    first: Any,
    partner: Any,
    inside: Any,
    since: Any,
    alone: Any,
    together: Any,
) -> None:
    """Remove an occurrence of a word; with the last one, count the word's windows before ``end``.

    A pair is counted when the first of its words leaves.
    """
    if inside[w] == 0:
        return
    inside[w] = 0 if as_gensim else inside[w] - 1
    if inside[w] > 0:
        return
    alone[w] += end - since[w]
    for place in range(first[w], first[w + 1]):
        other = partner[place]
        if inside[other] > 0:
            together[place] += end - max(since[w], since[other])
