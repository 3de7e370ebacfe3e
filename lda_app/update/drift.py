"""What became of the topics when a model went on learning: which words moved, and how prevalence drifted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.evaluation.stability import FOUND, similarities
from lda_app.fitted.topics import posteriors, top_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.inference import FloatArray, Infer

_TOP_WORDS = 20
_TWO_SIDED_95 = 1.96


@dataclass(frozen=True)
class AverageShares:
    """How much of some documents each topic is, on the average over the documents that have a word.

    Parameters
    ----------
    mean
        (K,), the prevalence.
    variance
        (K,), of the mean: that of the documents' shares by their number.
    num_documents
        What was averaged over.
    """

    mean: npt.NDArray[np.float64]
    variance: npt.NDArray[np.float64]
    num_documents: int


@dataclass(frozen=True)
class TopicDrift:
    """What became of a topic.

    Parameters
    ----------
    topic
        Its number, before and after.
    similarity
        Of its words before and after, from 0 to 1 (Bhattacharyya coefficient).
    gained, lost
        Words that are among its top words since, and that no longer are; the most probable first.
    before, after
        Its prevalence in the old and in the new text, both by the new model; None without the old corpus.
    lower, upper
        Ends of the 95% interval of the difference, by the normal approximation over documents.
    """

    topic: int
    similarity: float
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    before: float | None
    after: float
    lower: float | None
    upper: float | None

    @property
    def moved(self) -> bool:
        """Whether its words are so different that it would not be taken for the same topic."""
        return self.similarity < FOUND

    @property
    def drifted(self) -> bool:
        """Whether its prevalence is surely another one, as far as the number of documents tells."""
        return self.lower is not None and self.upper is not None and not self.lower <= 0 <= self.upper

    def to_dict(self) -> dict[str, Any]:
        """Return all as JSON can hold it."""
        return {**asdict(self), "moved": self.moved, "drifted": self.drifted}


def mean_shares(doc_term: DocTermMatrix, infer: Infer) -> AverageShares:
    """Average the topics' shares over the documents that have a word.

    Parameters
    ----------
    doc_term
        Counts (D, V), at least one document of them with a word.
    infer
        Gives the concentration (D, K) of q(θ|w).

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> documents = DocTermMatrix.from_scipy([[3, 0], [0, 0], [1, 1]])
    >>> mean_shares(documents, lambda block: 1.0 + block.to_scipy().toarray()).mean.round(3).tolist()
    [0.65, 0.35]
    """
    filled = doc_term.filled()
    total: FloatArray = np.zeros(())
    squares: FloatArray = np.zeros(())
    for block in posteriors(doc_term, infer, filled):
        total, squares = total + block.mean.sum(axis=0), squares + np.square(block.mean).sum(axis=0)
    mean = np.asarray(total / len(filled))
    # Rounding may leave a difference below 0 where the documents are alike.
    spread = np.clip(squares / len(filled) - mean**2, 0, None)
    return AverageShares(mean, spread / len(filled), len(filled))


def topic_drift(
    old_beta: FloatArray,
    beta: FloatArray,
    words: Sequence[str],
    old_shares: AverageShares | None,
    shares: AverageShares,
) -> list[TopicDrift]:
    """Compare the topics of a model before and after it learned from new text.

    Parameters
    ----------
    old_beta, beta
        (K, V) topic-word probabilities before and after, over the new vocabulary.
    words
        The V words.
    old_shares, shares
        Of the old and of the new documents, both by the new model.
    """
    similarity = np.diag(similarities(old_beta, beta))
    tops = [[[words[w] for w in row] for row in top_words(b, _TOP_WORDS).tolist()] for b in (old_beta, beta)]
    found = []
    for topic, (before, after) in enumerate(zip(*tops, strict=True)):
        gained = tuple(word for word in after if word not in before)
        lost = tuple(word for word in before if word not in after)
        old, *interval = _difference(topic, old_shares, shares)
        found.append(
            TopicDrift(
                topic, float(similarity[topic]), gained, lost, old, float(shares.mean[topic]), *interval
            )
        )
    return found


def _difference(
    topic: int, old: AverageShares | None, new: AverageShares
) -> tuple[float | None, float | None, float | None]:
    """Return the prevalence in the old text, and the ends of the interval of the difference."""
    if old is None:
        return None, None, None
    difference = float(new.mean[topic] - old.mean[topic])
    error = _TWO_SIDED_95 * float(np.sqrt(old.variance[topic] + new.variance[topic]))
    return float(old.mean[topic]), difference - error, difference + error
