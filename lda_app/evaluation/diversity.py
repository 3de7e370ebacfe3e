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


class Duplicate(NamedTuple):
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


def duplicates(top_words: IntArray, at_least: int = SHARED_WORDS) -> tuple[Duplicate, ...]:
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
    (Duplicate(topic=0, other=2, shared_words=2),)
    """
    num_topics, num_words = top_words.shape
    ends = np.arange(num_topics + 1) * num_words
    membership = sparse.csr_array((np.ones(top_words.size, dtype=np.int32), top_words.ravel(), ends))
    shared = sparse.triu(membership @ membership.T, k=1).tocoo()
    pairs = (Duplicate(*map(int, pair)) for pair in zip(*shared.coords, shared.data, strict=True))
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
    return int(np.sum(prevalence >= fraction / len(prevalence)))
