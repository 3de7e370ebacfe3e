"""Questions by which people judge topics (Chang, Boyd-Graber, Gerrish, Wang and Blei 2009).

word intrusion
    Five of a topic's most probable words and an intruder: a word that is improbable in this topic and among
    the first of another. Who finds it has understood what the others have in common.
topic intrusion
    A document with the three topics it has most of and an intruder of which it has hardly anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.fitted.topics import top_words
from lda_app.runtime import rng

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray

WORDS = 5
TOPICS = 3
_INTRUDERS_FROM = 20  # top words of the other topics
_IMPROBABLE = 0.5  # an intruder is in the topic's lower half by probability


def word_questions(beta: FloatArray, topics: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """Ask for each topic which of six words does not belong.

    Topics for which no word of another topic is improbable are passed over.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    topics
        (K,) the topics' numbers.
    seed
        Of the intruders and the order.

    Returns
    -------
    list of dict
        ``topic``, ``words`` (ids, in the order to show) and ``intruder`` (its id).

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
    """Ask for some documents which of four topics does not belong.

    Parameters
    ----------
    shares
        Of each document, topic → share, the largest first.
    candidates
        Documents to choose from.
    topics
        Numbers of all topics.
    number
        Questions to ask, at most.
    seed
        Of the documents, the intruders and the order.

    Returns
    -------
    list of dict
        ``document``, ``topics`` in the order to show, ``shares`` of them, and ``intruder``.
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
