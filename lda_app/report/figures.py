"""Figures of the model as a whole, and of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.evaluation.completion import completion_scores
from lda_app.evaluation.diversity import LIVE_FRACTION, duplicates, unique_share
from lda_app.evaluation.evaluate import COHERENCE_WORDS, DIVERSITY_WORDS
from lda_app.report.shares import QUANTILE
from lda_app.topics import top_words

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.evaluation.scores import DocumentScores
    from lda_app.inference import FloatArray, Infer


def held_out_perplexity(
    doc_term: DocTermMatrix, infer: Infer, beta: FloatArray, *, split: str, seed: int
) -> dict[str, Any] | None:
    """Perplexity by document completion with an interval; None where no document has a token.

    Parameters
    ----------
    doc_term
        Counts (D, V) of documents that the model has not learned from.
    infer
        Gives the concentration (D, K) of q(θ|w) for counts.
    beta
        (K, V) topic-word probabilities.
    split
        Name of the documents.
    seed
        Of the halves of documents.
    """
    if not doc_term.num_tokens:
        return None
    scores = completion_scores(doc_term, infer, beta, seed=seed)
    measured = scores.token_weighted("document_completion")
    low, high = perplexity_interval(scores)
    return {
        "protocol": measured.protocol,
        "split": split,
        "value": measured.value,
        "low": low,
        "high": high,
        "num_documents": measured.num_documents,
        "num_tokens": measured.num_tokens,
    }


def perplexity_interval(scores: DocumentScores) -> tuple[float, float]:
    """Interval of a perplexity averaged over tokens, with documents as a sample.

    The mean log probability a token is a ratio of two sums over documents; its standard error comes from
    their residuals (Cochran 1977, Sampling Techniques, section 2.11), and the ends are exponentiated. A
    single document has an infinite one.

    Examples
    --------
    >>> from lda_app.evaluation.scores import DocumentScores
    >>> scores = DocumentScores(np.log([0.25] * 50 + [0.0625] * 50), np.array([1] * 50 + [2] * 50))
    >>> np.round(perplexity_interval(scores), 6).tolist()  # each token has the probability 1/4
    [4.0, 4.0]
    """
    counted = scores.num_tokens > 0
    values, tokens = scores.log_likelihood[counted], scores.num_tokens[counted]
    number = len(tokens)
    mean = values.sum() / tokens.sum()
    if number < 2:
        return 1.0, float("inf")
    residuals = values - mean * tokens
    error = np.sqrt(number / (number - 1) * np.sum(residuals**2)) / tokens.sum()
    half = QUANTILE * error
    return float(np.exp(-mean - half)), float(np.exp(-mean + half))


def quality(beta: FloatArray, prevalence: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Diversity, duplicate topics and topics that are hardly used.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    prevalence
        (K,) mean topic proportions over documents.
    """
    top = top_words(beta, DIVERSITY_WORDS)
    least = LIVE_FRACTION / len(prevalence)
    return {
        "diversity": unique_share(top),
        "diversity_words": top.shape[1],
        "duplicates": [pair._asdict() for pair in duplicates(top[:, :COHERENCE_WORDS])],
        "duplicate_words": min(COHERENCE_WORDS, top.shape[1]),
        "least_share": least,
        "dead": np.flatnonzero(prevalence < least).tolist(),
    }


def curve(history: pd.DataFrame) -> dict[str, list[float | None]]:
    """Return the columns of the training's validations as lists, with None where nothing was measured.

    Examples
    --------
    >>> import pandas as pd
    >>> curve(pd.DataFrame({"step": [5, 10], "loss": [7.0, float("nan")]}))
    {'step': [5.0, 10.0], 'loss': [7.0, None]}
    """
    return {
        str(name): [float(value) if np.isfinite(value) else None for value in history[name]]
        for name in history.select_dtypes("number")
    }
