r"""Held-out perplexity under several named protocols.

All figures are per token, from log probabilities in nats, without the multinomial coefficient and without a
prior on :math:`\beta`.

=========================  ==========================================================================
``elbo``                   exp(−Σ_d ELBO_d / Σ_d N_d): an upper bound on the perplexity
``elbo_document_mean``     exp(mean_d(−ELBO_d / N_d)): each document has equal weight
``importance``             exp(−Σ_d IW_d / Σ_d N_d): a tighter upper bound from importance weights
``document_completion``    ⌊N_d/2⌋ random tokens of a document are observed; the others are scored under
                           the posterior mean of θ given the observed ones
``left_to_right``          exp(−Σ_d log p̂(w_d) / Σ_d N_d): an estimate without q, on few documents
=========================  ==========================================================================

ELBO_d and IW_d are defined in :mod:`lda_app.evaluation.bounds`, p̂ in :mod:`lda_app.evaluation.left_to_right`.
Documents without tokens have no perplexity; they are excluded and counted.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lda_app.errors import ConfigError
from lda_app.evaluation.bounds import IMPORTANCE_SAMPLES, NUM_SAMPLES, elbo_scores, importance_scores
from lda_app.evaluation.completion import completion_scores
from lda_app.evaluation.left_to_right import MAX_DOCUMENTS, NUM_PARTICLES, left_to_right_scores
from lda_app.evaluation.scores import DocumentScores, Perplexity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.evaluation.bootstrap import Bootstrap
    from lda_app.fitted.inference import FloatArray, Infer


@dataclass(frozen=True)
class Effort:
    """Numbers of samples for the protocols.

    Parameters
    ----------
    elbo_samples, importance_samples
        Samples of θ per document.
    left_to_right_particles
        Particles in each of the two runs of ``left_to_right``.
    max_documents
        Maximum number of documents for ``left_to_right``, chosen at random.
    """

    elbo_samples: int = NUM_SAMPLES
    importance_samples: int = IMPORTANCE_SAMPLES
    left_to_right_particles: int = NUM_PARTICLES
    max_documents: int = MAX_DOCUMENTS


class _HeldOut(NamedTuple):
    """Held-out data, model and settings."""

    doc_term: DocTermMatrix
    infer: Infer
    alpha: FloatArray
    beta: FloatArray
    seed: int
    effort: Effort


def _elbo(held_out: _HeldOut) -> DocumentScores:
    return elbo_scores(*held_out[:4], seed=held_out.seed, num_samples=held_out.effort.elbo_samples)


def _importance(held_out: _HeldOut) -> DocumentScores:
    num_samples = held_out.effort.importance_samples
    return importance_scores(*held_out[:4], seed=held_out.seed, num_samples=num_samples)


def _completion(held_out: _HeldOut) -> DocumentScores:
    doc_term, infer, _, beta, seed, _ = held_out
    return completion_scores(doc_term, infer, beta, seed=seed)


def _left_to_right(held_out: _HeldOut) -> DocumentScores:
    doc_term, _, alpha, beta, seed, effort = held_out
    return left_to_right_scores(
        doc_term,
        alpha,
        beta,
        seed=seed,
        num_particles=effort.left_to_right_particles,
        max_documents=effort.max_documents,
    )


class Protocol(NamedTuple):
    """How to score documents, and how to average the scores; protocols may share scores."""

    scores: Callable[[_HeldOut], DocumentScores]
    average: Callable[[DocumentScores, str, Bootstrap | None], Perplexity] = DocumentScores.token_weighted
    infers: bool = True


PROTOCOLS = {
    "elbo": Protocol(_elbo),
    "elbo_document_mean": Protocol(_elbo, DocumentScores.document_mean),
    "importance": Protocol(_importance),
    "document_completion": Protocol(_completion),
    "left_to_right": Protocol(_left_to_right, infers=False),
}
DEFAULT_PROTOCOLS = ("elbo", "elbo_document_mean", "importance", "document_completion")


def named(names: Iterable[str]) -> tuple[str, ...]:
    """Validate and deduplicate protocol names.

    Raises
    ------
    ConfigError
        If a name is unknown; the message suggests the closest one.

    Examples
    --------
    >>> named(["importance", " elbo", "elbo"])
    ('importance', 'elbo')
    """
    chosen = tuple(dict.fromkeys(name.strip() for name in names))
    for name in chosen:
        if name not in PROTOCOLS:
            nearest = difflib.get_close_matches(name, PROTOCOLS, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise ConfigError(f"--protocols must be some of {', '.join(PROTOCOLS)}, got {name!r}{hint}")
    return chosen


def perplexities(
    protocols: Sequence[str],
    doc_term: DocTermMatrix,
    infer: Infer,
    alpha: FloatArray,
    beta: FloatArray,
    *,
    seed: int,
    effort: Effort | None = None,
    bootstrap: Bootstrap | None = None,
) -> tuple[Perplexity, ...]:
    """Compute perplexity under several protocols.

    Parameters
    ----------
    protocols
        Names in ``PROTOCOLS``.
    doc_term
        Counts (D, V).
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    alpha
        (K,) concentration of the prior, positive.
    beta
        (K, V) topic-word probabilities.
    seed
        Random seed.
    effort
        Numbers of samples; by default those of :class:`Effort`.
    bootstrap
        Bootstrap for confidence intervals; None for no intervals.

    Raises
    ------
    CorpusError
        If no document has a token.

    Examples
    --------
    >>> import numpy as np
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> two_documents = DocTermMatrix.from_scipy([[2, 0], [1, 3]])
    >>> one_topic = np.array([[0.5, 0.5]])
    >>> prior = lambda doc_term: np.ones((doc_term.num_documents, 1))
    >>> measured = perplexities(["elbo", "importance"], two_documents, prior, np.ones(1), one_topic, seed=0)
    >>> [(perplexity.protocol, round(perplexity.value, 6)) for perplexity in measured]
    [('elbo', 2.0), ('importance', 2.0)]
    """
    held_out = _HeldOut(doc_term, infer, alpha, beta, seed, effort or Effort())
    chosen = {name: PROTOCOLS[name] for name in protocols}
    scores = {protocol.scores: protocol.scores(held_out) for protocol in chosen.values()}
    return tuple(
        protocol.average(scores[protocol.scores], name, bootstrap) for name, protocol in chosen.items()
    )


def num_passes(protocols: Sequence[str]) -> int:
    """Number of times that :func:`perplexities` infers all documents.

    Examples
    --------
    >>> num_passes(["elbo", "elbo_document_mean", "document_completion", "left_to_right"])
    2
    """
    return len({PROTOCOLS[name].scores for name in protocols if PROTOCOLS[name].infers})
