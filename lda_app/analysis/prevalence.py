r"""Mean topic shares in groups of documents, with intervals, and differences between groups.

A mean m̄ with variance T (:mod:`lda_app.analysis.composition`) has the effective sample size
:math:`n^* = \bar m (1 - \bar m) / T` (Korn and Graubard 1998): it is as precise as a binomial proportion with
n* trials. It gets the posterior of such a proportion under Jeffreys' prior,
:math:`\mathrm{Beta}(n^* \bar m + \frac12,\ n^* (1 - \bar m) + \frac12)`. This stays within 0 and 1, and works
for topics that are rare in a small group. For those, T is poorly estimated, so 1/n* is shrunk towards its
value over all topics of the group (as Smyth 2004 moderates variances): with
:math:`r_k = T_k / \bar m_k (1 - \bar m_k)` and :math:`r = \sum T_k / \sum \bar m_k (1 - \bar m_k)`,

.. math:: 1/n_k^* = \frac{(\bar m_k / r)\, r_k + 5 r}{\bar m_k / r + 5}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from lda_app.analysis.composition import NUM_DRAWS, Estimate, composed_draws
from lda_app.system.runtime import rng

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lda_app.analysis.composition import FloatArray, Rows
    from lda_app.analysis.covariates import Groups
    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.model import LabelledModel
    from lda_app.system.runtime import Progress

_MODERATION = 5.0  # prior weight of the value over all topics, in documents
_DIFFERENCES = 20_000

FEW_DOCUMENTS = 30
"""Groups with fewer documents are flagged, regardless of the interval."""


@dataclass(frozen=True, eq=False)
class GroupDraws:
    """Sums over the documents of each group, from which the mean of any union of groups follows.

    Parameters
    ----------
    sizes
        (G,) number of documents in each group.
    sums
        (S, G, K) Σ_d θ_d for each draw.
    squares
        (G, K) Σ_d θ_d², averaged over draws.
    """

    sizes: npt.NDArray[np.int64]
    sums: FloatArray
    squares: FloatArray

    def mean(self, groups: Sequence[int]) -> Estimate:
        """Estimate the mean share of each topic over the documents of one or more groups.

        The sampling variance is that of the mean of n independent documents: the variance of θ divided by n.

        Parameters
        ----------
        groups
            Group numbers. For a single document, the variance is NaN because it cannot be estimated.

        Examples
        --------
        >>> sums = np.array([[[0.5, 1.5], [0.1, 0.9]], [[0.7, 1.3], [0.1, 0.9]]])  # 2 draws of 2 groups
        >>> draws = GroupDraws(np.array([2, 1]), sums, np.array([[0.20, 1.0], [0.01, 0.81]]))
        >>> draws.mean([0]).value.round(2).tolist(), draws.mean([0, 1]).value.round(2).tolist()
        ([0.3, 0.7], [0.23, 0.77])
        """
        chosen = list(groups)
        size = int(self.sizes[chosen].sum())
        values = self.sums[:, chosen].sum(axis=1) / size
        spread = self.squares[chosen].sum(axis=0) - size * (values**2).mean(axis=0)
        unknown = np.full_like(spread, np.nan)
        within = np.maximum(spread, 0) / (size - 1) / size if size > 1 else unknown
        return Estimate.pooled(values, within, degrees=size - 1)


@dataclass(frozen=True, eq=False)
class MeanShare:
    """Distribution of each topic's mean share in a group of documents.

    Parameters
    ----------
    value
        (K,) m̄, the mean shares.
    size
        (K,) n*, the effective sample size; NaN if unknown.
    """

    value: FloatArray
    size: FloatArray

    @classmethod
    def of(cls, estimate: Estimate) -> MeanShare:
        """Compute n* for the topics of one group.

        Examples
        --------
        >>> same = Estimate(np.array([0.5, 0.5]), np.array([0.01, 0.01]), np.zeros(2), 99, num_draws=30)
        >>> MeanShare.of(same).size.round(6).tolist()  # 0.5 · 0.5 / 0.01
        [25.0, 25.0]
        """
        value = np.clip(estimate.value, np.finfo(float).tiny, 1 - np.finfo(float).epsneg)
        binomial = value * (1 - value)
        ratio, pooled = estimate.variance / binomial, estimate.variance.sum() / binomial.sum()
        events = value / pooled
        moderated = (events * ratio + _MODERATION * pooled) / (events + _MODERATION)
        return cls(estimate.value, 1 / moderated)

    @property
    def standard_error(self) -> FloatArray:
        """√(m̄ (1 − m̄) / n*), (K,)."""
        return np.sqrt(self.value * (1 - self.value) / self.size)

    def interval(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Equal-tailed interval, (K,) each; always includes the value (Brown, Cai and DasGupta 2001).

        Examples
        --------
        >>> none_of_thirty = MeanShare(np.array([0.0]), np.array([30.0]))
        >>> [end.round(3).tolist() for end in none_of_thirty.interval(0.95)]
        [[0.0], [0.08]]
        """
        tail = (1 - level) / 2
        lower, upper = (np.asarray(betaincinv(*self._parameters, p)) for p in (tail, 1 - tail))
        return np.minimum(lower, self.value), np.maximum(upper, self.value)

    def minus(self, other: MeanShare, level: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Interval for the difference from another group, and the probability that it is positive, (K,) each.

        Computed from 20,000 draws of both, with a fixed seed.

        Examples
        --------
        >>> one, other = (MeanShare(np.array([share]), np.array([100.0])) for share in (0.6, 0.4))
        >>> [figure.round(2).tolist() for figure in one.minus(other, 0.95)]
        [[0.06], [0.33], [1.0]]
        """
        if np.isnan(self.size + other.size).any():
            unknown = np.full_like(self.value, np.nan)
            return unknown, unknown, unknown
        generator = rng(0, "differences")
        shape = _DIFFERENCES, len(self.value)
        difference = generator.beta(*self._parameters, shape) - generator.beta(*other._parameters, shape)
        lower, upper = np.quantile(difference, [(1 - level) / 2, (1 + level) / 2], axis=0)
        value, positive = self.value - other.value, np.asarray((difference > 0).mean(axis=0))
        return np.minimum(lower, value), np.maximum(upper, value), positive

    @property
    def _parameters(self) -> tuple[FloatArray, FloatArray]:
        return self.size * self.value + 0.5, self.size * (1 - self.value) + 0.5


def group_draws(
    model: LabelledModel,
    doc_term: DocTermMatrix,
    groups: npt.NDArray[np.int64],
    *,
    seed: int = 0,
    num_draws: int = NUM_DRAWS,
    bar: Progress | None = None,
) -> GroupDraws:
    """Draw θ of all documents and sum it by group. Memory use does not grow with the number of documents.

    Parameters
    ----------
    model
        The labelled model; merged topics count as one.
    doc_term
        Counts (D, V).
    groups
        (D,) group of each document, 0 … G − 1, with no empty group.
    seed
        Seed for the draws.
    num_draws
        S, number of draws.
    bar
        See :func:`lda_app.analysis.composition.composed_draws`.
    """
    sizes = np.bincount(groups)
    means = _MeanOfGroup(groups, (len(sizes), len(model.trained.alpha)))
    num_topics = len(model.ids)
    sums, squares = np.zeros((len(sizes), num_draws, num_topics)), np.zeros((len(sizes), num_topics))
    composed = composed_draws(model.trained, doc_term, means, seed=seed, num_draws=num_draws, bar=bar)
    for rows, draws in composed:
        shares = model.merge(draws)
        _add_by_group(sums, groups[rows], shares)
        _add_by_group(squares, groups[rows], (shares**2).mean(axis=1))
    return GroupDraws(sizes, sums.transpose(1, 0, 2), squares)


class _MeanOfGroup:
    """Mean model: θ depends only on a document's group."""

    def __init__(self, groups: Rows, shape: tuple[int, int]) -> None:
        self._groups = groups
        self._means = np.zeros(shape)

    def fit(self, shares: Iterator[tuple[Rows, FloatArray]]) -> None:
        sums = np.zeros_like(self._means)
        for rows, theta in shares:
            _add_by_group(sums, self._groups[rows], theta)
        self._means = sums / np.bincount(self._groups)[:, None]

    def predict(self, rows: Rows) -> FloatArray:
        return np.asarray(self._means[self._groups[rows]])


def _add_by_group(totals: FloatArray, groups: Rows, values: FloatArray) -> None:
    """Add each document's values to the total of its group, in place."""
    order = np.argsort(groups, kind="stable")
    found, starts = np.unique(groups[order], return_index=True)
    totals[found] += np.add.reduceat(values[order], starts, axis=0)


@dataclass(frozen=True, eq=False)
class Prevalence:
    """Topic prevalence in groups of documents, as tables.

    Parameters
    ----------
    groups
        The G groups.
    draws
        Draws for those groups.
    topics
        Ids of the K topics in ``draws``.
    """

    groups: Groups
    draws: GroupDraws
    topics: Sequence[int]

    def table(self, level: float) -> pd.DataFrame:
        """Return one row per topic and group: the mean share with standard error and interval.

        Columns: ``topic``, ``group`` (its values joined by ``/``), ``documents``, ``few_documents`` (whether
        fewer than 30), ``share``, ``standard_error``, ``lower``, ``upper``; the last three are NaN
        for a group with a single document.
        """
        parts = []
        for group, name in enumerate(self.groups.names):
            size = int(self.draws.sizes[group])
            mean = MeanShare.of(self.draws.mean([group]))
            figures = _figures(self.topics, "share", mean.value, mean.standard_error, mean.interval(level))
            figures.insert(1, "group", name)
            figures.insert(2, "documents", size)
            figures.insert(3, "few_documents", size < FEW_DOCUMENTS)
            parts.append(figures)
        return pd.concat(parts).sort_values("topic", kind="stable", ignore_index=True)

    def overall(self) -> FloatArray:
        """Mean share of each topic over the documents of all groups, (K,)."""
        return self.draws.mean(range(len(self.groups.values))).value

    def difference(self, group: int, other: int | None, level: float) -> pd.DataFrame:
        """Return one row per topic: its share in one group minus that in another.

        Parameters
        ----------
        group, other
            Group numbers; None means all documents outside ``group``.
        level
            Level of the interval.

        Returns
        -------
        pandas.DataFrame
            Columns ``topic``, ``difference``, ``standard_error``, ``lower``, ``upper`` and
            ``probability_positive``.
        """
        others = [g for g in range(len(self.groups.values)) if g != group] if other is None else [other]
        one, rest = (MeanShare.of(self.draws.mean(chosen)) for chosen in ([group], others))
        error = np.hypot(one.standard_error, rest.standard_error)
        lower, upper, positive = one.minus(rest, level)
        figures = _figures(self.topics, "difference", one.value - rest.value, error, (lower, upper))
        return figures.assign(probability_positive=positive)


def _figures(
    topics: Sequence[int],
    name: str,
    value: FloatArray,
    standard_error: FloatArray,
    ends: tuple[FloatArray, FloatArray],
) -> pd.DataFrame:
    columns = {"topic": topics, name: value, "standard_error": standard_error}
    return pd.DataFrame(columns | dict(zip(("lower", "upper"), ends, strict=True)))
