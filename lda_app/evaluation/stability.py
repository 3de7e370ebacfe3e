r"""Stability: how well topics recur when a model is trained again with another seed.

The similarity of two topics is the Bhattacharyya coefficient of their word distributions,

.. math::
    s(p, q) = \sum_w \sqrt{p_w q_w} = 1 - H^2(p, q),

with the Hellinger distance :math:`H`: 1 for identical topics, 0 for topics without common words. It weighs
all words by probability, so neither a cut-off for top words nor the many improbable words dominate, and all
pairs of topics take one matrix product. The topics of two runs are aligned one to one to maximize the sum of
similarities (Hungarian method; Kuhn 1955), as in Greene, O'Callaghan and Cunningham (2014).

A topic is *found* in another run if the similarity to its partner there is at least :data:`FOUND`. Topics of
the same run are distinct, so their similarities show what to expect by chance: the similarity of a topic to
the nearest other one in its run is mostly below 0.5 and rarely above 0.7 (docs/choosing-k.md).
:func:`resembling` computes this for the given runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from lda_app.errors import FolderError
from lda_app.system.storage import read_annotation, write_annotation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.floating[Any]]

DISTANCE = "squared_hellinger"
THRESHOLD = 0.3
"""Maximum distance at which a topic counts as found."""
FOUND = 1 - THRESHOLD
"""Minimum similarity at which a topic counts as found."""
_ANNOTATION = "stability.json"


@dataclass(frozen=True, eq=False)
class Alignment:
    """Alignment of one run's topics with those of another.

    Parameters
    ----------
    partner
        (K,) matched topic of the other run.
    similarity
        (K,) similarity to the matched topic, from 0 to 1.
    """

    partner: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TopicStability:
    """How often each topic of a run is found in other runs.

    Parameters
    ----------
    num_runs
        Number of other runs.
    found_in
        (K,) number of runs in which each topic was found.
    mean_similarity
        (K,) mean similarity of each topic to its partners.
    """

    num_runs: int
    found_in: npt.NDArray[np.int64]
    mean_similarity: npt.NDArray[np.float64]

    @property
    def similarity(self) -> float:
        """Mean similarity over topics."""
        return float(self.mean_similarity.mean())

    @property
    def found_share(self) -> float:
        """Average share of topics found in another run."""
        return float(self.found_in.mean() / self.num_runs)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the run's annotation file.

        Examples
        --------
        >>> TopicStability(3, np.array([2]), np.array([0.75])).to_dict()["topics"]
        [{'id': 0, 'found_in': 2, 'mean_similarity': 0.75}]
        """
        return {
            "schema_version": 1,
            "num_runs": self.num_runs,
            "distance": DISTANCE,
            "threshold": THRESHOLD,
            "mean_similarity": self.similarity,
            "found_share": self.found_share,
            "topics": [
                {"id": topic, "found_in": found, "mean_similarity": similarity}
                for topic, (found, similarity) in enumerate(
                    zip(self.found_in.tolist(), self.mean_similarity.tolist(), strict=True)
                )
            ],
        }


@dataclass(frozen=True, eq=False)
class Agreement:
    """Agreement between S runs with the same number of topics.

    Parameters
    ----------
    similarity
        (S, S, K) similarity of each topic of the first run to its partner in the second; 1 on the diagonal.
    resembling
        Share of all topics with a similarity of at least :data:`FOUND` to another topic of their own run: an
        estimate of false positives among found topics.
    """

    similarity: npt.NDArray[np.float64]
    resembling: float

    @property
    def pairs(self) -> npt.NDArray[np.float64]:
        """Mean similarity of each pair of runs, (S, S)."""
        return np.asarray(self.similarity.mean(axis=2))

    @property
    def found(self) -> npt.NDArray[np.float64]:
        """Share of topics of one run found in the other, (S, S)."""
        return np.asarray((self.similarity >= FOUND).mean(axis=2))

    @property
    def most_typical(self) -> int:
        """The run that agrees most with the others; ties go to the first (Rieger et al. 2020)."""
        return int(self.pairs.sum(axis=1).argmax())

    def of_run(self, run: int) -> TopicStability:
        """Return how often each topic of a run is found in the others; needs at least two runs."""
        return _scored(np.delete(self.similarity[run], run, axis=0))


def write_stability(run: Path, scored: TopicStability) -> None:
    """Save the stability of a run's topics in its folder; see `lda_app.system.storage.write_annotation`."""
    write_annotation(run, _ANNOTATION, scored.to_dict())


