"""Agreement of topics with document labels: purity, mutual information, linear classification.

A document's cluster is its most prevalent topic. Labels are not used in training, so agreement with them is
external evidence; it can be low even if topics divide the corpus in another useful way.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.corpus.sources.base import quoted
from lda_app.errors import CorpusError
from lda_app.fitted.topics import posteriors
from lda_app.system.runtime import progress, rng

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.inference import Infer

    FloatArray = npt.NDArray[np.floating[Any]]

NUM_FOLDS = 5
MAX_CLASSIFIED = 20_000  # documents; more would take minutes and barely change the accuracy


@dataclass(frozen=True)
class Classification:
    """Cross-validated accuracy of predicting labels from topic proportions with a linear classifier.

    Parameters
    ----------
    accuracy, standard_error
        Mean accuracy over folds, and its standard error: the standard deviation over folds divided by the
        square root of their number.
    majority
        Accuracy of always predicting the most frequent label.
    num_documents, num_labels, num_folds
        Documents, labels and folds used; each label has at least as many documents as there are folds.
    """

    accuracy: float
    standard_error: float
    majority: float
    num_documents: int
    num_labels: int
    num_folds: int


@dataclass(frozen=True)
class LabelAgreement:
    """Agreement of topics with a column of labels.

    Parameters
    ----------
    column
        Name of the column.
    purity
        Share of documents with the most frequent label of their cluster.
    nmi
        Mutual information of clusters and labels, normalized by the arithmetic mean of their entropies.
    classification
        Classification results; None if too few documents share a label.
    num_documents, num_labels
        Number of documents with a word and a label, and of distinct labels.
    num_unlabelled
        Number of documents with a word but no label; they are excluded.
    topic_labels
        (K,) most frequent label among each topic's documents, and its share of them; None for a topic that is
        not the most prevalent one of any document.
    """

    column: str
    purity: float
    nmi: float
    classification: Classification | None
    num_documents: int
    num_labels: int
    num_unlabelled: int
    topic_labels: tuple[tuple[str, float] | None, ...]


def read_document_labels(corpus: Corpus, split: str, column: str) -> npt.NDArray[np.object_]:
    """Read a column of labels from the metadata of a split.

    Parameters
    ----------
    corpus
        A corpus folder.
    split
        One of its splits.
    column
        Name of the column.

    Returns
    -------
    numpy.ndarray
        (D,) labels; None if the cell is missing or blank.

    Raises
    ------
    CorpusError
        If there is no such column, or its labels define no groups: all blank, all equal or all different.
    """
    columns = corpus.metadata_columns(split)
    if column not in columns:
        listed = ", ".join(columns) or "none, for its documents have no metadata"
        raise CorpusError(f"{corpus.path}: no column {column!r} to take labels from; there are: {listed}")
    cells = corpus.documents(split, columns=[column])[column]
    labels = np.array([cell if isinstance(cell, str) and cell.strip() else None for cell in cells], object)
    trouble = _why_no_groups(Counter(label for label in labels if label is not None))
    if trouble:
        raise CorpusError(
            f"{corpus.path}: {column!r} {trouble} of the split {split!r}, so it groups nothing; "
            f"name another column by --label-column, of {', '.join(columns)}"
        )
    return labels


def label_agreement(
    doc_term: DocTermMatrix, infer: Infer, labels: npt.NDArray[np.object_], column: str, *, seed: int = 0
) -> LabelAgreement:
    """Compare the topics of documents with their labels.

    Memory does not grow with documents × topics: the classifier uses at most ``MAX_CLASSIFIED`` randomly
    chosen documents.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    labels
        (D,) labels, None if missing; from :func:`read_document_labels`.
    column
        Name of the label column.
    seed
        Seed for the choice of documents and the folds.

    Raises
    ------
    CorpusError
        If no document has both a word and a label.
    """
    filled = np.diff(doc_term.indptr) > 0
    labelled = np.array([label is not None for label in labels])
    rows = np.flatnonzero(filled & labelled)
    if not len(rows):
        raise CorpusError(f"no document has both a word of the vocabulary and a label in {column!r}")
    known = labels[rows].astype(str)
    drawn = _drawn_rows(known, rng(seed, "labels"))
    clusters, theta = _topics_of(doc_term, infer, rows, drawn)
    topic_labels, purity = _majorities(clusters, known, theta.shape[1])
    return LabelAgreement(
        column=column,
        purity=purity,
        nmi=nmi(clusters, known),
        classification=classification(theta, known[drawn], seed=seed) if len(drawn) else None,
        num_documents=len(rows),
        num_labels=len(np.unique(known)),
        num_unlabelled=int(np.sum(filled & ~labelled)),
        topic_labels=topic_labels,
    )


def purity(clusters: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """Share of documents with the most frequent label of their cluster.

    Examples
    --------
    >>> purity(np.array([0, 0, 0, 1]), np.array(["a", "a", "b", "b"]))
    0.75
    """
    return _majorities(clusters, labels, int(clusters.max()) + 1)[1]


def nmi(clusters: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """Mutual information normalized by the arithmetic mean of the entropies, from 0 to 1.

    Examples
    --------
    >>> round(nmi(np.array([0, 0, 1, 1]), np.array(["a", "a", "b", "b"])), 3)
    1.0
    """
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(labels, clusters, average_method="arithmetic"))


def classification(theta: FloatArray, labels: npt.NDArray[Any], *, seed: int = 0) -> Classification:
    """Predict labels from topic proportions by logistic regression with stratified cross-validation.

    Proportions are standardized on the training documents of each fold, which keeps the classifier linear and
    regularizes all topics equally (scikit-learn's C = 1).

    Parameters
    ----------
    theta
        (D, K) topic proportions.
    labels
        (D,) labels, each with at least ``NUM_FOLDS`` documents.
    seed
        Seed for the folds.

    Examples
    --------
    >>> theta = np.array([[0.9, 0.1], [0.1, 0.9]] * 10)
    >>> found = classification(theta, np.array(["space", "sport"] * 10))
    >>> found.accuracy, found.majority
    (1.0, 0.5)
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    folds = StratifiedKFold(NUM_FOLDS, shuffle=True, random_state=seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    # Threads slow down such small products, up to 40 times on a busy machine.
    with threadpool_limits(1):
        accuracies = cross_val_score(model, theta.astype(np.float64), labels, cv=folds)
    frequencies = np.unique(labels, return_counts=True)[1]
    return Classification(
        accuracy=float(accuracies.mean()),
        standard_error=float(accuracies.std(ddof=1) / math.sqrt(NUM_FOLDS)),
        majority=float(frequencies.max() / len(labels)),
        num_documents=len(labels),
        num_labels=len(frequencies),
        num_folds=NUM_FOLDS,
    )


def _why_no_groups(frequencies: Counter[str]) -> str:
    if not frequencies:
        return "is blank in all documents"
    if len(frequencies) == 1:
        return f"is {quoted(next(iter(frequencies)))} in all documents"
    if len(frequencies) == frequencies.total():
        return f"is another value in each of the {len(frequencies):,} documents"
    return ""


def _drawn_rows(labels: npt.NDArray[Any], generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Choose at most ``MAX_CLASSIFIED`` documents with labels frequent enough for the folds.

    Empty if fewer than two labels remain.
    """
    drawn = np.arange(len(labels))
    if len(drawn) > MAX_CLASSIFIED:
        drawn = np.sort(generator.choice(len(labels), MAX_CLASSIFIED, replace=False))
    _, codes, sizes = np.unique(labels[drawn], return_inverse=True, return_counts=True)
    enough = sizes >= NUM_FOLDS
    return drawn[enough[codes]] if enough.sum() > 1 else drawn[:0]


def _topics_of(
    doc_term: DocTermMatrix, infer: Infer, rows: npt.NDArray[np.int64], drawn: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Infer documents: the most prevalent topic of each (D,), and θ of the drawn ones."""
    clusters, kept, chosen = [], [], rows[drawn]
    with progress("Inferring labelled documents", total=len(rows), unit="documents") as bar:
        for block in posteriors(doc_term, infer, rows):
            clusters.append(block.mean.argmax(axis=1))
            kept.append(block.mean[np.isin(block.rows, chosen)].astype(np.float32))
            bar.advance(len(block.rows))
    return np.concatenate(clusters), np.concatenate(kept)


def _majorities(
    clusters: npt.NDArray[Any], labels: npt.NDArray[Any], num_topics: int
) -> tuple[tuple[tuple[str, float] | None, ...], float]:
    """Most frequent label of each cluster with its share, and the overall purity."""
    names, codes = np.unique(labels, return_inverse=True)
    pairs, sizes = np.unique(np.stack([clusters, codes]), axis=1, return_counts=True)
    found: list[tuple[str, float] | None] = [None] * num_topics
    right = 0
    for cluster in np.unique(clusters).tolist():
        of_cluster = np.flatnonzero(pairs[0] == cluster)
        best = of_cluster[np.argmax(sizes[of_cluster])]
        found[cluster] = (str(names[pairs[1, best]]), float(sizes[best] / sizes[of_cluster].sum()))
        right += int(sizes[best])
    return tuple(found), right / len(clusters)
