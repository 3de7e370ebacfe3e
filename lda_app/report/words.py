r"""Rankings of the words that describe a topic: relevance, lift and FREX.

=============  =====================================================================================
relevance      λ log p(w|k) + (1 − λ) log(p(w|k) / p(w)) (Sievert and Shirley 2014); λ = 1 ranks by
               probability, λ = 0 by lift
lift           p(w|k) / p(w)
FREX           see `lda_app.evaluation.exclusivity` (Bischof and Airoldi 2012)
=============  =====================================================================================

p(w) = Σ_k π_k p(w|k) is the model's marginal, with π_k the topic's share of the corpus's tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lda_app.fitted.topics import top_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray

LAMBDAS = np.linspace(0, 1, 21)
"""Values of λ on the page's slider."""


def marginal(beta: FloatArray, token_shares: FloatArray) -> npt.NDArray[np.float64]:
    """Marginal probability of each word in the corpus under the model.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    token_shares
        (K,) each topic's share of the corpus's tokens.

    Examples
    --------
    >>> marginal(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([0.5, 0.5])).tolist()
    [0.75, 0.25]
    """
    return np.asarray(token_shares, dtype=np.float64) @ np.asarray(beta, dtype=np.float64)


def relevance(beta_k: FloatArray, word_shares: FloatArray, weight: float) -> npt.NDArray[np.float64]:
    """Relevance of each word to one topic.

    Parameters
    ----------
    beta_k
        (V,) word probabilities of the topic, positive.
    word_shares
        (V,) p(w), from :func:`marginal`.
    weight
        λ, from 0 to 1.

    Examples
    --------
    >>> relevance(np.array([0.5, 0.5]), np.array([0.5, 0.25]), 0.0).round(3).tolist()
    [0.0, 0.693]
    """
    log_probability = np.log(np.asarray(beta_k, dtype=np.float64))
    return np.asarray(log_probability - (1 - weight) * np.log(word_shares))


def reachable(
    beta: FloatArray, word_shares: FloatArray, scores: FloatArray, number: int
) -> list[npt.NDArray[np.int64]]:
    """Words of each topic that rank among its top N by relevance, for any λ on the slider, or by FREX.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    word_shares
        (V,) p(w).
    scores
        (K, V) FREX.
    number
        N, number of words in a ranking.

    Returns
    -------
    list of numpy.ndarray
        Word ids for each topic, most probable first.

    Examples
    --------
    >>> from lda_app.evaluation.exclusivity import frex_scores
    >>> beta = np.array([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]])
    >>> scores = np.stack(list(frex_scores(beta)))
    >>> [words.tolist() for words in reachable(beta, beta.mean(axis=0), scores, 1)]
    [[0], [2]]
    """
    chosen = []
    for beta_k, frex_k in zip(beta, scores, strict=True):
        rankings = [*(relevance(beta_k, word_shares, weight) for weight in LAMBDAS), frex_k]
        words = np.unique(top_columns(np.stack(rankings), min(number, len(frex_k))))
        chosen.append(words[np.argsort(-beta_k[words], kind="stable")])
    return chosen
