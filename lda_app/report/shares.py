"""Topic prevalence for the report: averages over all documents and by group.

A topic's prevalence is its mean share, with equal weight for each document. Its interval treats the documents
as a sample: with m_d the posterior mean of a document's share and v_d its posterior variance, the standard
error of the mean is √(Σ_d (m_d − m)² + Σ_d v_d) / D, by the law of total variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.stats import norm

from lda_app.fitted.topics import posteriors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.inference import Infer
    from lda_app.fitted.model import LabelledModel
    from lda_app.fitted.topics import Posteriors

CONFIDENCE = 0.95
"""Confidence level of the report's intervals, except those of a document's shares."""
QUANTILE = float(norm.ppf((1 + CONFIDENCE) / 2))
"""Half-width of an interval, in standard errors."""


@dataclass(frozen=True, eq=False)
class GroupMeans:
    """Mean share of each topic in each group of documents.

    Parameters
    ----------
    num_documents
        (G,) number of documents in each group.
    mean
        (G, K) mean shares; 0 for a group without documents.
    standard_error
        (G, K) standard errors of the means; 0 for a group without documents.
    """

    num_documents: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    standard_error: npt.NDArray[np.float64]

    def interval(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the lower and upper ends (G, K) of normal intervals, clipped to 0 and 1."""
        half = QUANTILE * self.standard_error
        return np.clip(self.mean - half, 0, 1), np.clip(self.mean + half, 0, 1)


class _Covariance:
    """Running sums for the covariance of the topics' mean shares."""

    def __init__(self, num_topics: int) -> None:
        self._number = 0
        self._first = np.zeros(num_topics)
        self._second = np.zeros((num_topics, num_topics))

    def add(self, documents: Posteriors) -> None:
        """Add documents.

        For a document with mean m and total concentration A, E[θθᵀ] = mmᵀ A / (A + 1) + diag(m) / (A + 1).
        """
        _, mean, total = documents
        self._number += len(mean)
        self._first += mean.sum(axis=0)
        self._second += (mean * (total / (total + 1))).T @ mean
        self._second += np.diag((mean / (total + 1)).sum(axis=0))

    def of_means(self) -> npt.NDArray[np.float64]:
        """Return the covariance (K, K) of the means."""
        mean = self._first / self._number
        return np.asarray((self._second - self._number * np.outer(mean, mean)) / self._number**2)


@dataclass(frozen=True, eq=False)
class MeanShares:
    """Averages over documents.

    Parameters
    ----------
    everywhere
        All documents that have a token, as a single group.
    covariance
        (K, K) covariance of the means in it, used for the intervals of merged topics.
    token_shares
        (K,) mean topic shares, weighted by tokens per document.
    groups
        Grouping name → means of its groups.
    """

    everywhere: GroupMeans
    covariance: npt.NDArray[np.float64]
    token_shares: npt.NDArray[np.float64]
    groups: dict[str, GroupMeans]


class _Sums:
    """Running sums over the documents of each group."""

    def __init__(self, codes: npt.NDArray[np.int64], num_topics: int) -> None:
        self._codes = codes
        self._size = int(codes.max(initial=-1)) + 1
        self._number = np.zeros(self._size, dtype=np.int64)
        self._first, self._second = np.zeros((2, self._size, num_topics))

    def add(self, documents: Posteriors) -> None:
        """Add documents."""
        codes = self._codes[documents.rows]
        known = np.flatnonzero(codes >= 0)
        places = codes[known], known
        member = sparse.csr_array((np.ones(len(known)), places), shape=(self._size, len(codes)))
        self._number += np.bincount(codes[known], minlength=self._size)
        self._first += np.asarray(member @ documents.mean)
        self._second += np.asarray(member @ (documents.mean**2 + documents.variance))

    def means(self) -> GroupMeans:
        """Return the averages."""
        number = np.maximum(self._number, 1)[:, None]
        mean = self._first / number
        spread = np.clip(self._second - number * mean**2, 0, None)
        return GroupMeans(self._number, mean, np.sqrt(spread) / number)


class _Averages:
    """Running averages of shares over all documents and by group."""

    def __init__(
        self, lengths: npt.NDArray[np.int64], num_topics: int, groupings: Mapping[str, npt.NDArray[np.int64]]
    ) -> None:
        self._lengths = lengths
        self._everywhere = _Sums(np.zeros(len(lengths), dtype=np.int64), num_topics)
        self._groups = {name: _Sums(codes, num_topics) for name, codes in groupings.items()}
        self._covariance, self._by_token = _Covariance(num_topics), np.zeros(num_topics)

    def add(self, documents: Posteriors) -> None:
        """Add documents."""
        self._by_token += self._lengths[documents.rows] @ documents.mean
        self._covariance.add(documents)
        for sums in (self._everywhere, *self._groups.values()):
            sums.add(documents)

    def result(self) -> MeanShares:
        """Return the averages."""
        return MeanShares(
            self._everywhere.means(),
            self._covariance.of_means(),
            self._by_token / self._by_token.sum(),
            {name: sums.means() for name, sums in self._groups.items()},
        )


def mean_shares(
    doc_term: DocTermMatrix,
    infer: Infer,
    views: Sequence[LabelledModel],
    groupings: Mapping[str, npt.NDArray[np.int64]],
) -> list[MeanShares]:
    """Average topic shares over all documents that have a token, and by group.

    Apart from the group codes, memory does not grow with the corpus. Each document is inferred once, however
    many views there are.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Maps counts to the concentration (D, K) of q(θ|w), for the topics as trained.
    views
        Labelled views of these topics; each gets its own averages.
    groupings
        Name → (D,) group of each document, −1 for none.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> from lda_app.corpus.vocabulary import Vocabulary
    >>> from lda_app.fitted.labels import Labels
    >>> from lda_app.fitted.model import MeanFieldModel
    >>> documents = DocTermMatrix.from_scipy([[9, 0], [0, 0], [0, 1]])
    >>> model = MeanFieldModel(np.full(2, 1e-3), np.eye(2), Vocabulary(("moon", "goal"))).labelled(Labels(2))
    >>> half = np.array([0, 0, 1])
    >>> (found,) = mean_shares(documents, model.posterior, [model], {"half": half})
    >>> found.everywhere.mean.round(2).tolist(), found.token_shares.round(2).tolist()
    ([[0.5, 0.5]], [0.9, 0.1])
    >>> found.groups["half"].mean.round(2).tolist(), found.groups["half"].num_documents.tolist()
    ([[1.0, 0.0], [0.0, 1.0]], [1, 1])
    """
    lengths = doc_term.lengths()
    averages = [_Averages(lengths, len(view.ids), groupings) for view in views]
    for block in posteriors(doc_term, infer, doc_term.filled()):
        for view, average in zip(views, averages, strict=True):
            average.add(block._replace(mean=view.merge(block.mean)))
    return [average.result() for average in averages]
