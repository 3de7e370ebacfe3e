"""Describe topics: top words, prevalence and representative documents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import xlogy

from lda_app.system.runtime import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.inference import FloatArray, Infer
    from lda_app.fitted.model import LabelledModel
    from lda_app.system.runtime import Progress

    IntArray = npt.NDArray[np.integer[Any]]

_BLOCK = 8192  # documents per block in memory


@dataclass(frozen=True)
class TopicWord:
    """A word of a topic and its probability in it."""

    word: str
    probability: float


@dataclass(frozen=True)
class TopicDocument:
    """A document and its share of the topic; ``row`` is its row in the split."""

    row: int
    share: float


@dataclass(frozen=True)
class Topic:
    """Description of a topic.

    Parameters
    ----------
    id
        Topic number in the model, 0 … K − 1, regardless of the order in which topics are listed.
    words
        Top words, most probable first.
    prevalence
        Mean share over documents, equally weighted; None without a corpus.
    coherence
        Coherence score; None if not measured.
    documents
        Representative documents: those with the largest share of the topic.
    label
        The analyst's name for the topic.
    members
        Topics of the model that this one consists of.
    """

    id: int
    words: tuple[TopicWord, ...]
    prevalence: float | None = None
    coherence: float | None = None
    documents: tuple[TopicDocument, ...] = ()
    label: str | None = None
    members: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Usage:
    """How a corpus uses the topics.

    Parameters
    ----------
    prevalence
        (K,) mean share of each topic over the documents that have a token.
    rows, shares
        (K, N) row numbers of the documents with the largest shares of each topic, and those shares.
    num_documents, num_tokens
        Documents averaged over, and their tokens.
    theta_log_theta
        (K,) mean of θ log θ for each topic, a measure of how unevenly it is spread over documents.
    """

    prevalence: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]
    num_documents: int
    num_tokens: int
    theta_log_theta: npt.NDArray[np.float64]

    def representative(self, topic: int) -> tuple[TopicDocument, ...]:
        """Return the documents with the largest shares of a topic, in descending order."""
        return tuple(map(TopicDocument, self.rows[topic].tolist(), self.shares[topic].tolist()))


def top_words(beta: FloatArray, num_words: int) -> npt.NDArray[np.int64]:
    """Most probable words of each topic.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    num_words
        N, number of words per topic; capped at the size of the vocabulary.

    Returns
    -------
    numpy.ndarray
        (K, min(N, V)) word ids, most probable first; ties go to the lower id.

    Examples
    --------
    >>> top_words(np.array([[0.1, 0.6, 0.3], [0.4, 0.2, 0.4]]), 2).tolist()
    [[1, 2], [0, 2]]
    """
    return top_columns(np.asarray(beta), min(num_words, beta.shape[1]))


def usage(doc_term: DocTermMatrix, infer: Infer, num_documents: int = 3) -> Usage:
    """Infer topic proportions, average them, and find representative documents.

    Documents without tokens are excluded. Memory use does not grow with the corpus.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    num_documents
        N, maximum number of representative documents per topic.

    Raises
    ------
    ValueError
        If no document has a token.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> documents = DocTermMatrix.from_scipy([[3, 0], [0, 0], [1, 1]])
    >>> found = usage(documents, lambda block: 1.0 + block.to_scipy().toarray(), num_documents=1)
    >>> found.prevalence.round(3).tolist(), found.rows.tolist()
    ([0.65, 0.35], [[0], [2]])
    """
    filled = doc_term.filled()
    if not len(filled):
        raise ValueError("prevalence needs at least one document with a word in the vocabulary")
    total, logs = np.zeros(()), np.zeros(())
    rows, shares = np.empty((0, 0), dtype=np.int64), np.empty((0, 0))
    for block in posteriors(doc_term, infer, filled):
        theta = block.mean
        total, logs = total + theta.sum(axis=0), logs + xlogy(theta, theta).sum(axis=0)
        rows, shares = _keep_largest(rows, shares, block.rows, theta.T, num_documents)
    means = total / len(filled), logs / len(filled)
    return Usage(means[0], rows, shares, len(filled), doc_term.num_tokens, means[1])


def leading_words(beta: FloatArray, words: Sequence[str], num_words: int) -> list[list[str]]:
    """Return the top words of each topic, most probable first, each safe to print on one line.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    words
        The vocabulary, V words.
    num_words
        N, number of words per topic.

    Examples
    --------
    >>> leading_words(np.array([[0.2, 0.8], [0.9, 0.1]]), ["moon", "engine"], 1)
    [['engine'], ['moon']]
    """
    return [[one_line(words[word]) for word in top] for top in top_words(beta, num_words).tolist()]


def topic_proportions(concentration: FloatArray) -> FloatArray:
    """Posterior mean of θ, (D, K): the topic shares of each document.

    Examples
    --------
    >>> topic_proportions(np.array([[3.0, 1.0]], dtype=np.float32)).tolist()
    [[0.75, 0.25]]
    """
    return np.asarray(concentration / concentration.sum(axis=1, keepdims=True))


class Posteriors(NamedTuple):
    """Dirichlet posteriors q(θ|w) of a block of documents.

    Parameters
    ----------
    rows
        (B,) row numbers of the documents.
    mean
        (B, K) posterior mean shares, float64.
    total
        (B, 1) total concentration; higher means less uncertainty.
    """

    rows: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    total: npt.NDArray[np.float64]

    @property
    def variance(self) -> npt.NDArray[np.float64]:
        """Posterior variance of the shares, (B, K)."""
        return np.asarray(self.mean * (1 - self.mean) / (1 + self.total))


def posteriors(doc_term: DocTermMatrix, infer: Infer, rows: npt.NDArray[np.int64]) -> Iterator[Posteriors]:
    """Infer documents in blocks, so that memory use does not grow with their number.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    rows
        (N,) row numbers of the documents.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> documents = DocTermMatrix.from_scipy([[3, 0], [0, 0], [1, 1]])
    >>> infer = lambda block: 1.0 + block.to_scipy().toarray()
    >>> (found,) = posteriors(documents, infer, documents.filled())
    >>> found.rows.tolist(), found.mean.tolist(), found.variance.round(3).tolist()
    ([0, 2], [[0.8, 0.2], [0.5, 0.5]], [[0.027, 0.027], [0.05, 0.05]])
    """
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        concentration = np.asarray(infer(doc_term.rows(block)), dtype=np.float64)
        total = concentration.sum(axis=1, keepdims=True)
        yield Posteriors(block, concentration / total, total)


def watched(infer: Infer, bar: Progress) -> Infer:
    """Wrap an inference function so that it advances a progress bar.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> from lda_app.system.runtime import Progress
    >>> bar = Progress("Inferring topics", total=2, unit="documents")
    >>> _ = watched(lambda block: np.ones((2, 3)), bar)(DocTermMatrix.from_scipy([[1], [2]]))
    >>> bar.count
    2
    """

    def inferred(block: DocTermMatrix) -> FloatArray:
        concentration = infer(block)
        bar.advance(block.num_documents)
        return concentration

    return inferred


def describe(
    beta: FloatArray,
    words: Sequence[str],
    num_words: int = 10,
    *,
    used: Usage | None = None,
    coherence: FloatArray | None = None,
) -> list[Topic]:
    """Describe each topic, most prevalent first (in model order without a corpus).

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    words
        The vocabulary, V words.
    num_words
        Number of top words per topic.
    used
        How a corpus uses the topics, from :func:`usage`.
    coherence
        (K,) coherence of each topic.

    Examples
    --------
    >>> topics = describe(np.array([[0.2, 0.8], [0.9, 0.1]]), ["moon", "engine"], num_words=1)
    >>> [(topic.id, topic.words[0].word) for topic in topics]
    [(0, 'engine'), (1, 'moon')]
    """
    topics = [
        Topic(
            k,
            words=tuple(TopicWord(words[w], float(beta[k, w])) for w in top),
            prevalence=None if used is None else float(used.prevalence[k]),
            coherence=None if coherence is None else float(coherence[k]),
            documents=() if used is None else used.representative(k),
        )
        for k, top in enumerate(top_words(beta, num_words).tolist())
    ]
    return sorted(topics, key=lambda topic: -(topic.prevalence or 0))


def describe_shown(model: LabelledModel, num_words: int = 10, **measured: Any) -> list[Topic]:
    """Describe the visible topics of a model, with their numbers and names.

    Parameters
    ----------
    model
        The model.
    num_words
        Number of top words per topic.
    **measured
        ``used`` and ``coherence``, passed to :func:`describe`.

    Examples
    --------
    >>> from lda_app.corpus.vocabulary import Vocabulary
    >>> from lda_app.fitted.labels import Labels
    >>> from lda_app.fitted.model import MeanFieldModel
    >>> model = MeanFieldModel(np.ones(3), np.eye(3), Vocabulary(("moon", "engine", "orbit")))
    >>> labelled = model.labelled(Labels(3).merged(2, [0]).named(2, "space").hidden([1]))
    >>> [(topic.id, topic.label, topic.words[0].word) for topic in describe_shown(labelled, num_words=1)]
    [(2, 'space', 'moon')]
    """
    described = describe(model.beta, model.vocabulary.words, num_words, **measured)
    columns, labels = set(model.columns), model.labels
    return [
        replace(topic, id=k, label=labels.name(k), members=labels.members(k))
        for topic in described
        if topic.id in columns
        for k in [model.ids[topic.id]]
    ]


def top_columns(values: FloatArray, number: int) -> npt.NDArray[np.int64]:
    """Return the columns of the largest values of each row.

    Ties go to the first column; with a partition or an unstable sort, they would depend on the processor.

    Parameters
    ----------
    values
        (R, C).
    number
        Number of columns to return, 1 to C.

    Returns
    -------
    array
        (R, number) columns, in descending order of value.

    Examples
    --------
    >>> top_columns(np.array([[0.2, 0.5, 0.2, 0.2]]), 3).tolist()
    [[1, 0, 2]]
    """
    threshold = -np.partition(-values, number - 1, axis=1)[:, number - 1 : number]
    chosen = np.empty((len(values), number), dtype=np.int64)
    for row, (value, least) in enumerate(zip(values, threshold, strict=True)):
        candidates = np.flatnonzero(value >= least)
        chosen[row] = candidates[np.argsort(-value[candidates], kind="stable")[:number]]
    return chosen


def _keep_largest(
    rows: IntArray, shares: FloatArray, block: IntArray, block_shares: FloatArray, number: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Merge the representative documents so far, (K, n), with those of a new block, (K, B)."""
    num_topics = len(block_shares)
    all_rows = np.hstack([rows.reshape(num_topics, -1), np.tile(block, (num_topics, 1))])
    all_shares = np.hstack([shares.reshape(num_topics, -1), block_shares])
    if number == 0:
        return all_rows[:, :0], all_shares[:, :0]
    best = top_columns(all_shares, min(number, all_shares.shape[1]))
    return np.take_along_axis(all_rows, best, axis=1), np.take_along_axis(all_shares, best, axis=1)
