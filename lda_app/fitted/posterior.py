"""Draws of θ from its exact posterior p(θ|w): what intervals, prevalence and effects are made of.

q(θ|w), one Dirichlet, is quick and good for means, but its spread is not the posterior's: too narrow in short
documents, and in long ones too wide for what they are about, too narrow for what they hardly mention. So a
chain of Gibbs sweeps starts from the guide and carries on to p(θ|w, α, β), which the sweeps leave unchanged,
whatever q is (:func:`lda_app.models.gibbs.sample_theta`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted.inference import concentration, topic_proportions
from lda_app.models.gibbs import sample_theta
from lda_app.models.threads import one_torch_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray
    from lda_app.models.lda import LDA

    FloatDraws = npt.NDArray[np.float64]
    Prior = Callable[[npt.NDArray[np.int64]], FloatArray]
    """Row numbers (B,) to the concentration (B, K) of each row's prior of θ."""

BURN_IN = 20
THIN = 2
INTERVAL_DRAWS = 199  # the tails of 1 %, 2.5 %, 5 % … are whole numbers of draws: 200 times each is one
MOST_LEVEL = 0.99

_BLOCK_FLOATS = 2**22  # draws in memory at a time: 32 MB
_SMALLEST_PRIOR = 1e-3  # as of the guide


@dataclass(frozen=True, eq=False)
class ShareIntervals:
    """The topic shares of some documents, with their credible intervals.

    Parameters
    ----------
    mean
        (D, K) posterior mean of θ.
    lower, upper
        (D, K) ends of the equal-tailed interval.
    level
        The probability that a share lies in its interval.
    """

    mean: FloatDraws
    lower: FloatDraws
    upper: FloatDraws
    level: float

    def of_topics(self, columns: Sequence[int]) -> ShareIntervals:
        """Keep some topics alone."""
        mean, lower, upper = (values[:, list(columns)] for values in (self.mean, self.lower, self.upper))
        return ShareIntervals(mean, lower, upper, self.level)


MeasureShares = Callable[[DocTermMatrix], ShareIntervals]
"""Counts (D, V) to shares with their intervals, such as :func:`share_intervals` of a model."""


def share_intervals(
    lda: LDA,
    doc_term: DocTermMatrix,
    level: float = 0.9,
    *,
    seed: int = 0,
    merge: Callable[[FloatArray], FloatArray] | None = None,
) -> ShareIntervals:
    r"""Credible interval of each topic's share of each document, from draws of the exact posterior.

    With S = 199 draws in order, :math:`\theta_{(1)} \le \dots \le \theta_{(S)}`, the interval is
    :math:`[\theta_{(r)}, \theta_{(S+1-r)}]`, r = ⌊(S + 1)(1 − level)/2⌋: a share that is distributed as
    the draws falls into it with probability (S + 1 − 2r)/(S + 1) ≥ level, whatever the posterior's shape.

    A document's answer depends on its words and the seed alone, whatever the others are (where loops are
    compiled; elsewhere on its block, too).

    Parameters
    ----------
    lda
        The model.
    doc_term
        Counts (D, V).
    level
        Above 0, and at most 0.99.
    seed
        Of the draws.
    merge
        Adds up the shares of topics that are one, (…, K) to (…, G): the intervals are then those of the sums.

    Raises
    ------
    ValueError
        If the level is not above 0 and at most 0.99.

    Examples
    --------
    >>> from lda_app.config import TrainConfig
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> from lda_app.fitted.folder import untrained
    >>> lda = untrained(TrainConfig(num_topics=2, alpha=1.0), num_documents=1, num_words=3)
    >>> shares = share_intervals(lda, DocTermMatrix.from_scipy([[0, 0, 0]]), level=0.5)  # no word: the prior
    >>> shares.mean.round(1).tolist(), bool((shares.lower < 0.5).all() and (shares.upper > 0.5).all())
    ([[0.5, 0.5]], True)
    """
    if not 0 < level <= MOST_LEVEL:
        raise ValueError(f"the level of an interval must be above 0 and at most {MOST_LEVEL}, got {level}")
    # The small number keeps a tail such as (1 - 0.9) / 2, a little below 0.05, from being rounded down.
    rank = int((INTERVAL_DRAWS + 1) * (1 - level) / 2 + 1e-9)
    num_topics = lda.topics.num_topics
    num_merged = num_topics if merge is None else merge(np.empty((0, num_topics))).shape[1]
    mean, lower, upper = np.empty((3, doc_term.num_documents, num_merged))
    first = 0
    for drawn in posterior_draws(lda, doc_term, INTERVAL_DRAWS, seed=seed):
        draws = drawn if merge is None else merge(drawn)
        rows = slice(first, first := first + len(draws))
        mean[rows] = draws.mean(axis=1)
        draws.partition((rank - 1, INTERVAL_DRAWS - rank), axis=1)
        lower[rows], upper[rows] = draws[:, rank - 1], draws[:, INTERVAL_DRAWS - rank]
    return ShareIntervals(mean, lower, upper, level)


