"""Refined samples: a few local Gibbs sweeps carry a sample of the guide closer to the exact posterior.

The guide's q(θ|w) is one Dirichlet, wider than the posterior and blind to which words go together in *this*
document. Topics learned from its samples alone blur on short documents. So a batch's sample is refined by
collapsed sweeps over the assignments z of its own words, with the topics held fixed, and the topics and α
learn from what the sweeps find (Hoffman 2017, "Learning deep latent Gaussian models with Markov chain Monte
Carlo"; collapsed conditional: Griffiths and Steyvers 2004, eq. 5 with β given).
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
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
    out, and three more whose conditional *probabilities* are averaged (Rao-Blackwellised counts). Where there
    are no compiled loops, a sweep draws θ given z and then all z given θ: other draws, of the same posterior.

    Parameters
    ----------
    theta
        A sample of the guide for each document.
    alpha, beta
        The model; rows of β are the words of the batch.
    batch
        The counts, whole numbers.
    burn_in
        Sweeps before those that count, 0 or more.
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
    tokens = torch.cat([batch.counts.new_zeros(1), batch.counts]).to(torch.int64).cumsum(0)
    assignments = torch.empty(int(tokens[-1]), dtype=torch.int64)
    document_topic, word_topic = torch.zeros_like(theta), torch.zeros_like(beta)
    model = _numpy(alpha, beta, beta @ alpha)
    shared = _numpy(batch.columns, tokens, assignments)
    for first, last in _blocks(batch.indptr, beta.shape[1]):
        documents = slice(first, last)
        indptr = batch.indptr[first : last + 1]
        expected = torch.zeros(int(indptr[-1] - indptr[0]), beta.shape[1])
        own = _numpy(theta[documents], indptr, batch.rows[documents], document_topic[documents], expected)
        over_rows(_sweep_documents, last - first, burn_in, np.uint64(seed), *model, *shared, *own)
        word_topic.index_add_(0, batch.columns[indptr[0] : indptr[-1]], expected)
    return Refined(word_topic, document_topic)


def _numpy(*tensors: Tensor) -> list[npt.NDArray[Any]]:
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def _blocks(indptr: Tensor, num_topics: int) -> list[tuple[int, int]]:
    """Divide the documents so that an array of nonzero counts x topics stays small for each part."""
    of_block = indptr[1:] * num_topics // _BLOCK_SIZE
    bounds = [0, *(torch.nonzero(of_block.diff()).flatten() + 1).tolist(), len(indptr) - 1]
    return list(pairwise(bounds))


def _refine_in_torch(
    theta: Tensor, alpha: Tensor, beta: Tensor, batch: Batch, burn_in: int, seed: int
) -> Refined:
    """Refine on any device: all assignments are drawn at once given θ, then θ given them."""
    # The document is part of the seed: processes that share a batch draw each for its own documents.
    generator = torch.Generator(beta.device).manual_seed((seed + int(batch.rows[0])) % 2**63)
    documents, nonzero_of = batch.document_of, torch.repeat_interleave(batch.counts.to(torch.int64))
    document_topic, word_topic = torch.zeros_like(theta), torch.zeros_like(beta)
    for sweep in range(-1, burn_in + _COUNTED):
        joint = theta[documents] * beta[batch.columns]
        if sweep >= burn_in:
            expected = batch.counts[:, None] * joint / (_COUNTED * joint.sum(-1, keepdim=True))
            word_topic.index_add_(0, batch.columns, expected)
        topics = _draw_topics(joint, nonzero_of, generator)
        places = documents[nonzero_of] * len(alpha) + topics
        document_topic = torch.bincount(places, minlength=theta.numel()).reshape(theta.shape).to(theta.dtype)
        theta = torch.softmax(draw_log_gamma(alpha + document_topic, generator), dim=-1)
    return Refined(word_topic, document_topic)


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
_COUNTED = 3

# Nonzero counts x topics in memory at once: 64 MB.
_BLOCK_SIZE = 2**24


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
def _weigh(weights, beta, share):
    """Fill ``share`` with weights · beta, a number a topic, and return its sum."""
    for k in range(len(share)):
        share[k] = weights[k] * beta[k]
    # A loop of its own: one that also stores is compiled twice, for arrays that may overlap and for others,
    # and the two add up in different orders, so that where the arrays lie would decide on the last digit.
    total = np.float32(0)
    for k in range(len(share)):
        total += share[k]
    return total


@kernel
def _weigh_posterior(counts, alpha, beta, share):
    """Fill ``share`` with (counts + alpha) · beta, and return its sum."""
    for k in range(len(share)):
        share[k] = (counts[k] + alpha[k]) * beta[k]
    total = np.float32(0)
    for k in range(len(share)):
        total += share[k]
    return total


@kernel
def _add_scaled(values, scale, sums):
    for k in range(len(values)):
        sums[k] += values[k] * scale


@kernel
def _sweep_documents(
    start,
    stop,
    burn_in,
    seed,
    alpha,
    beta,
    smoothing,
    columns,
    tokens,
    assignments,
    theta,
    indptr,
    rows,
    counts,
    expected,
):
    """Draw each token's first topic by θ, sweep, and count; ``counts`` and ``expected`` begin with zeros."""
    share = np.empty_like(alpha)
    present, place = np.empty((2, len(alpha)), np.int64)
    for d in range(start, stop):
        state = _mixed(seed + _GOLDEN * np.uint64(rows[d] + 1))
        for i in range(indptr[d], indptr[d + 1]):
            total = _weigh(theta[d], beta[columns[i]], share)
            for t in range(tokens[i], tokens[i + 1]):
                state += _GOLDEN
                assignments[t] = _draw(share, total * _uniform(state))
                counts[d, assignments[t]] += 1
        places = slice(indptr[d], indptr[d + 1] + 1)
        num_present = _find_present(counts[d], present, place)
        for _ in range(burn_in):
            state, num_present = _sweep(
                state,
                alpha,
                beta,
                smoothing,
                columns[places],
                tokens[places],
                assignments,
                counts[d],
                share,
                present,
                place,
                num_present,
            )
        for _ in range(_COUNTED):
            state = _count(
                state,
                alpha,
                beta,
                columns[places],
                tokens[places],
                assignments,
                counts[d],
                share,
                expected[indptr[d] - indptr[0] : indptr[d + 1] - indptr[0]],
            )


