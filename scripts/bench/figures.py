"""All columns of the tables, by the same functions for every method."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from bench.fold_in import fold_in
from lda_app.evaluation.coherence import npmi
from lda_app.evaluation.diversity import duplicates, live_topics, unique_share
from lda_app.evaluation.evaluate import COHERENCE_WORDS, DIVERSITY_WORDS
from lda_app.evaluation.perplexity import document_completion, elbo_scores
from lda_app.topics import top_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from bench.clock import Snapshot
    from bench.corpora import Split
    from bench.methods import Fitted
    from lda_app.corpus.doc_term import DocTermMatrix

    FloatArray = npt.NDArray[np.floating[Any]]

_SPLIT_SEED = 0  # which half of a document is observed: the same for all methods and seeds
_SECONDS_OF_INFERENCE = 2.0
_WARM_UP = 64  # documents


def figures(fitted: Fitted, train: Split, test: Split) -> dict[str, float]:
    """Measure a model.

    Parameters
    ----------
    fitted
        The model, with the method's own inference.
    train
        The reference of one of the coherences.
    test
        All else is measured on it.
    """
    top = top_words(fitted.beta, DIVERSITY_WORDS)
    pairs = duplicates(top[:, :COHERENCE_WORDS])
    theta, speed = timed_inference(fitted, test.doc_term)
    arg_max = theta.argmax(axis=1)
    return {
        **perplexities(fitted, test.doc_term),
        "npmi_train": float(npmi(top[:, :COHERENCE_WORDS], train.doc_term).mean()),
        "npmi_test": float(npmi(top[:, :COHERENCE_WORDS], test.doc_term).mean()),
        "diversity": unique_share(top),
        "live": live_topics(theta.mean(axis=0)),
        "duplicates": len({topic for pair in pairs for topic in (pair.topic, pair.other)}),
        "purity": purity(arg_max, test.labels),
        "nmi": float(normalized_mutual_info_score(test.labels, arg_max)),
        "documents_per_second": speed,
    }


def perplexities(fitted: Fitted, test: DocTermMatrix) -> dict[str, float]:
    """Completion by the method's own inference and by the shared one; bounds by the shared one."""
    alpha, beta = fitted.alpha, fitted.beta

    def infer(doc_term: DocTermMatrix) -> FloatArray:
        return fold_in(doc_term, alpha, beta)

    bound = elbo_scores(test, infer, alpha, beta, seed=_SPLIT_SEED)
    own = document_completion(test, lambda part: proportions(fitted, part), beta, seed=_SPLIT_SEED)
    return {
        "own": own.value,
        "ref": reference_completion(test, alpha, beta),
        "elbo": bound.token_weighted("elbo").value,
        "elbo_document_mean": bound.document_mean("elbo_document_mean").value,
    }


def curve(snapshots: Sequence[Snapshot], test: DocTermMatrix) -> list[tuple[float, float]]:
    """Seconds and ref of each snapshot."""
    return [(seconds, reference_completion(test, alpha, beta)) for seconds, alpha, beta in snapshots]


def reference_completion(test: DocTermMatrix, alpha: FloatArray, beta: FloatArray) -> float:
    """Completion perplexity by the shared inference."""
    return document_completion(test, lambda part: fold_in(part, alpha, beta), beta, seed=_SPLIT_SEED).value


def proportions(fitted: Fitted, doc_term: DocTermMatrix) -> npt.NDArray[np.float64]:
    """θ (D, K) by the method's own inference; a document without words has the prior's."""
    theta = np.tile(fitted.alpha / fitted.alpha.sum(), (doc_term.num_documents, 1)).astype(np.float64)
    filled = np.flatnonzero(np.diff(doc_term.indptr))
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


def purity(clusters: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """Share of documents that have the most frequent label of their cluster.

    Examples
    --------
    >>> purity(np.array([0, 0, 0, 1]), np.array(["a", "a", "b", "b"]))
    0.75
    """
    _, rows = np.unique(clusters, return_inverse=True)
    _, columns = np.unique(labels, return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1), dtype=np.int64)
    np.add.at(table, (rows, columns), 1)
    return float(table.max(axis=1).sum() / len(clusters))
