"""A topic model that another tool trained, as plain arrays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.errors import CorpusError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lda_app.corpus.vocabulary import Vocabulary

    FloatArray = npt.NDArray[np.float64]

DEFAULT_ALPHA = 0.1
"""Each component of α if neither the model nor the user gives it."""

_CERTAIN = 1e-3  # shares of a document sum to 1 but for rounding in a text file
_WHOLE = 0.99  # what the probabilities of a topic's words sum to at least, where all of them are listed


@dataclass(frozen=True, eq=False)
class DocTopics:
    """Topic proportions of documents, as another tool inferred them.

    Parameters
    ----------
    theta
        (D, K), each row on the simplex.
    document_ids
        D ids, by which documents are found again; None where they are known by their order alone.
    """

    theta: FloatArray
    document_ids: tuple[str, ...] | None = None

    @classmethod
    def of(cls, shares: Any, document_ids: Sequence[object] | None = None, *, name: str) -> DocTopics:
        """Check shares (D, K) and let each row sum to 1.

        Raises
        ------
        CorpusError
            If a share is negative or not finite, a row is empty, or the ids do not fit.

        Examples
        --------
        >>> DocTopics.of([[3, 1]], ["a"], name="theta.csv").theta.tolist()
        [[0.75, 0.25]]
        """
        theta = rows_on_simplex(shares, f"{name}: document", "topic")
        sums = np.asarray(shares, dtype=np.float64).sum(axis=1)
        if unsure := int((np.abs(sums - 1) > _CERTAIN).sum()):
            log.warning("%s: the shares of %d documents do not sum to 1 and were rescaled", name, unsure)
        ids = None if document_ids is None else tuple(map(str, document_ids))
        if ids is not None and len(ids) != len(theta):
            raise CorpusError(f"{name}: {len(ids)} document IDs for {len(theta)} rows of shares")
        if ids is not None and len(set(ids)) != len(ids):
            twice = Counter(ids).most_common(1)[0][0]
            raise CorpusError(f"{name}: the document ID {twice!r} occurs twice; IDs must be unique")
        return cls(theta, ids)


@dataclass(frozen=True, eq=False)
class ImportedModel:
    """A topic model of another tool; make one by :meth:`of`.

    Parameters
    ----------
    name
        What it is called in messages and tables.
    alpha
        (K,) concentration of the prior of θ, positive.
    beta
        (K, V) topic-word probabilities, each row on the simplex.
    vocabulary
        The V words.
    doc_topics
        Topic proportions of documents, where the model came with some.
    alpha_is_known
        Whether α is the model's own, not :data:`DEFAULT_ALPHA`.
    """

    name: str
    alpha: FloatArray
    beta: FloatArray
    vocabulary: Vocabulary
    doc_topics: DocTopics | None = None
    alpha_is_known: bool = True

    @classmethod
    def of(
        cls,
        name: str,
        weights: Any,
        words: Sequence[object],
        *,
        alpha: Any = None,
        doc_topics: DocTopics | None = None,
    ) -> ImportedModel:
        """Check what another tool holds.

        Parameters
        ----------
        name
            What the model is called.
        weights
            (K, V) probabilities or counts, smoothed or not; rows are scaled to sum to 1.
        words
            The V words.
        alpha
            (K,), or one number for all topics; None where the tool does not say.
        doc_topics
            Topic proportions that came with it.

        Raises
        ------
        CorpusError
            If an entry is negative or not finite, a topic has no word, the shapes disagree, or a word is
            blank or occurs twice.

        Examples
        --------
        >>> model = ImportedModel.of("mine", [[3, 1, 0], [0, 0, 5]], ["moon", "orbit", "goal"])
        >>> model.beta.tolist(), model.alpha.tolist(), model.alpha_is_known
        ([[0.75, 0.25, 0.0], [0.0, 0.0, 1.0]], [0.1, 0.1], False)
        """
        beta = rows_on_simplex(weights, f"{name}: topic", "word")
        _warn_of_truncation(np.asarray(weights, dtype=np.float64), name)
        num_topics, num_words = beta.shape
        vocabulary = _vocabulary(words, name)
        if len(vocabulary) != num_words:
            raise CorpusError(
                f"{name}: the topics have {num_words} columns, but there are {len(vocabulary)} words"
            )
        if doc_topics is not None and doc_topics.theta.shape[1] != num_topics:
            raise CorpusError(
                f"{name}: {num_topics} topics, but the documents have shares for {doc_topics.theta.shape[1]}"
            )
        return cls(name, _alpha(alpha, num_topics, name), beta, vocabulary, doc_topics, alpha is not None)

    @property
    def num_topics(self) -> int:
        """K."""
        return len(self.beta)

    def with_alpha(self, alpha: Any) -> ImportedModel:
        """Return the model with another α: (K,), or one number for all topics.

        Raises
        ------
        CorpusError
            If it is not positive, or of another length.
        """
        return replace(self, alpha=_alpha(alpha, self.num_topics, self.name), alpha_is_known=True)


def rows_on_simplex(weights: Any, row_name: str, column_name: str) -> FloatArray:
    """Scale the rows of a matrix to sum to 1.

    Raises
    ------
    CorpusError
        Naming the first entry that is no weight, or the first row without any.

    Examples
    --------
    >>> rows_on_simplex([[1, 3]], "topics.csv: topic", "word").tolist()
    [[0.25, 0.75]]
    """
    values = np.asarray(weights, dtype=np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise CorpusError(f"{row_name}s: expected a matrix with rows and columns, got shape {values.shape}")
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        row, column = (int(place) for place in np.argwhere(bad)[0])
        raise CorpusError(
            f"{row_name} {row}, {column_name} {column}: {values[row, column]:g} is not a probability or "
            "count; values must be finite and not negative"
        )
    sums = values.sum(axis=1, keepdims=True)
    if not sums.all():
        raise CorpusError(f"{row_name} {int(np.argmin(sums))} is empty: all of its {column_name}s are 0")
    return np.asarray(values / sums)


def _warn_of_truncation(weights: FloatArray, name: str) -> None:
    """Say so where probabilities of some words stand for a topic: a perplexity would be too good."""
    least = float(weights.sum(axis=1).min())
    if weights.max() <= 1 and least < _WHOLE:
        log.warning(
            "%s: the probabilities of a topic sum to only %.2f, so some words may be missing; they were "
            "rescaled to 1, and perplexities cannot be compared with those of complete topics",
            name,
            least,
        )


def _vocabulary(words: Sequence[object], name: str) -> Vocabulary:
    from lda_app.corpus.vocabulary import Vocabulary

    try:
        return Vocabulary(tuple(map(str, words)))
    except CorpusError as error:
        raise CorpusError(f"{name}: {error}") from None


def _alpha(alpha: Any, num_topics: int, name: str) -> FloatArray:
    values = np.asarray(DEFAULT_ALPHA if alpha is None else alpha, dtype=np.float64)
    if values.ndim == 0:
        values = np.full(num_topics, values)
    if values.shape != (num_topics,):
        raise CorpusError(f"{name}: {values.size} values of alpha for {num_topics} topics")
    if not (np.isfinite(values) & (values > 0)).all():
        raise CorpusError(
            f"{name}: alpha must be positive and finite, got {values.min():g} … {values.max():g}"
        )
    return values
