r"""The method of composition: estimates from draws of θ, with what draws and documents leave open.

The shares of a document are not observed, so a mean of them, or a regression on them, is estimated once for
each draw :math:`\theta^{(s)}`, s = 1 … S, of all documents (Treier and Jackman 2008; Roberts et al. 2014),
and pooled by Rubin's rules (1987):

.. math::
    \bar m = \frac1S \sum_s m_s, \qquad
    T = \bar U + (1 + 1/S)\, B, \quad
    \bar U = \frac1S \sum_s U_s, \quad B = \frac1{S-1} \sum_s (m_s - \bar m)^2,

U_s being the sampling variance of m_s, as if :math:`\theta^{(s)}` had been observed.

The draws of a document know what its group, or its covariates, say of it: its prior is Dirichlet(α₀ μ_d),
with α₀ = Σ_k α_k as in the model and μ_d the estimate itself, found by a few rounds of draws. Under one prior
for all, groups would be drawn towards the corpus's mean, the more the shorter their documents (Mislevy 1991).
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
    from lda_app.runtime import Progress

    FloatArray = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.int64]

NUM_DRAWS = 30
_THIN = 5
_ROUNDS = 2
PASSES = _ROUNDS + 1
"""How often :func:`composed_draws` goes through the documents."""
_DRAWS_A_ROUND = 5
_SMALLEST_SHARE = 1e-4  # of a topic in a document's prior


class MeanModel(Protocol):
    """What the mean of θ is taken to depend on."""

    def fit(self, shares: Iterator[tuple[Rows, FloatArray]]) -> None:
        """Estimate it from the shares (B, K) of rows (B,), all rows once."""

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
    """Draw θ of all documents under the priors that a model of their means gives them.

    Parameters
    ----------
    model
        The topic model.
    doc_term
        Counts (D, V).
    means
        Fitted here; what it held before does not matter.
    seed
        Of the draws.
    num_draws
        S.
    bar
        Counts the documents; each is drawn :data:`PASSES` times.

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
    """Return ``mean`` (B, K) with rows that are shares, for a linear model may leave the simplex."""
    kept = np.maximum(mean, _SMALLEST_SHARE)
    return np.asarray(kept / kept.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class Estimate:
    """Estimates of some quantities, pooled over draws of θ.

    Parameters
    ----------
    value
        (K,) m̄.
    within
        (K,) Ū, the variance by the choice of documents.
    between
        (K,) B, the variance by what θ is not known exactly.
    degrees
        Degrees of freedom that Ū is estimated with.
    num_draws
        S.
    """

    value: FloatArray
    within: FloatArray
    between: FloatArray
    degrees: float
    num_draws: int

    @classmethod
    def pooled(cls, values: FloatArray, within: FloatArray, degrees: float) -> Estimate:
        """Pool the estimates (S, K) of S draws, and Ū.

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
