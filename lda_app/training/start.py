"""Where training begins: topics made of random documents or of noise, and the model around them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch

from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.models.guides import make_lda, make_topics
from lda_app.models.lda import LDA
from lda_app.system.runtime import rng
from lda_app.training.prior import TopicPrior

IntArray = npt.NDArray[np.int64]

# Topics that start alike stay alike: enough tokens to cover a theme, few enough to differ.
_TOKENS_A_TOPIC = 1_080
_UNIGRAM_SHARE = 0.1
# Hoffman, Blei and Bach (2010) start from Gamma(100, 1/100): a word's shares differ by a tenth.
_NOISE_SHAPE = 100.0
_NO_WORDS = np.empty(0, dtype=np.int64)
_GENERATOR_IN_USE = threading.Lock()


def start_model(
    config: TrainConfig, doc_term: DocTermMatrix, rows: IntArray, prior: TopicPrior | None = None
) -> LDA:
    """Make the untrained model.

    Parameters
    ----------
    config
        The run's configuration.
    doc_term
        Counts (D, V).
    rows
        The training documents, none of them empty.
    prior
        What is known of the topics.
    """
    from_noise = config.init == "random"
    counts = noise_counts(config, doc_term) if from_noise else start_counts(config, doc_term, rows, prior)
    if prior is not None:
        counts[prior.words] += prior.counts
    topics = make_topics(config, torch.from_numpy(counts))
    with spared_generator(int(rng(config.seed, "encoder").integers(2**63))):
        return make_lda(config, len(rows), topics)


@contextmanager
def spared_generator(seed: int) -> Iterator[None]:
    """Let modules draw their first weights, from a seed, and put torch's generator back where it was.

    Modules draw from the one of the process, so threads that make models do it one after the other.
    """
    with _GENERATOR_IN_USE, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def start_counts(
    config: TrainConfig, doc_term: DocTermMatrix, rows: IntArray, prior: TopicPrior | None = None
) -> npt.NDArray[np.float32]:
    """Counts λ (V, K) to start from: each topic is some random documents and a little of the whole corpus.

    A random start leaves most topics dead, for words spread evenly over topics give no gradient. A topic with
    seed words starts from the documents that are most about them: of some that merely have them, another
    topic may take all but the seed words.
    """
    generator = rng(config.seed, "start")
    num_tokens = float(doc_term.num_tokens)
    unigram = _word_shares(doc_term)
    lengths = doc_term.lengths()
    counts = np.empty((doc_term.num_words, config.num_topics), dtype=np.float32)
    for topic in range(config.num_topics):
        words = _NO_WORDS if prior is None else prior.words_of(topic)
        documents = (
            _about(words, doc_term, rows, lengths)
            if len(words)
            else _draw_documents(rows, lengths, generator)
        )
        shares = _UNIGRAM_SHARE * unigram + (1 - _UNIGRAM_SHARE) * _word_shares(doc_term.rows(documents))
        counts[:, topic] = shares * num_tokens / config.num_topics
    return counts


def noise_counts(config: TrainConfig, doc_term: DocTermMatrix) -> npt.NDArray[np.float32]:
    """Counts λ (V, K) of nothing but noise: each topic is nearly even over the words."""
    generator = rng(config.seed, "start")
    size = doc_term.num_words, config.num_topics
    noise = generator.standard_gamma(_NOISE_SHAPE, size=size, dtype=np.float32)
    tokens_a_topic = doc_term.num_tokens / config.num_topics
    counts: npt.NDArray[np.float32] = noise / noise.sum(0) * np.float32(tokens_a_topic)
    return counts


def _about(words: IntArray, doc_term: DocTermMatrix, rows: IntArray, lengths: IntArray) -> IntArray:
    """Documents of which some words make up the most, just as many as have the tokens for a topic."""
    wanted = np.zeros(doc_term.num_words, dtype=bool)
    wanted[words] = True
    tokens = np.concatenate([[0], np.cumsum(np.where(wanted[doc_term.indices], doc_term.counts, 0))])
    found = np.diff(tokens[doc_term.indptr])[rows]
    # A constant beside the length keeps the shortest documents from being the first.
    order = rows[np.argsort(-found / (lengths[rows] + lengths[rows].mean()), kind="stable")]
    enough = int(np.searchsorted(np.cumsum(lengths[order[:_TOKENS_A_TOPIC]]), _TOKENS_A_TOPIC)) + 1
    return order[:enough]


def _draw_documents(rows: IntArray, lengths: IntArray, generator: np.random.Generator) -> IntArray:
    """Random documents, just as many as have the tokens for a topic."""
    # No document is empty, so this many are enough; a part of a huge corpus is drawn from.
    drawn = generator.choice(rows, size=min(len(rows), _TOKENS_A_TOPIC), replace=False)
    enough = int(np.searchsorted(np.cumsum(lengths[drawn]), _TOKENS_A_TOPIC)) + 1
    return drawn[:enough]


def _word_shares(doc_term: DocTermMatrix) -> npt.NDArray[np.float64]:
    counts = np.bincount(doc_term.indices, weights=doc_term.counts, minlength=doc_term.num_words)
    shares: npt.NDArray[np.float64] = counts / counts.sum()
    return shares
