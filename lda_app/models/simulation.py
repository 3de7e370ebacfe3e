"""Documents drawn from the model itself, whose θ is known: what inference is tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.system.runtime import rng

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.floating[Any]]
    IntArray = npt.NDArray[np.integer[Any]]

_TOKENS_AT_A_TIME = 2**20


def simulate(
    alpha: FloatArray, beta: FloatArray, lengths: npt.ArrayLike, seed: int
) -> tuple[DocTermMatrix, npt.NDArray[np.float64]]:
    """Draw documents: θ ~ Dirichlet(α), then for each token a topic from θ and a word from its row of β.

    Parameters
    ----------
    alpha
        (K,) concentration of the prior of θ, positive.
    beta
        (K, V) topic-word probabilities.
    lengths
        (D,) tokens of each document, 0 or more.
    seed
        The same seed, the same documents.

    Returns
    -------
    DocTermMatrix
        Counts (D, V).
    numpy.ndarray
        (D, K) the θ that each document was drawn from. An entry below 1e-308 is 0.

    Examples
    --------
    >>> documents, theta = simulate(np.ones(2), np.eye(2), [10, 0, 1000], seed=0)
    >>> documents.lengths().tolist(), theta.shape
    ([10, 0, 1000], (3, 2))
    >>> bool(abs(documents.to_scipy()[[2], [0]] / 1000 - theta[2, 0]) < 0.05)
    True
    """
    generator = rng(seed, "simulation")
    tokens = np.asarray(lengths, dtype=np.int64)
    theta = generator.dirichlet(np.asarray(alpha, dtype=np.float64), len(tokens))
    num_blocks = 1 + int(tokens.sum()) // _TOKENS_AT_A_TIME
    blocks = [
        _draw_words(generator.multinomial(tokens[rows], theta[rows]), beta, generator)
        for rows in np.array_split(np.arange(len(tokens)), num_blocks)
    ]
    return DocTermMatrix.concatenate(blocks, beta.shape[1]), theta


def _draw_words(topic_counts: IntArray, beta: FloatArray, generator: np.random.Generator) -> DocTermMatrix:
    """Draw the words of tokens whose topics are drawn already, (D, K) tokens of each topic: counts (D, V)."""
    num_documents, num_words = len(topic_counts), beta.shape[1]
    documents, words = [], []
    for tokens, probabilities in zip(topic_counts.T, beta, strict=True):
        cumulative = np.cumsum(probabilities, dtype=np.float64)
        uniform = generator.random(tokens.sum()) * cumulative[-1]
        words.append(np.searchsorted(cumulative, uniform, side="right"))
        documents.append(np.repeat(np.arange(num_documents), tokens))
    places = np.concatenate(documents), np.concatenate(words)
    ones = np.ones(len(places[0]), dtype=np.int64)
    return DocTermMatrix.from_scipy(sparse.coo_array((ones, places), shape=(num_documents, num_words)))
