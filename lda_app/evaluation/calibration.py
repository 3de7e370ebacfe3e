r"""Calibration: whether credible intervals of topic shares cover the truth at their nominal rate.

Documents are simulated from the model itself, so their true θ is known, and compared with a posterior. Let u
be the posterior probability that a share is below its true value. If the posterior is correct, u is uniform.
This is simulation-based calibration (Talts, Betancourt, Simpson, Vehtari and Gelman 2018, theorem 1), whose
ranks are the integer parts of (L + 1) u for L draws. The equal-tailed interval of a level covers the truth if
|u − 1/2| ≤ level / 2, so coverage follows from u. Documents are independent, but topics within a document are
not, so each document is one observation:

===========  ============================================================================================
``all``      coverage averages over a document's topics; uniformity is tested on one drawn at random
``largest``  the topic with the largest posterior mean, the document's main topic
===========  ============================================================================================

The topic may be selected by the posterior, but not by the truth: that would favour shares that any posterior
underestimates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import betainc, ndtri
from scipy.stats import chisquare

from lda_app.fitted.model import INTERVAL_DRAWS
from lda_app.models.simulation import simulate
from lda_app.system.runtime import progress, rng

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.inference import FloatArray, Infer
    from lda_app.fitted.model import FittedModel
    from lda_app.system.runtime import Progress

    Numbers = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.integer[Any]]

SCHEMA_VERSION = 1
LEVELS = (0.5, 0.8, 0.95)
CURVE_LEVELS = tuple(round(0.05 * step, 2) for step in range(1, 20))
FIXED_LENGTHS = (10, 50, 200, 500)
NUM_BINS = 20
NUM_DOCUMENTS = 1000
_DOCUMENTS_AT_A_TIME = 128
_SMALLEST = np.finfo(np.float64).tiny


class Ranked(NamedTuple):
    """Ranks of known true shares in a posterior.

    Parameters
    ----------
    below
        (D, K) u, the posterior probability that a share is below its true value.
    mean
        (D, K) posterior mean of θ.
    """

    below: Numbers
    mean: Numbers


Rank = Callable[["DocTermMatrix", "Numbers", np.random.Generator], Ranked]
"""Function from counts (D, V), their true θ (D, K) and a generator for breaking ties to ranks."""


@dataclass(frozen=True)
class Coverage:
    """Proportion of intervals at a level that cover the truth, ± margin of error."""

    level: float
    value: float
    margin: float


@dataclass(frozen=True)
class Calibrated:
    """Calibration of one posterior on documents with given lengths.

    Parameters
    ----------
    posterior, lengths, topics
        Name of the posterior, name of the document lengths, and ``all`` or ``largest``.
    num_documents, mean_length
        Number and mean length of the simulated documents.
    coverage
        Coverage at each of ``LEVELS``.
    curve
        Coverage at each of ``CURVE_LEVELS``.
    ranks
        Number of documents in each of ``NUM_BINS`` equal bins of u.
    p_value
        p-value of Pearson's chi-squared test for uniformity over the bins.
    """

    posterior: str
    lengths: str
    topics: str
    num_documents: int
    mean_length: float
    coverage: tuple[Coverage, ...]
    curve: tuple[float, ...]
    ranks: tuple[int, ...]
    p_value: float


@dataclass(frozen=True)
class Calibration:
    """Calibration of all posteriors on documents of all lengths."""

    seed: int
    confidence: float
    parts: tuple[Calibrated, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dictionary with a ``schema_version``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "seed": self.seed,
            "confidence": self.confidence,
            "curve_levels": CURVE_LEVELS,
            "parts": [asdict(part) for part in self.parts],
        }


def calibrate(
    posteriors: Mapping[str, Rank],
    alpha: FloatArray,
    beta: FloatArray,
    lengths: Mapping[str, IntArray],
    *,
    seed: int = 0,
    confidence: float = 0.95,
) -> Calibration:
    """Simulate documents and measure how well posteriors recover their true shares.

    Parameters
    ----------
    posteriors
        Posteriors by name, such as ``{"guide": guide_rank(infer)}``.
    alpha, beta
        The model: prior (K,) on θ and topic-word probabilities (K, V).
    lengths
        Lengths (D,) of the documents to simulate, by name; see :func:`document_lengths`.
    seed
        Seed for the documents and for breaking ties.
    confidence
        Confidence level of the margins of error.

    Examples
    --------
    If each word belongs to a single topic, the posterior is Dir(α + counts):

    >>> exact = guide_rank(lambda doc_term: 1.0 + doc_term.to_scipy().toarray())
    >>> found = calibrate({"exact": exact}, np.ones(2), np.eye(2), {"10": np.full(2000, 10)})
    >>> [round(coverage.value, 2) for coverage in found.parts[0].coverage]
    [0.51, 0.81, 0.95]
    """
    parts: list[Calibrated] = []
    total = len(posteriors) * sum(map(len, lengths.values()))
    with progress("Calibrating", total=total, unit="documents") as bar:
        for number, (name, tokens) in enumerate(lengths.items()):
            simulated = simulate(alpha, beta, tokens, seed + number)
            for posterior, rank in posteriors.items():
                ranked = _rank_all(rank, *simulated, rng(seed, f"ties {name}"), bar)
                for topics, below in _of_topics(ranked, rng(seed, f"topics {name}")):
                    parts.append(_summary(posterior, name, topics, tokens, below, confidence))
    order = list(posteriors)
    return Calibration(seed, confidence, tuple(sorted(parts, key=lambda part: order.index(part.posterior))))


def document_lengths(corpus_lengths: IntArray, num_documents: int, seed: int) -> dict[str, IntArray]:
    """Choose the lengths of documents to simulate: drawn from a corpus, and fixed.

    Parameters
    ----------
    corpus_lengths
        (D,) tokens per document of a corpus; empty documents are ignored.
    num_documents
        Number of documents of each kind; corpus lengths are drawn with replacement.
    seed
        Seed for the draws.

    Examples
    --------
    >>> lengths = document_lengths(np.array([0, 7]), num_documents=2, seed=0)
    >>> {name: drawn.tolist() for name, drawn in lengths.items() if name in ("corpus", "10")}
    {'corpus': [7, 7], '10': [10, 10]}
    """
    drawn = rng(seed, "lengths").choice(corpus_lengths[corpus_lengths > 0], num_documents)
    return {"corpus": drawn, **{str(length): np.full(num_documents, length) for length in FIXED_LENGTHS}}


def guide_rank(infer: Infer) -> Rank:
    """Rank true shares by q(θ|w): u is the CDF of a share's Beta distribution under q.

    Parameters
    ----------
    infer
        Maps counts to the concentration (D, K) of q(θ|w).
    """

    def rank(doc_term: DocTermMatrix, theta: Numbers, generator: np.random.Generator) -> Ranked:
        concentration = np.asarray(infer(doc_term), dtype=np.float64)
        others = _sum_of_others(concentration)
        below = betainc(concentration, others, np.maximum(theta, _SMALLEST))
        # Close to 1, use the share left to the other topics for precision.
        above = betainc(others, concentration, np.maximum(_sum_of_others(theta), _SMALLEST))
        below = np.where(theta > 0.5, 1 - above, below)
        # If a true share underflows to 0, u is uniform below its upper limit.
        below *= np.where(theta > 0, 1, generator.random(theta.shape))
        return Ranked(np.asarray(below, np.float64), concentration / concentration.sum(axis=1, keepdims=True))

    return rank


def draws_rank(model: FittedModel, *, num_draws: int = INTERVAL_DRAWS) -> Rank:
    """Rank true shares among draws of the exact posterior, the basis of the app's intervals.

    Parameters
    ----------
    model
        The model.
    num_draws
        L, draws per document; u is (rank + uniform noise) / (L + 1), with ranks from 0 to L.
    """

    def rank(doc_term: DocTermMatrix, theta: Numbers, generator: np.random.Generator) -> Ranked:
        ranks, mean = np.empty_like(theta), np.empty_like(theta)
        first = 0
        for draws in model.draws(doc_term, num_draws):
            rows = slice(first, first := first + len(draws))
            truth = theta[rows, None]
            ties = generator.random(theta[rows].shape) * (1 + (draws == truth).sum(axis=1))
            ranks[rows], mean[rows] = (draws < truth).sum(axis=1) + ties, draws.mean(axis=1)
        return Ranked(ranks / (num_draws + 1), mean)

    return rank


def _sum_of_others(values: Numbers) -> Numbers:
    """Σ_{j≠k} values_j for each k, (D, K), without cancellation where one value is almost all of the sum."""
    rows, largest = np.arange(len(values)), values.argmax(axis=1)
    rest = values.copy()
    rest[rows, largest] = 0
    others = values.sum(axis=1, keepdims=True) - values
    others[rows, largest] = rest.sum(axis=1)
    return np.asarray(others, dtype=np.float64)


def _rank_all(
    rank: Rank, documents: DocTermMatrix, theta: Numbers, generator: np.random.Generator, bar: Progress
) -> Ranked:
    """Rank the true shares of all documents in blocks."""
    parts = []
    for first in range(0, len(theta), _DOCUMENTS_AT_A_TIME):
        rows = np.arange(first, min(first + _DOCUMENTS_AT_A_TIME, len(theta)))
        parts.append(rank(documents.rows(rows), theta[rows], generator))
        bar.advance(len(rows))
    return Ranked(*map(np.concatenate, zip(*parts, strict=True)))


def _of_topics(ranked: Ranked, generator: np.random.Generator) -> Iterator[tuple[str, Numbers]]:
    """Yield topic selections: name and u, (D, K) or (D, 1); the first column of each is used for ranks."""
    below, rows = ranked.below, np.arange(len(ranked.below))
    yield "all", generator.permuted(below, axis=1)
    yield "largest", below[rows, ranked.mean.argmax(axis=1)][:, None]


def _summary(
    posterior: str, lengths: str, topics: str, tokens: IntArray, below: Numbers, confidence: float
) -> Calibrated:
    ranks = np.histogram(below[:, 0], bins=NUM_BINS, range=(0, 1))[0]
    return Calibrated(
        posterior=posterior,
        lengths=lengths,
        topics=topics,
        num_documents=len(below),
        mean_length=float(tokens.mean()),
        coverage=tuple(_coverage(below, level, confidence) for level in LEVELS),
        curve=tuple(_coverage(below, level, confidence).value for level in CURVE_LEVELS),
        ranks=tuple(ranks.tolist()),
        p_value=float(chisquare(ranks).pvalue),
    )


def _coverage(below: Numbers, level: float, confidence: float) -> Coverage:
    """Coverage over documents with n topics each, with a margin from the spread over documents.

    For the margin, one covered and one uncovered document are added, so that it is not zero at full coverage
    (Agresti and Coull 1998).
    """
    held = (np.abs(below - 0.5) <= level / 2).mean(axis=1)
    spread = np.append(held, [0, 1])
    error = spread.std(ddof=1) / np.sqrt(len(spread))
    return Coverage(level, float(held.mean()), float(ndtri((1 + confidence) / 2) * error))
