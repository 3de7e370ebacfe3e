"""Refined samples: a few local Gibbs sweeps carry a sample of the guide closer to the exact posterior.

The guide's q(θ|w) is one Dirichlet, wider than the posterior and blind to which words go together in *this*
document. Topics learned from its samples alone blur on short documents. So a batch's sample is refined by
collapsed sweeps over the assignments z of the batch, with the topics held fixed; the topics and α
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

from lda_app.corpus.batches import Batch
from lda_app.gradients.gamma import draw_log_gamma
from lda_app.models import sweeps
from lda_app.system.compiled import over_rows, runs_compiled

# Nonzero counts x topics in memory at once: 64 MB.
_BLOCK_SIZE = 2**24


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
        The counts. A weight that is no whole number stands for one of the two next to it, drawn anew in each
        call such that it is right on average.
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
    whole = _whole_tokens(batch, seed)
    if not runs_compiled(beta):
        return _refine_in_torch(theta, alpha, beta, batch, whole, burn_in, seed)
    tokens = torch.nn.functional.pad(whole.cumsum(0), (1, 0))
    assignments = torch.empty(int(tokens[-1]), dtype=torch.int64)
    document_topic, word_topic = torch.zeros_like(theta), torch.zeros_like(beta)
    model = _numpy(alpha, beta, beta @ alpha)
    shared = _numpy(batch.columns, tokens, assignments)
    for first, last in _blocks(batch.indptr, beta.shape[1]):
        documents = slice(first, last)
        indptr = batch.indptr[first : last + 1]
        expected = torch.zeros(int(indptr[-1] - indptr[0]), beta.shape[1])
        own = _numpy(theta[documents], indptr, batch.rows[documents], document_topic[documents], expected)
        over_rows(sweeps.sweep_documents, last - first, burn_in, np.uint64(seed), *model, *shared, *own)
        word_topic.index_add_(0, batch.columns[indptr[0] : indptr[-1]], expected)
    return Refined(word_topic, document_topic)


@torch.no_grad()
def sample_theta(
    theta: Float[Tensor, "B K"],
    alpha: Float[Tensor, "B K"],
    beta: Float[Tensor, "U K"],
    batch: Batch,
    *,
    num_draws: int,
    burn_in: int,
    thin: int,
    seed: int,
) -> Float[Tensor, "B S K"]:
    """Draw θ of each document from its exact posterior p(θ|w, α, β), in float64.

    A chain a document of collapsed sweeps as in :func:`refine`; every so often θ is drawn given the
    assignments, Dirichlet(α + their counts). In the limit of many sweeps nothing of the guide is left in it.

    Parameters
    ----------
    theta
        Where each chain starts, such as a sample of the guide.
    alpha
        Concentration of the prior, of each document by itself.
    beta
        Topic-word probabilities, a row for each of ``batch.words``.
    batch
        The counts, whole numbers. Its ``rows`` number the documents' random streams.
    num_draws
        S.
    burn_in
        Sweeps before those that count, 0 or more.
    thin
        Sweeps from a draw to the next, at least 1.
    seed
        Seed of the streams.

    Examples
    --------
    >>> import scipy.sparse
    >>> from lda_app.corpus.batches import make_batch
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> batch = make_batch(DocTermMatrix.from_scipy(scipy.sparse.csr_array([[30, 10]])), np.array([0]))
    >>> start, alpha, beta = torch.full((1, 2), 0.5), torch.ones(1, 2), torch.eye(2)
    >>> draws = sample_theta(start, alpha, beta, batch, num_draws=1000, burn_in=1, thin=1, seed=0)
    >>> draws.mean(1).round(decimals=1)  # of Dirichlet(31, 11)
    tensor([[0.7000, 0.3000]], dtype=torch.float64)
    """
    draws = torch.empty(len(theta), num_draws, theta.shape[1], dtype=torch.float64, device=theta.device)
    if not runs_compiled(beta):
        return _sample_theta_in_torch(theta, alpha, beta, batch, draws, burn_in, thin, seed)
    tokens = torch.cat([batch.counts.new_zeros(1), batch.counts]).to(torch.int64).cumsum(0)
    assignments = torch.empty(int(tokens[-1]), dtype=torch.int64)
    shared = _numpy(beta, batch.columns, tokens, assignments)
    own = _numpy(alpha, theta, batch.indptr, batch.rows, draws)
    over_rows(sweeps.sample_documents, len(theta), burn_in, thin, np.uint64(seed), *shared, *own)
    return draws


def _numpy(*tensors: Tensor) -> list[npt.NDArray[Any]]:
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def _blocks(indptr: Tensor, num_topics: int) -> list[tuple[int, int]]:
    """Divide the documents so that an array of nonzero counts x topics stays small for each part."""
    of_block = indptr[1:] * num_topics // _BLOCK_SIZE
    bounds = [0, *(torch.nonzero(of_block.diff()).flatten() + 1).tolist(), len(indptr) - 1]
    return list(pairwise(bounds))


def _whole_tokens(batch: Batch, seed: int) -> Int[Tensor, " nnz"]:
    """Tokens to sweep over: the counts; of a weight between two whole numbers one of them, w on average."""
    whole = batch.counts.to(torch.int64)
    fractions = batch.counts - whole
    if bool(fractions.any()):
        generator = _generator(batch, seed)
        whole += torch.rand(fractions.shape, device=whole.device, generator=generator) < fractions
    return whole


def _generator(batch: Batch, seed: int) -> torch.Generator:
    # The document is part of the seed: processes that share a batch draw each for its own documents.
    return torch.Generator(batch.counts.device).manual_seed((seed + int(batch.rows[0])) % 2**63)


def _refine_in_torch(
    theta: Tensor, alpha: Tensor, beta: Tensor, batch: Batch, whole: Tensor, burn_in: int, seed: int
) -> Refined:
    """Refine on any device: all assignments are drawn at once given θ, then θ given them."""
    generator = _generator(batch, seed)
    documents, nonzero_of = batch.document_of, torch.repeat_interleave(whole)
    document_topic, word_topic = torch.zeros_like(theta), torch.zeros_like(beta)
    for sweep in range(-1, burn_in + sweeps.NUM_COUNTED):
        joint = theta[documents] * beta[batch.columns]
        if sweep >= burn_in:
            expected = batch.counts[:, None] * joint / (sweeps.NUM_COUNTED * joint.sum(-1, keepdim=True))
            word_topic.index_add_(0, batch.columns, expected)
        topics = _draw_topics(joint, nonzero_of, generator)
        places = documents[nonzero_of] * len(alpha) + topics
        document_topic = torch.bincount(places, minlength=theta.numel()).reshape(theta.shape).to(theta.dtype)
        theta = torch.softmax(draw_log_gamma(alpha + document_topic, generator), dim=-1)
    return Refined(word_topic, document_topic)


def _sample_theta_in_torch(
    theta: Tensor,
    alpha: Tensor,
    beta: Tensor,
    batch: Batch,
    draws: Tensor,
    burn_in: int,
    thin: int,
    seed: int,
) -> Tensor:
    """Fill ``draws`` on any device, by sweeps as those of :func:`_refine_in_torch`."""
    generator = torch.Generator(beta.device).manual_seed((seed + int(batch.rows[0])) % 2**63)
    documents, nonzero_of = batch.document_of, torch.repeat_interleave(batch.counts.to(torch.int64))
    theta = theta.to(draws.dtype)
    for sweep in range(burn_in + thin * draws.shape[1]):
        topics = _draw_topics(theta[documents] * beta[batch.columns], nonzero_of, generator)
        places = documents[nonzero_of] * theta.shape[1] + topics
        counts = torch.bincount(places, minlength=theta.numel()).reshape(theta.shape)
        theta = torch.softmax(draw_log_gamma(alpha + counts.to(draws.dtype), generator), dim=-1)
        draw, rest = divmod(sweep - burn_in + 1, thin)
        if rest == 0 and draw > 0:
            draws[:, draw - 1] = theta
    return draws


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
