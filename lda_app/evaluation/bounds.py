r"""Lower bounds of a document's log probability, by samples of θ from q(θ|w).

With :math:`q(\theta_d) = \mathrm{Dir}(\gamma_d)`, the posterior that inference gives, and
:math:`\theta_{ds} \sim q(\theta_d)`,

.. math::
    \mathrm{ELBO}_d &= E_q\Big[\sum_w n_{dw} \log(\theta_d \cdot \beta_w)\Big]
                       - \mathrm{KL}\big(\mathrm{Dir}(\gamma_d) \,\|\, \mathrm{Dir}(\alpha)\big), \\
    \mathrm{IW}_d &= E_q\Big[\log \frac{1}{S} \sum_{s=1}^S \prod_w (\theta_{ds} \cdot \beta_w)^{n_{dw}}
                     \frac{\mathrm{Dir}(\theta_{ds}; \alpha)}{\mathrm{Dir}(\theta_{ds}; \gamma_d)}\Big].

ELBO = IW of one sample ≤ IW of more ≤ log p(w | α, β) (Burda, Grosse and Salakhutdinov 2016, theorem 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import digamma, gammaln, logsumexp

from lda_app.compiled import over_rows, why_not_compiled
from lda_app.evaluation.scores import DocumentScores
from lda_app.gradients.gamma import draw_log_gamma
from lda_app.models.kernels import mixture_forward
from lda_app.models.threads import one_torch_thread
from lda_app.runtime import rng

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.inference import FloatArray, Infer

NUM_SAMPLES = 10
IMPORTANCE_SAMPLES = 100
_BLOCK_FLOATS = 2**19  # numbers held at a time for each of θ and log θ: 4 MB, so that caches serve


def elbo_scores(
    doc_term: DocTermMatrix,
    infer: Infer,
    alpha: FloatArray,
    beta: FloatArray,
    *,
    seed: int,
    num_samples: int = NUM_SAMPLES,
) -> DocumentScores:
    """ELBO of each document: the likelihood by samples of θ, the KL divergence in closed form.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Gives the concentration (D, K) of q(θ|w) for counts.
    alpha
        (K,) concentration of the prior, positive.
    beta
        (K, V) topic-word probabilities.
    seed
        Of the samples of θ.
    num_samples
        Samples a document; the estimate is unbiased for any number, the Monte Carlo error falls with it.
    """
    word_topic = np.ascontiguousarray(np.asarray(beta).T)
    generator = rng(seed, "sampling")
    scores, variances = [], []
    for block in blocks(doc_term, num_samples * len(beta)):
        concentration = np.asarray(infer(block), dtype=np.float64)
        theta = np.exp(_sample_log_theta(concentration, num_samples, generator))
        likelihood = score_tokens(theta, word_topic, block)
        scores.append(likelihood.mean(axis=0) - dirichlet_kl(concentration, alpha))
        if num_samples > 1:
            variances.append(likelihood.var(axis=0, ddof=1) / num_samples)
    return DocumentScores(
        np.concatenate(scores),
        doc_term.lengths(),
        np.concatenate(variances) if variances else None,
        settings={"num_samples": num_samples},
    )


def importance_scores(
    doc_term: DocTermMatrix,
    infer: Infer,
    alpha: FloatArray,
    beta: FloatArray,
    *,
    seed: int,
    num_samples: int = IMPORTANCE_SAMPLES,
) -> DocumentScores:
    """Importance-weighted bound of each document's log probability.

    Parameters
    ----------
    doc_term, infer, alpha, beta, seed
        As those of :func:`elbo_scores`.
    num_samples
        S, samples a document: the more, the closer to the log probability, from below.
    """
    word_topic = np.ascontiguousarray(np.asarray(beta).T)
    generator = rng(seed, "importance")
    scores, variances = [], []
    for block in blocks(doc_term, num_samples * len(beta)):
        concentration = np.asarray(infer(block), dtype=np.float64)
        log_theta = _sample_log_theta(concentration, num_samples, generator)
        log_weights = score_tokens(np.exp(log_theta), word_topic, block)
        log_weights += _log_density_ratio(log_theta, alpha, concentration)
        log_mean = logsumexp(log_weights, axis=0) - np.log(num_samples)
        scores.append(log_mean)
        if num_samples > 1:  # to first order, Var log m = Var m / m² for the mean m of the weights
            variances.append(np.exp(log_weights - log_mean).var(axis=0, ddof=1) / num_samples)
    return DocumentScores(
        np.concatenate(scores),
        doc_term.lengths(),
        np.concatenate(variances) if variances else None,
        settings={"num_samples": num_samples},
    )


def dirichlet_kl(concentration: FloatArray, alpha: FloatArray) -> npt.NDArray[np.float64]:
    """KL(Dir(concentration) ‖ Dir(alpha)) in nats, in float64: the sums cancel in float32.

    Parameters
    ----------
    concentration
        (D, K), positive.
    alpha
        (K,), positive.

    Returns
    -------
    numpy.ndarray
        (D,)

    Examples
    --------
    >>> dirichlet_kl(np.array([[1.0, 1.0], [2.0, 1.0]]), np.ones(2)).round(4).tolist()  # log 2 - 1/2
    [0.0, 0.1931]
    """
    q, p = np.asarray(concentration, dtype=np.float64), np.asarray(alpha, dtype=np.float64)
    expected_logs = digamma(q) - digamma(q.sum(axis=1))[:, None]
    return np.asarray(_log_normalizer(p) - _log_normalizer(q) + ((q - p) * expected_logs).sum(axis=1))


def blocks(doc_term: DocTermMatrix, floats_a_document: int) -> Iterator[DocTermMatrix]:
    """Consecutive rows, few enough that memory does not grow with the corpus."""
    return doc_term.blocks(max(1, _BLOCK_FLOATS // floats_a_document))


def score_tokens(
    theta: npt.NDArray[np.float64], word_topic: FloatArray, doc_term: DocTermMatrix
) -> npt.NDArray[np.float64]:
    """Σ_w n_dw log(θ_sd·β_w) for theta (S, D, K) and word-major beta (V, K): (S, D)."""
    if why_not_compiled():
        return np.stack([_score_in_numpy(theta_s, word_topic, doc_term) for theta_s in theta])
    scores, slope = np.empty(theta.shape[:2]), np.empty_like(theta[0])
    csr = doc_term.indptr, doc_term.indices, doc_term.counts
    for theta_s, scores_s in zip(theta, scores, strict=True):
        over_rows(mixture_forward, len(theta_s), theta_s, word_topic, *csr, scores_s, slope)
    return scores


def _score_in_numpy(
    theta: npt.NDArray[np.float64], word_topic: FloatArray, doc_term: DocTermMatrix
) -> npt.NDArray[np.float64]:
    documents = np.repeat(np.arange(len(theta)), np.diff(doc_term.indptr))
    probability = np.einsum("nk,nk->n", theta[documents], word_topic[doc_term.indices])
    scores = np.bincount(documents, doc_term.counts * np.log(probability), minlength=len(theta))
    return np.asarray(scores, dtype=np.float64)


def _sample_log_theta(
    concentration: npt.NDArray[np.float64], num_samples: int, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw from Dirichlets, (num_samples, D, K), in logarithms: small concentrations underflow otherwise."""
    source = torch.Generator().manual_seed(int(generator.integers(2**63)))
    wanted = torch.from_numpy(concentration).expand(num_samples, *concentration.shape)
    with one_torch_thread():
        return torch.log_softmax(draw_log_gamma(wanted, source), dim=-1).numpy()


def _log_density_ratio(
    log_theta: npt.NDArray[np.float64], alpha: FloatArray, concentration: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Log Dir(θ_sd; α) / Dir(θ_sd; γ_d), (S, D)."""
    prior = np.asarray(alpha, dtype=np.float64)
    log_powers = np.einsum("sdk,dk->sd", log_theta, prior - concentration)
    return np.asarray(log_powers + _log_normalizer(concentration) - _log_normalizer(prior))


def _log_normalizer(concentration: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log B(a) = Σ_k log Γ(a_k) − log Γ(Σ_k a_k) along the last axis."""
    return np.asarray(gammaln(concentration).sum(axis=-1) - gammaln(concentration.sum(axis=-1)))
