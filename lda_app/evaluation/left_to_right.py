r"""The left-to-right estimator of a document's log probability, which is slow but needs no q(θ|w).

It processes tokens one by one, :math:`p(w|\alpha, \beta) = \prod_n p(w_n | w_{<n})`. Particles hold topic
assignments for the tokens so far. At token n, each of R particles

1. resamples the topics of the tokens before n one by one, each given all others;
2. predicts the token,
   :math:`p(w_n | z_{<n}) = \sum_k \beta_{k w_n} (n_k + \alpha_k) / (n - 1 + \sum_k \alpha_k)`;
3. is resampled in proportion to that prediction, and draws the topic of token n.

The estimate is the product of the particles' mean predictions. This is algorithm 3 of Wallach, Murray,
Salakhutdinov and Mimno (2009), plus the resampling of particles in step 3, without which multiple particles
are biased. With it, this is a particle filter, whose estimate of p(w|α, β) is unbiased for any number of
particles (Del Moral 2004, proposition 7.4.1). Its logarithm is below log p(w|α, β) in expectation, by about
half its variance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.evaluation.scores import DocumentScores
from lda_app.gradients.noise import start_row, uniform
from lda_app.models.sweeps import draw_topic, weigh_posterior
from lda_app.system.compiled import kernel, over_rows, why_not_compiled
from lda_app.system.runtime import progress, rng

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.fitted.inference import FloatArray

    IntArray = npt.NDArray[np.integer[Any]]

NUM_PARTICLES = 20
MAX_DOCUMENTS = 500
_RUNS = 2
_DOCUMENTS_AT_A_TIME = 64


def left_to_right_scores(
    doc_term: DocTermMatrix,
    alpha: FloatArray,
    beta: FloatArray,
    *,
    seed: int,
    num_particles: int = NUM_PARTICLES,
    max_documents: int = MAX_DOCUMENTS,
) -> DocumentScores:
    """Log probability of documents from the left-to-right estimator.

    Averages two runs per document with different token orders; their difference gives the Monte Carlo
    variance. Time grows with the square of a document's length.

    Parameters
    ----------
    doc_term
        Counts (D, V).
    alpha
        (K,) concentration of the prior, positive.
    beta
        (K, V) topic-word probabilities.
    seed
        Seed for the choice of documents, the token orders and the particles.
    num_particles
        R, particles per run.
    max_documents
        Maximum number of documents to score; if more have tokens, a random sample is used.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> documents = DocTermMatrix.from_scipy([[2, 1]])
    >>> scores = left_to_right_scores(documents, np.array([1.0]), np.array([[0.5, 0.5]]), seed=0)
    >>> np.exp(scores.log_likelihood).round(6).tolist()  # one topic: 1/2 for each of three tokens
    [0.125]
    """
    generator = rng(seed, "left to right")
    chosen = _choose(doc_term, max_documents, generator)
    runs = np.empty((_RUNS, len(chosen)))
    model = np.asarray(alpha, dtype=np.float64), np.ascontiguousarray(np.asarray(beta).T)
    with progress("Scoring left to right", total=len(chosen), unit="documents") as bar:
        for rows in np.array_split(np.arange(len(chosen)), 1 + len(chosen) // _DOCUMENTS_AT_A_TIME):
            part = doc_term.rows(chosen[rows])
            for run in runs:
                run[rows] = _filter(part, *model, num_particles, generator)
            bar.advance(len(rows))
    lengths = doc_term.lengths()
    return DocumentScores(
        np.logaddexp(*runs) - math.log(_RUNS),
        lengths[chosen],
        # For the mean m of p and q, Var m / m² is about ((p − q) / (p + q))².
        np.tanh((runs[0] - runs[1]) / 2) ** 2,
        num_not_drawn=int(np.count_nonzero(lengths)) - len(chosen),
        num_empty=int(np.count_nonzero(lengths == 0)),
        settings={"num_particles": num_particles, "num_runs": _RUNS},
    )


def _choose(doc_term: DocTermMatrix, number: int, generator: np.random.Generator) -> IntArray:
    """Return row numbers of nonempty documents, all or a random sample, in ascending order."""
    filled = doc_term.filled()
    if len(filled) <= number:
        return filled
    return np.sort(generator.choice(filled, number, replace=False))


def _filter(
    doc_term: DocTermMatrix,
    alpha: FloatArray,
    word_topic: FloatArray,
    num_particles: int,
    generator: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Estimate the log probability of each document once, (D,)."""
    starts, words = _shuffled_tokens(doc_term, generator)
    seed, scores = np.uint64(generator.integers(2**63)), np.empty(doc_term.num_documents)
    arrays = alpha, word_topic, starts, words, num_particles, seed, scores
    if why_not_compiled():
        with np.errstate(over="ignore"):  # random number arithmetic wraps around by design
            _filter_documents(0, len(scores), *arrays)
    else:
        over_rows(_filter_documents, len(scores), *arrays)
    return scores


