"""A score for each document, and the perplexities that are averaged from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from lda_app.evaluation.bootstrap import Bootstrap, Interval


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
    num_not_drawn
        Documents left out because a protocol that is slow was to score fewer, drawn at random.
    monte_carlo_error
        Standard error of ``value`` by the protocol's own sampling; None where nothing is sampled, or once.
    interval
        Confidence interval of ``value`` by the choice of documents, the sampling's error included; None where
        it was not asked for, or there is but one document.
    settings
        Numbers of samples and the like, by name.
    """

    protocol: str
    value: float
    num_documents: int
    num_tokens: int
    num_empty: int
    num_not_drawn: int = 0
    monte_carlo_error: float | None = None
    interval: Interval | None = None
    settings: Mapping[str, int] = field(default_factory=dict)


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
    num_not_drawn, num_empty
        Documents that are not among those scored: not drawn, or without a token.
    settings
        Numbers of samples and the like, by name.
    """

    log_likelihood: npt.NDArray[np.float64]
    num_tokens: npt.NDArray[np.int64]
    variance: npt.NDArray[np.float64] | None = None
    num_not_drawn: int = 0
    num_empty: int = 0
    settings: Mapping[str, int] = field(default_factory=dict)

    def token_weighted(self, protocol: str, bootstrap: Bootstrap | None = None) -> Perplexity:
        """Average over tokens: exp(−Σ_d score_d / Σ_d N_d).

        Raises
        ------
        CorpusError
            If no document has a token.

        Examples
        --------
        >>> scores = DocumentScores(np.log([0.5, 0.125, 1.0]), np.array([1, 1, 0]))
        >>> perplexity = scores.token_weighted("elbo")
        >>> perplexity.value, perplexity.num_documents, perplexity.num_empty
        (4.0, 2, 1)
        """
        return self._average(protocol, np.ones(len(self.num_tokens)), bootstrap)

    def document_mean(self, protocol: str, bootstrap: Bootstrap | None = None) -> Perplexity:
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
        return self._average(protocol, 1 / np.maximum(self.num_tokens, 1), bootstrap)

    def _average(
        self, protocol: str, weights: npt.NDArray[np.float64], bootstrap: Bootstrap | None
    ) -> Perplexity:
        """Return exp of the weighted scores' sum over that of the weighted numbers of tokens."""
        counted = self.num_tokens > 0
        num_documents = int(counted.sum())
        if not num_documents:
            raise CorpusError(
                f"{protocol}: none of the {len(counted)} documents has a word of the vocabulary; "
                "a perplexity needs at least one token"
            )
        losses, tokens = (-weights * self.log_likelihood)[counted], (weights * self.num_tokens)[counted]
        value = _exp(losses.sum() / tokens.sum())
        error = None
        if self.variance is not None:
            variance = np.sum((weights**2 * self.variance)[counted])
            error = value * float(np.sqrt(variance) / tokens.sum())
        interval = bootstrap.interval(losses, tokens) if bootstrap else None
        return Perplexity(
            protocol,
            value,
            num_documents,
            int(self.num_tokens.sum()),
            num_empty=self.num_empty + len(counted) - num_documents,
            num_not_drawn=self.num_not_drawn,
            monte_carlo_error=error,
            interval=interval and interval._replace(low=_exp(interval.low), high=_exp(interval.high)),
            settings=self.settings,
        )


def _exp(mean_loss: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(mean_loss))
