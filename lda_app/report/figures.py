"""Figures about the whole model and its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.evaluation.bootstrap import Bootstrap
from lda_app.evaluation.completion import completion_scores
from lda_app.evaluation.diversity import LIVE_FRACTION, dead_topics, duplicates, unique_share
from lda_app.evaluation.evaluate import COHERENCE_WORDS, DIVERSITY_WORDS
from lda_app.fitted.topics import top_words
from lda_app.report.shares import CONFIDENCE

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.inference import FloatArray, Infer


def held_out_perplexity(
    doc_term: DocTermMatrix, infer: Infer, beta: FloatArray, *, split: str, seed: int
) -> dict[str, Any] | None:
    """Document-completion perplexity as in `lda-app eval`, or None if no document has a token.

    Parameters
    ----------
    doc_term
        Counts (D, V) of held-out documents.
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    beta
        (K, V) topic-word probabilities.
    split
        Name of the documents' split.
    seed
        Seed for splitting the documents and for the bootstrap.
    """
    if not doc_term.num_tokens:
        return None
    scores = completion_scores(doc_term, infer, beta, seed=seed)
    measured = scores.token_weighted("document_completion", Bootstrap(CONFIDENCE, seed))
    return {
        "protocol": measured.protocol,
        "split": split,
        "value": measured.value,
        "interval": measured.interval and [measured.interval.low, measured.interval.high],
        "num_documents": measured.num_documents,
        "num_tokens": measured.num_tokens,
    }


def quality(beta: FloatArray, prevalence: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Diversity, duplicate topics and rarely used topics.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    prevalence
        (K,) mean topic proportions over documents.
    """
    top = top_words(beta, DIVERSITY_WORDS)
    return {
        "diversity": unique_share(top),
        "diversity_words": top.shape[1],
        "duplicates": [pair._asdict() for pair in duplicates(top[:, :COHERENCE_WORDS])],
        "duplicate_words": min(COHERENCE_WORDS, top.shape[1]),
        "least_share": LIVE_FRACTION / len(prevalence),
        "dead": list(dead_topics(prevalence)),
    }


def curve(history: pd.DataFrame) -> dict[str, list[float | None]]:
    """Return the columns of the training history as lists, with None for missing values.

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
