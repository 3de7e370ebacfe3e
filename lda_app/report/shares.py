"""What is averaged over documents for the report: prevalence of the topics, over all and by groups.

A topic's prevalence is its mean share, each document weighing the same. Its interval takes the documents as a
sample: with m_d the posterior mean of a document's share and v_d its posterior variance, the mean's standard
error is √(Σ_d (m_d − m)² + Σ_d v_d) / D, for the variance of shares is the variance of their means and the
mean of their variances.
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
"""Of the report's intervals but those of a document's shares."""
QUANTILE = float(norm.ppf((1 + CONFIDENCE) / 2))
"""Standard errors from a mean to the end of its interval."""


@dataclass(frozen=True, eq=False)
class GroupMeans:
    """Mean share of each topic in each group of documents.

    Parameters
    ----------
    num_documents
        (G,) documents of a group.
    mean
        (G, K); 0 for a group without documents.
    standard_error
        (G, K) of the mean; 0 for a group without documents.
    """

    num_documents: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    standard_error: npt.NDArray[np.float64]

    def interval(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Lower and upper end (G, K) of each mean, by the normal distribution, within 0 and 1."""
        half = QUANTILE * self.standard_error
        return np.clip(self.mean - half, 0, 1), np.clip(self.mean + half, 0, 1)


class _Covariance:
    """Sums over documents from which the covariance of the topics' means comes."""

    def __init__(self, num_topics: int) -> None:
        self._number = 0
        self._first = np.zeros(num_topics)
        self._second = np.zeros((num_topics, num_topics))

    def add(self, documents: Posteriors) -> None:
        """Add some documents.

        With a document's mean m and sum A of its concentration, E[θθᵀ] = mmᵀ A / (A + 1) + diag(m) / (A + 1).
        """
        _, mean, total = documents
        self._number += len(mean)
        self._first += mean.sum(axis=0)
        self._second += (mean * (total / (total + 1))).T @ mean
        self._second += np.diag((mean / (total + 1)).sum(axis=0))

    def of_means(self) -> npt.NDArray[np.float64]:
        """Return the covariance (K, K)."""
        mean = self._first / self._number
        return np.asarray((self._second - self._number * np.outer(mean, mean)) / self._number**2)


@dataclass(frozen=True, eq=False)
class MeanShares:
    """What was averaged over documents.

    Parameters
    ----------
    everywhere
        A single group of all documents that have a token.
    covariance
        (K, K) of the means in it, by which topics that are shown as one get their interval.
    token_shares
        (K,) the topics' mean shares weighted by the documents' tokens.
    groups
        For each grouping its groups.
    """

    everywhere: GroupMeans
    covariance: npt.NDArray[np.float64]
    token_shares: npt.NDArray[np.float64]
    groups: dict[str, GroupMeans]


class _Sums:
    """Sums over the documents of each group, from which means come."""

    def __init__(self, codes: npt.NDArray[np.int64], num_topics: int) -> None:
        self._codes = codes
        self._size = int(codes.max(initial=-1)) + 1
        self._number = np.zeros(self._size, dtype=np.int64)
        self._first, self._second = np.zeros((2, self._size, num_topics))

    def add(self, documents: Posteriors) -> None:
        """Add some documents."""
        codes = self._codes[documents.rows]
        known = np.flatnonzero(codes >= 0)
        places = codes[known], known
        member = sparse.csr_array((np.ones(len(known)), places), shape=(self._size, len(codes)))
        self._number += np.bincount(codes[known], minlength=self._size)
        self._first += np.asarray(member @ documents.mean)
        self._second += np.asarray(member @ (documents.mean**2 + documents.variance))

    def means(self) -> GroupMeans:
        """Divide the sums."""
        number = np.maximum(self._number, 1)[:, None]
        mean = self._first / number
        spread = np.clip(self._second - number * mean**2, 0, None)
        return GroupMeans(self._number, mean, np.sqrt(spread) / number)


class _Averages:
    """Averages of shares over all documents and over groups of them."""

    def __init__(
        self, lengths: npt.NDArray[np.int64], num_topics: int, groupings: Mapping[str, npt.NDArray[np.int64]]
    ) -> None:
        self._lengths = lengths
        self._everywhere = _Sums(np.zeros(len(lengths), dtype=np.int64), num_topics)
        self._groups = {name: _Sums(codes, num_topics) for name, codes in groupings.items()}
        self._covariance, self._by_token = _Covariance(num_topics), np.zeros(num_topics)

    def add(self, documents: Posteriors) -> None:
        """Add some documents."""
        self._by_token += self._lengths[documents.rows] @ documents.mean
        self._covariance.add(documents)
        for sums in (self._everywhere, *self._groups.values()):
            sums.add(documents)

    def result(self) -> MeanShares:
        """Divide the sums."""
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
    """Average topic shares over all documents that have a token, and over groups of them.

    Memory does not grow with the corpus, but by the codes. However many views of the topics there are,
    documents are inferred once.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Gives the concentration (D, K) of q(θ|w) for counts, of the topics as they were trained.
    views
        How these topics are labelled: the averages of each view are of its own topics.
    groupings
        Name → (D,) the number of each document's group, −1 for none.

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
