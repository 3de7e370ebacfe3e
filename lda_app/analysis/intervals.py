r"""Credible intervals for a document's topic shares.

Under :math:`q(\theta|w) = \mathrm{Dir}(a)` with :math:`A = \sum_k a_k` a single share is distributed as
:math:`\theta_k \sim \mathrm{Beta}(a_k, A - a_k)`, so its quantiles need no sampling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaincinv

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray

    Interval = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def credible_intervals(concentration: FloatArray, level: float = 0.9) -> Interval:
    """Equal-tailed credible interval for each topic share of each document.

    Parameters
    ----------
    concentration
        (D, K) of q(θ|w), positive.
    level
        Probability of the interval under q, between 0 and 1; each tail has half of the remainder.

    Returns
    -------
    lower, upper
        (D, K) each, from 0 to 1. The lower end is 0 if the exact quantile underflows, which happens for
        topics with a tiny concentration.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.

    Examples
    --------
    >>> lower, upper = credible_intervals(np.array([[1.0, 1.0], [80.0, 20.0]]), level=0.9)
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([[0.05, 0.05], [0.731, 0.138]], [[0.95, 0.95], [0.862, 0.269]])
    """
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval must be between 0 and 1, got {level}")
    own = np.asarray(concentration, dtype=np.float64)
    others = own.sum(axis=1, keepdims=True) - own
    tail = (1 - level) / 2
    return _quantile(own, others, tail), _quantile(own, others, 1 - tail)


def _quantile(
    own: npt.NDArray[np.float64], others: npt.NDArray[np.float64], probability: float
) -> npt.NDArray[np.float64]:
    """Quantile of Beta(own, others); 1 where the other topics have no concentration."""
    alone = others <= 0
    return np.where(alone, 1.0, betaincinv(own, np.where(alone, 1.0, others), probability))
