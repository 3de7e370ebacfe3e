"""Topic quality, per topic and overall: everything except predictive performance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lda_app.errors import CorpusError
from lda_app.evaluation.coherence import MEASURES, Coherence, coherences, named
from lda_app.evaluation.diversity import (
    RBO_PERSISTENCE,
    DuplicateTopics,
    dead_topics,
    duplicates,
    effective_topics,
    inverted_rbo,
    unique_share,
)
from lda_app.evaluation.exclusivity import FREX_WEIGHT, exclusivity
from lda_app.evaluation.reference import Reference
from lda_app.evaluation.significance import background_divergence, uniform_divergence, vacuous_divergence
from lda_app.fitted import topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from lda_app.corpus.folder import Corpus
    from lda_app.evaluation.clustering import LabelAgreement
    from lda_app.fitted.inference import FloatArray
    from lda_app.fitted.topics import Usage

    Scores = npt.NDArray[np.float64]

COHERENCE_WORDS = 10
DIVERSITY_WORDS = 25
SPLITS = ("train", "test")


@dataclass(frozen=True, eq=False)
class Lookup:
    """Coherence measures to compute on a reference corpus.

    Parameters
    ----------
    reference
        Reference corpus.
    names
        Names in :data:`~lda_app.evaluation.coherence.MEASURES`.
    """

    reference: Reference
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Significance:
    """Divergence (K,) of each topic from three uninformative ones, in nats; see ``significance.py``."""

    uniform: Scores
    vacuous: Scores
    background: Scores


@dataclass(frozen=True, eq=False)
class TopicQuality:
    """Quality measures of a model's topics.

    Parameters
    ----------
    top_words
        (K, N) word ids used for coherence, overlap and exclusivity.
    coherences
        Coherence for each measure and reference.
    left_out
        Why measures that need the word order are missing; empty if none is.
    exclusivity
        (K,) mean FREX of the top words.
    significance
        Divergence from uninformative topics.
    prevalence
        (K,) mean share over nonempty documents.
    num_documents, num_tokens
        Size of the data for prevalence and ``significance.background``.
    diversity, num_diversity_words
        Share of distinct words among the top words of all topics, and the number of top words.
    inverted_rbo
        Rank-based diversity of the top words.
    dead
        Topics whose mean share is below 0.1/K.
    duplicates
        Pairs of topics that share at least half of their top words.
    agreement
        Agreement with document labels, if any.
    """

    top_words: npt.NDArray[np.int64]
    coherences: tuple[Coherence, ...]
    left_out: str
    exclusivity: Scores
    significance: Significance
    prevalence: Scores
    num_documents: int
    num_tokens: int
    diversity: float
    num_diversity_words: int
    inverted_rbo: float
    dead: tuple[int, ...]
    duplicates: tuple[DuplicateTopics, ...]
    agreement: LabelAgreement | None = None

    def to_dict(self, split: str, words: Sequence[str]) -> dict[str, Any]:
        """Return a JSON-serializable dictionary.

        Parameters
        ----------
        split
            Name of the split for prevalence.
        words
            Vocabulary.
        """
        num_topics, num_top_words = self.top_words.shape
        measured_on = {"split": split, "num_documents": self.num_documents, "num_tokens": self.num_tokens}
        effective = effective_topics(self.prevalence)
        return {
            "coherence": [_coherence_to_dict(coherence) for coherence in self.coherences],
            "coherence_left_out": self.left_out or None,
            "diversity": {
                "protocol": "unique_share",
                "value": self.diversity,
                "num_top_words": self.num_diversity_words,
            },
            "diversity_by_rank": {
                "protocol": f"inverted_rbo_{RBO_PERSISTENCE}",
                "value": self.inverted_rbo,
                "num_top_words": num_top_words,
            },
            "exclusivity": {
                "protocol": f"frex_{FREX_WEIGHT}",
                "value": float(self.exclusivity.mean()),
                "num_top_words": num_top_words,
            },
            "significance": {
                f"kl_{name}": float(scores.mean()) for name, scores in asdict(self.significance).items()
            },
            "live_topics": {
                "protocol": "share_0.1_over_K",
                "value": num_topics - len(self.dead),
                "dead": list(self.dead),
                **measured_on,
            },
            "effective_topics": {"protocol": "exp_entropy", "value": effective, **measured_on},
            "duplicate_topics": {
                "protocol": f"{_shared_words(num_top_words)}_of_{num_top_words}_shared",
                "value": len({topic for pair in self.duplicates for topic in (pair.topic, pair.other)}),
                "pairs": [pair._asdict() for pair in self.duplicates],
            },
            "labels": None if self.agreement is None else _agreement_to_dict(self.agreement, split),
            "topics": self.per_topic(words),
        }

    def per_topic(self, words: Sequence[str]) -> list[dict[str, Any]]:
        """Return the figures of each topic in model order; coherence is for the first reference only."""
        reference = self.coherences[0].reference if self.coherences else ""
        measured = {found.protocol: found for found in self.coherences if found.reference == reference}
        alike: dict[int, list[int]] = {topic: [] for topic in range(len(self.top_words))}
        for pair in self.duplicates:
            alike[pair.topic].append(pair.other)
            alike[pair.other].append(pair.topic)
        labels = None if self.agreement is None else self.agreement.topic_labels
        return [
            {
                "id": topic,
                "top_words": [words[word] for word in self.top_words[topic]],
                "prevalence": float(self.prevalence[topic]),
                "coherence": {name: float(found.per_topic[topic]) for name, found in measured.items()},
                "unseen_words": {name: int(found.unseen_words[topic]) for name, found in measured.items()},
                "exclusivity": float(self.exclusivity[topic]),
                "kl_uniform": float(self.significance.uniform[topic]),
                "kl_vacuous": float(self.significance.vacuous[topic]),
                "kl_background": float(self.significance.background[topic]),
                "dead": topic in self.dead,
                "duplicate_of": alike[topic],
                "label": _label_to_dict(None if labels is None else labels[topic]),
            }
            for topic in range(len(self.top_words))
        ]


def look_up(
    corpus: Corpus, split: str, names: Sequence[str] | None = None, reference: str | None = None
) -> list[Lookup]:
    """Choose which coherence measures to compute on which reference.

    Parameters
    ----------
    corpus
        Corpus of the model.
    split
        Split being evaluated.
    names
        Measures; None means all that the reference supports.
    reference
        ``train``, ``test``, or the path of a file of documents. None means ``train``, plus ``document_npmi``
        on the evaluated split if that is a different one.

    Raises
    ------
    ConfigError
        If there is no such measure or split.
    CorpusError
        If there is no such file, or a measure needs an unknown word order.
    """
    measures = named(names or ())
    chosen = _reference(corpus, reference or "train")
    if _has_windows(measures) and chosen.positions is None:
        raise CorpusError(chosen.why_no_order)
    found = [Lookup(chosen, measures or _possible(chosen))]
    if names is None and reference is None and split != "train":
        found.append(Lookup(Reference.of_split(corpus, split), ("document_npmi",)))
    return found


def topic_quality(
    beta: FloatArray,
    used: Usage,
    words: Sequence[str],
    lookups: Sequence[Lookup],
    *,
    num_top_words: int = COHERENCE_WORDS,
    agreement: LabelAgreement | None = None,
) -> TopicQuality:
    """Compute the quality measures of topics.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    used
        How a corpus uses the topics.
    words
        Vocabulary.
    lookups
        Coherence measures and references, from :func:`look_up`.
    num_top_words
        Number of top words per topic for coherence, overlap and exclusivity.
    agreement
        Agreement with document labels, if any.
    """
    top = topics.top_words(beta, num_top_words)
    wider = topics.top_words(beta, DIVERSITY_WORDS)
    left_out = [lookup.reference.why_no_order for lookup in lookups[:1] if not _has_windows(lookup.names)]
    return TopicQuality(
        top_words=top,
        coherences=tuple(
            found for lookup in lookups for found in coherences(top, words, lookup.reference, lookup.names)
        ),
        left_out="".join(left_out),
        exclusivity=exclusivity(beta, top),
        significance=Significance(
            uniform_divergence(beta),
            vacuous_divergence(beta, used.prevalence),
            background_divergence(used.prevalence, used.theta_log_theta),
        ),
        prevalence=used.prevalence,
        num_documents=used.num_documents,
        num_tokens=used.num_tokens,
        diversity=unique_share(wider),
        num_diversity_words=wider.shape[1],
        inverted_rbo=inverted_rbo(top),
        dead=dead_topics(used.prevalence),
        duplicates=duplicates(top, at_least=_shared_words(top.shape[1])),
        agreement=agreement,
    )


def _shared_words(num_top_words: int) -> int:
    """Half of the top words: two topics that share at least this many are duplicates."""
    return -(-num_top_words // 2)


def _reference(corpus: Corpus, name: str) -> Reference:
    if name in SPLITS:
        return Reference.of_split(corpus, name)
    return Reference.of_file(Path(name), corpus.preprocessor)


def _possible(reference: Reference) -> tuple[str, ...]:
    known = reference.positions is not None
    return tuple(name for name, measure in MEASURES.items() if known or measure.window is None)


def _has_windows(names: Sequence[str]) -> bool:
    return any(MEASURES[name].window for name in names)


def _coherence_to_dict(coherence: Coherence) -> dict[str, Any]:
    return {
        "protocol": coherence.protocol,
        "value": coherence.mean,
        "reference_split": coherence.reference,
        "window": coherence.window,
        "num_top_words": coherence.num_top_words,
        "num_documents": coherence.num_documents,
        "num_tokens": coherence.num_tokens,
        "unseen_words": int(coherence.unseen_words.sum()),
        "per_topic": coherence.per_topic.tolist(),
    }


def _agreement_to_dict(agreement: LabelAgreement, split: str) -> dict[str, Any]:
    figures = {**asdict(agreement), "split": split}
    del figures["topic_labels"]
    return figures


def _label_to_dict(label: tuple[str, float] | None) -> dict[str, Any] | None:
    return None if label is None else {"label": label[0], "share": label[1]}
