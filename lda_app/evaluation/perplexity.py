r"""Held-out perplexity, each kind under the name of its protocol.

All figures are per token, in nats before the exponential, without the multinomial coefficient and without a
prior of :math:`\beta`. With :math:`q(\theta_d) = \mathrm{Dir}(\gamma_d)`, the posterior that inference gives,

.. math::
    \mathrm{ELBO}_d = E_q\Big[\sum_w n_{dw} \log(\theta_d \cdot \beta_w)\Big]
                      - \mathrm{KL}\big(\mathrm{Dir}(\gamma_d) \,\|\, \mathrm{Dir}(\alpha)\big).

=========================  ==========================================================================
``elbo``                   exp(−Σ_d ELBO_d / Σ_d N_d): an upper bound of the corpus's perplexity
``elbo_document_mean``     exp(mean_d(−ELBO_d / N_d)): each document weighs the same
``document_completion``    ⌊N_d/2⌋ tokens of a document, drawn at random, are observed; the other half is
                           scored by the posterior mean of θ given the observed half
=========================  ==========================================================================

Documents without tokens have no perplexity; they are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import digamma, gammaln

from lda_app.compiled import kernel, over_rows, why_not_compiled
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.errors import CorpusError
from lda_app.models.kernels import mixture_forward
from lda_app.runtime import rng

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lda_app.corpus.doc_term import Counts
    from lda_app.inference import FloatArray, Infer

NUM_SAMPLES = 10
_BLOCK_FLOATS = 2**22  # samples of theta held at a time: 32 MB


@dataclass(frozen=True)
class Perplexity:
    """A perplexity and what it was measured on.

    Parameters
    ----------
    protocol
        Name of the protocol; a perplexity without it means nothing.
    value
        Perplexity a token, at least 1 for discrete data; lower is better.
    num_documents, num_tokens
        Documents counted, and tokens scored in them.
    num_empty
        Documents left out because they have no token.
    monte_carlo_error
        Standard error of ``value`` by the sampling of theta; None where theta is not sampled, or only once.
    """

    protocol: str
    value: float
    num_documents: int
    num_tokens: int
    num_empty: int
    monte_carlo_error: float | None = None


@dataclass(frozen=True, eq=False)
class DocumentScores:
    """The score of each document, from which perplexities are averaged.

    Parameters
    ----------
    log_likelihood
        (D,) float64, log probability of a document's scored tokens, or a lower bound of it, in nats.
    num_tokens
        (D,) tokens scored.
    variance
        (D,) Monte Carlo variance of ``log_likelihood``, nats squared; None where it is zero or unknown.
    """

    log_likelihood: npt.NDArray[np.float64]
    num_tokens: npt.NDArray[np.int64]
    variance: npt.NDArray[np.float64] | None = None

    def token_weighted(self, protocol: str) -> Perplexity:
        """Average over tokens: exp(−Σ_d score_d / Σ_d N_d).

        Raises
        ------
        CorpusError
            If no document has a token.

        Examples
        --------
        >>> scores = DocumentScores(np.log([0.5, 0.125, 1.0]), np.array([1, 1, 0]))
        >>> scores.token_weighted("elbo")
        Perplexity(protocol='elbo', value=4.0, num_documents=2, num_tokens=2, num_empty=1, \
monte_carlo_error=None)
        """
        return self._average(protocol, np.full(len(self.num_tokens), 1 / max(1, self.num_tokens.sum())))

    def document_mean(self, protocol: str) -> Perplexity:
        """Average over documents: exp(mean_d(−score_d / N_d)).

        Raises
        ------
        CorpusError
            If no document has a token.

        Examples
        --------
        >>> scores = DocumentScores(np.log([0.5, 0.125]), np.array([1, 3]))
        >>> round(scores.document_mean("elbo_document_mean").value, 6)
        2.0
        """
        counted = self.num_tokens > 0
        return self._average(protocol, counted / np.maximum(self.num_tokens, 1) / max(1, counted.sum()))

    def _average(self, protocol: str, weights: npt.NDArray[np.float64]) -> Perplexity:
        counted = self.num_tokens > 0
        if not counted.any():
            raise CorpusError(
                f"{protocol}: none of the {len(counted)} documents has a word of the vocabulary; "
                "a perplexity needs at least one token"
            )
        with np.errstate(over="ignore"):
            value = float(np.exp(-np.sum((weights * self.log_likelihood)[counted])))
        error = None
        if self.variance is not None:
            error = value * float(np.sqrt(np.sum((weights**2 * self.variance)[counted])))
        num_documents = int(counted.sum())
        return Perplexity(
            protocol,
            value,
            num_documents,
            int(self.num_tokens.sum()),
            num_empty=len(counted) - num_documents,
            monte_carlo_error=error,
        )


def elbo(
    doc_term: DocTermMatrix,
    infer: Infer,
    alpha: FloatArray,
    beta: FloatArray,
    *,
    seed: int,
    num_samples: int = NUM_SAMPLES,
) -> Perplexity:
    """Perplexity by the evidence lower bound, averaged over tokens; see :func:`elbo_scores`.

    Examples
    --------
    >>> two_documents = DocTermMatrix.from_scipy([[2, 0], [1, 3]])
    >>> one_topic = np.array([[0.5, 0.5]])
    >>> prior = lambda doc_term: np.ones((doc_term.num_documents, 1))
    >>> elbo(two_documents, prior, np.ones(1), one_topic, seed=0).value
    2.0
    """
    scores = elbo_scores(doc_term, infer, alpha, beta, seed=seed, num_samples=num_samples)
    return scores.token_weighted("elbo")


def elbo_document_mean(
    doc_term: DocTermMatrix,
    infer: Infer,
    alpha: FloatArray,
    beta: FloatArray,
    *,
    seed: int,
    num_samples: int = NUM_SAMPLES,
) -> Perplexity:
    """Perplexity by the evidence lower bound, averaged over documents; see :func:`elbo_scores`.

    Comparable to what amortized topic models report; short documents weigh as much as long ones.

    Examples
    --------
    >>> documents = DocTermMatrix.from_scipy([[1, 0], [0, 3]])
    >>> one_topic = np.array([[0.2, 0.8]])
    >>> prior = lambda doc_term: np.ones((doc_term.num_documents, 1))
    >>> mean = elbo_document_mean(documents, prior, np.ones(1), one_topic, seed=0)
    >>> round(mean.value, 6)  # sqrt(1/0.2 * 1/0.8)
    2.5
    """
    scores = elbo_scores(doc_term, infer, alpha, beta, seed=seed, num_samples=num_samples)
    return scores.document_mean("elbo_document_mean")


def document_completion(doc_term: DocTermMatrix, infer: Infer, beta: FloatArray, *, seed: int) -> Perplexity:
    """Perplexity of one half of each document's tokens given the other; see :func:`completion_scores`.

    Examples
    --------
    >>> documents = DocTermMatrix.from_scipy([[4, 0], [0, 4]])
    >>> def infer(doc_term):
    ...     return 1.0 + doc_term.to_scipy().toarray()
    >>> document_completion(documents, infer, np.eye(2), seed=0).value  # theta = (3/4, 1/4)
    1.3333333333333333
    """
    return completion_scores(doc_term, infer, beta, seed=seed).token_weighted("document_completion")


def elbo_scores(
    doc_term: DocTermMatrix,
    infer: Infer,
    alpha: FloatArray,
    beta: FloatArray,
    *,
    seed: int,
    num_samples: int = NUM_SAMPLES,
) -> DocumentScores:
    """ELBO of each document: the likelihood by samples of theta, the KL divergence in closed form.

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
        Of the samples of theta.
    num_samples
        Samples a document; the estimate is unbiased for any number, the Monte Carlo error falls with it.
    """
    word_topic = np.ascontiguousarray(np.asarray(beta).T)
    generator = rng(seed, "sampling")
    scores, variances = [], []
    for block in _blocks(doc_term, max(1, _BLOCK_FLOATS // (num_samples * len(beta)))):
        concentration = np.asarray(infer(block), dtype=np.float64)
        theta = _sample_theta(concentration, num_samples, generator)
        likelihood = _score_tokens(theta, word_topic, block)
        scores.append(likelihood.mean(axis=0) - dirichlet_kl(concentration, alpha))
        if num_samples > 1:
            variances.append(likelihood.var(axis=0, ddof=1) / num_samples)
    variance = np.concatenate(variances) if variances else None
    return DocumentScores(np.concatenate(scores), doc_term.lengths(), variance)


def completion_scores(
    doc_term: DocTermMatrix, infer: Infer, beta: FloatArray, *, seed: int
) -> DocumentScores:
    """Log probability of each document's held-out half by the posterior mean given its observed half.

    A document of one token is scored by the prior.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Gives the concentration (D, K) of q(θ|w) for counts.
    beta
        (K, V) topic-word probabilities.
    seed
        Of the split of the tokens.
    """
    word_topic = np.ascontiguousarray(np.asarray(beta).T)
    generator = rng(seed, "completion")
    scores, lengths = [], []
    for block in _blocks(doc_term, max(1, _BLOCK_FLOATS // len(beta))):
        observed, held_out = split_tokens(block, generator)
        concentration = np.asarray(infer(observed), dtype=np.float64)
        theta = concentration / concentration.sum(axis=1, keepdims=True)
        scores.append(_score_tokens(theta[None], word_topic, held_out)[0])
        lengths.append(held_out.lengths())
    return DocumentScores(np.concatenate(scores), np.concatenate(lengths))


def split_tokens(
    doc_term: DocTermMatrix, generator: np.random.Generator
) -> tuple[DocTermMatrix, DocTermMatrix]:
    """Split the tokens of each document in two halves at random.

    Returns
    -------
    observed, held_out
        Matrices of the same shape that sum to ``doc_term``; a row of N tokens has ⌊N/2⌋ of them in
        ``observed``, each subset of that size being equally likely.

    Examples
    --------
    >>> documents = DocTermMatrix.from_scipy([[3, 0, 4], [1, 0, 0]])
    >>> observed, held_out = split_tokens(documents, np.random.default_rng(0))
    >>> observed.lengths().tolist(), held_out.lengths().tolist()
    ([3, 0], [4, 1])
    """
    observed = np.zeros_like(doc_term.counts)
    _draw_halves(0, doc_term.num_documents, doc_term.indptr, doc_term.counts, generator, observed)
    return _with_counts(doc_term, observed), _with_counts(doc_term, doc_term.counts - observed)


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
    q_total = q.sum(axis=1)
    log_normalizers = gammaln(q_total) - gammaln(q).sum(axis=1) - gammaln(p.sum()) + gammaln(p).sum()
    expected_logs = digamma(q) - digamma(q_total)[:, None]
    return np.asarray(log_normalizers + ((q - p) * expected_logs).sum(axis=1))


def _blocks(doc_term: DocTermMatrix, size: int) -> Iterator[DocTermMatrix]:
    """Consecutive rows, ``size`` at a time, so that memory does not grow with the corpus."""
    for start in range(0, doc_term.num_documents, size):
        yield doc_term.rows(np.arange(start, min(start + size, doc_term.num_documents)))


def _sample_theta(
    concentration: npt.NDArray[np.float64], num_samples: int, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw from Dirichlets, (num_samples, D, K), in log space: small concentrations underflow otherwise.

    log Gamma(a) = log Gamma(a + 1) + log(U) / a, and −log U is exponential.
    """
    shape = (num_samples, *concentration.shape)
    log_gamma = np.log(generator.standard_gamma(concentration + 1, shape))
    log_gamma -= generator.standard_exponential(shape) / concentration
    theta = np.exp(log_gamma - log_gamma.max(axis=-1, keepdims=True))
    return np.asarray(theta / theta.sum(axis=-1, keepdims=True))


def _score_tokens(
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


def _with_counts(doc_term: DocTermMatrix, counts: Counts) -> DocTermMatrix:
    """Build the matrix that has other counts at the same places; places of zero are dropped."""
    kept = counts > 0
    indptr = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)[doc_term.indptr]
    return DocTermMatrix(indptr, doc_term.indices[kept], counts[kept], doc_term.num_words)


@kernel
def _draw_halves(start: int, stop: int, indptr: Any, counts: Any, generator: Any, drawn: Any) -> None:
    """Draw half of each row's tokens: selection sampling (Knuth, TAOCP vol. 2, 3.4.2, algorithm S)."""
    for d in range(start, stop):
        remaining = 0
        for place in range(indptr[d], indptr[d + 1]):
            remaining += counts[place]
        wanted = remaining // 2
        for place in range(indptr[d], indptr[d + 1]):
            for _ in range(counts[place]):
                if generator.random() * remaining < wanted:
                    drawn[place] += 1
                    wanted -= 1
                remaining -= 1
