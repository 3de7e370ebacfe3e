"""The inference of θ that all methods share: mean field with the method's own α and β."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.system.compiled import kernel, over_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix

    FloatArray = npt.NDArray[np.floating[Any]]

SWEEPS = 100


def fold_in(
    doc_term: DocTermMatrix, alpha: FloatArray, beta: FloatArray, sweeps: int = SWEEPS
) -> npt.NDArray[np.float64]:
    """Concentration (D, K) of the mean-field posterior of θ, z summed out, from a uniform start.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    alpha, beta
        The model, (K,) and (K, V).
    sweeps
        Updates of each document.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> documents = DocTermMatrix.from_scipy([[4, 0], [0, 0]])
    >>> fold_in(documents, np.full(2, 0.5), np.eye(2)).round(3).tolist()
    [[4.5, 0.5], [0.5, 0.5]]
    """
    prior = np.asarray(alpha, dtype=np.float64)
    word_topic = np.ascontiguousarray(np.asarray(beta, dtype=np.float64).T)
    concentration = prior + doc_term.lengths()[:, None] / len(prior)
    counts = doc_term.indptr, doc_term.indices, doc_term.counts
    over_rows(_update, doc_term.num_documents, concentration, prior, word_topic, *counts, sweeps)
    return concentration


@kernel
def _update(
    start: int,
    stop: int,
    concentration: Any,
    prior: Any,
    word_topic: Any,
    indptr: Any,
    words: Any,
    counts: Any,
    sweeps: int,
) -> None:
    """γ = α + Σ_w n_w e β_w / (e·β_w) with e = exp ψ(γ), whose scale cancels."""
    num_topics = len(prior)
    weights = np.empty(num_topics)
    for d in range(start, stop):
        for _ in range(sweeps):
            for k in range(num_topics):
                weights[k] = math.exp(_digamma(concentration[d, k]))
                concentration[d, k] = prior[k]
            for place in range(indptr[d], indptr[d + 1]):
                w = words[place]
                total = 1e-300
                for k in range(num_topics):
                    total += weights[k] * word_topic[w, k]
                share = counts[place] / total
                for k in range(num_topics):
                    concentration[d, k] += share * weights[k] * word_topic[w, k]


@kernel
def _digamma(x: float) -> float:
    """ψ(x), by recurrence up to 6 and the asymptotic series from there on."""
    below = 0.0
    while x < 6:
        below += 1 / x
        x += 1
    square = 1 / (x * x)
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return math.log(x) - 0.5 / x - series - below
