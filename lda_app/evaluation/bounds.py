r"""Lower bounds on a document's log probability, from samples of θ from q(θ|w).

With :math:`q(\theta_d) = \mathrm{Dir}(\gamma_d)`, the inferred posterior, and
:math:`\theta_{ds} \sim q(\theta_d)`,

.. math::
    \mathrm{ELBO}_d &= E_q\Big[\sum_w n_{dw} \log(\theta_d \cdot \beta_w)\Big]
                       - \mathrm{KL}\big(\mathrm{Dir}(\gamma_d) \,\|\, \mathrm{Dir}(\alpha)\big), \\
    \mathrm{IW}_d &= E_q\Big[\log \frac{1}{S} \sum_{s=1}^S \prod_w (\theta_{ds} \cdot \beta_w)^{n_{dw}}
                     \frac{\mathrm{Dir}(\theta_{ds}; \alpha)}{\mathrm{Dir}(\theta_{ds}; \gamma_d)}\Big].

ELBO = IW with one sample ≤ IW with more samples ≤ log p(w | α, β) (Burda, Grosse and Salakhutdinov 2016,
theorem 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from scipy.special import digamma, gammaln, logsumexp

from lda_app.evaluation.scores import DocumentScores
from lda_app.gradients.gamma import draw_log_gamma
from lda_app.models.kernels import mixture_forward
from lda_app.models.threads import one_torch_thread
from lda_app.system.compiled import over_rows, why_not_compiled
from lda_app.system.runtime import rng

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.inference import FloatArray, Infer

    _Bound = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
    """Scores of a block of documents (B,), and the samples (S, B) that they average."""

NUM_SAMPLES = 10
IMPORTANCE_SAMPLES = 100
_BLOCK_FLOATS = 2**19  # numbers per block in each of θ and log θ: 4 MB, to fit in caches


def elbo_scores(
    doc_term: DocTermMatrix,
    infer: Infer,
    alpha: FloatArray,
    beta: FloatArray,
    *,
    seed: int,
    num_samples: int = NUM_SAMPLES,
) -> DocumentScores:
    """ELBO of each document: expected likelihood by sampling θ, KL divergence in closed form.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    alpha
        (K,) concentration of the prior, positive.
    beta
        (K, V) topic-word probabilities.
    seed
        Seed for the samples of θ.
    num_samples
        Samples per document; the estimate is unbiased for any number, and more reduce the Monte Carlo error.
    """

    def bound(drawn: _Drawn) -> _Bound:
        score = drawn.likelihood.mean(axis=0) - dirichlet_kl(drawn.concentration, alpha)
        return score, drawn.likelihood

    draws = _draws(doc_term, infer, beta, rng(seed, "sampling"), num_samples)
    return _averaged(map(bound, draws), doc_term, num_samples)


def importance_scores(
    doc_term: DocTermMatrix,
    infer: Infer,
    alpha: FloatArray,
    beta: FloatArray,
    *,
    seed: int,
    num_samples: int = IMPORTANCE_SAMPLES,
) -> DocumentScores:
    """Importance-weighted bound on each document's log probability.

    Parameters
    ----------
    doc_term, infer, alpha, beta, seed
        As for :func:`elbo_scores`.
    num_samples
        S, samples per document; more samples tighten the bound.
    """

    def bound(drawn: _Drawn) -> _Bound:
        ratio = _log_density_ratio(drawn.log_theta, alpha, drawn.concentration)
        log_weights = drawn.likelihood + ratio
        log_mean = logsumexp(log_weights, axis=0) - np.log(num_samples)
        # To first order, Var log m = Var m / m² for the mean weight m.
        return log_mean, np.exp(log_weights - log_mean)

    draws = _draws(doc_term, infer, beta, rng(seed, "importance"), num_samples)
    return _averaged(map(bound, draws), doc_term, num_samples)


def dirichlet_kl(concentration: FloatArray, alpha: FloatArray) -> npt.NDArray[np.float64]:
    """KL(Dir(concentration) ‖ Dir(alpha)) in nats, in float64 because the sums cancel in float32.

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
    """Yield blocks of rows small enough that memory does not grow with the corpus."""
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


class _Drawn(NamedTuple):
    """A block of documents with samples of θ: concentration (B, K), log θ (S, B, K), log p(w|θ) (S, B)."""

    concentration: npt.NDArray[np.float64]
    log_theta: npt.NDArray[np.float64]
    likelihood: npt.NDArray[np.float64]


def _draws(
    doc_term: DocTermMatrix,
    infer: Infer,
    beta: FloatArray,
    generator: np.random.Generator,
    num_samples: int,
) -> Iterator[_Drawn]:
    """Infer documents and sample θ for each, in blocks."""
    word_topic = np.ascontiguousarray(np.asarray(beta).T)
    for block in blocks(doc_term, num_samples * len(beta)):
        concentration = np.asarray(infer(block), dtype=np.float64)
        log_theta = _sample_log_theta(concentration, num_samples, generator)
        yield _Drawn(concentration, log_theta, score_tokens(np.exp(log_theta), word_topic, block))


def _averaged(bounds: Iterable[_Bound], doc_term: DocTermMatrix, num_samples: int) -> DocumentScores:
    """Concatenate blocks of documents; a score's variance is that of the mean over its samples."""
    scores, variances = [], []
    for score, averaged in bounds:
        scores.append(score)
        if num_samples > 1:
            variances.append(averaged.var(axis=0, ddof=1) / num_samples)
    return DocumentScores(
        np.concatenate(scores),
        doc_term.lengths(),
        np.concatenate(variances) if variances else None,
        settings={"num_samples": num_samples},
    )


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
    """Draw from Dirichlets, (num_samples, D, K), as logarithms to avoid underflow."""
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