@kernel
def _count(state, alpha, beta, columns, tokens, assignments, counts, share, expected):
    """Sweep once more, and add the probabilities that each topic is drawn from to their mean."""
    for i in range(len(expected)):
        word = beta[columns[i]]
        for t in range(tokens[i], tokens[i + 1]):
            counts[assignments[t]] -= 1
            total = _weigh_posterior(counts, alpha, word, share)
            _add_scaled(share, 1 / (_COUNTED * total), expected[i])
            state += _GOLDEN
            assignments[t] = _draw(share, total * _uniform(state))
            counts[assignments[t]] += 1
    return state


@kernel
def _sweep(
    state, alpha, beta, smoothing, columns, tokens, assignments, counts, share, present, place, num_present
):
    """Draw the topic of each token of a document anew, given all others.

    (n_k + α_k) β_kw is split in two (Yao, Mimno, McCallum 2009): n_k β_kw, for the few topics that are
    present in the document, and α_k β_kw, whose sum ``smoothing`` belongs to the word and is seldom hit.
    """
    for i in range(len(tokens) - 1):
        word = beta[columns[i]]
        for t in range(tokens[i], tokens[i + 1]):
            topic = assignments[t]
            counts[topic] -= 1
            if counts[topic] == 0:
                num_present -= 1
                present[place[topic]] = present[num_present]
                place[present[num_present]] = place[topic]
            total = np.float32(0)
            for j in range(num_present):
                total += counts[present[j]] * word[present[j]]
            state += _GOLDEN
            mass = (total + smoothing[columns[i]]) * _uniform(state)
            if mass < total:
                j = -1
                while mass >= 0 and j < num_present - 1:
                    j += 1
                    mass -= counts[present[j]] * word[present[j]]
                topic = present[j]
            else:
                _weigh(alpha, word, share)
                topic = _draw(share, mass - total)
            if counts[topic] == 0:
                present[num_present] = topic
                place[topic] = num_present
                num_present += 1
            counts[topic] += 1
            assignments[t] = topic
    return state, num_present


@kernel
def _find_present(counts, present, place):
    """List the topics with tokens in ``present``, and where each stands in ``place``; return their number."""
    num_present = 0
    for k in range(len(counts)):
        if counts[k] > 0:
            present[num_present] = k
            place[k] = num_present
            num_present += 1
    return num_present
