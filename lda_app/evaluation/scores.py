"""Per-document scores, and perplexities averaged over them."""

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
    """A perplexity and how it was measured.

    Parameters
    ----------
    protocol
        Name of the protocol; perplexities are comparable only within a protocol.
    value
        Perplexity per token, at least 1 for discrete data; lower is better.
    num_documents, num_tokens
        Number of documents, and of tokens scored in them.
    num_empty
        Number of documents excluded because they have no token.
    num_not_drawn
        Number of documents not in the random sample that a slow protocol scores.
    monte_carlo_error
        Standard error of ``value`` due to the protocol's sampling; None if nothing is sampled, or only once.
    interval
        Confidence interval for ``value`` over documents, including sampling error; None if not requested, or
        if there is only one document.
    settings
        Settings such as numbers of samples, by name.
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
    """Scores of documents, from which perplexities are computed.

    Parameters
    ----------
    log_likelihood
        (D,) float64, log probability of each document's scored tokens in nats, or a lower bound on it.
    num_tokens
        (D,) number of tokens scored.
    variance
        (D,) Monte Carlo variance of ``log_likelihood``, in nats squared; None if zero or unknown.
    num_not_drawn, num_empty
        Number of documents not scored: not sampled, or without tokens.
    settings
        Settings such as numbers of samples, by name.
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
        """Return exp(Σ weighted losses / Σ weighted tokens)."""
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
