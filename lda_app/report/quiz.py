"""Intrusion questions for human evaluation of topics (Chang, Boyd-Graber, Gerrish, Wang and Blei 2009).

word intrusion
    Five of a topic's most probable words and an intruder: a word that is improbable in this topic but a top
    word of another. People who find it can see what the other words have in common.
topic intrusion
    A document with its three largest topics and an intruder that has almost no share in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.fitted.topics import top_words
from lda_app.system.runtime import rng

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray

WORDS = 5
TOPICS = 3
_INTRUDERS_FROM = 20  # top words of the other topics
_IMPROBABLE = 0.5  # an intruder is in the topic's lower half by probability


def word_questions(beta: FloatArray, topics: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """Return a word intrusion question for each topic: six words, one of which does not belong.

    Topics without a suitable intruder are skipped.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    topics
        (K,) topic numbers.
    seed
        Seed for the intruders and the order.

    Returns
    -------
    list of dict
        ``topic``, ``words`` (ids, in display order) and ``intruder`` (its id).

    Examples
    --------
    >>> beta = np.array([[9, 8, 7, 6, 5, 1, 1, 1, 1, 1, 1.0], [1, 1, 1, 1, 1, 1, 9, 8, 7, 6, 5]]) / 41
    >>> [(question["topic"], sorted(question["words"])) for question in word_questions(beta, [0, 1], 0)]
    [(1, [2, 6, 7, 8, 9, 10]), (0, [0, 1, 2, 3, 4, 10])]
    """
    generator = rng(seed, "word intrusion")
    top = top_words(beta, _INTRUDERS_FROM)
    questions = []
    for row, beta_k in enumerate(beta):
        own = top[row, :WORDS]
        improbable = beta_k <= np.quantile(beta_k, _IMPROBABLE)
        others = np.unique(np.delete(top[:, : 2 * WORDS], row, axis=0))
        candidates = others[improbable[others] & ~np.isin(others, own)]
        if len(candidates):
            intruder = generator.choice(candidates)
            shown = generator.permutation([*own, intruder])
            questions.append({"topic": topics[row], "words": shown.tolist(), "intruder": int(intruder)})
    return _shuffled(questions, generator)


def topic_questions(
    shares: Sequence[Mapping[int, int]],
    candidates: Sequence[int],
    topics: Sequence[int],
    number: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return topic intrusion questions for some documents: four topics, one of which does not belong.

    Parameters
    ----------
    shares
        For each document, topic → share, in descending order of share.
    candidates
        Documents to choose from.
    topics
        Numbers of all topics.
    number
        Maximum number of questions.
    seed
        Seed for the documents, the intruders and the order.

    Returns
    -------
    list of dict
        ``document``, ``topics`` in display order, their ``shares``, and ``intruder``.
    """
    generator = rng(seed, "topic intrusion")
    usable = [d for d in candidates if TOPICS <= len(shares[d]) < len(topics)]
    chosen = generator.permutation(np.array(usable, dtype=np.int64))[:number].tolist()
    return [_topic_question(document, shares[document], topics, generator) for document in chosen]


def _topic_question(
    document: int, shares: Mapping[int, int], topics: Sequence[int], generator: np.random.Generator
) -> dict[str, Any]:
    own = [*shares][:TOPICS]
    intruder = int(generator.choice(np.setdiff1d(topics, [*shares])))
    shown: npt.NDArray[np.int64] = generator.permutation([*own, intruder])
    return {
        "document": document,
        "topics": shown.tolist(),
        "shares": [shares.get(topic, 0) for topic in shown.tolist()],
        "intruder": intruder,
    }


def _shuffled(questions: list[dict[str, Any]], generator: np.random.Generator) -> list[dict[str, Any]]:
    return [questions[place] for place in generator.permutation(len(questions))]
