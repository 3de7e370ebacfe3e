"""All figures of a trained model, by the same functions for every method."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.evaluation.bounds import elbo_scores
from lda_app.evaluation.clustering import nmi, purity
from lda_app.evaluation.coherence import npmi
from lda_app.evaluation.completion import document_completion, split_tokens
from lda_app.evaluation.diversity import duplicates, live_topics, unique_share
from lda_app.evaluation.evaluate import COHERENCE_WORDS, DIVERSITY_WORDS
from lda_app.fitted.topics import top_words
from lda_app.models.fold_in import fold_in
from lda_app.system.runtime import rng

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.studies.compare.clock import Snapshot
    from lda_app.studies.compare.methods import Fitted

    FloatArray = npt.NDArray[np.floating[Any]]
    Figures = dict[str, float | None]

SPLIT_SEED = 0  # which half of a document is observed: the same for all methods and seeds
_SECONDS_OF_INFERENCE = 2.0
_WARM_UP = 64  # documents
_WINDOWED = ("c_npmi", "c_v")
_DECODED = 256  # documents whose word probabilities are held at a time


@dataclass(frozen=True, eq=False)
class Split:
    """The documents of a split that have a word, (D, V), and the label of each, (D,), if there are any."""

    doc_term: DocTermMatrix
    labels: npt.NDArray[Any] | None = None


def split_of_corpus(corpus: Corpus, split: str, label: str | None = None) -> Split:
    """Return what is learned from or measured on; documents without words tell nothing."""
    doc_term = corpus.split(split)
    filled = doc_term.filled()
    labels = None if label is None else corpus.documents(split)[label].to_numpy()[filled]
    return Split(doc_term.rows(filled), labels)


def figures(fitted: Fitted, train: Split, test: Split) -> Figures:
    """Measure a model.

    Parameters
    ----------
    fitted
        The model, with the method's own inference.
    train
        The reference of one of the coherences.
    test
        All else is measured on it.

    Returns
    -------
    dict
        None for what does not apply to the model. Purity and NMI where the documents have labels.
    """
    top = top_words(fitted.beta, DIVERSITY_WORDS)
    pairs = duplicates(top[:, :COHERENCE_WORDS])
    theta, speed = timed_inference(fitted, test.doc_term)
    return {
        **perplexities(fitted, test.doc_term),
        "npmi_train": float(npmi(top[:, :COHERENCE_WORDS], train.doc_term).mean()),
        "npmi_test": float(npmi(top[:, :COHERENCE_WORDS], test.doc_term).mean()),
        "diversity": unique_share(top),
        "live": live_topics(theta.mean(axis=0)),
        "duplicates": len({topic for pair in pairs for topic in (pair.topic, pair.other)}),
        **({} if test.labels is None else _agreement(theta.argmax(axis=1), test.labels)),
        "documents_per_second": speed,
    }


def _agreement(clusters: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Figures:
    """Agreement of each document's largest topic with its label."""
    return {"purity": purity(clusters, labels), "nmi": nmi(clusters, labels)}


def window_coherences(fitted: Fitted, corpus: Corpus) -> Figures:
    """c_npmi and c_v of the top words in windows over the test texts; nothing where there are no texts."""
    from lda_app.evaluation.coherence import coherences
    from lda_app.evaluation.reference import Reference

    reference = Reference.of_split(corpus, "test")
    if reference.positions is None:
        return {}
    top = top_words(fitted.beta, COHERENCE_WORDS)
    found = coherences(top, corpus.vocabulary.words, reference, _WINDOWED)
    return {coherence.protocol: coherence.mean for coherence in found}


def perplexities(fitted: Fitted, test: DocTermMatrix) -> Figures:
    """Completion by the method's own inference and by the shared one; bounds by the shared one."""
    if fitted.decode is not None:
        own = decoded_completion(fitted, test)
        return {"own": own, "ref": None, "elbo": None, "elbo_document_mean": None}
    alpha, beta = fitted.alpha, fitted.beta

    def infer(doc_term: DocTermMatrix) -> FloatArray:
        return fold_in(doc_term, alpha, beta)

    bound = elbo_scores(test, infer, alpha, beta, seed=SPLIT_SEED)
    completion = document_completion(test, lambda part: proportions(fitted, part), beta, seed=SPLIT_SEED)
    return {
        "own": completion.value,
        "ref": reference_completion(test, alpha, beta),
        "elbo": bound.token_weighted("elbo").value,
        "elbo_document_mean": bound.document_mean("elbo_document_mean").value,
    }


def curve(snapshots: Sequence[Snapshot], test: DocTermMatrix) -> list[tuple[float, float]]:
    """Seconds and ref of each snapshot."""
    return [(seconds, reference_completion(test, alpha, beta)) for seconds, alpha, beta in snapshots]


def reference_completion(test: DocTermMatrix, alpha: FloatArray, beta: FloatArray) -> float:
    """Completion perplexity by the shared inference."""
    return document_completion(test, lambda part: fold_in(part, alpha, beta), beta, seed=SPLIT_SEED).value


def decoded_completion(fitted: Fitted, test: DocTermMatrix) -> float:
    """Completion perplexity of a model whose words are not a mixture of topics: by its own decoder.

    The halves of the documents are those of :func:`lda_app.evaluation.completion.document_completion`.
    """
    assert fitted.decode is not None
    observed, held_out = split_tokens(test, rng(SPLIT_SEED, "completion"))
    theta = proportions(fitted, observed)
    total = 0.0
    for number, block in enumerate(held_out.blocks(_DECODED)):
        log_probability = fitted.decode(theta[number * _DECODED :][: block.num_documents])
        rows = np.repeat(np.arange(block.num_documents), np.diff(block.indptr))
        total += float(np.sum(block.counts * log_probability[rows, block.indices], dtype=np.float64))
    return float(np.exp(-total / held_out.num_tokens))


def proportions(fitted: Fitted, doc_term: DocTermMatrix) -> npt.NDArray[np.float64]:
    """θ (D, K) by the method's own inference; a document without words has the prior's."""
    theta = np.tile(fitted.alpha / fitted.alpha.sum(), (doc_term.num_documents, 1)).astype(np.float64)
    filled = doc_term.filled()
    theta[filled] = _normalized(fitted.infer(doc_term.rows(filled)))
    return theta


def timed_inference(fitted: Fitted, doc_term: DocTermMatrix) -> tuple[npt.NDArray[np.float64], float]:
    """θ (D, K) of documents that have words, and how many are inferred a second, after a warm-up."""
    fitted.infer(doc_term.rows(np.arange(min(_WARM_UP, doc_term.num_documents))))
    begun, rounds = time.perf_counter(), 0
    while not rounds or time.perf_counter() - begun < _SECONDS_OF_INFERENCE:
        inferred = fitted.infer(doc_term)
        rounds += 1
    speed = rounds * doc_term.num_documents / (time.perf_counter() - begun)
    return _normalized(inferred), speed


def _normalized(concentration: FloatArray) -> npt.NDArray[np.float64]:
    wide = np.asarray(concentration, dtype=np.float64)
    return np.asarray(wide / wide.sum(axis=1, keepdims=True))
