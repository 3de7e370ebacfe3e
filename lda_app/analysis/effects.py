r"""Effects of metadata on topics: regression of topic shares on covariates by the method of composition.

For each topic and each draw s, :math:`\theta_{dk}^{(s)} = x_d^\top b_k^{(s)} + e_{dk}` by least squares over
all documents d; coefficients are pooled by Rubin's rules (:mod:`lda_app.analysis.composition`). This
follows stm's estimateEffect (Roberts, Stewart, Tingley 2019) with two differences: the variance of a draw's
coefficients is robust to heteroscedastic shares (HC2, MacKinnon and White 1985), and the draws are
conditioned on the covariates.

The design matrix is X = Q R with orthonormal Q. All sums are over rows q of Q, and the coefficients of X are
R⁻¹ times those of Q.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from lda_app.analysis.composition import NUM_DRAWS, Estimate, composed_draws

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lda_app.analysis.composition import FloatArray, Rows
    from lda_app.analysis.design import Design
    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.model import LabelledModel
    from lda_app.system.runtime import Progress

_ROWS_AT_A_TIME = 1024
_FULL_LEVERAGE = 1e-9


@dataclass(frozen=True, eq=False)
class Effects:
    """Regressions of the shares of K topics on p covariates.

    Parameters
    ----------
    design
        The covariates.
    topics
        Ids of the K topics.
    coefficients
        (S, p, K) coefficients in the basis Q for each draw.
    within
        (K, p, p) covariance of the coefficients due to the sample of documents, averaged over draws.
    """

    design: Design
    topics: Sequence[int]
    coefficients: FloatArray
    within: FloatArray

    def estimate(self, combinations: FloatArray) -> Estimate:
        """Pool linear combinations (m, p) of the basis coefficients; the result's arrays are (m, K)."""
        values = np.einsum("mp,spk->smk", combinations, self.coefficients)
        within = np.einsum("mp,kpq,mq->mk", combinations, self.within, combinations)
        num_documents, num_coefficients = self.design.basis.shape
        return Estimate.pooled(values, within, degrees=num_documents - num_coefficients)

    def table(self, level: float) -> pd.DataFrame:
        """Return one row per topic and coefficient.

        Columns: ``topic``, ``coefficient``, ``estimate``, ``standard_error``, ``lower``, ``upper`` and
        ``p_value`` (two-sided, from the same t distribution as the interval).
        """
        estimate = self.estimate(self.design.coefficients())
        ratio = np.abs(estimate.value / estimate.standard_error)
        p_value = np.asarray(2 * stats.t.sf(ratio, estimate.t_degrees))
        names = list(self.design.names)
        return self._tidy("coefficient", names, "estimate", estimate, level, {"p_value": p_value})

    def predictions(self, column: str, level: float, num_points: int = 9) -> pd.DataFrame:
        """Return the predicted mean share of each topic along a covariate.

        Parameters
        ----------
        column
            Covariate; see :meth:`lda_app.analysis.design.Design.predictions`.
        level
            Level of the intervals.
        num_points
            Number of grid points for a numeric covariate.

        Returns
        -------
        pandas.DataFrame
            One row per topic and value: ``topic``, the column's ``value``, ``share``, ``standard_error``,
            ``lower``, ``upper``. The model is linear, so predictions may fall outside 0 to 1.
        """
        values, combinations = self.design.predictions(column, num_points)
        return self._tidy("value", values, "share", self.estimate(combinations), level, {})

    def _tidy(
        self,
        key: str,
        keys: Sequence[object],
        name: str,
        estimate: Estimate,
        level: float,
        more: dict[str, FloatArray],
    ) -> pd.DataFrame:
        ends = dict(zip(("lower", "upper"), estimate.interval(level), strict=True))
        figures = {name: estimate.value, "standard_error": estimate.standard_error, **ends, **more}
        columns = {column: values.T.ravel() for column, values in figures.items()}
        topics = np.repeat(np.asarray(self.topics), len(keys))
        return pd.DataFrame({"topic": topics, key: list(keys) * len(self.topics), **columns})


def regress(
    model: LabelledModel,
    doc_term: DocTermMatrix,
    design: Design,
    *,
    seed: int = 0,
    num_draws: int = NUM_DRAWS,
    bar: Progress | None = None,
) -> Effects:
    """Regress topic shares on covariates, without storing an array of documents by topics.

    Parameters
    ----------
    model
        The labelled model, with G topics.
    doc_term
        Counts (n, V) of the design's documents.
    design
        The covariates.
    seed
        Seed for the draws.
    num_draws
        S, number of draws.
    bar
        See :func:`lda_app.analysis.composition.composed_draws`.
    """
    basis = design.basis
    means = _LinearMean(basis, len(model.trained.alpha))
    coefficients = np.zeros((num_draws, basis.shape[1], len(model.ids)))
    within = np.zeros((len(model.ids), basis.shape[1] ** 2))
    composed = composed_draws(model.trained, doc_term, means, seed=seed, num_draws=num_draws, bar=bar)
    for rows, draws in composed:
        shares, expected = model.merge(draws), model.merge(means.predict(rows))
        coefficients += np.einsum("bp,bsk->spk", basis[rows], shares, optimize=True)
        within += _meat(basis[rows], ((shares - expected[:, None]) ** 2).mean(axis=1))
    shape = len(model.ids), basis.shape[1], basis.shape[1]
    return Effects(design, model.ids, coefficients, within.reshape(shape))


def _meat(basis: FloatArray, squares: FloatArray) -> FloatArray:
    """Σ_d q_d q_dᵀ e_d² / (1 − h_d), (K, p²), with the leverage h_d = |q_d|².

    The residuals e use the coefficients from the last round of draws, which differ from the final ones by
    less than the error estimated here. A document that determines a coefficient alone, h_d = 1, has no
    information about its variance.
    """
    leverage = (basis**2).sum(axis=1)
    total = 0.0
    for first in range(0, len(basis), _ROWS_AT_A_TIME):
        part = slice(first, first + _ROWS_AT_A_TIME)
        free = np.maximum(1 - leverage[part], _FULL_LEVERAGE)
        products = np.einsum("bp,bq->bpq", basis[part], basis[part]).reshape(len(free), -1)
        total = total + (squares[part] / free[:, None]).T @ products
    return np.asarray(total)


class _LinearMean:
    """Mean model: θ is linear in the covariates."""

    def __init__(self, basis: FloatArray, num_topics: int) -> None:
        self._basis = basis
        self._coefficients = np.zeros((basis.shape[1], num_topics))

    def fit(self, shares: Iterator[tuple[Rows, FloatArray]]) -> None:
        coefficients = np.zeros_like(self._coefficients)
        for rows, theta in shares:
            coefficients += self._basis[rows].T @ theta
        self._coefficients = coefficients

    def predict(self, rows: Rows) -> FloatArray:
        return np.asarray(self._basis[rows] @ self._coefficients)
