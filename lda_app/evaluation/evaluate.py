"""All figures of a model on one split of a corpus, each under its protocol's name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app import topics
from lda_app.errors import CorpusError
from lda_app.evaluation.bootstrap import METHOD, Bootstrap
from lda_app.evaluation.coherence import Coherence, document_npmi
from lda_app.evaluation.diversity import Duplicate, duplicates, live_topics, unique_share
from lda_app.evaluation.perplexity import DEFAULT_PROTOCOLS, num_passes, perplexities
from lda_app.runtime import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.evaluation.perplexity import Effort
    from lda_app.evaluation.scores import Perplexity
    from lda_app.inference import FloatArray, Infer

SCHEMA_VERSION = 2
COHERENCE_WORDS = 10
DIVERSITY_WORDS = 25


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured, on what.

    Parameters
    ----------
    split, seed, confidence
        The split evaluated; the seed of all that is sampled; the confidence of intervals.
    corpus
        Fingerprint of the corpus.
    num_topics, num_words
        K and V.
    num_documents, num_tokens
        Documents of the split that have a token, and their tokens: what live topics are measured on.
    num_unknown
        Words of the split that are not of the vocabulary, which no figure counts; None where the corpus does
        not tell.
    perplexities
        One a protocol.
    coherences
        One a reference split.
    diversity
        Share of distinct words among the top ``DIVERSITY_WORDS`` of all topics.
    live_topics
        Topics whose mean share is at least 0.1/K.
    duplicates
        Pairs of topics that share at least half of their top ``COHERENCE_WORDS``.
    """

    split: str
    seed: int
    confidence: float
    corpus: str
    num_topics: int
    num_words: int
    num_documents: int
    num_tokens: int
    num_unknown: int | None
    perplexities: tuple[Perplexity, ...]
    coherences: tuple[Coherence, ...]
    diversity: float
    live_topics: int
    duplicates: tuple[Duplicate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON can hold them, with a ``schema_version``."""
        measured_on = {
            "split": self.split,
            "num_documents": self.num_documents,
            "num_tokens": self.num_tokens,
        }
        return {
            "schema_version": SCHEMA_VERSION,
            "split": self.split,
            "seed": self.seed,
            "confidence": self.confidence,
            "corpus_fingerprint": self.corpus,
            "num_topics": self.num_topics,
            "num_words": self.num_words,
            "out_of_vocabulary": self._out_of_vocabulary(),
            "perplexity": {measure.protocol: _perplexity_to_dict(measure) for measure in self.perplexities},
            "coherence": [_coherence_to_dict(coherence) for coherence in self.coherences],
            "diversity": {
                "protocol": "unique_share",
                "value": self.diversity,
                "num_top_words": min(DIVERSITY_WORDS, self.num_words),
            },
            "live_topics": {
                "protocol": "share_0.1_over_K",
                "value": self.live_topics,
                **measured_on,
            },
            "duplicate_topics": {
                "protocol": "5_of_10_shared",
                "value": len({topic for pair in self.duplicates for topic in (pair.topic, pair.other)}),
                "pairs": [pair._asdict() for pair in self.duplicates],
            },
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
    infer: Infer,
    alpha: FloatArray,
    beta: FloatArray,
    corpus: Corpus,
    *,
    split: str = "test",
    is_known: npt.NDArray[np.bool_] | None = None,
    protocols: Sequence[str] = DEFAULT_PROTOCOLS,
    effort: Effort | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Measure a model on a split of a corpus.

    Parameters
    ----------
    infer
        Gives the concentration (D, K) of q(θ|w) for counts (D, V).
    alpha, beta
        The model: prior (K,) of θ, topic-word probabilities (K, V).
    corpus
        Over the model's vocabulary. Coherence is measured on its training split and on the split evaluated.
    split
        The split that perplexities and live topics are measured on.
    is_known
        (V,) whether the model knows a word, where it does not know all: tokens of others are left out of
        perplexities and of prevalence, and counted as out of the vocabulary.
    protocols
        Of perplexity, by name.
    effort
        How much is sampled for them.
    confidence
        Of their intervals.
    seed
        Of all samples, of the halves of documents, and of the documents drawn for intervals.

    Raises
    ------
    ConfigError
        If there is no such split.
    CorpusError
        If none of its documents has a word.
    """
    doc_term, num_unknown = _filled_split(corpus, split, is_known)
    num_topics, num_words = beta.shape
    top = topics.top_words(beta, DIVERSITY_WORDS)
    # Each protocol's pass infers all documents, usage those that have a token.
    num_inferences = num_passes(protocols) * doc_term.num_documents + int(
        np.count_nonzero(doc_term.lengths())
    )
    with progress("Evaluating", total=num_inferences, unit="inferences") as bar:
        watched = topics.watched(infer, bar)
        measured = perplexities(
            protocols,
            doc_term,
            watched,
            alpha,
            beta,
            seed=seed,
            effort=effort,
            bootstrap=Bootstrap(confidence, seed),
        )
        used = topics.usage(doc_term, watched, num_documents=0)
    references = sorted({"train", split} & set(corpus.splits), reverse=True)
    return Evaluation(
        split=split,
        seed=seed,
        confidence=confidence,
        corpus=corpus.fingerprint,
        num_topics=num_topics,
        num_words=num_words,
        num_documents=used.num_documents,
        num_tokens=used.num_tokens,
        num_unknown=num_unknown,
        perplexities=measured,
        coherences=tuple(
            document_npmi(top[:, :COHERENCE_WORDS], corpus.split(name), name) for name in references
        ),
        diversity=unique_share(top),
        live_topics=live_topics(used.prevalence),
        duplicates=duplicates(top[:, :COHERENCE_WORDS]),
    )


def _filled_split(
    corpus: Corpus, split: str, is_known: npt.NDArray[np.bool_] | None
) -> tuple[DocTermMatrix, int | None]:
    """Return the counts of a split that has something to measure, and how many words are not among them."""
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


def _coherence_to_dict(coherence: Coherence) -> dict[str, Any]:
    return {
        "protocol": coherence.protocol,
        "value": coherence.mean,
        "reference_split": coherence.reference,
        "num_top_words": coherence.num_top_words,
        "num_documents": coherence.num_documents,
        "num_tokens": coherence.num_tokens,
        "unseen_words": int(coherence.unseen_words.sum()),
        "per_topic": coherence.per_topic.tolist(),
    }
