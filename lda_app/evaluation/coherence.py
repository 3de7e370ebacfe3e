"""Coherence of topics: how far their top words occur together in a reference corpus.

A measure looks at the contexts of a corpus, whole documents or sliding windows, and at the share p(w) of them
that hold a word w, p(v, w) both of two words. With p'(v, w) = p(v, w) + ε, ε = 1e-12, over the top words
w_1 … w_N of a topic, most probable first:

``document_npmi``
    Mean over pairs of NPMI(v, w) = log(p'(v, w) / (p(v) p(w))) / −log p'(v, w), from the documents that have
    a word at all (Bouma 2009).
``u_mass``
    Mean over i > j of log(p'(w_i, w_j) / p(w_j)), from documents (Mimno et al. 2011).
``c_uci``
    Mean over pairs of log(p'(v, w) / (p(v) p(w))), from windows of 10 words (Newman et al. 2010).
``c_npmi``
    Mean over pairs of NPMI(v, w), from windows of 10 words (Aletras and Stevenson 2013).
``c_v``
    Mean over i of cos(n_i, n_1 + … + n_N), n_i the vector of NPMI(w_i, w_j) over all j, from windows of 110
    words (Röder, Both and Hinneburg 2015).

The last four are those of gensim's ``CoherenceModel``, number by number. What the formulas leave open:

- A word that never occurs in the reference, for which gensim gives infinity, NaN or, by ``u_mass``, 0, the
  best score there is. Here its pairs have the lowest score of their measure, −1, or log ε by ``u_mass`` and
  ``c_uci``; by ``c_v`` its vector and its cosine are 0. Such words are counted.
- Two words in every context, which tell nothing of each other: 0 by ``document_npmi``. The others follow the
  formula with its ε, as gensim does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from lda_app.errors import ConfigError, CorpusError
from lda_app.evaluation.windows import WHOLE_DOCUMENT, WindowCounter
from lda_app.runtime import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.evaluation.reference import Reference

    IntArray = npt.NDArray[np.integer[Any]]

FloatArray = npt.NDArray[np.float64]

EPSILON = 1e-12


class Counts(NamedTuple):
    """How often the top words of topics occur in the contexts of a reference.

    Parameters
    ----------
    together
        (K, N, N) contexts that hold both of two words; on the diagonal those that hold one.
    num_contexts
        Documents, or windows.
    num_documents, num_tokens
        Documents that have a word, and their words.
    """

    together: npt.NDArray[np.int64]
    num_contexts: int
    num_documents: int
    num_tokens: int


@dataclass(frozen=True)
class Measure:
    """A measure of coherence: where it looks, and how it scores (K,) topics by what was counted there.

    Parameters
    ----------
    window
        Words in a sliding window; None where a whole document is the context.
    score
        From ``Counts`` to (K,) scores, higher is better.
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
        Name of the split, or of the file, in which the words were looked up.
    per_topic
        (K,) scores; higher is better.
    num_top_words
        Words of a topic that were paired.
    num_documents, num_tokens
        Size of the reference: its documents that have a word, and their words.
    unseen_words
        (K,) top words of a topic that never occur in the reference.
    window
        Words in a sliding window; None where a whole document is the context.
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
        """Mean over topics."""
        return float(self.per_topic.mean())


def coherences(
    top_words: IntArray,
    words: Sequence[str],
    reference: Reference,
    names: Sequence[str],
    *,
    as_gensim: bool = True,
) -> tuple[Coherence, ...]:
    """Coherence by several measures, the texts of the reference being read once.

    Parameters
    ----------
    top_words
        (K, N) word ids, N at least 2, distinct within a row, most probable first.
    words
        The vocabulary, V words.
    reference
        Where the words are looked up.
    names
        Of :data:`MEASURES`.
    as_gensim
        Count windows as gensim does, or every one; see :class:`~lda_app.evaluation.windows.WindowCounter`.

    Raises
    ------
    CorpusError
        If a measure needs the order of words, and the reference does not know it, or if the reference has no
        words.

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
    return _scored("document_npmi", document_counts(top_words, doc_term), reference)


def npmi(top_words: IntArray, reference: DocTermMatrix) -> FloatArray:
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
    return _document_npmi(document_counts(top_words, reference))


def document_counts(top_words: IntArray, doc_term: DocTermMatrix) -> Counts:
    """Count the documents in which top words occur, and occur together.

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
    """Mean cosine between the NPMI vector of a top word and the sum of those of all top words.

    Parameters
    ----------
    counts
        Of the windows of a reference.
    gamma
        γ, the power of each NPMI; a fraction is not defined for words that avoid each other.

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
    """Mean log share of the contexts of a top word that hold a less probable one, too.

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
    """Read the texts of the reference once, and count windows of several sizes."""
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
    """Whether each document has each of the words, 0 or 1, (D, number of words)."""
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
    """Pointwise mutual information (K, N, N), 0 where it is not defined, and where it is defined."""
    alone = _alone(counts)
    independent = alone[:, :, None] * alone[:, None, :]
    defined = independent > 0
    ratio = np.divide(_joint(counts), independent, out=np.ones_like(independent), where=defined)
    return np.log(ratio), defined


def _mean_over_pairs(scores: FloatArray) -> FloatArray:
    first, second = np.triu_indices(scores.shape[1], k=1)
    return np.asarray(scores[:, first, second].mean(axis=1))


def named(names: Iterable[str]) -> tuple[str, ...]:
    """Check the names of measures, and take each once; ``npmi`` is short for ``document_npmi``.

    Raises
    ------
    ConfigError
        If one is unknown.

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
