"""Exclusivity of topics by FREX, frequency and exclusivity (Bischof and Airoldi 2012).

For a word v in topic k, F is its normalized rank in the vocabulary by frequency β_kv, and E its normalized
rank by exclusivity β_kv / Σ_j β_jv; ties get their mean rank. With weight ω = 0.7 for exclusivity, as in the
R package stm,

    FREX_kv = 1 / (ω / E + (1 − ω) / F)

stm's ``exclusivity`` sums over a topic's ten top words. Here it is the mean, so that it is at most 1 for any
number of words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray

    IntArray = npt.NDArray[np.integer[Any]]

FREX_WEIGHT = 0.7


def exclusivity(
    beta: FloatArray, top_words: IntArray, weight: float = FREX_WEIGHT
) -> npt.NDArray[np.float64]:
    """Mean FREX of each topic's top words.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    top_words
        (K, N) word ids.
    weight
        ω, weight of exclusivity relative to frequency, from 0 to 1.

    Returns
    -------
    numpy.ndarray
        (K,) above 0 and at most 1; higher is more exclusive.

    Examples
    --------
    >>> beta = np.array([[0.5, 0.4, 0.1], [0.1, 0.4, 0.5]])
    >>> exclusivity(beta, np.array([[0], [1]])).round(3).tolist()
    [1.0, 0.667]
    """
    scores = zip(frex_scores(beta, weight), top_words, strict=True)
    return np.array([of_topic[words].mean() for of_topic, words in scores])


def frex_scores(beta: FloatArray, weight: float = FREX_WEIGHT) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the FREX scores (V,) of all words, topic by topic.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities; a word may have probability 0 in all topics.
    weight
        ω, weight of exclusivity relative to frequency.

    Examples
    --------
    >>> beta = np.array([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]])
    >>> [scores.round(2).tolist() for scores in frex_scores(beta)]
    [[1.0, 0.67, 0.33], [0.33, 0.67, 1.0]]
    """
    total = beta.sum(axis=0, dtype=np.float64)
    for row in beta:
        yield frex(row, np.divide(row, total, out=np.zeros_like(total), where=total > 0), weight)


def frex(
    frequency: FloatArray, exclusive: FloatArray, weight: float = FREX_WEIGHT
) -> npt.NDArray[np.float64]:
    """FREX of each word in one topic.

    Parameters
    ----------
    frequency, exclusive
        (V,) probability of each word in the topic, and that divided by its sum over topics.
    weight
        ω, weight of exclusivity relative to frequency.

    Examples
    --------
    >>> frex(np.array([0.5, 0.4, 0.1]), np.array([0.5, 0.9, 0.1])).round(3).tolist()
    [0.741, 0.87, 0.333]
    """
    from scipy.stats import rankdata

    ranks = (rankdata(values) / len(values) for values in (exclusive, frequency))
    exclusive_rank, frequency_rank = ranks
    return np.asarray(1 / (weight / exclusive_rank + (1 - weight) / frequency_rank))
