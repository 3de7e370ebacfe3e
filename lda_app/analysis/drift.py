"""Topic drift after updating a model: changes in top words and prevalence."""

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
    """Mean topic shares over the documents that have a word.

    Parameters
    ----------
    mean
        (K,) prevalence of each topic.
    variance
        (K,) variance of the mean: the variance of shares divided by the number of documents.
    num_documents
        Number of documents averaged.
    """

    mean: npt.NDArray[np.float64]
    variance: npt.NDArray[np.float64]
    num_documents: int


@dataclass(frozen=True)
class TopicDrift:
    """How a topic changed.

    Parameters
    ----------
    topic
        Topic number, the same before and after.
    similarity
        Similarity of its word distributions before and after, from 0 to 1 (Bhattacharyya coefficient).
    gained, lost
        Words that entered and left its top words, most probable first.
    before, after
        Its prevalence in the old and new text, both under the new model; None without the old corpus.
    lower, upper
        Ends of the 95% interval for the difference, from a normal approximation over documents.
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
        """Whether its words changed so much that it would not count as the same topic."""
        return self.similarity < FOUND

    @property
    def drifted(self) -> bool:
        """Whether the interval for the change in prevalence excludes 0."""
        return self.lower is not None and self.upper is not None and not self.lower <= 0 <= self.upper

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dictionary."""
        return {**asdict(self), "moved": self.moved, "drifted": self.drifted}


def mean_shares(doc_term: DocTermMatrix, infer: Infer) -> AverageShares:
    """Average the topics' shares over the documents that have a word.

    Parameters
    ----------
    doc_term
        Counts (D, V) with at least one nonempty document.
    infer
        Maps counts to the concentration (D, K) of q(θ|w).

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
    # Rounding may make this slightly negative if documents are alike.
    spread = np.clip(squares / len(filled) - mean**2, 0, None)
    return AverageShares(mean, spread / len(filled), len(filled))


def topic_drift(
    old_beta: FloatArray,
    beta: FloatArray,
    words: Sequence[str],
    old_shares: AverageShares | None,
    shares: AverageShares,
) -> list[TopicDrift]:
    """Compare the topics of a model before and after an update with new text.

    Parameters
    ----------
    old_beta, beta
        (K, V) topic-word probabilities before and after, over the new vocabulary.
    words
        Vocabulary of V words.
    old_shares, shares
        Mean shares in the old and new documents, both under the new model.
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
    """Return the prevalence in the old text, and the ends of the interval for the difference."""
    if old is None:
        return None, None, None
    difference = float(new.mean[topic] - old.mean[topic])
    error = _TWO_SIDED_95 * float(np.sqrt(old.variance[topic] + new.variance[topic]))
    return float(old.mean[topic]), difference - error, difference + error
