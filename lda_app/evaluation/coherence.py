"""Coherence of topics: how far their top words occur together in the documents of a reference corpus.

For each pair of a topic's top words, the normalized pointwise mutual information of their document
frequencies (Bouma 2009), with the smoothing of Röder, Both and Hinneburg (2015), ε = 1e-12:

    NPMI(v, w) = log((p(v, w) + ε) / (p(v) p(w))) / −log(p(v, w) + ε)

Probabilities are shares of the documents that have a word at all. A topic's coherence is the mean over its
pairs. Three cases need a definition:

- two words that never occur together: ε alone is left, which gives from −0.3 (rare words) to −0.9 (frequent);
- a word that never occurs in the reference: −1, the lowest score, for its pairs; such words are counted;
- two words in every document: 0, for they tell nothing of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix

    IntArray = npt.NDArray[np.integer[Any]]

EPSILON = 1e-12


@dataclass(frozen=True, eq=False)
class Coherence:
    """Coherence of each topic in one reference corpus.

    Parameters
    ----------
    protocol
        Name of the measure.
    reference
        Name of the split in which the words were looked up.
    per_topic
        (K,) scores from −1 to 1; higher is better.
    num_top_words
        Words of a topic that were paired.
    num_documents, num_tokens
        Size of the reference.
    unseen_words
        (K,) top words of a topic that never occur in the reference.
    """

    protocol: str
    reference: str
    per_topic: npt.NDArray[np.float64]
    num_top_words: int
    num_documents: int
    num_tokens: int
    unseen_words: npt.NDArray[np.int64]

    @property
    def mean(self) -> float:
        """Mean over topics."""
        return float(self.per_topic.mean())


def document_npmi(top_words: IntArray, doc_term: DocTermMatrix, reference: str) -> Coherence:
    """Coherence by :func:`npmi`, with what it was measured on.

    Parameters
    ----------
    top_words
        (K, N) word ids, N at least 2, distinct within a row.
    doc_term
        The reference corpus.
    reference
        Its name, such as ``"train"``.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> documents = DocTermMatrix.from_scipy([[1, 1, 0, 0], [2, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    >>> coherence = document_npmi(np.array([[0, 1], [1, 3]]), documents, "train")
    >>> round(coherence.mean, 3), coherence.unseen_words.tolist()
    (-0.292, [0, 1])
    """
    frequency = np.bincount(doc_term.indices, minlength=doc_term.num_words)
    return Coherence(
        protocol="document_npmi",
        reference=reference,
        per_topic=npmi(top_words, doc_term),
        num_top_words=top_words.shape[1],
        num_documents=_num_nonempty(doc_term),
        num_tokens=doc_term.num_tokens,
        unseen_words=(frequency[top_words] == 0).sum(axis=1),
    )


def npmi(top_words: IntArray, reference: DocTermMatrix) -> npt.NDArray[np.float64]:
    """Mean NPMI over the pairs of each topic's top words, from co-occurrence in whole documents.

    Memory and time follow the occurrences of the top words alone.

    Parameters
    ----------
    top_words
        (K, N) word ids, N at least 2, distinct within a row.
    reference
        Counts (D, V); only whether a word occurs matters.

    Returns
    -------
    numpy.ndarray
        (K,) from −1 to 1, never NaN.

    Raises
    ------
    ValueError
        If there are fewer than two top words, or no documents.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> documents = DocTermMatrix.from_scipy([[1, 1, 0, 0], [2, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    >>> npmi(np.array([[0, 1]]), documents).round(3).tolist()  # log((2/4) / (2/4 · 3/4)) / log(4/2)
    [0.415]
    """
    if top_words.shape[1] < 2:
        raise ValueError(
            f"coherence pairs top words: at least 2 a topic are needed, got {top_words.shape[1]}"
        )
    num_documents = _num_nonempty(reference)
    if num_documents == 0:
        raise ValueError("coherence needs a reference corpus with at least one word")
    words, places = np.unique(top_words, return_inverse=True)
    occurs = _occurrence(reference, words)
    topics = (occurs[:, topic] for topic in places.reshape(top_words.shape))
    return np.array([_mean_npmi((topic.T @ topic).toarray(), num_documents) for topic in topics])


def _num_nonempty(doc_term: DocTermMatrix) -> int:
    return int(np.count_nonzero(np.diff(doc_term.indptr)))


def _occurrence(doc_term: DocTermMatrix, words: IntArray) -> sparse.csc_array[np.int32]:
    """Whether each document has each of the words, 0 or 1, (D, number of words)."""
    ones = np.ones(len(doc_term.indices), dtype=np.int32)
    occurrence = sparse.csr_array((ones, doc_term.indices, doc_term.indptr), shape=doc_term.shape)
    return occurrence[:, words].tocsc()


def _mean_npmi(together: IntArray, num_documents: int) -> float:
    """Mean over pairs of words that occur together (N, N) times; alone as often as the diagonal says."""
    first, second = np.triu_indices(len(together), k=1)
    frequency = together.diagonal() / num_documents
    joint, independent = together[first, second] / num_documents, frequency[first] * frequency[second]
    scores = np.where(independent > 0, 0.0, -1.0)
    defined = (independent > 0) & (joint < 1)
    smoothed = joint[defined] + EPSILON
    scores[defined] = np.log(smoothed / independent[defined]) / -np.log(smoothed)
    return float(scores.mean())
