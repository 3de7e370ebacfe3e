"""Evaluate a model on one split of a corpus, with each figure named by its protocol."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lda_app.errors import CorpusError
from lda_app.evaluation.bootstrap import METHOD, Bootstrap
from lda_app.evaluation.clustering import label_agreement, read_document_labels
from lda_app.evaluation.perplexity import DEFAULT_PROTOCOLS, num_passes, perplexities
from lda_app.evaluation.quality import COHERENCE_WORDS, DIVERSITY_WORDS, TopicQuality, look_up, topic_quality
from lda_app.fitted import topics
from lda_app.system.runtime import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.evaluation.perplexity import Effort
    from lda_app.evaluation.scores import Perplexity
    from lda_app.fitted.model import FittedModel

__all__ = ["COHERENCE_WORDS", "DIVERSITY_WORDS", "Evaluation", "evaluate"]

SCHEMA_VERSION = 2


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Results of an evaluation, and what they were measured on.

    Parameters
    ----------
    split, seed, confidence
        Split evaluated, random seed, and confidence level of the intervals.
    corpus
        Fingerprint of the corpus.
    num_topics
        K, number of topics.
    words
        Vocabulary of V words.
    num_tokens
        Number of tokens in the split.
    num_unknown
        Number of out-of-vocabulary tokens in the split, which no figure counts; None if unknown.
    perplexities
        One perplexity per protocol.
    quality
        Quality of the topics.
    """

    split: str
    seed: int
    confidence: float
    corpus: str
    num_topics: int
    words: Sequence[str]
    num_tokens: int
    num_unknown: int | None
    perplexities: tuple[Perplexity, ...]
    quality: TopicQuality

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dictionary with a ``schema_version``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "split": self.split,
            "seed": self.seed,
            "confidence": self.confidence,
            "corpus_fingerprint": self.corpus,
            "num_topics": self.num_topics,
            "num_words": len(self.words),
            "out_of_vocabulary": self._out_of_vocabulary(),
            "perplexity": {measure.protocol: _perplexity_to_dict(measure) for measure in self.perplexities},
            **self.quality.to_dict(self.split, self.words),
        }

    def _out_of_vocabulary(self) -> dict[str, Any]:
        unknown = self.num_unknown
        return {
            "split": self.split,
            "num_tokens": unknown,
            "share": None if unknown is None else unknown / (unknown + self.num_tokens),
            "why_unknown": "the corpus was imported as counts" if unknown is None else None,
        }


def evaluate(
    model: FittedModel,
    corpus: Corpus,
    *,
    split: str = "test",
    is_known: npt.NDArray[np.bool_] | None = None,
    protocols: Sequence[str] = DEFAULT_PROTOCOLS,
    effort: Effort | None = None,
    confidence: float = 0.95,
    coherence: Sequence[str] | None = None,
    reference: str | None = None,
    num_top_words: int = COHERENCE_WORDS,
    labels: str | None = None,
    seed: int = 0,
) -> Evaluation:
    """Evaluate a model on a split of a corpus.

    Parameters
    ----------
    model
        The model.
    corpus
        Corpus over the model's vocabulary.
    split
        Split for perplexities and prevalence.
    is_known
        (V,) mask of the words that the model knows, if it does not know all. Other tokens are excluded from
        perplexities and prevalence, and counted as out of vocabulary.
    protocols
        Names of the perplexity protocols.
    effort
        Numbers of samples for them.
    confidence
        Confidence level of their intervals.
    coherence, reference
        Coherence measures and their reference corpus; see :func:`~lda_app.evaluation.quality.look_up`.
    num_top_words
        Number of top words per topic for coherence, overlap and exclusivity.
    labels
        Metadata column with document labels to compare topics with.
    seed
        Seed for all sampling, the document halves and the bootstrap.

    Raises
    ------
    ConfigError
        If there is no such split or measure.
    CorpusError
        If no document in the split has a word, or the reference or labels cannot be used.
    """
    doc_term, num_unknown = _filled_split(corpus, split, is_known)
    lookups = look_up(corpus, split, coherence, reference)
    label_of = None if labels is None else read_document_labels(corpus, split, labels)
    # Each protocol's pass infers all documents; usage infers nonempty ones.
    num_inferences = num_passes(protocols) * doc_term.num_documents + len(doc_term.filled())
    with progress("Evaluating", total=num_inferences, unit="inferences") as bar:
        watched = topics.watched(model.posterior, bar)
        measured = perplexities(
            protocols,
            doc_term,
            watched,
            model.alpha,
            model.beta,
            seed=seed,
            effort=effort,
            bootstrap=Bootstrap(confidence, seed),
        )
        used = topics.usage(doc_term, watched, num_documents=0)
    agreement = None
    if labels is not None and label_of is not None:
        agreement = label_agreement(doc_term, model.posterior, label_of, labels, seed=seed)
    words = corpus.vocabulary.words
    return Evaluation(
        split=split,
        seed=seed,
        confidence=confidence,
        corpus=corpus.fingerprint,
        num_topics=len(model.beta),
        words=words,
        num_tokens=used.num_tokens,
        num_unknown=num_unknown,
        perplexities=measured,
        quality=topic_quality(
            model.beta, used, words, lookups, num_top_words=num_top_words, agreement=agreement
        ),
    )


def _filled_split(
    corpus: Corpus, split: str, is_known: npt.NDArray[np.bool_] | None
) -> tuple[DocTermMatrix, int | None]:
    """Return the counts of a nonempty split, and its number of out-of-vocabulary tokens."""
    doc_term, num_pruned = corpus.split(split), corpus.num_pruned(split)
    num_unknown = 0
    if is_known is not None:
        known = doc_term.with_words(is_known)
        doc_term, num_unknown = known, int(doc_term.num_tokens - known.num_tokens)
    if doc_term.num_tokens == 0:
        raise CorpusError(
            f"{corpus.path}: no document of the split {split!r} has a word of the vocabulary; "
            "evaluate another one with --split"
        )
    return doc_term, None if num_pruned is None else num_pruned + num_unknown


def _perplexity_to_dict(perplexity: Perplexity) -> dict[str, Any]:
    interval = perplexity.interval
    return {
        **asdict(perplexity),
        "interval": None if interval is None else {**interval._asdict(), "method": METHOD},
    }
