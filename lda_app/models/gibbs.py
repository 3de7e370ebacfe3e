"""Refined samples: a few local Gibbs sweeps carry a sample of the guide closer to the exact posterior.

The guide's q(θ|w) is one Dirichlet, wider than the posterior and blind to which words go together in *this*
document. Topics learned from its samples alone blur on short documents. So a batch's sample is refined by
collapsed sweeps over the assignments z of its own words, with the topics held fixed, and the topics and α
learn from what the sweeps find (Hoffman 2017, "Learning deep latent Gaussian models with Markov chain Monte
Carlo"; collapsed conditional: Griffiths and Steyvers 2004, eq. 5 with β given).
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lda_app.compiled import kernel, over_rows, runs_compiled
from lda_app.corpus.batches import Batch
from lda_app.gradients.gamma import draw_log_gamma


class Refined(NamedTuple):
    """Expected and sampled topic counts of a batch."""

    word_topic: Float[Tensor, "U K"]
    """Tokens of each word that each topic is expected to account for, given all other assignments."""
    document_topic: Float[Tensor, "B K"]
    """Tokens of each document that the last sweep assigned to each topic."""


@torch.no_grad()
def refine(
    theta: Float[Tensor, "B K"],
    alpha: Float[Tensor, " K"],
    beta: Float[Tensor, "U K"],
    batch: Batch,
    *,
    burn_in: int,
    seed: int,
) -> Refined:
    """Sweep over the assignments of each token, starting from a sample of the guide.

    The first assignments are drawn from p(z|θ, w); then come ``burn_in`` collapsed sweeps with θ integrated
    out, and one more whose conditional *probabilities* are summed (Rao-Blackwellised counts). Where there are
    no compiled loops, a sweep draws θ given z and then all z given θ: other draws, of the same posterior.

    Parameters
    ----------
    theta
        A sample of the guide for each document.
    alpha, beta
        The model; rows of β are the words of the batch.
    batch
        The counts, whole numbers.
    burn_in
        Sweeps before the one that counts, 0 or more.
    seed
        Seed of the sweeps; each document has its own stream, so threads do not matter.

    Examples
    --------
    >>> import scipy.sparse
    >>> from lda_app.corpus.batches import make_batch
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> batch = make_batch(DocTermMatrix.from_scipy(scipy.sparse.csr_array([[30, 10]])), np.array([0]))
    >>> beta = torch.tensor([[0.99, 0.01], [0.01, 0.99]])
    >>> theta, alpha = torch.tensor([[0.5, 0.5]]), torch.tensor([0.1, 0.1])
    >>> refine(theta, alpha, beta, batch, burn_in=3, seed=0).word_topic.round()
    tensor([[30.,  0.],
            [ 0., 10.]])
    """
    if not runs_compiled(beta):
        return _refine_in_torch(theta, alpha, beta, batch, burn_in, seed)
    num_topics = beta.shape[1]
    tokens = torch.cat([batch.counts.new_zeros(1), batch.counts]).to(torch.int64).cumsum(0)
    assignments = torch.empty(int(tokens[-1]), dtype=torch.int32)
    by_nonzero = torch.zeros(len(batch.counts), num_topics)
    document_topic = torch.zeros(batch.num_documents, num_topics)
    inputs = (theta, alpha, beta, batch.indptr, batch.columns, tokens, batch.rows)
    outputs = (assignments, document_topic, by_nonzero)
    arrays = [tensor.detach().contiguous().numpy() for tensor in (*inputs, *outputs)]
    over_rows(_sweep_documents, batch.num_documents, burn_in, np.uint64(seed), *arrays)
    word_topic = torch.zeros(len(batch.words), num_topics).index_add_(0, batch.columns, by_nonzero)
    return Refined(word_topic, document_topic)


def _refine_in_torch(
    theta: Tensor, alpha: Tensor, beta: Tensor, batch: Batch, burn_in: int, seed: int
) -> Refined:
    """Refine on any device: all assignments are drawn at once given θ, then θ given them."""
    # The document is part of the seed: processes that share a batch draw each for its own documents.
    generator = torch.Generator(beta.device).manual_seed((seed + int(batch.rows[0])) % 2**63)
    documents, nonzero_of = batch.document_of, torch.repeat_interleave(batch.counts.to(torch.int64))
    document_topic = torch.zeros_like(theta)
    for _ in range(burn_in + 1):
        joint = theta[documents] * beta[batch.columns]
        topics = _draw_topics(joint, nonzero_of, generator)
        places = documents[nonzero_of] * len(alpha) + topics
        document_topic = torch.bincount(places, minlength=theta.numel()).reshape(theta.shape).to(theta.dtype)
        theta = torch.softmax(draw_log_gamma(alpha + document_topic, generator), dim=-1)
    joint = theta[documents] * beta[batch.columns]
    expected = batch.counts[:, None] * joint / joint.sum(-1, keepdim=True)
    return Refined(torch.zeros_like(beta).index_add_(0, batch.columns, expected), document_topic)


def _draw_topics(
    joint: Float[Tensor, "nnz K"], nonzero_of: Int[Tensor, " tokens"], generator: torch.Generator
) -> Int[Tensor, " tokens"]:
    """Draw a topic for each token, in proportion to the row of its nonzero count.

    The rows' distribution functions, row i shifted by i, make one ascending array, searched once for all.
    """
    cumulative = joint.double().cumsum(-1)
    cumulative /= cumulative[:, -1:].clone()
    rows = torch.arange(len(joint), device=joint.device)[:, None]
    uniform = torch.rand(len(nonzero_of), dtype=torch.float64, device=joint.device, generator=generator)
    found = torch.searchsorted((cumulative + rows).flatten(), nonzero_of + uniform, right=True)
    return (found - nonzero_of * joint.shape[1]).clamp(max=joint.shape[1] - 1)  # i + 0.999… may round up


# SplitMix64 (Steele, Lea, Flood 2014): a stream is a counter that steps by the golden ratio.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BLOCK = 16


@kernel
def _mixed(state):
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@kernel
def _uniform(state):
    return np.float32(_mixed(state) >> np.uint64(40)) * np.float32(2.0**-24)


@kernel
def _draw(share, mass):
    """Return the topic at which the running sum of ``share`` exceeds ``mass``; skip whole blocks first."""
    last = len(share) - 1
    topic = 0
    while topic + _BLOCK <= last:
        block = np.float32(0)
        for k in range(topic, topic + _BLOCK):
            block += share[k]
        if mass < block:
            break
        mass -= block
        topic += _BLOCK
    while topic < last and mass >= share[topic]:
        mass -= share[topic]
        topic += 1
    return topic


@kernel
def _add_scaled(values, scale, sums):
    for k in range(len(values)):
        sums[k] += values[k] * scale


@kernel
def _weigh(weights, offsets, beta, share):
    """Fill ``share`` with (weights + offsets) β, a number a topic, and return its sum."""
    for k in range(len(share)):
        share[k] = (weights[k] + offsets[k]) * beta[k]
    # A loop of its own: one that also stores is compiled twice, for arrays that may overlap and for others,
    # and the two add up in different orders, so that where the arrays lie would decide on the last digit.
    total = np.float32(0)
    for k in range(len(share)):
        total += share[k]
    return total


@kernel
def _sweep_documents(
    start,
    stop,
    burn_in,
    seed,
    theta,
    alpha,
    beta,
    indptr,
    columns,
    tokens,
    rows,
    assignments,
    counts,
    expected,
):
    share = np.empty_like(alpha)
    nothing = np.zeros_like(alpha)
    for d in range(start, stop):
        state = _mixed(seed + _GOLDEN * np.uint64(rows[d] + 1))
        for sweep in range(-1, burn_in + 1):
            for i in range(indptr[d], indptr[d + 1]):
                word = beta[columns[i]]
                for t in range(tokens[i], tokens[i + 1]):
                    if sweep < 0:
                        total = _weigh(theta[d], nothing, word, share)
                    else:
                        counts[d, assignments[t]] -= 1
                        total = _weigh(counts[d], alpha, word, share)
                    if sweep == burn_in:
                        _add_scaled(share, 1 / total, expected[i])
                    state += _GOLDEN
                    topic = _draw(share, total * _uniform(state))
                    assignments[t] = topic
                    counts[d, topic] += 1
