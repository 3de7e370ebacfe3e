"""Carry labels over to another model whose topics differ in content and order.

Topics are matched one to one by their words (see `lda_app.evaluation.stability`). A match is *sure* if its
similarity reaches the threshold for the same topic and clearly exceeds the second best. Only sure matches
transfer labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from lda_app.evaluation.stability import FOUND, similarities
from lda_app.fitted.labels import Labels, TopicLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray

_CLEARLY = 0.05  # minimum margin in similarity over the second-best topic


@dataclass(frozen=True)
class Match:
    """A topic of the old model and its match in the new model.

    Parameters
    ----------
    old, new
        Topic numbers; ``new`` is None if the new model has fewer topics and none is left.
    similarity
        Similarity of their word distributions, from 0 to 1.
    second
        Similarity of the old topic to the second-best topic of the new model.
    """

    old: int
    new: int | None
    similarity: float
    second: float

    @property
    def sure(self) -> bool:
        """Whether the two count as the same topic."""
        return self.new is not None and self.similarity >= max(FOUND, self.second + _CLEARLY)


def match_topics(
    beta: FloatArray, words: Sequence[str], new_beta: FloatArray, new_words: Sequence[str]
) -> list[Match]:
    """Match the topics of two models by their words.

    Parameters
    ----------
    beta, words
        (K, V) topic-word probabilities of the old model, and its vocabulary.
    new_beta, new_words
        (L, W) topic-word probabilities of the new model, and its vocabulary; sizes may differ.

    Returns
    -------
    list of Match
        One match per old topic, in order.

    Examples
    --------
    >>> beta = np.array([[0.9, 0.1], [0.1, 0.9]])
    >>> [match.new for match in match_topics(beta, ["moon", "puck"], beta, ["puck", "moon"])]
    [1, 0]
    """
    similarity = similarities(*_over_all_words(beta, words, new_beta, new_words))
    rows, columns = linear_sum_assignment(-similarity)
    partner = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    return [_match(old, partner.get(old), similarity[old]) for old in range(len(beta))]


def carry_over(labels: Labels, matches: Sequence[Match], num_topics: int) -> Labels:
    """Transfer labels to the new model for all sure matches.

    Parameters
    ----------
    labels
        Labels of the old model.
    matches
        Matches from :func:`match_topics`.
    num_topics
        Number of topics in the new model.

    Examples
    --------
    >>> matches = [Match(0, 2, 0.9, 0.3), Match(1, 0, 0.5, 0.4)]
    >>> carry_over(Labels(2).named(0, "space").named(1, "sport"), matches, 3).to_dict()["topics"]
    {'2': {'label': 'space', 'hidden': False, 'merged_into': None}}
    """
    place = {match.old: match.new for match in matches if match.sure and match.new is not None}
    said = {
        place[old]: TopicLabel(
            entry.label,
            entry.hidden,
            None if entry.merged_into is None else place.get(entry.merged_into),
        )
        for old, entry in labels.topics.items()
        if old in place
    }
    return Labels(num_topics, said)


def _match(old: int, new: int | None, similarity: npt.NDArray[np.float64]) -> Match:
    others = np.delete(similarity, [] if new is None else [new])
    return Match(old, new, 0.0 if new is None else float(similarity[new]), float(others.max(initial=0.0)))


def _over_all_words(
    beta: FloatArray, words: Sequence[str], new_beta: FloatArray, new_words: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Expand both to the union of the two vocabularies."""
    index = {word: column for column, word in enumerate(dict.fromkeys([*words, *new_words]))}
    old, new = ([index[word] for word in its_words] for its_words in (words, new_words))
    return _spread(beta, old, len(index)), _spread(new_beta, new, len(index))


def _spread(beta: FloatArray, columns: list[int], num_words: int) -> FloatArray:
    spread = np.zeros((len(beta), num_words), dtype=beta.dtype)
    spread[:, columns] = beta
    return spread
