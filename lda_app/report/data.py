"""Compute everything that the page shows; the page itself only renders and sorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app import __version__
from lda_app.evaluation.coherence import document_npmi
from lda_app.evaluation.evaluate import COHERENCE_WORDS
from lda_app.evaluation.exclusivity import frex_scores
from lda_app.fitted import topics
from lda_app.fitted.labels import Labels
from lda_app.report.annotations import found_later
from lda_app.report.documents import LEVEL, choose_rows, pack_documents
from lda_app.report.figures import curve, held_out_perplexity, quality
from lda_app.report.groups import groupings
from lda_app.report.layout import place, topic_distances
from lda_app.report.packing import as_json, packed, quantized_logs
from lda_app.report.prose import bibtex, methods
from lda_app.report.quiz import word_questions
from lda_app.report.shares import CONFIDENCE, QUANTILE, mean_shares
from lda_app.report.words import LAMBDAS, marginal, reachable
from lda_app.system.runtime import progress
from lda_app.system.storage import content_fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.inference import FloatArray, Infer
    from lda_app.fitted.model import LabelledModel
    from lda_app.report.groups import Grouping
    from lda_app.report.shares import GroupMeans, MeanShares

SCHEMA_VERSION = 1
SPLIT = "train"
SHOWN_WORDS = 30
REPRESENTATIVE = 10
_NEAREST = 5
_LEAST_USE = 0.01  # minimum share of a word's tokens for a topic to be listed as using it


@dataclass(frozen=True)
class Wanted:
    """What to include of a corpus in the page.

    Parameters
    ----------
    documents
        Maximum number of documents to include; 0 includes none.
    seed
        Seed for splitting held-out documents and for the questions.
    """

    documents: int = 25_000
    seed: int = 0


def report_parts(model: ModelDir, corpus: Corpus, wanted: Wanted) -> dict[str, str]:
    """Compute the page's data.

    Parameters
    ----------
    model
        A trained model.
    corpus
        The corpus that it was trained on.
    wanted
        What to include of the corpus.

    Returns
    -------
    dict
        ``data``, JSON that is safe inside HTML; and, if documents are included, ``documents``, ``texts`` and
        ``beta``, all deflated.
    """
    doc_term, beta = corpus.split(SPLIT), np.asarray(model.beta, dtype=np.float64)
    grouped = groupings(corpus.documents(SPLIT, list(corpus.metadata_columns(SPLIT))))
    labelled, as_trained = model.labelled(), model.labelled(Labels(len(beta)))
    views = [as_trained, labelled] if len(labelled.ids) < len(beta) else [as_trained]
    with progress("Inferring topics", _num_inferences(corpus, wanted), "inferences") as bar:
        watched = topics.watched(model.posterior, bar)
        means, *merged = mean_shares(
            doc_term, watched, views, {group.column: group.codes for group in grouped}
        )
        perplexity = _held_out(model, corpus, watched, wanted.seed)
        typical = None
        if wanted.documents:
            infer = topics.watched(labelled.posterior, bar)
            typical = topics.usage(doc_term, infer, REPRESENTATIVE).rows
    said = labelled.labels.to_dict()["topics"]
    described = [
        _describe_topics(view, found, doc_term) for view, found in zip(views, [means, *merged], strict=True)
    ]
    for topic in described[0]["topics"]:
        topic.update(said.get(str(topic["id"]), {}))
    words = _describe_words(views, means.token_shares, labelled, described)
    content = {
        "schema_version": SCHEMA_VERSION,
        "version": __version__,
        "confidence": CONFIDENCE,
        "level": LEVEL,
        "about": content_fingerprint(model.path, "model"),
        "model": _describe_model(model),
        "corpus": _describe_corpus(corpus),
        "methods": methods(model.config, corpus.manifest, perplexity),
        "bibtex": bibtex(model.config["lda_app"]),
        "perplexity": perplexity,
        "quantile": QUANTILE,
        "alpha": [rounded(value, 6) for value in model.alpha],
        "num_documents": int(means.everywhere.num_documents[0]),
        "covariance": [[rounded(value) for value in row[: k + 1]] for k, row in enumerate(means.covariance)],
        **described[0],
        **words,
        "groups": [_describe_groups(group, means.groups[group.column]) for group in grouped],
        "labelled": _describe_labelled(labelled, described[-1], grouped, merged[0]) if merged else None,
        "quality": quality(beta, means.everywhere.mean[0]),
        "curve": curve(model.history),
        **found_later(model.path, len(beta)),
    }
    carried = {} if typical is None else _carry_documents(labelled, corpus, typical, wanted)
    return {"data": as_json({**content, "carried": bool(carried)}), **carried}


def _num_inferences(corpus: Corpus, wanted: Wanted) -> int:
    """Count how many times the topics of a document are inferred."""
    filled = int(np.count_nonzero(corpus.split(SPLIT).lengths()))
    held_out = corpus.split("test").num_documents if "test" in corpus.splits else 0
    return filled * (2 if wanted.documents else 1) + held_out


def _held_out(model: ModelDir, corpus: Corpus, infer: Infer, seed: int) -> dict[str, Any] | None:
    if "test" not in corpus.splits:
        return None
    return held_out_perplexity(corpus.split("test"), infer, model.beta, split="test", seed=seed)


def _describe_model(model: ModelDir) -> dict[str, Any]:
    training = model.config["training"]
    return {
        "num_topics": training["num_topics"],
        "num_words": model.config["num_words"],
        "seed": training["seed"],
        "settings": {name: value for name, value in training.items() if value is not None},
        "versions": {"lda-app": model.config["lda_app"], **model.config["versions"]},
    }


def _describe_corpus(corpus: Corpus) -> dict[str, Any]:
    kept = ("name", "num_words", "splits", "left_out", "warnings")
    return {name: corpus.manifest[name] for name in kept if name in corpus.manifest}


def _describe_labelled(
    model: LabelledModel, described: dict[str, Any], grouped: list[Grouping], means: MeanShares
) -> dict[str, Any]:
    """Describe the topics as merged in the labels; shown until the merges are edited on the page."""
    groups = [_describe_groups(group, means.groups[group.column]) for group in grouped]
    entries = [
        {**topic, "members": model.labels.members(topic["id"]), "column": column}
        for column, topic in enumerate(described["topics"])
    ]
    return {"topics": entries, "coherence": described["coherence"], "groups": groups}


def _describe_topics(model: LabelledModel, means: MeanShares, doc_term: DocTermMatrix) -> dict[str, Any]:
    """Describe each topic, except for its words."""
    beta = np.asarray(model.beta, dtype=np.float64)
    distances = topic_distances(beta)
    places = place(distances)
    coherence = document_npmi(topics.top_words(beta, COHERENCE_WORDS), doc_term, SPLIT)
    overall = means.everywhere
    low, high = overall.interval()
    described = [
        {
            "id": model.ids[k],
            "prevalence": rounded(overall.mean[0, k]),
            "low": rounded(low[0, k]),
            "high": rounded(high[0, k]),
            "token_share": rounded(means.token_shares[k]),
            "coherence": rounded(coherence.per_topic[k]),
            "place": [rounded(value) for value in places[k]],
            "nearest": [[model.ids[other], distance] for other, distance in _nearest(distances, k)],
        }
        for k in range(len(beta))
    ]
    return {
        "topics": described,
        "coherence": {
            "protocol": coherence.protocol,
            "value": rounded(coherence.mean),
            "num_top_words": coherence.num_top_words,
            "split": SPLIT,
        },
    }


def _nearest(distances: npt.NDArray[np.float64], topic: int) -> list[tuple[int, float]]:
    others = np.argsort(distances[topic] - 2 * (np.arange(len(distances)) == topic), kind="stable")[1:]
    return [(int(other), rounded(distances[topic, other])) for other in others[:_NEAREST]]


def _describe_words(
    views: Sequence[LabelledModel],
    token_shares: FloatArray,
    asked_about: LabelledModel,
    described: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Add to each topic in each view the words that may be shown for it, and describe those words."""
    beta, vocabulary = np.asarray(views[0].beta, dtype=np.float64), asked_about.vocabulary.words
    word_shares = marginal(beta, token_shares)
    words = [_TopicWords.of(np.asarray(view.beta, dtype=np.float64), word_shares) for view in views]
    columns = asked_about.columns
    shown_beta = np.asarray(asked_about.beta, dtype=np.float64)[columns]
    questions = word_questions(shown_beta, asked_about.shown, seed=0) if columns else []
    chosen = [row for found in words for row in found.chosen]
    used = np.unique(np.concatenate([*chosen, *(question["words"] for question in questions)]))
    number = {int(word): place for place, word in enumerate(used)}
    for view, found in zip(described, words, strict=True):
        for k, topic in enumerate(view["topics"]):
            topic.update(found.describe(k, number))
    for question in questions:
        question["words"] = [number[word] for word in question["words"]]
        question["intruder"] = number[question["intruder"]]
    return {
        "words": [vocabulary[word] for word in used],
        "word_shares": [rounded(value) for value in word_shares[used]],
        "word_topics": [_uses(beta[:, word] * token_shares / word_shares[word]) for word in used],
        "lambdas": [rounded(value, 3) for value in LAMBDAS],
        "shown_words": SHOWN_WORDS,
        "questions": questions,
    }


