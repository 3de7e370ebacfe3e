"""Topic diversity, and the number of topics in use."""

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
    """Topic diversity: proportion of distinct words among all top words (Dieng, Ruiz and Blei 2020).

    Parameters
    ----------
    top_words
        (K, N) word ids, distinct within a row; N = 25 by convention.

    Returns
    -------
    float
        From 1/K (all topics identical) to 1 (no word in two topics).

    Examples
    --------
    >>> unique_share(np.array([[0, 1], [1, 2]]))
    0.75
    """
    return len(np.unique(top_words)) / top_words.size


def inverted_rbo(top_words: IntArray, persistence: float = RBO_PERSISTENCE) -> float:
    """Inverted RBO: one minus the mean rank-biased overlap of topic pairs (Bianchi et al. 2021).

    The overlap of two lists of N words is the extrapolated RBO (Webber, Moffat and Zobel 2010, eq. 23), with
    X_d words in common among the first d of both:

        RBO = X_N / N · p^N + (1 − p) / p · Σ_{d=1}^N X_d / d · p^d

    A word at ranks r and s contributes to every X_d with d ≥ max(r, s), so there is no loop over topic pairs:
    the time is proportional to K N log K.

    Parameters
    ----------
    top_words
        (K, N) word ids, distinct within a row, most probable first; N = 10 by convention.
    persistence
        p, between 0 and 1; higher values give more weight to lower ranks.

    Returns
    -------
    float
        From 0 (all topics identical) to 1 (no word in two topics); 1 for a single topic.

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
    # Sorted by rank, each occurrence of a word has the worse rank in its pairs with all earlier ones.
    pairs = np.arange(len(words)) - np.searchsorted(words, words)
    overlap = float(np.sum(pairs * from_rank[ranks]))
    return float(1 - overlap / (num_topics * (num_topics - 1) / 2))


def duplicates(top_words: IntArray, at_least: int = SHARED_WORDS) -> tuple[DuplicateTopics, ...]:
    """Pairs of topics that share many top words, in descending order of overlap.

    Parameters
    ----------
    top_words
        (K, N) word ids, distinct within a row; N = 10 by convention.
    at_least
        Minimum number of shared words for a pair to be listed.

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
    """Count the topics in use: those with a mean share of at least a tenth of a uniform share, 0.1/K.

    Parameters
    ----------
    prevalence
        (K,) mean topic proportions over documents.
    fraction
        Threshold as a fraction of the uniform share.

    Examples
    --------
    >>> live_topics(np.array([0.6, 0.37, 0.02, 0.01]))
    2
    """
    return len(prevalence) - len(dead_topics(prevalence, fraction))


def dead_topics(
    prevalence: npt.NDArray[np.floating[Any]], fraction: float = LIVE_FRACTION
) -> tuple[int, ...]:
    """List the rarely used topics: those not counted by :func:`live_topics`.

    Examples
    --------
    >>> dead_topics(np.array([0.6, 0.37, 0.02, 0.01]))
    (2, 3)
    """
    return tuple(np.flatnonzero(~(prevalence >= fraction / len(prevalence))).tolist())


def effective_topics(prevalence: npt.NDArray[np.floating[Any]]) -> float:
    """Effective number of topics: the exponential of the entropy of prevalence.

    This is the number of equally prevalent topics with the same diversity (Hill number of order 1).

    Parameters
    ----------
    prevalence
        (K,) mean topic proportions over documents.

    Returns
    -------
    float
        From 1 (a single topic) to K (all equally prevalent).

    Examples
    --------
    >>> round(effective_topics(np.array([0.5, 0.5, 0.0])), 3)
    2.0
    """
    from scipy.stats import entropy

    return float(np.exp(entropy(prevalence)))
