"""How far topics differ from each other, and how many are used at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    import numpy.typing as npt

    IntArray = npt.NDArray[np.integer[Any]]

SHARED_WORDS = 5
LIVE_FRACTION = 0.1
RBO_PERSISTENCE = 0.9


class DuplicateTopics(NamedTuple):
    """Two topics that share many of their top words."""

    topic: int
    other: int
    shared_words: int


def unique_share(top_words: IntArray) -> float:
    """Topic diversity: the share of distinct words among all top words (Dieng, Ruiz and Blei 2020).

    Parameters
    ----------
    top_words
        (K, N) word ids, distinct within a row; N = 25 by convention.

    Returns
    -------
    float
        From 1/K, all topics the same, to 1, no word in two topics.

    Examples
    --------
    >>> unique_share(np.array([[0, 1], [1, 2]]))
    0.75
    """
    return len(np.unique(top_words)) / top_words.size


def inverted_rbo(top_words: IntArray, persistence: float = RBO_PERSISTENCE) -> float:
    """Diversity by rank: one minus the mean rank-biased overlap of pairs of topics (Bianchi et al. 2021).

    The overlap of two lists of N words is the extrapolated one (Webber, Moffat and Zobel 2010, eq. 23), with
    X_d words in common among the first d of both:

        RBO = X_N / N · p^N + (1 − p) / p · Σ_{d=1}^N X_d / d · p^d

    A word at the ranks r and s adds to every X_d from d = max(r, s) on, so that pairs of topics need not be
    visited: the time follows K N log K.

    Parameters
    ----------
    top_words
        (K, N) word ids, distinct within a row, most probable first; N = 10 by convention.
    persistence
        p, above 0 and below 1: the larger, the more the words further down count.

    Returns
    -------
    float
        From 0, all topics the same, to 1, no word in two topics; 1 for a single topic.

    Examples
    --------
    >>> round(inverted_rbo(np.array([[0, 1], [0, 2]])), 3)  # 1 − (0.81 / 2 + (0.9 + 0.81 / 2) / 9)
    0.45
    >>> inverted_rbo(np.array([[0, 1], [2, 3]]))
    1.0
    """
    num_topics, depth = top_words.shape
    if num_topics < 2:
        return 1.0
    depths = np.arange(1, depth + 1)
    agreements = (1 - persistence) / persistence * persistence**depths / depths
    from_rank = np.cumsum(agreements[::-1])[::-1] + persistence**depth / depth
    ranks = np.tile(np.arange(depth), num_topics)
    order = np.lexsort((ranks, top_words.ravel()))
    words, ranks = top_words.ravel()[order], ranks[order]
    # Among the topics that share a word, in the order of its rank, each is the worse rank of all before it.
    pairs = np.arange(len(words)) - np.searchsorted(words, words)
    overlap = float(np.sum(pairs * from_rank[ranks]))
    return float(1 - overlap / (num_topics * (num_topics - 1) / 2))


def duplicates(top_words: IntArray, at_least: int = SHARED_WORDS) -> tuple[DuplicateTopics, ...]:
    """Pairs of topics that share many top words, those that share most first.

    Parameters
    ----------
    top_words
        (K, N) word ids, distinct within a row; N = 10 by convention.
    at_least
        Words shared from which on a pair is listed.

    Examples
    --------
    >>> duplicates(np.array([[0, 1, 2], [3, 4, 5], [2, 0, 9]]), at_least=2)
    (DuplicateTopics(topic=0, other=2, shared_words=2),)
    """
    num_topics, num_words = top_words.shape
    ends = np.arange(num_topics + 1) * num_words
    membership = sparse.csr_array((np.ones(top_words.size, dtype=np.int32), top_words.ravel(), ends))
    shared = sparse.triu(membership @ membership.T, k=1).tocoo()
    pairs = (DuplicateTopics(*map(int, pair)) for pair in zip(*shared.coords, shared.data, strict=True))
    return tuple(sorted((p for p in pairs if p.shared_words >= at_least), key=lambda p: (-p.shared_words, p)))


def live_topics(prevalence: npt.NDArray[np.floating[Any]], fraction: float = LIVE_FRACTION) -> int:
    """Count the topics that are used: those whose mean share is at least a tenth of the uniform share, 0.1/K.

    Parameters
    ----------
    prevalence
        (K,) mean topic proportions over documents.
    fraction
        Of the uniform share.

    Examples
    --------
    >>> live_topics(np.array([0.6, 0.37, 0.02, 0.01]))
    2
    """
    return len(prevalence) - len(dead_topics(prevalence, fraction))


def dead_topics(
    prevalence: npt.NDArray[np.floating[Any]], fraction: float = LIVE_FRACTION
) -> tuple[int, ...]:
    """List the topics that are hardly used: those that :func:`live_topics` does not count.

    Examples
    --------
    >>> dead_topics(np.array([0.6, 0.37, 0.02, 0.01]))
    (2, 3)
    """
    return tuple(np.flatnonzero(~(prevalence >= fraction / len(prevalence))).tolist())


def effective_topics(prevalence: npt.NDArray[np.floating[Any]]) -> float:
    """Count topics by their use: the exponential of the entropy of prevalence.

    That is the number of equally prevalent topics that would be as diverse (Hill's number of order 1).

    Parameters
    ----------
    prevalence
        (K,) mean topic proportions over documents.

    Returns
    -------
    float
        From 1, one topic alone, to K, all of one prevalence.

    Examples
    --------
    >>> round(effective_topics(np.array([0.5, 0.5, 0.0])), 3)
    2.0
    """
    from scipy.stats import entropy

    return float(np.exp(entropy(prevalence)))
