"""Topic significance: divergence from three junk topics (AlSumait et al. 2009).

A meaningful topic has few words, differs from the corpus as a whole, and occurs in few documents. Three
distributions are meaningless: uniform over words, the corpus's word distribution (*vacuous*), and uniform
over documents (*background*). A topic's significance is its Kullback–Leibler divergence from each, in nats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import rel_entr

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray


def uniform_divergence(beta: FloatArray) -> npt.NDArray[np.float64]:
    """KL(β_k ‖ 1/V): 0 for a topic uniform over words, log V for a topic with a single word.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.

    Examples
    --------
    >>> uniform_divergence(np.array([[0.5, 0.5], [1.0, 0.0]])).round(3).tolist()
    [0.0, 0.693]
    """
    return _divergence(beta, np.full(beta.shape[1], 1 / beta.shape[1]))


def vacuous_divergence(beta: FloatArray, prevalence: FloatArray) -> npt.NDArray[np.float64]:
    """KL(β_k ‖ Σ_j π_j β_j): 0 for a topic with the corpus's word distribution.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    prevalence
        π (K,) mean topic proportions over documents.

    Examples
    --------
    >>> vacuous_divergence(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([1.0, 0.0])).round(3).tolist()
    [0.0, 0.693]
    """
    return _divergence(beta, np.asarray(prevalence, dtype=np.float64) @ beta)


def background_divergence(prevalence: FloatArray, theta_log_theta: FloatArray) -> npt.NDArray[np.float64]:
    """KL(θ_dk / Σ_d θ_dk ‖ 1/D) over documents d: 0 for a topic with equal shares in all documents.

    Parameters
    ----------
    prevalence, theta_log_theta
        (K,) means over documents of θ_dk and of θ_dk log θ_dk. A topic in no document gets 0.

    Examples
    --------
    >>> theta = np.array([[0.5, 1.0], [0.5, 0.0]])
    >>> background_divergence(theta.mean(axis=0), np.array([np.log(0.5) / 2, 0.0])).round(3).tolist()
    [0.0, 0.693]
    """
    used = prevalence > 0
    share = np.where(used, prevalence, 1.0)
    return np.where(used, theta_log_theta / share - np.log(share), 0.0)


def _divergence(beta: FloatArray, other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """KL of each row, computed row by row to avoid a copy of β."""
    return np.array([rel_entr(np.asarray(row, dtype=np.float64), other).sum() for row in beta])