def posterior_draws(
    lda: LDA,
    doc_term: DocTermMatrix,
    num_draws: int,
    *,
    seed: int = 0,
    prior: Prior | None = None,
    burn_in: int = BURN_IN,
    thin: int = THIN,
) -> Iterator[FloatDraws]:
    """Draw θ of each document, some documents at a time, in order.

    Parameters
    ----------
    lda
        The model.
    doc_term
        Counts (D, V).
    num_draws
        S, draws a document.
    seed
        Of the draws; a document's depend on it and on its words alone, where loops are compiled.
    prior
        The prior of each document, instead of the model's α for all.
    burn_in, thin
        Sweeps before the first draw, and from one to the next.

    Yields
    ------
    numpy.ndarray
        (B, S, K), float64; the rows of all blocks are those of ``doc_term``.
    """
    num_topics = lda.topics.num_topics
    size = max(1, _BLOCK_FLOATS // (num_draws * num_topics))
    alpha = lda.alpha.detach().cpu()
    for first in range(0, doc_term.num_documents, size):
        rows = np.arange(first, min(first + size, doc_term.num_documents))
        block = doc_term.rows(rows)
        batch = make_batch(block, np.arange(len(rows)))._replace(rows=torch.from_numpy(_streams(block)))
        own = alpha.expand(len(rows), -1) if prior is None else _as_prior(prior(rows))
        start = torch.from_numpy(topic_proportions(concentration(lda, block)))
        beta = lda.topics.rows(batch.words.to(lda.log_alpha.device)).detach().cpu()
        with one_torch_thread():
            draws = sample_theta(
                start, own, beta, batch, num_draws=num_draws, burn_in=burn_in, thin=thin, seed=seed
            )
        yield draws.numpy()


def _as_prior(concentration: FloatArray) -> torch.Tensor:
    return torch.from_numpy(np.maximum(concentration, _SMALLEST_PRIOR).astype(np.float32))


def _streams(doc_term: DocTermMatrix) -> npt.NDArray[np.int64]:
    """Return a number for each document's random stream, (D,), made of its words alone."""
    mixed: npt.NDArray[Any] = (doc_term.indices.astype(np.uint64) + np.uint64(1)) * _FACTORS[0]
    mixed ^= doc_term.counts.astype(np.uint64) * _FACTORS[1]
    mixed ^= mixed >> np.uint64(29)
    mixed *= _FACTORS[2]
    running = np.zeros(len(mixed) + 1, dtype=np.uint64)
    np.cumsum(mixed, out=running[1:])
    return np.asarray(np.diff(running[doc_term.indptr]) >> np.uint64(2), dtype=np.int64)


# Odd, with bits in no order, from SplitMix64 (Steele, Lea, Flood 2014); the sums wrap around.
_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
