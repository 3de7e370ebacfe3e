"""Document completion: observe half of each document's tokens and score the other half."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.evaluation.bounds import blocks, score_tokens
from lda_app.evaluation.scores import DocumentScores
from lda_app.system.compiled import kernel
from lda_app.system.runtime import rng

if TYPE_CHECKING:
    from lda_app.corpus.doc_term import Counts
    from lda_app.evaluation.scores import Perplexity
    from lda_app.fitted.inference import FloatArray, Infer


def document_completion(doc_term: DocTermMatrix, infer: Infer, beta: FloatArray, *, seed: int) -> Perplexity:
    """Perplexity of half of each document's tokens given the other half; see :func:`completion_scores`.

    Examples
    --------
    >>> documents = DocTermMatrix.from_scipy([[4, 0], [0, 4]])
    >>> def infer(doc_term):
    ...     return 1.0 + doc_term.to_scipy().toarray()
    >>> document_completion(documents, infer, np.eye(2), seed=0).value  # theta = (3/4, 1/4)
    1.3333333333333333
    """
    return completion_scores(doc_term, infer, beta, seed=seed).token_weighted("document_completion")


def completion_scores(
    doc_term: DocTermMatrix, infer: Infer, beta: FloatArray, *, seed: int
) -> DocumentScores:
    """Log probability of each document's held-out half under the posterior mean given the observed half.

    A document with one token is scored under the prior.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    beta
        (K, V) topic-word probabilities.
    seed
        Seed for splitting the tokens.
    """
    word_topic = np.ascontiguousarray(np.asarray(beta).T)
    generator = rng(seed, "completion")
    scores, lengths = [], []
    for block in blocks(doc_term, len(beta)):
        observed, held_out = split_tokens(block, generator)
        concentration = np.asarray(infer(observed), dtype=np.float64)
        theta = concentration / concentration.sum(axis=1, keepdims=True)
        scores.append(score_tokens(theta[None], word_topic, held_out)[0])
        lengths.append(held_out.lengths())
    return DocumentScores(np.concatenate(scores), np.concatenate(lengths))


def split_tokens(
    doc_term: DocTermMatrix, generator: np.random.Generator
) -> tuple[DocTermMatrix, DocTermMatrix]:
    """Randomly split the tokens of each document into two halves.

    Returns
    -------
    observed, held_out
        Matrices of the same shape that sum to ``doc_term``. For a row of N tokens, ``observed`` has ⌊N/2⌋,
        with each subset of that size equally likely.

    Examples
    --------
    >>> documents = DocTermMatrix.from_scipy([[3, 0, 4], [1, 0, 0]])
    >>> observed, held_out = split_tokens(documents, np.random.default_rng(0))
    >>> observed.lengths().tolist(), held_out.lengths().tolist()
    ([3, 0], [4, 1])
    """
    observed = np.zeros_like(doc_term.counts)
    _draw_halves(0, doc_term.num_documents, doc_term.indptr, doc_term.counts, generator, observed)
    return _with_counts(doc_term, observed), _with_counts(doc_term, doc_term.counts - observed)


def _with_counts(doc_term: DocTermMatrix, counts: Counts) -> DocTermMatrix:
    """Return the matrix with its counts replaced; zeros are dropped."""
    kept = counts > 0
    indptr = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)[doc_term.indptr]
    return DocTermMatrix(indptr, doc_term.indices[kept], counts[kept], doc_term.num_words)


@kernel
def _draw_halves(start: int, stop: int, indptr: Any, counts: Any, generator: Any, drawn: Any) -> None:
    """Draw half of each row's tokens: selection sampling (Knuth, TAOCP vol. 2, 3.4.2, algorithm S)."""
    for d in range(start, stop):
        remaining = 0
        for place in range(indptr[d], indptr[d + 1]):
            remaining += counts[place]
        wanted = remaining // 2
        for place in range(indptr[d], indptr[d + 1]):
            for _ in range(counts[place]):
                if generator.random() * remaining < wanted:
                    drawn[place] += 1
                    wanted -= 1
                remaining -= 1