def read_stability(run: Path, num_topics: int) -> TopicStability | None:
    """Read the stability of a run's topics; None if it has not been computed.

    Raises
    ------
    FolderError
        If the file was not written by :func:`write_stability`.
    """
    content = read_annotation(run, _ANNOTATION)
    if content is None:
        return None
    try:
        by_id = {topic["id"]: topic for topic in content["topics"]}
        topics = [by_id[topic] for topic in range(num_topics)]
        found = np.array([int(topic["found_in"]) for topic in topics])
        similarity = np.array([float(topic["mean_similarity"]) for topic in topics])
        return TopicStability(int(content["num_runs"]), found, similarity)
    except (KeyError, TypeError, ValueError):
        raise FolderError(
            f"{run / _ANNOTATION}: not the stability of {num_topics} topics; remove it, or run lda-app "
            "stability again"
        ) from None


def similarities(beta: FloatArray, other: FloatArray) -> npt.NDArray[np.float64]:
    """Bhattacharyya coefficient of all pairs of topics.

    Parameters
    ----------
    beta, other
        (K, V) and (L, V) topic-word probabilities over the same words.

    Returns
    -------
    numpy.ndarray
        (K, L), from 0 to 1.

    Examples
    --------
    >>> similarities(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.25, 0.75], [0.0, 1.0]])).tolist()
    [[1.0, 0.5, 0.0]]
    """
    product = np.sqrt(beta, dtype=np.float64) @ np.sqrt(other, dtype=np.float64).T
    return np.asarray(np.minimum(product, 1.0))  # rounding may exceed 1


def align(beta: FloatArray, other: FloatArray) -> Alignment:
    """Align the topics of two runs to maximize the sum of similarities.

    Parameters
    ----------
    beta, other
        (K, V) topic-word probabilities of each run.

    Raises
    ------
    ValueError
        If the runs differ in the number of topics or words.

    Examples
    --------
    >>> beta = np.array([[0.9, 0.1, 0.0], [0.0, 0.2, 0.8]])
    >>> align(beta, beta[::-1]).partner.tolist()
    [1, 0]
    """
    if beta.shape != other.shape:
        raise ValueError(f"only runs of one shape are aligned, got {beta.shape} and {other.shape}")
    similarity = similarities(beta, other)
    rows, partner = linear_sum_assignment(similarity, maximize=True)
    return Alignment(partner, similarity[rows, partner])


def topic_stability(beta: FloatArray, others: Sequence[FloatArray]) -> TopicStability:
    """Score each topic of a run by how often it is found in other runs.

    Parameters
    ----------
    beta
        (K, V) topic-word probabilities of the run.
    others
        Topic-word probabilities of the other runs, at least one.

    Examples
    --------
    >>> beta, other = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.2, 0.8], [0.4, 0.6]])
    >>> topic_stability(beta, [beta, other]).found_in.tolist()
    [1, 2]
    """
    return _scored(np.array([align(beta, other).similarity for other in others]))


def agreement(betas: Sequence[FloatArray]) -> Agreement:
    """Align each pair of runs.

    Parameters
    ----------
    betas
        (K, V) topic-word probabilities of each run, at least one.

    Examples
    --------
    >>> beta, other = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.2, 0.8], [0.4, 0.6]])
    >>> runs = agreement([beta, beta, other])
    >>> runs.found.tolist(), runs.most_typical, round(runs.resembling, 2)
    ([[1.0, 1.0, 0.5], [1.0, 1.0, 0.5], [0.5, 0.5, 1.0]], 0, 0.33)
    """
    similarity = np.ones((len(betas), len(betas), len(betas[0])))
    for a, b in combinations(range(len(betas)), 2):
        aligned = align(betas[a], betas[b])
        similarity[a, b] = aligned.similarity
        similarity[b, a, aligned.partner] = aligned.similarity
    return Agreement(similarity, resembling(betas))


def resembling(betas: Sequence[FloatArray]) -> float:
    """Share of topics with a similarity of at least :data:`FOUND` to another topic of their run.

    Examples
    --------
    >>> resembling([np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.2, 0.8], [0.4, 0.6]])])
    0.5
    """
    return float(np.mean([_nearest_others(beta) >= FOUND for beta in betas]))


def _scored(similarity: npt.NDArray[np.float64]) -> TopicStability:
    """Score topics by their similarity (S, K) to their partners in S runs."""
    return TopicStability(len(similarity), (similarity >= FOUND).sum(axis=0), similarity.mean(axis=0))


def _nearest_others(beta: FloatArray) -> npt.NDArray[np.float64]:
    """Similarity of each topic to the nearest other topic of the same run, (K,)."""
    similarity = similarities(beta, beta)
    np.fill_diagonal(similarity, 0.0)
    return np.asarray(similarity.max(axis=1))