@dataclass(frozen=True, eq=False)
class _TopicWords:
    """Words that may be shown for each of K topics, with (K, V) probabilities and FREX scores."""

    chosen: list[npt.NDArray[np.int64]]
    beta: FloatArray
    scores: FloatArray

    @classmethod
    def of(cls, beta: FloatArray, word_shares: FloatArray) -> _TopicWords:
        scores = np.stack(list(frex_scores(beta)))
        return cls(reachable(beta, word_shares, scores, SHOWN_WORDS), beta, scores)

    def describe(self, k: int, number: Mapping[int, int]) -> dict[str, list[float]]:
        return {
            "words": [number[word] for word in self.chosen[k].tolist()],
            "p": [rounded(value) for value in self.beta[k, self.chosen[k]]],
            "frex": [rounded(value, 3) for value in self.scores[k, self.chosen[k]]],
        }


def _uses(shares: npt.NDArray[np.float64]) -> list[float]:
    """List the topics that use a word with their shares of its tokens, in descending order."""
    order = np.argsort(-shares, kind="stable")
    return [
        value for k in order if shares[k] >= _LEAST_USE for value in (int(k), rounded(float(shares[k]), 3))
    ]


def _describe_groups(grouping: Grouping, means: GroupMeans) -> dict[str, Any]:
    low, high = means.interval()
    return {
        "column": grouping.column,
        "names": list(grouping.names),
        "time": grouping.time,
        "left_out": grouping.num_left_out,
        "num_documents": means.num_documents.tolist(),
        "mean": [[rounded(value) for value in row] for row in means.mean],
        "low": [[rounded(value) for value in row] for row in low],
        "high": [[rounded(value) for value in row] for row in high],
        "error": [[rounded(value) for value in row] for row in means.standard_error],
    }


def _carry_documents(
    model: LabelledModel, corpus: Corpus, typical: npt.NDArray[np.int64], wanted: Wanted
) -> dict[str, str]:
    sizes = {split: corpus.split(split).num_documents for split in corpus.splits}
    chosen = choose_rows(sizes, typical.ravel(), wanted.documents)
    levels, lowest, highest = quantized_logs(np.asarray(model.trained.beta, dtype=np.float64))
    return {
        **pack_documents(corpus, model, chosen, typical, seed=wanted.seed),
        "beta": f"{lowest!r} {highest!r} {packed(levels)}",
    }


def rounded(value: float, digits: int = 4) -> float:
    """Round to significant digits, to keep the page small.

    Examples
    --------
    >>> rounded(0.0123456), rounded(0.0)
    (0.01235, 0.0)
    """
    return float(f"{value:.{digits}g}")
