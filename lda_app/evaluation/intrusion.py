r"""Score the answers to intrusion tests, in which people judge whether topics make sense.

Chang, Boyd-Graber, Gerrish, Wang and Blei (2009), "Reading tea leaves": in a *word intrusion* test, raters
pick the word that does not belong to a topic; in a *topic intrusion* test, the topic that does not belong to
a document.

===================  =====================================================================================
model precision      share of raters who chose the intruder (their section 3.1)
topic log odds       mean of log θ_intruder − log θ_chosen, 0 at best (section 3.2); shares below
                     ``LEAST_SHARE``, which the page omits, count as ``LEAST_SHARE``
===================  =====================================================================================

Answers about the same topic (document) are correlated, so topics (documents) are the sampling units. The mean
precision gets a Wilson interval with the number of units as trials, which is conservative if several raters
judged each unit.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from lda_app.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SCHEMA_VERSION = 1
KIND = "intrusion_answers"
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Precision:
    """How often the intruder was found.

    Parameters
    ----------
    value
        Mean over topics or documents of the share of correct answers.
    low, high
        Ends of the Wilson interval.
    chance
        Expected precision of guessing.
    num_units, num_answers
        Number of topics or documents judged, and of answers.
    """

    value: float
    low: float
    high: float
    chance: float
    num_units: int
    num_answers: int


@dataclass(frozen=True)
class Intrusion:
    """Results of scoring intrusion answers.

    Parameters
    ----------
    raters, confidence
        Names of the raters, and the confidence level of the intervals.
    words, topics
        Precision in word and topic intrusion; None without such answers.
    topic_log_odds
        Mean topic log odds over documents; None without topic intrusions.
    by_topic
        Topic → (correct answers, answers) in word intrusion.
    """

    raters: tuple[str, ...]
    confidence: float
    words: Precision | None
    topics: Precision | None
    topic_log_odds: float | None
    by_topic: dict[int, tuple[int, int]]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dictionary."""
        return {
            "schema_version": SCHEMA_VERSION,
            "raters": list(self.raters),
            "confidence": self.confidence,
            "word_intrusion": None if self.words is None else asdict(self.words),
            "topic_intrusion": None if self.topics is None else asdict(self.topics),
            "topic_log_odds": self.topic_log_odds,
            "by_topic": [
                {"id": topic, "right": right, "answers": answers}
                for topic, (right, answers) in sorted(self.by_topic.items())
            ],
        }


def score_intrusion(documents: Sequence[Mapping[str, Any]], confidence: float = 0.95) -> Intrusion:
    """Score the answers of one or more people.

    Parameters
    ----------
    documents
        Contents of each ``answers.json`` from the report.
    confidence
        Confidence level of the intervals.

    Raises
    ------
    CorpusError
        If a document has the wrong format, or there are no answers at all.

    Examples
    --------
    >>> question = {"topic": 3, "words": ["moon", "orbit", "goal"], "intruder": "goal", "chosen": "goal"}
    >>> found = score_intrusion([{"kind": "intrusion_answers", "rater": "AB", "word_intrusion": [question]}])
    >>> found.words.value, round(found.words.low, 2), found.words.chance
    (1.0, 0.21, 0.3333333333333333)
    """
    for document in documents:
        _require_answers(document)
    words = [answer for document in documents for answer in document.get("word_intrusion", [])]
    topics = [answer for document in documents for answer in document.get("topic_intrusion", [])]
    if not words and not topics:
        raise CorpusError("the answers hold no answer: all questions were skipped")
    odds = [
        np.mean([_log_odds(answer) for answer in group]) for group in _grouped(topics, "document").values()
    ]
    by_topic = {int(topic): _right(answers) for topic, answers in _grouped(words, "topic").items()}
    return Intrusion(
        raters=tuple(str(document.get("rater", "")) for document in documents),
        confidence=confidence,
        words=_precision(words, "topic", "words", confidence),
        topics=_precision(topics, "document", "topics", confidence),
        topic_log_odds=float(np.mean(odds)) if odds else None,
        by_topic=by_topic,
    )


def wilson(share: float, number: int, confidence: float) -> tuple[float, float]:
    """Return the ends of the Wilson interval for a proportion (Wilson 1927).

    Examples
    --------
    >>> [round(end, 3) for end in wilson(0.5, 10, 0.95)]
    [0.237, 0.763]
    """
    z = float(norm.ppf((1 + confidence) / 2))
    middle = (share + z**2 / (2 * number)) / (1 + z**2 / number)
    half = z / (1 + z**2 / number) * np.sqrt(share * (1 - share) / number + z**2 / (4 * number**2))
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def _precision(
    answers: Sequence[Mapping[str, Any]], unit: str, choices: str, confidence: float
) -> Precision | None:
    if not answers:
        return None
    shares = [right / number for right, number in map(_right, _grouped(answers, unit).values())]
    value = float(np.mean(shares))
    chance = float(np.mean([1 / len(answer[choices]) for answer in answers]))
    return Precision(value, *wilson(value, len(shares), confidence), chance, len(shares), len(answers))


def _grouped(answers: Iterable[Mapping[str, Any]], unit: str) -> dict[Any, list[Mapping[str, Any]]]:
    groups: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for answer in answers:
        groups[answer[unit]].append(answer)
    return groups


def _right(answers: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    return sum(answer["chosen"] == answer["intruder"] for answer in answers), len(answers)


def _log_odds(answer: Mapping[str, Any]) -> float:
    share = dict(zip(answer["topics"], answer["shares"], strict=True))
    intruder, chosen = (max(float(share[answer[name]]), LEAST_SHARE) for name in ("intruder", "chosen"))
    return float(np.log(intruder) - np.log(chosen))


def _require_answers(document: Mapping[str, Any]) -> None:
    if document.get("kind") != KIND:
        raise CorpusError(f"not the answers of a quiz: kind is {document.get('kind')!r}, expected {KIND!r}")
    for part, keys in (("word_intrusion", {"topic", "words"}), ("topic_intrusion", {"document", "topics"})):
        for number, answer in enumerate(document.get(part, [])):
            _require_answer(f"{part}[{number}]", answer, keys)


def _require_answer(place: str, answer: Any, keys: set[str]) -> None:
    needed = keys | {"intruder", "chosen"} | ({"shares"} if "topics" in keys else set())
    if not isinstance(answer, dict) or not needed <= answer.keys():
        raise CorpusError(f"{place}: expected {', '.join(sorted(needed))}")
    choices = answer["words"] if "words" in keys else answer["topics"]
    if not {answer["intruder"], answer["chosen"]} <= set(choices):
        raise CorpusError(f"{place}: intruder and chosen must be among {choices}")
    if "topics" in keys and len(answer["shares"]) != len(choices):
        raise CorpusError(f"{place}: {len(choices)} topics, but {len(answer['shares'])} shares")