def _shuffled_tokens(doc_term: DocTermMatrix, generator: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Return document starts (D + 1,), and each document's tokens in random order."""
    starts = np.concatenate([[0], np.cumsum(doc_term.lengths())])
    documents = np.repeat(np.arange(doc_term.num_documents), np.diff(starts))
    words = np.repeat(doc_term.indices, doc_term.counts.astype(np.int64))
    return starts, words[np.lexsort((generator.random(len(words)), documents))]


@kernel
def _filter_documents(
    start: int,
    stop: int,
    alpha: Any,
    beta: Any,
    starts: Any,
    words: Any,
    num_particles: int,
    seed: np.uint64,
    log_likelihood: Any,
) -> None:
    """Filter each document once; beta is word-major, (V, K), and ``words`` are the ordered tokens."""
    state = np.empty(1, np.uint64)
    weights, offspring = np.empty(num_particles), np.empty(num_particles, np.int64)
    share, counts = np.empty(len(alpha)), np.empty((num_particles, len(alpha)))
    for d in range(start, stop):
        start_row(state, seed, d)
        document = words[starts[d] : starts[d + 1]]
        topics = np.empty((num_particles, len(document)), np.int32)
        counts[:] = 0
        log_likelihood[d] = 0
        for n in range(len(document)):
            total = 0.0
            for r in range(num_particles):
                _redraw_topics(n, alpha, beta, document, topics[r], counts[r], share, state)
                weights[r] = weigh_posterior(counts[r], alpha, beta[document[n]], share)
                total += weights[r]
            log_likelihood[d] += math.log(total / (num_particles * (n + alpha.sum())))
            _count_offspring(weights, total, uniform(state), offspring)
            _copy_particles(n, offspring, topics, counts)
            for r in range(num_particles):
                topics[r, n] = _draw(alpha, beta[document[n]], counts[r], share, state)
                counts[r, topics[r, n]] += 1


@kernel
def _redraw_topics(
    n: int, alpha: Any, beta: Any, document: Any, topics: Any, counts: Any, share: Any, state: Any
) -> None:
    """Resample the topics of a particle's first n tokens, each given all others."""
    for i in range(n):
        counts[topics[i]] -= 1
        topics[i] = _draw(alpha, beta[document[i]], counts, share, state)
        counts[topics[i]] += 1


@kernel
def _draw(alpha: Any, word: Any, counts: Any, share: Any, state: Any) -> int:
    """Draw a topic in proportion to (counts + alpha) · word."""
    total = weigh_posterior(counts, alpha, word, share)
    topic: int = draw_topic(share, total * (1 - uniform(state)))
    return topic


@kernel
def _count_offspring(weights: Any, total: float, shift: float, offspring: Any) -> None:
    """Systematic resampling: particle r gets ⌊x⌋ or ⌈x⌉ children, x = R weights_r / total (Kitagawa 1996)."""
    last, until, running = len(weights) - 1, 0, 0.0
    for r in range(last):
        running += weights[r]
        expected = len(weights) * running / total
        before, until = until, min(math.ceil(expected - (1 - shift)), len(weights))
        offspring[r] = until - before
    offspring[last] = len(weights) - until


@kernel
def _copy_particles(n: int, offspring: Any, topics: Any, counts: Any) -> None:
    """Overwrite particles without children with copies of those with several."""
    free = 0
    for r in range(len(offspring)):
        for _ in range(offspring[r] - 1):
            while offspring[free] > 0:
                free += 1
            topics[free, :n] = topics[r, :n]
            counts[free] = counts[r]
            offspring[free] = 1
