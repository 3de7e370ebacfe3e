r"""Evaluate a model trained by another tool with our measures.

θ is inferred by mean field from the model's α and β, in the same way for every tool, so that the comparison
is of topics rather than inference methods. If the tool's own θ is given, an additional figure uses it:

.. math::
    \mathrm{given\_theta} =
        \exp\Big(-\frac{\sum_d \sum_w n_{dw} \log(\theta_d \cdot \beta_w)}{\sum_d N_d}\Big).

This is not a held-out figure if θ was inferred from the same words that it scores, as is usually the case.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.errors import CorpusError
from lda_app.evaluation.evaluate import evaluate
from lda_app.fitted.model import MeanFieldModel
from lda_app.interchange import align
from lda_app.system.runtime import log

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.evaluation.evaluate import Evaluation
    from lda_app.interchange import Aligned, DocTopics, ImportedModel

    FloatArray = npt.NDArray[np.float64]

_BLOCK = 4096  # documents scored at a time


@dataclass(frozen=True)
class GivenTheta:
    """Perplexity under the shares given by a tool.

    Parameters
    ----------
    value
        The perplexity; None (infinite) if a token has probability 0.
    num_documents, num_tokens
        Number of documents with shares and a known word, and of their tokens.
    num_impossible
        Number of tokens with probability 0 under their document's shares.
    num_without_shares
        Number of documents in the split without shares.
    num_without_document
        Number of rows of shares whose document is not in the split.
    """

    value: float | None
    num_documents: int
    num_tokens: int
    num_impossible: int
    num_without_shares: int
    num_without_document: int
    protocol: str = "given_theta"


@dataclass(frozen=True, eq=False)
class ImportedEvaluation:
    """Evaluation of another tool's model.

    Parameters
    ----------
    model
        The model.
    aligned
        Its topics over the corpus's vocabulary.
    evaluation
        All figures, with mean-field θ.
    given_theta
        Perplexity under the tool's own shares, if given.
    """

    model: ImportedModel
    aligned: Aligned
    evaluation: Evaluation
    given_theta: GivenTheta | None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dictionary that extends :meth:`Evaluation.to_dict`."""
        return {
            **self.evaluation.to_dict(),
            "model": {
                "name": self.model.name,
                "alpha": self.model.alpha.tolist(),
                "alpha_is_known": self.model.alpha_is_known,
                "inference": "mean_field_100_sweeps",
                **self.aligned.describe(),
            },
            "given_theta": None if self.given_theta is None else asdict(self.given_theta),
        }


def evaluate_imported(
    model: ImportedModel, corpus: Corpus, *, split: str = "test", **options: Any
) -> ImportedEvaluation:
    """Evaluate another tool's model on a split of a corpus.

    Parameters
    ----------
    model
        A model from :mod:`lda_app.interchange`.
    corpus
        Corpus; its words are matched with the model's by text.
    split
        Split for perplexities and live topics.
    options
        Options of :func:`lda_app.evaluation.evaluate.evaluate`.

    Raises
    ------
    ConfigError
        If there is no such split.
    CorpusError
        If model and corpus share no words, no document has a shared word, or shares cannot be matched to
        documents.
    """
    aligned = align(model, corpus.vocabulary)
    given = None if model.doc_topics is None else _given_theta(model.doc_topics, aligned, corpus, split)
    fitted = MeanFieldModel(model.alpha, aligned.beta, corpus.vocabulary)
    evaluation = evaluate(fitted, corpus, split=split, is_known=aligned.is_known, **options)
    return ImportedEvaluation(model, aligned, evaluation, given)


def _given_theta(doc_topics: DocTopics, aligned: Aligned, corpus: Corpus, split: str) -> GivenTheta:
    documents, rows = _matched(doc_topics, corpus, split)
    # A topic with many words outside the corpus's vocabulary has a smaller share of its words.
    theta = doc_topics.theta[rows] * (1 - aligned.foreign_mass)
    theta /= theta.sum(axis=1, keepdims=True)
    whole = corpus.split(split)
    doc_term = whole.rows(documents).with_words(aligned.is_known)
    score, num_impossible = _scored(doc_term, theta, aligned.beta)
    num_tokens = doc_term.num_tokens
    possible = num_tokens and not num_impossible
    return GivenTheta(
        value=float(np.exp(-score / num_tokens)) if possible else None,
        num_documents=len(doc_term.filled()),
        num_tokens=int(num_tokens),
        num_impossible=num_impossible,
        num_without_shares=whole.num_documents - len(documents),
        num_without_document=len(doc_topics.theta) - len(rows),
    )


def _matched(
    doc_topics: DocTopics, corpus: Corpus, split: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the row numbers, in the split and in the shares, of documents in both."""
    num_documents = corpus.split(split).num_documents
    num_rows = len(doc_topics.theta)
    if doc_topics.document_ids is not None:
        row_of = {id_: row for row, id_ in enumerate(doc_topics.document_ids)}
        ids: list[str] = corpus.documents(split, ["id"])["id"].astype(str).tolist()
        pairs = [(place, row_of[id_]) for place, id_ in enumerate(ids) if id_ in row_of]
        if pairs:
            documents, rows = np.array(pairs, dtype=np.int64).T
            return documents, rows
    if num_rows != num_documents:
        found = "no id of the shares is one of" if doc_topics.document_ids else "the shares have no ids, and"
        raise CorpusError(
            f"{found} the {num_documents:,} documents of the split {split!r}; there are {num_rows:,} rows of "
            "shares: give the corpus's document ids with them, or another split by --split"
        )
    if doc_topics.document_ids is not None:
        log.warning("no id of the shares is a document's of the split %r: they are taken in order", split)
    return np.arange(num_documents), np.arange(num_documents)


def _scored(doc_term: DocTermMatrix, theta: FloatArray, beta: FloatArray) -> tuple[float, int]:
    """Sum of n log(θ·β) over tokens with nonzero probability, and the number of other tokens."""
    word_topic = np.ascontiguousarray(beta.T)
    score, impossible = 0.0, 0
    for number, block in enumerate(doc_term.blocks(_BLOCK)):
        documents = np.repeat(np.arange(block.num_documents), np.diff(block.indptr))
        shares = theta[number * _BLOCK :][documents]
        probability = np.einsum("nk,nk->n", shares, word_topic[block.indices])
        is_possible = probability > 0
        score += float(np.sum(block.counts[is_possible] * np.log(probability[is_possible])))
        impossible += int(block.counts[~is_possible].sum())
    return score, impossible
