r"""Perplexities of several numbers of topics K, compared document by document.

For each K there are S runs, of the same S seeds. A run holds out some documents, chosen by its seed, so that
runs of one seed and several K are scored on the same documents, and runs of several seeds on different ones.
With :math:`y_{ks}` the log perplexity of a run by document completion, the difference of two K is the mean
over seeds of :math:`y_{as} - y_{bs}`. Its variance has two parts,

.. math::
    \mathrm{Var} = \frac{1}{S} \Big( \frac{1}{S} \sum_s v_{ab,s} + 2 \tau^2 \Big):

- :math:`v_{ab,s}`, by the documents: a paired bootstrap, in which both runs are scored on the same documents;
- :math:`\tau^2`, by the training: of what differs between runs after the means of K and of the seeds are
  taken out, the mean square with (number of K − 1)(S − 1) degrees of freedom, less the documents' part of it
  (a random effect, as DerSimonian and Laird 1986 estimate it; one for all K).

Degrees of freedom of the sum are by Satterthwaite. Two K are told apart where their difference is
beyond what Student's t allows at 95% for all pairs of K together (Bonferroni): the one with the lowest
perplexity is chosen by the same data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from lda_app.system.runtime import rng

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

CONFIDENCE = 0.95
_RESAMPLES = 2_000


@dataclass(frozen=True)
class ValueWithError:
    """A figure and its standard error; None where there is too little to tell it."""

    value: float
    standard_error: float | None


@dataclass(frozen=True)
class Difference:
    """How much worse a number of topics is than the best one.

    Parameters
    ----------
    value, standard_error
        Perplexity above that of the best, as a share of it.
    distinguishable
        Whether the difference is beyond chance, at :data:`CONFIDENCE` for all comparisons together.
    """

    value: float
    standard_error: float
    distinguishable: bool


@dataclass(frozen=True, eq=False)
class Scores:
    """Held-out scores of all runs of a sweep.

    Parameters
    ----------
    log_likelihood
        For each seed (number of K, documents), in nats.
    num_tokens
        For each seed (documents,), the tokens scored.
    """

    log_likelihood: tuple[FloatArray, ...]
    num_tokens: tuple[FloatArray, ...]

    def log_perplexity(self) -> FloatArray:
        """Log perplexity of each run, (number of K, S)."""
        runs = zip(self.log_likelihood, self.num_tokens, strict=True)
        return np.stack([-scores.sum(axis=1) / tokens.sum() for scores, tokens in runs], axis=1)

    def resampled(self, seed: int) -> FloatArray:
        """Log perplexity of each run on documents drawn with replacement, (number of K, S, resamples)."""
        generator = rng(seed, "bootstrap")
        drawn = []
        for scores, tokens in zip(self.log_likelihood, self.num_tokens, strict=True):
            num_documents = len(tokens)
            times = generator.multinomial(num_documents, [1 / num_documents] * num_documents, _RESAMPLES)
            drawn.append(-(scores @ times.T) / (times @ tokens))
        return np.stack(drawn, axis=1)


@dataclass(frozen=True, eq=False)
class Perplexities:
    """Perplexity of each number of topics, and of each against the best.

    Parameters
    ----------
    estimates
        One a number of topics.
    best
        Place of the lowest.
    differences
        One a number of topics, from the best; that of the best itself is 0 ± 0.
    """

    estimates: tuple[ValueWithError, ...]
    best: int
    differences: tuple[Difference, ...]


def compare_perplexities(scores: Scores, *, seed: int = 0) -> Perplexities:
    """Estimate the perplexity of each number of topics, and how far it is from the best.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> documents = [generator.normal(-60, 10, 200) for _ in range(3)]  # some are harder than others
    >>> scores = tuple(np.stack([d, d - 0.5 - generator.normal(0, 0.1, 200)]) for d in documents)
    >>> compared = compare_perplexities(Scores(scores, (np.full(200, 10.0),) * 3))
    >>> worse, itself = compared.differences[1], compared.estimates[1]
    >>> round(worse.value, 2), worse.standard_error < itself.standard_error / itself.value / 10
    (0.05, True)
    """
    y, drawn = scores.log_perplexity(), scores.resampled(seed)
    num_k, num_seeds = y.shape
    training = _variance_of_training(y, drawn)
    own = (drawn.var(axis=2, ddof=1).mean(axis=1) + training.variance) / num_seeds
    means = y.mean(axis=1)
    best = int(means.argmin())
    documents = (drawn - drawn[best]).var(axis=2, ddof=1).mean(axis=1)
    return Perplexities(
        tuple(
            ValueWithError(math.exp(m), math.exp(m) * math.sqrt(v)) for m, v in zip(means, own, strict=True)
        ),
        best,
        tuple(
            _difference(float(means[k] - means[best]), float(documents[k]), training, y.shape)
            if k != best
            else Difference(0.0, 0.0, distinguishable=False)
            for k in range(num_k)
        ),
    )


class _Training(NamedTuple):
    """How far runs differ by their training.

    Parameters
    ----------
    variance
        Variance of a run's log perplexity beyond the variance due to its documents.
    mean_square
        What it was estimated by: the documents' part is still in it.
    freedom
        Degrees of freedom of the mean square; 0 where there is none.
    """

    variance: float
    mean_square: float
    freedom: int


def _variance_of_training(y: FloatArray, drawn: FloatArray) -> _Training:
    """Estimate how far runs differ by their training, from what means of K and of seeds leave."""
    num_k, num_seeds = y.shape
    freedom = (num_k - 1) * (num_seeds - 1)
    if not freedom:
        return _Training(0.0, 0.0, 0)
    residual = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()
    mean_square = float((residual**2).sum() / freedom)
    # What the documents alone do to the differences between K: seeds share none, runs of one seed all.
    documents = float((drawn - drawn.mean(axis=2, keepdims=True)).var(axis=0, ddof=1).mean())
    return _Training(max(0.0, mean_square - documents), mean_square, freedom)


def _difference(
    difference: float, documents: float, training: _Training, shape: tuple[int, ...]
) -> Difference:
    """Judge a difference of log perplexities; ``documents`` is their variance in that of a pair of runs."""
    num_k, num_seeds = shape
    variance = documents + 2 * training.variance
    error = math.sqrt(variance / num_seeds)
    # Satterthwaite: the mean square is all that is estimated badly.
    sure = training.variance == 0
    freedom = math.inf if sure else training.freedom * (variance / (2 * training.mean_square)) ** 2
    # Bonferroni: all comparisons hold together, also those between others, for the data chose the best.
    limit = stats.t.ppf(1 - (1 - CONFIDENCE) / 2 / math.comb(num_k, 2), freedom)
    ratio = math.exp(difference)
    return Difference(ratio - 1, ratio * error, bool(difference > limit * error))
