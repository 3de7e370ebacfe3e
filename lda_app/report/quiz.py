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
    from collections.abc import Sequence

    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray

WORDS = 5
TOPICS = 3
_INTRUDERS_FROM = 20  # top words of the other topics
_IMPROBABLE = 0.5  # an intruder is in the topic's lower half by probability


def word_questions(beta: FloatArray, seed: int) -> list[dict[str, Any]]:
    """Ask for each topic which of six words does not belong.

    Topics for which no word of another topic is improbable are passed over.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities.
    seed
        Of the intruders and the order.

    Returns
    -------
    list of dict
        ``topic``, ``words`` (ids, in the order to show) and ``intruder`` (its id).

    Examples
    --------
    >>> beta = np.array([[9, 8, 7, 6, 5, 1, 1, 1, 1, 1, 1.0], [1, 1, 1, 1, 1, 1, 9, 8, 7, 6, 5]]) / 41
    >>> [(question["topic"], sorted(question["words"])) for question in word_questions(beta, 0)]
    [(1, [2, 6, 7, 8, 9, 10]), (0, [0, 1, 2, 3, 4, 10])]
    """
    generator = rng(seed, "word intrusion")
    top = top_words(beta, _INTRUDERS_FROM)
    questions = []
    for topic, beta_k in enumerate(beta):
        own = top[topic, :WORDS]
        improbable = beta_k <= np.quantile(beta_k, _IMPROBABLE)
        others = np.unique(np.delete(top[:, : 2 * WORDS], topic, axis=0))
        candidates = others[improbable[others] & ~np.isin(others, own)]
        if len(candidates):
            intruder = generator.choice(candidates)
            shown = generator.permutation([*own, intruder])
            questions.append({"topic": topic, "words": shown.tolist(), "intruder": int(intruder)})
    return _shuffled(questions, generator)


def topic_questions(
    shares: Sequence[Sequence[int]],
    candidates: Sequence[int],
    num_topics: int,
    number: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Ask for some documents which of four topics does not belong.

    Parameters
    ----------
    shares
        Of each document, by `lda_app.report.documents.document_shares`.
    candidates
        Documents to choose from.
    num_topics
        K.
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
    usable = [d for d in candidates if len(shares[d]) >= 4 * TOPICS and num_topics > len(shares[d]) // 4]
    chosen = generator.permutation(np.array(usable, dtype=np.int64))[:number].tolist()
    return [_topic_question(document, shares[document], num_topics, generator) for document in chosen]


def _topic_question(
    document: int, shares: Sequence[int], num_topics: int, generator: np.random.Generator
) -> dict[str, Any]:
    share_of = dict(zip(shares[::4], shares[1::4], strict=True))
    own = [*share_of][:TOPICS]
    intruder = int(generator.choice(np.setdiff1d(np.arange(num_topics), [*share_of])))
    shown: npt.NDArray[np.int64] = generator.permutation([*own, intruder])
    return {
        "document": document,
        "topics": shown.tolist(),
        "shares": [share_of.get(topic, 0) for topic in shown.tolist()],
        "intruder": intruder,
    }


def _shuffled(questions: list[dict[str, Any]], generator: np.random.Generator) -> list[dict[str, Any]]:
    return [questions[place] for place in generator.permutation(len(questions))]
