"""How far the top words of a topic are its own: FREX, frequency and exclusivity (Bischof and Airoldi 2012).

For a word v of topic k, F is the share of the vocabulary that is not more probable in the topic than v, and E
the share that is not more exclusive to it, by β_kv / Σ_j β_jv; equals have their mean rank. With the weight
ω = 0.7 of exclusivity, as in the R package stm,

    FREX_kv = 1 / (ω / E + (1 − ω) / F)

stm's ``exclusivity`` sums it over the ten top words of a topic; here it is their mean, a tenth of that, so
that it is at most 1 whatever the number of words.
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
        ω, of exclusivity against frequency, from 0 to 1.

    Returns
    -------
    numpy.ndarray
        (K,) above 0, at most 1; higher is more exclusive.

    Examples
    --------
    >>> beta = np.array([[0.5, 0.4, 0.1], [0.1, 0.4, 0.5]])
    >>> exclusivity(beta, np.array([[0], [1]])).round(3).tolist()
    [1.0, 0.667]
    """
    scores = zip(frex_scores(beta, weight), top_words, strict=True)
    return np.array([of_topic[words].mean() for of_topic, words in scores])


def frex_scores(beta: FloatArray, weight: float = FREX_WEIGHT) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the FREX of each word, (V,), of one topic after the other.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities; a word may be in no topic.
    weight
        ω, of exclusivity against frequency.

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
    """FREX of each word of one topic.

    Parameters
    ----------
    frequency, exclusive
        (V,) probability of each word in the topic, and its share of the word's probability in all topics.
    weight
        ω, of exclusivity against frequency.

    Examples
    --------
    >>> frex(np.array([0.5, 0.4, 0.1]), np.array([0.5, 0.9, 0.1])).round(3).tolist()
    [0.741, 0.87, 0.333]
    """
    from scipy.stats import rankdata

    ranks = (rankdata(values) / len(values) for values in (exclusive, frequency))
    exclusive_rank, frequency_rank = ranks
    return np.asarray(1 / (weight / exclusive_rank + (1 - weight) / frequency_rank))
