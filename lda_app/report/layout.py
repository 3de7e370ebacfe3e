r"""Distances between topics, and the topic map.

The distance between two topics is the square root of the Jensen-Shannon divergence, in bits, of their word
distributions. It is a metric from 0 (identical) to 1 (no words in common; Endres and Schindelin 2003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import entr

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray


def topic_distances(beta: FloatArray) -> npt.NDArray[np.float64]:
    """Jensen-Shannon distance of each pair of topics, (K, K).

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.

    Examples
    --------
    >>> topic_distances(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    beta = np.asarray(beta, dtype=np.float64)
    entropy = entr(beta).sum(axis=1) / np.log(2)
    distances = np.zeros((len(beta), len(beta)))
    for k in range(len(beta) - 1):
        mixed = entr((beta[k] + beta[k + 1 :]) / 2).sum(axis=1) / np.log(2)
        divergence = mixed - (entropy[k] + entropy[k + 1 :]) / 2
        distances[k, k + 1 :] = np.sqrt(np.clip(divergence, 0, 1))
    return distances + distances.T


def place(distances: FloatArray) -> npt.NDArray[np.float64]:
    """Place topics in a plane so that their distances approximate the given ones.

    Metric multidimensional scaling by SMACOF (de Leeuw 1977), which reduces the squared error of all
    distances. It starts at the classical solution, so the same distances always give the same map.

    Parameters
    ----------
    distances
        (K, K), symmetric, K at least 2.

    Returns
    -------
    numpy.ndarray
        (K, 2) positions, centred at the origin; the first axis is the longer one.

    Examples
    --------
    >>> place(np.array([[0.0, 3.0], [3.0, 0.0]])).round(6).tolist()
    [[1.5, 0.0], [-1.5, 0.0]]
    """
    from sklearn.manifold import smacof

    start = _principal_axes(-(distances**2) / 2)
    moved, _ = smacof(distances, init=start, n_init=1, n_components=2, normalized_stress=False)
    return _principal_axes(moved @ moved.T)


def _principal_axes(products: FloatArray) -> npt.NDArray[np.float64]:
    """First two principal axes (K, 2) of points with these inner products, with deterministic signs."""
    size = len(products)
    centering = np.eye(size) - 1 / size
    values, vectors = np.linalg.eigh(centering @ products @ centering)
    order = np.argsort(-values, kind="stable")[:2]
    axes = vectors[:, order] * np.sqrt(np.clip(values[order], 0, None))
    farthest = np.abs(axes).round(9).argmax(axis=0)  # rounded so that ties go to the first
    signs = np.where(axes[farthest, np.arange(axes.shape[1])] < 0, -1, 1)
    return np.asarray(np.where(np.abs(axes) < 1e-9, 0, axes * signs))
