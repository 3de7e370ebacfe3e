"""The interface of a fitted model, ours or another tool's.

Evaluation, analysis and report need four things from a model: the prior α, the topics β, the posterior of θ
for any counts, and draws from it. The analyst's labels are applied in one place,
:meth:`FittedModel.labelled`, so that a merged topic has the same share, words and name everywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lda_app.corpus.batches import make_batch
from lda_app.errors import ConfigError
from lda_app.fitted.inference import concentration
from lda_app.fitted.labels import Labels
from lda_app.fitted.topics import leading_words, topic_proportions
from lda_app.models.fold_in import fold_in
from lda_app.models.gibbs import sample_theta
from lda_app.models.threads import one_torch_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.vocabulary import Vocabulary
    from lda_app.fitted.inference import FloatArray
    from lda_app.models.lda import LDA

    Prior = Callable[[npt.NDArray[np.int64]], FloatArray]
    """Function from row numbers (B,) to the concentration (B, K) of each row's prior on θ."""

BURN_IN = 20
THIN = 2
INTERVAL_DRAWS = 199  # 200 times a tail of 1%, 2.5%, 5% … is a whole number
MOST_LEVEL = 0.99

_BLOCK_FLOATS = 2**22  # numbers per block of draws: 32 MB
_SMALLEST_PRIOR = 1e-3  # the same as the guide's


@dataclass(frozen=True, eq=False)
class ShareIntervals:
    """Topic shares of documents, with credible intervals.

    Parameters
    ----------
    mean
        (D, K) posterior mean of θ.
    lower, upper
        (D, K) ends of the equal-tailed interval.
    level
        Probability that a share lies in its interval.
    """

    mean: npt.NDArray[np.float64]
    lower: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]
    level: float

    def of_topics(self, columns: Sequence[int]) -> ShareIntervals:
        """Keep only the topics in these columns."""
        mean, lower, upper = (values[:, list(columns)] for values in (self.mean, self.lower, self.upper))
        return ShareIntervals(mean, lower, upper, self.level)


def intervals_of(
    blocks: Iterable[npt.NDArray[np.float64]], shape: tuple[int, int], level: float
) -> ShareIntervals:
    """Compute intervals from draws; see :meth:`FittedModel.intervals`.

    Parameters
    ----------
    blocks
        Blocks (B, S, K) of draws, S = 199; they are reordered in place.
    shape
        Shape (D, K) of the result.
    level
        Level of the intervals.

    Raises
    ------
    ValueError
        If the level is not above 0 and at most 0.99.
    """
    if not 0 < level <= MOST_LEVEL:
        raise ValueError(f"the interval level must be above 0 and at most {MOST_LEVEL}, got {level}")
    # Adding 1e-9 keeps a tail such as (1 - 0.9) / 2, slightly below 0.05, from being rounded down.
    rank = int((INTERVAL_DRAWS + 1) * (1 - level) / 2 + 1e-9)
    mean, lower, upper = np.empty((3, *shape))
    first = 0
    for draws in blocks:
        rows = slice(first, first := first + len(draws))
        mean[rows] = draws.mean(axis=1)
        draws.partition((rank - 1, INTERVAL_DRAWS - rank), axis=1)
        lower[rows], upper[rows] = draws[:, rank - 1], draws[:, INTERVAL_DRAWS - rank]
    return ShareIntervals(mean, lower, upper, level)


