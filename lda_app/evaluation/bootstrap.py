"""Bootstrap confidence intervals, resampling documents with replacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from lda_app.system.runtime import rng

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

METHOD = "BCa bootstrap over documents"
_MOST_UNITS = 10_000
_DRAWS_AT_A_TIME = 2**20


class Interval(NamedTuple):
    """A confidence interval and its level, such as 0.95."""

    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class Bootstrap:
    r"""The bias-corrected and accelerated (BCa) bootstrap (Efron 1987) for a ratio of sums over documents.

    The ends are quantiles of the ratio over resampled documents, corrected for bias and skewness, with the
    jackknife estimate of acceleration. They may be transformed by any increasing function, such as exp.
    Beyond ten thousand documents, random groups of documents are resampled instead: the expected variance is
    the same, and time no longer grows with the number of documents.

    Parameters
    ----------
    confidence
        Confidence level, between 0 and 1.
    seed
        Seed for resampling; the same seed and number of documents give the same resamples.
    num_replicates
        Number of bootstrap replicates.

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(5, 1, 400)
    >>> interval = Bootstrap(confidence=0.95, seed=0).interval(values, np.ones(400))
    >>> round(interval.low, 2), round(interval.high, 2)  # about 5 ± 1.96 / 20
    (4.86, 5.06)
    """

    confidence: float = 0.95
    seed: int = 0
    num_replicates: int = 2000

    def interval(self, numerator: FloatArray, denominator: FloatArray) -> Interval | None:
        """Return the interval for Σ numerator / Σ denominator.

        Parameters
        ----------
        numerator, denominator
            (D,) one number per document; denominators are positive.

        Returns
        -------
        Interval or None
            None for fewer than two documents.
        """
        if len(numerator) < 2:
            return None
        generator = rng(self.seed, "bootstrap")
        sums = _groups(np.stack([numerator, denominator], axis=1), generator)
        replicates = np.sort(_redrawn(sums, self.num_replicates, generator))
        levels = self._levels(sums, replicates)
        low, high = np.quantile(replicates, levels)
        return Interval(float(low), float(high), self.confidence)

    def _levels(self, sums: FloatArray, replicates: FloatArray) -> FloatArray:
        """Levels of the two quantiles, (1 ∓ confidence) / 2 corrected for bias and skewness."""
        totals = sums.sum(axis=0)
        below = np.searchsorted(replicates, totals[0] / totals[1], side="left")
        above = len(replicates) - np.searchsorted(replicates, totals[0] / totals[1], side="right")
        # Half a replicate on either side keeps the bias finite, and zero for a constant.
        bias = ndtri((below + 0.5) / (below + above + 1))
        spread = bias + ndtri(np.array([1 - self.confidence, 1 + self.confidence]) / 2)
        return np.asarray(ndtr(bias + spread / (1 - _acceleration(sums) * spread)))


def _groups(values: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Rows (D, 2), or sums over random groups of nearly equal size if there are too many."""
    if len(values) <= _MOST_UNITS:
        return values
    group = generator.permutation(len(values)) % _MOST_UNITS
    return np.stack([np.bincount(group, column, _MOST_UNITS) for column in values.T], axis=1)


def _redrawn(sums: FloatArray, num_replicates: int, generator: np.random.Generator) -> FloatArray:
    """Ratio of sums in each replicate, which resamples all rows with replacement."""
    size, ratios = len(sums), []
    at_a_time = max(1, _DRAWS_AT_A_TIME // size)
    for first in range(0, num_replicates, at_a_time):
        number = min(at_a_time, num_replicates - first)
        drawn = generator.integers(size, size=(number, size), dtype=np.int32)
        ratios.append(sums[:, 0][drawn].sum(axis=1) / sums[:, 1][drawn].sum(axis=1))
    return np.concatenate(ratios)


def _acceleration(sums: FloatArray) -> float:
    """Skewness of the jackknife's ratios, over six (Efron and Tibshirani 1993, section 14.3)."""
    without = sums.sum(axis=0) - sums
    ratios = without[:, 0] / without[:, 1]
    deviations = ratios.mean() - ratios
    scale = float((deviations**2).sum())
    return float((deviations**3).sum()) / (6 * scale**1.5) if scale > 0 else 0.0
