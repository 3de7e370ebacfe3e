"""The mean share of each topic in each group of documents, with intervals, and differences between groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lda_app.uncertainty.composition import NUM_DRAWS, Estimate, composed_draws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.models.lda import LDA
    from lda_app.runtime import Progress
    from lda_app.uncertainty.composition import FloatArray, Rows
    from lda_app.uncertainty.covariates import Groups

    Merge = Callable[[npt.NDArray[np.floating[Any]]], npt.NDArray[np.floating[Any]]]

FEW_DOCUMENTS = 30
"""A group of fewer documents is flagged: whatever the interval, it rests on little."""


@dataclass(frozen=True, eq=False)
class GroupDraws:
    """Sums over the documents of each group, from which means of any union of groups are made.

    Parameters
    ----------
    sizes
        (G,) documents of each group.
    sums
        (S, G, K) Σ_d θ_d for each draw.
    squares
        (G, K) Σ_d θ_d², the mean over draws.
    """

    sizes: npt.NDArray[np.int64]
    sums: FloatArray
    squares: FloatArray

    def mean(self, groups: Sequence[int]) -> Estimate:
        """Estimate the mean share of each topic over the documents of some groups.

        Its sampling variance is that of the mean of n independent documents, the variance of θ over n.

        Parameters
        ----------
        groups
            Numbers of groups. Of a single document nothing can be said of how documents vary: the variance is
            NaN.

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


def group_draws(
    lda: LDA,
    doc_term: DocTermMatrix,
    groups: npt.NDArray[np.int64],
    *,
    seed: int = 0,
    num_draws: int = NUM_DRAWS,
    merge: Merge | None = None,
    bar: Progress | None = None,
) -> GroupDraws:
    """Draw θ of all documents, and add it up by group. Memory does not grow with the number of documents.

    Parameters
    ----------
    lda
        The model.
    doc_term
        Counts (D, V).
    groups
        (D,) the group of each document, 0 … G − 1, none of them empty.
    seed
        Of the draws.
    num_draws
        S.
    merge
        Turns shares (…, K) of the model's topics into those of the topics that are asked about, (…, G).
    bar
        See :func:`lda_app.uncertainty.composition.composed_draws`.
    """
    sizes = np.bincount(groups)
    model = _MeanOfGroup(groups, (len(sizes), lda.topics.num_topics))
    num_shown = (
        lda.topics.num_topics if merge is None else merge(np.zeros((1, lda.topics.num_topics))).shape[1]
    )
    sums, squares = np.zeros((len(sizes), num_draws, num_shown)), np.zeros((len(sizes), num_shown))
    for rows, draws in composed_draws(lda, doc_term, model, seed=seed, num_draws=num_draws, bar=bar):
        shares = draws if merge is None else np.asarray(merge(draws), dtype=np.float64)
        _add_by_group(sums, groups[rows], shares)
        _add_by_group(squares, groups[rows], (shares**2).mean(axis=1))
    return GroupDraws(sizes, sums.transpose(1, 0, 2), squares)


class _MeanOfGroup:
    """The mean of θ depends on a document's group alone."""

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
    """How prevalent topics are in groups of documents, as tables.

    Parameters
    ----------
    groups
        The G groups.
    draws
        Of those groups.
    topics
        Id of each of the K topics that ``draws`` has.
    """

    groups: Groups
    draws: GroupDraws
    topics: Sequence[int]

    def table(self, level: float) -> pd.DataFrame:
        """Return a row for each topic and group: its mean share with standard error and interval.

        Columns: ``topic``, ``group`` (its values joined by ``/``), ``documents``, ``few_documents`` (whether
        fewer than 30), ``share``, ``standard_error``, ``lower``, ``upper``; the last three are NaN
        where a group has a single document.
        """
        parts = []
        for group, name in enumerate(self.groups.names):
            size = int(self.draws.sizes[group])
            estimate = self.draws.mean([group])
            figures = _figures(self.topics, "share", estimate, estimate.share_interval(level))
            figures.insert(1, "group", name)
            figures.insert(2, "documents", size)
            figures.insert(3, "few_documents", size < FEW_DOCUMENTS)
            parts.append(figures)
        return pd.concat(parts).sort_values("topic", kind="stable", ignore_index=True)

    def overall(self) -> FloatArray:
        """Mean share of each topic over the documents of all groups, (K,)."""
        return self.draws.mean(range(len(self.groups.values))).value

    def difference(self, group: int, other: int | None, level: float) -> pd.DataFrame:
        """Return a row for each topic: its share in a group minus that in another.

        Parameters
        ----------
        group, other
            Numbers of groups; None is all others than ``group``, their documents taken together.
        level
            Of the interval.

        Returns
        -------
        pandas.DataFrame
            Columns ``topic``, ``difference``, ``standard_error``, ``lower``, ``upper`` and
            ``probability_positive``.
        """
        others = [g for g in range(len(self.groups.values)) if g != group] if other is None else [other]
        estimate = self.draws.mean([group]).minus(self.draws.mean(others))
        figures = _figures(self.topics, "difference", estimate, estimate.interval(level))
        return figures.assign(probability_positive=estimate.probability_positive())


def _figures(
    topics: Sequence[int], name: str, estimate: Estimate, ends: tuple[FloatArray, FloatArray]
) -> pd.DataFrame:
    columns = {"topic": topics, name: estimate.value, "standard_error": estimate.standard_error}
    return pd.DataFrame(columns | dict(zip(("lower", "upper"), ends, strict=True)))