class FittedModel(ABC):
    """A trained model.

    Attributes
    ----------
    alpha
        (K,) concentration of the prior on θ.
    beta
        (K, V) topic-word probabilities.
    vocabulary
        Vocabulary of V words.
    """

    alpha: FloatArray
    beta: FloatArray
    vocabulary: Vocabulary

    def labelled(self, labels: Labels | None = None) -> LabelledModel:
        """Return a view of the model with labels applied; without labels, the topics as trained."""
        return LabelledModel(self, Labels(len(self.alpha)) if labels is None else labels)

    @abstractmethod
    def posterior(self, doc_term: DocTermMatrix) -> FloatArray:
        """Return the concentration (D, K) of the Dirichlet q(θ|w) for counts (D, V)."""

    def word_topics(self, words: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float32]:
        """Return the columns of β for the given words, (U, K)."""
        return np.ascontiguousarray(self.beta[:, words].T, dtype=np.float32)

    def draws(
        self,
        doc_term: DocTermMatrix,
        num_draws: int,
        *,
        seed: int = 0,
        prior: Prior | None = None,
        burn_in: int = BURN_IN,
        thin: int = THIN,
    ) -> Iterator[npt.NDArray[np.float64]]:
        """Draw θ of each document from its exact posterior, in blocks of documents.

        q(θ|w), a single Dirichlet, is fast and accurate for means, but its spread differs from the
        posterior's: too narrow in short documents; in long ones, too wide for dominant topics and too narrow
        for minor ones. So Gibbs sweeps start at its mean and converge to p(θ|w, α, β), which they leave
        invariant whatever q is (:func:`lda_app.models.gibbs.sample_theta`).

        Parameters
        ----------
        doc_term
            Counts (D, V).
        num_draws
            S, draws per document.
        seed
            Seed for the draws. With compiled loops, a document's draws depend only on it and the words.
        prior
            Prior of each document; by default the model's α for all.
        burn_in, thin
            Sweeps before the first draw, and between draws.

        Yields
        ------
        numpy.ndarray
            (B, S, K), float64; the blocks cover the rows of ``doc_term`` in order.
        """
        size = max(1, _BLOCK_FLOATS // (num_draws * len(self.alpha)))
        alpha = torch.from_numpy(np.asarray(self.alpha, dtype=np.float32))
        for first in range(0, doc_term.num_documents, size):
            rows = np.arange(first, min(first + size, doc_term.num_documents))
            block = doc_term.rows(rows)
            batch = make_batch(block, np.arange(len(rows)))._replace(rows=torch.from_numpy(_streams(block)))
            own = alpha.expand(len(rows), -1) if prior is None else _as_prior(prior(rows))
            start = torch.from_numpy(topic_proportions(self.posterior(block)).astype(np.float32))
            beta = torch.from_numpy(self.word_topics(batch.words.numpy()))
            with one_torch_thread():
                draws = sample_theta(
                    start, own, beta, batch, num_draws=num_draws, burn_in=burn_in, thin=thin, seed=seed
                )
            yield draws.numpy()

    def intervals(self, doc_term: DocTermMatrix, level: float = 0.9, *, seed: int = 0) -> ShareIntervals:
        r"""Return topic shares with credible intervals, from draws of the exact posterior.

        With S = 199 sorted draws, :math:`\theta_{(1)} \le \dots \le \theta_{(S)}`, the interval is
        :math:`[\theta_{(r)}, \theta_{(S+1-r)}]`, r = ⌊(S + 1)(1 − level)/2⌋: a share with the
        distribution of the draws lies in it with probability (S + 1 − 2r)/(S + 1) ≥ level, whatever the shape
        of the posterior.

        The result for a document depends only on its words and the seed if loops are compiled; otherwise, it
        also depends on its block.

        Parameters
        ----------
        doc_term
            Counts (D, V).
        level
            Level, above 0 and at most 0.99.
        seed
            Seed for the draws.

        Raises
        ------
        ValueError
            If the level is not above 0 and at most 0.99.

        Examples
        --------
        >>> from lda_app.corpus.doc_term import DocTermMatrix
        >>> from lda_app.corpus.vocabulary import Vocabulary
        >>> model = MeanFieldModel(np.ones(2), np.eye(2), Vocabulary(("moon", "goal")))
        >>> shares = model.intervals(DocTermMatrix.from_scipy([[0, 0]]), level=0.5)  # no word: the prior
        >>> shares.mean.round(1).tolist(), bool((shares.lower < 0.5).all() and (shares.upper > 0.5).all())
        ([[0.5, 0.5]], True)
        """
        draws = self.draws(doc_term, INTERVAL_DRAWS, seed=seed)
        return intervals_of(draws, (doc_term.num_documents, len(self.alpha)), level)


class AmortizedModel(FittedModel):
    """A model trained by lda-app: q(θ|w) comes from its guide.

    Parameters
    ----------
    lda
        The model, on the CPU.
    vocabulary
        Vocabulary of V words.
    """

    def __init__(self, lda: LDA, vocabulary: Vocabulary) -> None:
        self.lda, self.vocabulary = lda, vocabulary

    @cached_property
    def alpha(self) -> npt.NDArray[np.float32]:  # type: ignore[override]
        """Concentration (K,) of the prior on θ."""
        alpha: npt.NDArray[np.float32] = self.lda.alpha.detach().numpy()
        return alpha

    @cached_property
    def beta(self) -> npt.NDArray[np.float32]:  # type: ignore[override]
        """Topic-word probabilities (K, V)."""
        beta: npt.NDArray[np.float32] = self.lda.topics.beta().numpy()
        return beta

    def posterior(self, doc_term: DocTermMatrix) -> npt.NDArray[np.float32]:
        """Return the concentration (D, K) of q(θ|w) from the trained guide."""
        return concentration(self.lda, doc_term)

    def word_topics(self, words: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float32]:
        """Return the columns of β for the given words, (U, K), without computing all of β."""
        rows: npt.NDArray[np.float32] = self.lda.topics.rows(torch.from_numpy(words)).detach().numpy()
        return rows


class MeanFieldModel(FittedModel):
    """A model given by α and β only, such as another tool's; q(θ|w) comes from mean-field inference.

    Parameters
    ----------
    alpha
        (K,) concentration of the prior on θ.
    beta
        (K, V) topic-word probabilities.
    vocabulary
        Vocabulary of V words.
    """

    def __init__(self, alpha: FloatArray, beta: FloatArray, vocabulary: Vocabulary) -> None:
        self.alpha, self.beta, self.vocabulary = alpha, beta, vocabulary

    def posterior(self, doc_term: DocTermMatrix) -> npt.NDArray[np.float64]:
        """Return the concentration (D, K) of q(θ|w) from :func:`lda_app.models.fold_in.fold_in`."""
        return fold_in(doc_term, self.alpha, self.beta)


class LabelledModel(FittedModel):
    """View of a model with the analyst's labels applied: topics are merged, and hidden ones marked.

    Its topics are those not merged into others, ordered by number. Hidden topics keep their column so that a
    document's shares sum to 1.

    Parameters
    ----------
    trained
        The model as it was trained.
    labels
        Labels of its topics.

    Attributes
    ----------
    ids
        (G,) topic numbers.
    columns
        Columns of the visible topics.
    """

    def __init__(self, trained: FittedModel, labels: Labels) -> None:
        self.trained, self.labels = trained, labels
        self.vocabulary = trained.vocabulary
        self.ids, self.columns = labels.ids, labels.shown_columns

    @cached_property
    def alpha(self) -> FloatArray:  # type: ignore[override]
        """Concentration (G,) of the prior on θ."""
        return self.labels.merge_columns(self.trained.alpha)

    @cached_property
    def beta(self) -> FloatArray:  # type: ignore[override]
        """Topic-word probabilities (G, V); a merged topic mixes its parts k with weights α_k / Σ α."""
        return self.labels.merge_beta(self.trained.alpha, self.trained.beta)

    def posterior(self, doc_term: DocTermMatrix) -> FloatArray:
        """Return the concentration (D, G) of q(θ|w)."""
        return self.labels.merge_columns(self.trained.posterior(doc_term))

    def draws(
        self, doc_term: DocTermMatrix, num_draws: int, **options: Any
    ) -> Iterator[npt.NDArray[np.float64]]:
        """Draw θ of each document, (B, S, G), by summing draws of the trained model."""
        for draws in self.trained.draws(doc_term, num_draws, **options):
            yield self.merge(draws)

    def merge(self, values: FloatArray) -> npt.NDArray[np.float64]:
        """Sum the columns of merged topics: (…, K) to (…, G)."""
        return np.asarray(self.labels.merge_columns(values), dtype=np.float64)

    @property
    def shown(self) -> tuple[int, ...]:
        """Numbers of the visible topics."""
        return tuple(self.ids[column] for column in self.columns)

    def require_shown(self) -> None:
        """Raise an error if no topic is visible.

        Raises
        ------
        ConfigError
            If all topics are hidden.
        """
        if not self.columns:
            raise ConfigError("all topics are hidden; show some with lda-app label RUN --show TOPIC,…")

    def only(self, topics: Sequence[int]) -> LabelledModel:
        """Show only these topics, hidden or not, in this order.

        Raises
        ------
        ConfigError
            If a topic does not exist or is merged into another.
        """
        for topic in topics:
            if topic not in self.ids:
                raise ConfigError(
                    f"there is no topic {topic}, or it is merged into another; the topics are "
                    f"{', '.join(map(str, self.ids))}"
                )
        chosen = LabelledModel(self.trained, self.labels)
        chosen.columns = [self.ids.index(topic) for topic in topics]
        return chosen

    def words(self, num_words: int) -> dict[int, list[str]]:
        """Return the top words of each visible topic, by topic number."""
        found = leading_words(self.beta[self.columns], self.vocabulary.words, num_words)
        return dict(zip(self.shown, found, strict=True))

    def names(self, num_words: int) -> dict[int, str]:
        """Return the name of each visible topic: its label, or its top words."""
        return {k: self.labels.name(k) or ", ".join(words) for k, words in self.words(num_words).items()}


def _as_prior(concentration: FloatArray) -> torch.Tensor:
    return torch.from_numpy(np.maximum(concentration, _SMALLEST_PRIOR).astype(np.float32))


def _streams(doc_term: DocTermMatrix) -> npt.NDArray[np.int64]:
    """Return a random stream number for each document, (D,), computed from its words only."""
    mixed: npt.NDArray[Any] = (doc_term.indices.astype(np.uint64) + np.uint64(1)) * _FACTORS[0]
    mixed ^= doc_term.counts.astype(np.uint64) * _FACTORS[1]
    mixed ^= mixed >> np.uint64(29)
    mixed *= _FACTORS[2]
    running = np.zeros(len(mixed) + 1, dtype=np.uint64)
    np.cumsum(mixed, out=running[1:])
    return np.asarray(np.diff(running[doc_term.indptr]) >> np.uint64(2), dtype=np.int64)


# Odd mixing constants from SplitMix64 (Steele, Lea, Flood 2014); the sums wrap around.
_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
