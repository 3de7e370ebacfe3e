"""Topics, topic words and document topics as tidy pandas tables, one row per observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from lda_app.evaluation.coherence import coherences
from lda_app.evaluation.evaluate import COHERENCE_WORDS
from lda_app.evaluation.reference import Reference
from lda_app.fitted.model import ShareIntervals
from lda_app.fitted.topics import describe_shown, top_words, topic_proportions, usage, watched
from lda_app.system.runtime import progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.evaluation.coherence import Coherence
    from lda_app.fitted.inference import FloatArray
    from lda_app.fitted.model import LabelledModel
    from lda_app.fitted.topics import Topic, Usage

_BLOCK = 4096  # documents per block in memory


class Overview(NamedTuple):
    """Labelled topics and how a corpus uses them."""

    topics: list[Topic]
    """Most prevalent first; in model order without a corpus."""
    usage: Usage | None
    coherence: Coherence | None


def overview(
    model: LabelledModel,
    corpus: Corpus | None,
    *,
    num_words: int = 10,
    num_documents: int = 0,
    split: str = "train",
    measure: str = "document_npmi",
) -> Overview:
    """Describe all visible topics.

    Parameters
    ----------
    model
        The model.
    corpus
        Source of prevalence, coherence and documents; None omits them.
    num_words, num_documents
        Number of top words and of representative documents per topic.
    split
        Split of the corpus to use.
    measure
        Coherence measure.
    """
    words = model.vocabulary.words
    if corpus is None:
        return Overview(describe_shown(model, num_words), None, None)
    doc_term = corpus.split(split)
    best = top_words(model.beta, COHERENCE_WORDS)
    (coherence,) = coherences(best, words, Reference.of_split(corpus, split), [measure])
    with progress("Inferring topics", total=len(doc_term.filled()), unit="documents") as bar:
        used = usage(doc_term, watched(model.posterior, bar), num_documents)
    described = describe_shown(model, num_words, used=used, coherence=coherence.per_topic)
    return Overview(described, used, coherence)


def topics_frame(topics: Sequence[Topic]) -> pd.DataFrame:
    """Return one row per topic: topic, label, prevalence, coherence, top_words.

    Examples
    --------
    >>> from lda_app.fitted.topics import Topic, TopicWord
    >>> topics_frame([Topic(3, (TopicWord("moon", 0.2), TopicWord("orbit", 0.1)))]).top_words.tolist()
    ['moon, orbit']
    """
    rows = [
        (t.id, t.label, t.prevalence, t.coherence, ", ".join(word.word for word in t.words)) for t in topics
    ]
    frame = pd.DataFrame(rows, columns=["topic", "label", "prevalence", "coherence", "top_words"])
    return frame.astype({"label": object, "prevalence": float, "coherence": float})


def topic_words_frame(topics: Sequence[Topic]) -> pd.DataFrame:
    """Return one row per topic and word: topic, word, probability, rank (1 is the most probable).

    Examples
    --------
    >>> from lda_app.fitted.topics import Topic, TopicWord
    >>> topic_words_frame([Topic(3, (TopicWord("moon", 0.2), TopicWord("orbit", 0.1)))]).to_dict("records")[1]
    {'topic': 3, 'word': 'orbit', 'probability': 0.1, 'rank': 2}
    """
    rows = [
        (topic.id, word.word, word.probability, rank)
        for topic in topics
        for rank, word in enumerate(topic.words, start=1)
    ]
    return pd.DataFrame(rows, columns=["topic", "word", "probability", "rank"])


def document_topics(
    model: LabelledModel,
    doc_term: DocTermMatrix,
    ids: Sequence[object] | pd.Index | pd.Series,
    level: float | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield one row per document and topic (document, topic, share), in blocks of documents.

    Parameters
    ----------
    model
        The model; hidden topics are omitted, so shares may not sum to 1.
    doc_term
        Counts (D, V).
    ids
        Ids of the D documents.
    level
        If given, add the columns lower and upper: the credible interval of each share at this level, from
        draws of the exact posterior. The share is then the mean of these draws. Takes longer.
    """
    with progress("Inferring topics", total=doc_term.num_documents, unit="documents") as bar:
        for start, shares in _shares(model, doc_term, level):
            some = ids[start : start + len(shares.mean)]
            yield _long(np.asarray(some), model, shares, intervals=level is not None)
            bar.advance(len(shares.mean))


def _shares(
    model: LabelledModel, doc_term: DocTermMatrix, level: float | None
) -> Iterator[tuple[int, ShareIntervals]]:
    """Yield the first row of each block, and the shares of the unmerged topics in it."""
    for number, block in enumerate(doc_term.blocks(_BLOCK)):
        if level is not None:
            yield number * _BLOCK, model.intervals(block, level)
        else:
            mean = topic_proportions(model.posterior(block)).astype(float)
            yield number * _BLOCK, ShareIntervals(mean, mean, mean, 0.0)


def _long(
    ids: npt.NDArray[np.object_], model: LabelledModel, shares: ShareIntervals, *, intervals: bool
) -> pd.DataFrame:
    def flat(values: FloatArray) -> FloatArray:
        return np.asarray(values[:, model.columns].ravel())

    frame = {
        "document": np.repeat(ids, len(model.columns)),
        "topic": np.tile(model.shown, len(ids)),
        "share": flat(shares.mean),
    }
    if intervals:
        frame |= {"lower": flat(shares.lower), "upper": flat(shares.upper)}
    return pd.DataFrame(frame)
