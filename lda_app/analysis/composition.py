r"""The method of composition: estimates from draws of θ that include both sources of uncertainty.

The shares of a document are not observed, so a mean or a regression of them is estimated once for each
draw :math:`\theta^{(s)}`, s = 1 … S, of all documents (Treier and Jackman 2008; Roberts et al. 2014),
and pooled by Rubin's rules (1987):

.. math::
    \bar m = \frac1S \sum_s m_s, \qquad
    T = \bar U + (1 + 1/S)\, B, \quad
    \bar U = \frac1S \sum_s U_s, \quad B = \frac1{S-1} \sum_s (m_s - \bar m)^2,

where U_s is the sampling variance of m_s as if :math:`\theta^{(s)}` had been observed.

Draws for a document use a prior informed by its group or covariates: Dirichlet(α₀ μ_d), with α₀ = Σ_k α_k
from the model and μ_d the estimate itself, found in a few rounds of draws. A common prior would shrink groups
towards the corpus mean, and more so the shorter their documents (Mislevy 1991).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.model import FittedModel
    from lda_app.system.runtime import Progress

    FloatArray = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.int64]

NUM_DRAWS = 30
_THIN = 5
_ROUNDS = 2
PASSES = _ROUNDS + 1
"""Number of passes over the documents in :func:`composed_draws`."""
_DRAWS_A_ROUND = 5
_SMALLEST_SHARE = 1e-4  # lower limit for a topic in a document's prior


class MeanModel(Protocol):
    """Model of how the mean of θ depends on a document."""

    def fit(self, shares: Iterator[tuple[Rows, FloatArray]]) -> None:
        """Fit it to shares (B, K) of rows (B,), with each row once."""

    def predict(self, rows: Rows) -> FloatArray:
        """Return the mean (B, K) of each row."""


def composed_draws(
    model: FittedModel,
    doc_term: DocTermMatrix,
    means: MeanModel,
    *,
    seed: int,
    num_draws: int = NUM_DRAWS,
    bar: Progress | None = None,
) -> Iterator[tuple[Rows, FloatArray]]:
    """Draw θ of all documents under priors from a model of their means.

    Parameters
    ----------
    model
        The topic model.
    doc_term
        Counts (D, V).
    means
        Mean model; fitted here, overwriting any earlier fit.
    seed
        Seed for the draws.
    num_draws
        S, number of draws.
    bar
        Progress bar; advanced :data:`PASSES` times per document.

    Yields
    ------
    rows, draws
        (B,) row numbers and (B, S, K) draws.
    """
    alpha = np.asarray(model.alpha, dtype=np.float64)

    def prior(rows: Rows) -> FloatArray:
        return np.asarray(alpha.sum() * _as_shares(means.predict(rows)))

    def drawn(num: int, thin: int, *, informed: bool, stream: int) -> Iterator[tuple[Rows, FloatArray]]:
        first = 0
        own = prior if informed else None
        for draws in model.draws(doc_term, num, seed=seed + stream, prior=own, thin=thin):
            rows = np.arange(first, first := first + len(draws))
            yield rows, draws
            if bar is not None:
                bar.advance(len(rows))

    for number in range(_ROUNDS):
        draws = drawn(_DRAWS_A_ROUND, 2, informed=number > 0, stream=number)
        means.fit((rows, theta.mean(axis=1)) for rows, theta in draws)
    yield from drawn(num_draws, _THIN, informed=True, stream=_ROUNDS)


def _as_shares(mean: FloatArray) -> FloatArray:
    """Project ``mean`` (B, K) to the simplex, which a linear model may leave."""
    kept = np.maximum(mean, _SMALLEST_SHARE)
    return np.asarray(kept / kept.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class Estimate:
    """Estimates pooled over draws of θ.

    Parameters
    ----------
    value
        (K,) m̄, the pooled estimates.
    within
        (K,) Ū, the variance due to the sample of documents.
    between
        (K,) B, the variance due to uncertainty about θ.
    degrees
        Degrees of freedom of Ū.
    num_draws
        S, number of draws.
    """

    value: FloatArray
    within: FloatArray
    between: FloatArray
    degrees: float
    num_draws: int

    @classmethod
    def pooled(cls, values: FloatArray, within: FloatArray, degrees: float) -> Estimate:
        """Pool the estimates (S, K) from S draws, given Ū.

        Examples
        --------
        >>> estimate = Estimate.pooled(np.array([[0.2], [0.4]]), np.array([0.01]), degrees=20)
        >>> estimate.value.round(2).tolist(), estimate.variance.round(3).tolist()  # 0.01 + 1.5 · 0.02
        ([0.3], [0.04])
        """
        return cls(values.mean(axis=0), within, values.var(axis=0, ddof=1), degrees, len(values))

    @property
    def variance(self) -> FloatArray:
        """T = Ū + (1 + 1/S) B, (K,)."""
        return np.asarray(self.within + (1 + 1 / self.num_draws) * self.between)

    @property
    def standard_error(self) -> FloatArray:
        """√T, (K,)."""
        return np.sqrt(self.variance)

    @property
    def t_degrees(self) -> FloatArray:
        """Degrees of freedom of T, (K,): Barnard and Rubin (1999), eq. 3 to 5."""
        with np.errstate(divide="ignore", invalid="ignore"):
            missing = np.nan_to_num((1 + 1 / self.num_draws) * self.between / self.variance)
            of_draws = (self.num_draws - 1) / np.maximum(missing, 1e-9) ** 2
        observed = (self.degrees + 1) / (self.degrees + 3) * self.degrees * (1 - missing)
        return np.asarray(1 / (1 / of_draws + 1 / np.maximum(observed, 1e-9)))

    def interval(self, level: float) -> tuple[FloatArray, FloatArray]:
        """m̄ ± t √T, (K,) each.

        Examples
        --------
        >>> one = Estimate(np.array([0.3]), np.array([0.01]), np.array([0.0]), degrees=1e6, num_draws=30)
        >>> [end.round(3).tolist() for end in one.interval(0.95)]
        [[0.104], [0.496]]
        """
        half = self._quantile(level) * self.standard_error
        return self.value - half, self.value + half

    def _quantile(self, level: float) -> FloatArray:
        return np.asarray(stats.t.ppf((1 + level) / 2, self.t_degrees))
