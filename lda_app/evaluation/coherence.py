"""Topic coherence: how often top words co-occur in a reference corpus.

Each measure uses contexts, either whole documents or sliding windows. p(w) is the share of contexts that
contain word w, and p(v, w) the share that contain both words. With p'(v, w) = p(v, w) + ε, ε = 1e-12, and the
top words w_1 … w_N of a topic, most probable first:

``document_npmi``
    Mean over pairs of NPMI(v, w) = log(p'(v, w) / (p(v) p(w))) / −log p'(v, w), from nonempty documents
    (Bouma 2009).
``u_mass``
    Mean over i > j of log(p'(w_i, w_j) / p(w_j)), from documents (Mimno et al. 2011).
``c_uci``
    Mean over pairs of log(p'(v, w) / (p(v) p(w))), from windows of 10 words (Newman et al. 2010).
``c_npmi``
    Mean over pairs of NPMI(v, w), from windows of 10 words (Aletras and Stevenson 2013).
``c_v``
    Mean over i of cos(n_i, n_1 + … + n_N), with n_i the vector of NPMI(w_i, w_j) over all j, from windows of
    110 words (Röder, Both and Hinneburg 2015).

The last four match gensim's ``CoherenceModel`` exactly, except for edge cases:

- For a word that never occurs in the reference, gensim gives infinity, NaN or, in ``u_mass``, 0, the best
  possible score. Here, its pairs get the lowest score of the measure: −1, or log ε in ``u_mass`` and
  ``c_uci``; in ``c_v`` its vector and cosine are 0. Such words are counted.
- Two words that are both in every context score 0 in ``document_npmi``. The other measures follow the formula
  with ε, like gensim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lda_app.errors import ConfigError, CorpusError
from lda_app.evaluation.windows import WHOLE_DOCUMENT, WindowCounter
from lda_app.system.runtime import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.evaluation.reference import Reference

    IntArray = npt.NDArray[np.integer[Any]]

FloatArray = npt.NDArray[np.float64]

EPSILON = 1e-12


class Counts(NamedTuple):
    """Counts of top words in the contexts of a reference.

    Parameters
    ----------
    together
        (K, N, N) number of contexts with both words; with a single word on the diagonal.
    num_contexts
        Number of contexts: documents or windows.
    num_documents, num_tokens
        Number of nonempty documents, and of their tokens.
    """

    together: npt.NDArray[np.int64]
    num_contexts: int
    num_documents: int
    num_tokens: int


@dataclass(frozen=True)
class Measure:
    """A coherence measure: its contexts and its score.

    Parameters
    ----------
    window
        Window size in words; None if the context is the whole document.
    score
        Function from ``Counts`` to (K,) scores; higher is better.
    """

    window: int | None
    score: Callable[[Counts], FloatArray]


@dataclass(frozen=True, eq=False)
class Coherence:
    """Coherence of each topic in one reference corpus.

    Parameters
    ----------
    protocol
        Name of the measure.
    reference
        Name of the reference split or file.
    per_topic
        (K,) scores; higher is better.
    num_top_words
        Number of top words per topic.
    num_documents, num_tokens
        Size of the reference: nonempty documents and their tokens.
    unseen_words
        (K,) number of a topic's top words that never occur in the reference.
    window
        Window size in words; None if the context is the whole document.
    """

    protocol: str
    reference: str
    per_topic: FloatArray
    num_top_words: int
    num_documents: int
    num_tokens: int
    unseen_words: npt.NDArray[np.int64]
    window: int | None = None

    @property
    def mean(self) -> float:
        """Mean coherence over topics."""
        return float(self.per_topic.mean())


def coherences(
    top_words: IntArray,
    words: Sequence[str],
    reference: Reference,
    names: Sequence[str],
    *,
    as_gensim: bool = True,
) -> tuple[Coherence, ...]:
    """Compute several coherence measures in a single pass over the reference texts.

    Parameters
    ----------
    top_words
        (K, N) word ids, N at least 2, distinct within a row, most probable first.
    words
        Vocabulary of V words.
    reference
        Reference corpus.
    names
        Names in :data:`MEASURES`.
    as_gensim
        Whether to count windows like gensim; see :class:`~lda_app.evaluation.windows.WindowCounter`.

    Raises
    ------
    CorpusError
        If a measure needs the word order and the reference does not have it, or the reference has no words.

    Examples
    --------
    >>> from lda_app.evaluation.reference import Reference
    >>> documents = [["orbit", "moon"], ["moon", "orbit", "sun"], ["soil"], ["soil", "seed"]]
    >>> reference, words = Reference.of_tokens("mine", documents), ["orbit", "moon", "soil", "sun"]
    >>> found = coherences(np.array([[0, 1], [2, 3]]), words, reference, ["c_npmi", "c_v"])
    >>> [(coherence.protocol, coherence.per_topic.round(2).tolist()) for coherence in found]
    [('c_npmi', [1.0, -0.92]), ('c_v', [1.0, 0.04])]
    """
    _check(top_words)
    windows = dict.fromkeys(MEASURES[name].window for name in names)
    counts: dict[int | None, Counts] = {}
    if reference.doc_term is not None and None in windows:
        counts[None] = document_counts(top_words, reference.doc_term)
    if to_count := [window for window in windows if window not in counts]:
        counts |= _window_counts(top_words, words, reference, to_count, as_gensim=as_gensim)
    if not all(found.num_tokens for found in counts.values()):
        raise CorpusError(
            f"{reference.name}: no word in it to measure coherence on; choose another --reference"
        )
    return tuple(_scored(name, counts[MEASURES[name].window], reference.name) for name in names)


def document_npmi(top_words: IntArray, doc_term: DocTermMatrix, reference: str) -> Coherence:
    """Coherence as in :func:`npmi`, with details of the reference.

    Parameters
    ----------
    top_words
        (K, N) word ids, N at least 2, distinct within a row.
    doc_term
        The reference corpus.
    reference
        Name of the reference, such as ``"train"``.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> documents = DocTermMatrix.from_scipy([[1, 1, 0, 0], [2, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    >>> coherence = document_npmi(np.array([[0, 1], [1, 3]]), documents, "train")
    >>> round(coherence.mean, 3), coherence.unseen_words.tolist()
    (-0.292, [0, 1])
    """
    return _scored("document_npmi", document_counts(top_words, doc_term), reference)


def npmi(top_words: IntArray, reference: DocTermMatrix) -> FloatArray:
    """Mean NPMI over the pairs of each topic's top words, from co-occurrence in whole documents.

    Memory and time are proportional to the occurrences of the top words.

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
    return _document_npmi(document_counts(top_words, reference))


def document_counts(top_words: IntArray, doc_term: DocTermMatrix) -> Counts:
    """Count the documents with each top word and each pair of top words.

    Raises
    ------
    ValueError
        If there are fewer than two top words, or no document has a word.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> counts = document_counts(np.array([[0, 1]]), DocTermMatrix.from_scipy([[1, 2], [0, 1], [0, 0]]))
    >>> counts.together.tolist(), counts.num_contexts, counts.num_documents
    ([[[1, 1], [1, 2]]], 3, 2)
    """
    _check(top_words)
    num_documents = len(doc_term.filled())
    if num_documents == 0:
        raise ValueError("coherence needs a reference corpus with at least one word")
    words, places = np.unique(top_words, return_inverse=True)
    occurs = _occurrence(doc_term, words)
    topics = (occurs[:, topic] for topic in places.reshape(top_words.shape))
    together = np.stack([(topic.T @ topic).toarray() for topic in topics]).astype(np.int64)
    return Counts(together, doc_term.num_documents, num_documents, doc_term.num_tokens)


def c_v(counts: Counts, gamma: float = 1.0) -> FloatArray:
    """Mean cosine between the NPMI vector of each top word and the sum over all top words.

    Parameters
    ----------
    counts
        Counts from the windows of a reference.
    gamma
        γ, exponent of NPMI; noninteger values are undefined for negative NPMI.

    Examples
    --------
    >>> c_v(Counts(np.array([[[2, 1], [1, 2]]]), 4, 4, 8)).round(3).tolist()
    [0.707]
    """
    ratio, defined = _pmi(counts)
    vectors = np.where(defined, ratio / -np.log(_joint(counts)), 0.0) ** gamma
    whole = vectors.sum(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=2) * np.linalg.norm(whole, axis=2)
    products = (vectors * whole).sum(axis=2)
    cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return np.asarray(cosines.mean(axis=1))


def u_mass(counts: Counts) -> FloatArray:
    """Mean log conditional probability of a less probable top word given a more probable one.

    Examples
    --------
    >>> u_mass(Counts(np.array([[[2, 1], [1, 2]]]), 4, 4, 8)).round(3).tolist()  # log(1/2)
    [-0.693]
    """
    alone = _alone(counts)[:, None, :]
    seen = np.broadcast_to(alone > 0, counts.together.shape)
    ratio = np.log(np.divide(_joint(counts), alone, out=np.full(seen.shape, EPSILON), where=seen))
    second, first = np.tril_indices(counts.together.shape[1], k=-1)
    return np.asarray(ratio[:, second, first].mean(axis=1))


def c_uci(counts: Counts) -> FloatArray:
    """Mean pointwise mutual information of pairs, in nats.

    Examples
    --------
    >>> c_uci(Counts(np.array([[[2, 1], [1, 2]]]), 8, 8, 16)).round(3).tolist()  # log((1/8) / (2/8 · 2/8))
    [0.693]
    """
    ratio, defined = _pmi(counts)
    return _mean_over_pairs(np.where(defined, ratio, np.log(EPSILON)))


def c_npmi(counts: Counts) -> FloatArray:
    """Mean normalized pointwise mutual information of pairs.

    Examples
    --------
    >>> c_npmi(Counts(np.array([[[2, 1], [1, 2]]]), 8, 8, 16)).round(3).tolist()  # log 2 / log 8
    [0.333]
    """
    ratio, defined = _pmi(counts)
    return _mean_over_pairs(np.where(defined, ratio / -np.log(_joint(counts)), -1.0))


def _document_npmi(counts: Counts) -> FloatArray:
    filled = counts._replace(num_contexts=counts.num_documents)
    ratio, defined = _pmi(filled)
    everywhere = counts.together == filled.num_contexts
    scores = np.divide(ratio, -np.log(_joint(filled)), out=np.zeros_like(ratio), where=~everywhere)
    return _mean_over_pairs(np.where(defined, scores, -1.0))


MEASURES: dict[str, Measure] = {
    "document_npmi": Measure(None, _document_npmi),
    "u_mass": Measure(None, u_mass),
    "c_uci": Measure(10, c_uci),
    "c_npmi": Measure(10, c_npmi),
    "c_v": Measure(110, c_v),
}


def _window_counts(
    top_words: IntArray,
    words: Sequence[str],
    reference: Reference,
    windows: Sequence[int | None],
    *,
    as_gensim: bool,
) -> dict[int | None, Counts]:
    """Count windows of several sizes in one pass over the reference texts."""
    if reference.positions is None:
        raise CorpusError(reference.why_no_order)
    ids, places = np.unique(top_words, return_inverse=True)
    topics = places.reshape(top_words.shape)
    counters = {
        window: WindowCounter(topics, len(ids), window or WHOLE_DOCUMENT, as_gensim=as_gensim)
        for window in windows
    }
    num_documents = num_tokens = 0
    with progress("Counting windows", total=reference.num_documents, unit="documents") as bar:
        for found in reference.positions({words[i]: number for number, i in enumerate(ids)}):
            for counter in counters.values():
                counter.add(found)
            num_documents += int(np.count_nonzero(found.lengths))
            num_tokens += int(found.lengths.sum())
            bar.advance(len(found.lengths))
    return {
        window: Counts(counter.together(), counter.num_windows, num_documents, num_tokens)
        for window, counter in counters.items()
    }


def _scored(name: str, counts: Counts, reference: str) -> Coherence:
    return Coherence(
        protocol=name,
        reference=reference,
        per_topic=MEASURES[name].score(counts),
        num_top_words=counts.together.shape[1],
        num_documents=counts.num_documents,
        num_tokens=counts.num_tokens,
        unseen_words=(_alone(counts) == 0).sum(axis=1),
        window=MEASURES[name].window,
    )


def _check(top_words: IntArray) -> None:
    if top_words.shape[1] < 2:
        raise ValueError(
            f"coherence pairs top words: at least 2 a topic are needed, got {top_words.shape[1]}"
        )


def _occurrence(doc_term: DocTermMatrix, words: IntArray) -> sparse.csc_array[np.int32]:
    """Whether each document contains each word, 0 or 1, (D, number of words)."""
    ones = np.ones(len(doc_term.indices), dtype=np.int32)
    occurrence = sparse.csr_array((ones, doc_term.indices, doc_term.indptr), shape=doc_term.shape)
    return occurrence[:, words].tocsc()


def _alone(counts: Counts) -> FloatArray:
    """p(w), (K, N)."""
    return np.diagonal(counts.together, axis1=1, axis2=2) / counts.num_contexts


def _joint(counts: Counts) -> FloatArray:
    """p'(v, w), (K, N, N)."""
    return counts.together / counts.num_contexts + EPSILON


def _pmi(counts: Counts) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Pointwise mutual information (K, N, N), 0 where undefined, and a mask of where it is defined."""
    alone = _alone(counts)
    independent = alone[:, :, None] * alone[:, None, :]
    defined = independent > 0
    ratio = np.divide(_joint(counts), independent, out=np.ones_like(independent), where=defined)
    return np.log(ratio), defined


def _mean_over_pairs(scores: FloatArray) -> FloatArray:
    first, second = np.triu_indices(scores.shape[1], k=1)
    return np.asarray(scores[:, first, second].mean(axis=1))


def named(names: Iterable[str]) -> tuple[str, ...]:
    """Validate and deduplicate measure names; ``npmi`` is short for ``document_npmi``.

    Raises
    ------
    ConfigError
        If a name is unknown.

    Examples
    --------
    >>> named(["npmi", " c_v", "c_v"])
    ('document_npmi', 'c_v')
    """
    stripped = (name.strip() for name in names)
    chosen = tuple(dict.fromkeys("document_npmi" if name == "npmi" else name for name in stripped))
    for name in chosen:
        if name not in MEASURES:
            raise ConfigError(f"--coherence {name!r} is unknown; there are {', '.join(MEASURES)}")
    return chosen
