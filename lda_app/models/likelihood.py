"""The likelihood of sparse counts under mixtures of topics, and the expected topic counts that go with it.

Both are sums over the nonzero counts of a batch alone: no array of size B x V is ever made. On the
processor they run as compiled loops (:mod:`lda_app.models.kernels`); elsewhere, and for reference, as the
few lines of torch at the end of this module.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from lda_app.corpus.batches import Batch
from lda_app.models import kernels
from lda_app.system.compiled import over_rows, runs_compiled


def mixture_log_likelihood(
    theta: Float[Tensor, "B K"], beta: Float[Tensor, "U K"], batch: Batch
) -> Float[Tensor, " B"]:
    """Log likelihood of each document with the assignments z summed out: Σ_w n_w log Σ_k θ_k β_kw.

    Per document, in nats, without the multinomial coefficient.

    Parameters
    ----------
    theta
        Topic proportions of the batch's documents.
    beta
        Topic-word probabilities, a row for each of ``batch.words``.
    batch
        The counts.

    Examples
    --------
    >>> import numpy as np, scipy.sparse
    >>> from lda_app.corpus.batches import make_batch
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> batch = make_batch(DocTermMatrix.from_scipy(scipy.sparse.csr_array([[2, 1]])), np.array([0]))
    >>> beta = torch.tensor([[0.9, 0.2], [0.1, 0.8]])  # rows are words
    >>> theta = torch.tensor([[0.5, 0.5]])
    >>> mixture_log_likelihood(theta, beta, batch).exp()  # 0.55² · 0.45
    tensor([0.1361])
    """
    if not runs_compiled(theta):
        return _mixture_log_likelihood_torch(theta, beta, batch)
    result: Tensor = _MixtureLogLikelihood.apply(theta, beta, batch)  # type: ignore[no-untyped-call]
    return result


@torch.no_grad()
def expected_topic_counts(
    weights: Float[Tensor, "B K"], beta: Float[Tensor, "U K"], batch: Batch
) -> Float[Tensor, "B K"]:
    """Tokens that each topic is expected to account for: Σ_w n_w e_k β_kw / Σ_j e_j β_jw.

    One half of a mean-field step (Blei, Ng, Jordan 2003, eq. 6 and 7 with the counts n_w gathered), without
    a gradient; :func:`mean_field_steps` has one. Each row adds up to the document's length.

    Parameters
    ----------
    weights
        Unnormalised topic weights e, nonnegative.
    beta
        Topic-word probabilities, a row for each of ``batch.words``.
    batch
        The counts.

    Examples
    --------
    >>> import numpy as np, scipy.sparse
    >>> from lda_app.corpus.batches import make_batch
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> batch = make_batch(DocTermMatrix.from_scipy(scipy.sparse.csr_array([[2, 1]])), np.array([0]))
    >>> beta = torch.tensor([[0.8, 0.2], [0.2, 0.8]])
    >>> expected_topic_counts(torch.tensor([[1.0, 1.0]]), beta, batch)
    tensor([[1.8000, 1.2000]])
    """
    if not runs_compiled(weights):
        return _expected_topic_counts_torch(weights, beta, batch)
    if torch.is_inference_mode_enabled():
        nothing, all_of_it = weights.new_zeros(weights.shape[1]), weights.new_ones(len(weights))
        return _mean_field(weights, nothing, all_of_it, beta, batch, num_steps=1)
    weights = weights.contiguous()
    _, slope = _mixture_forward(weights, beta.contiguous(), batch)
    return weights * slope


def mean_field_steps(
    weights: Float[Tensor, "B K"],
    prior: Float[Tensor, " K"],
    damping: Float[Tensor, " B"],
    beta: Float[Tensor, "U K"],
    batch: Batch,
    num_steps: int,
) -> Float[Tensor, "B K"]:
    """Concentration γ after some mean-field steps, differentiable in all but ``beta``.

    Each step is γ = prior + damping · expected_topic_counts(e), and e = softmax ψ(γ) leads to the next.

    Parameters
    ----------
    weights
        e of the first step, positive.
    prior
        What a document without words is left with.
    damping
        The share of a token that counts as evidence, a number a document.
    beta
        Topic-word probabilities, a row for each of ``batch.words``.
    batch
        The counts.
    num_steps
        J, at least 1.

    Examples
    --------
    >>> import numpy as np, scipy.sparse
    >>> from lda_app.corpus.batches import make_batch
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> batch = make_batch(DocTermMatrix.from_scipy(scipy.sparse.csr_array([[2, 1]])), np.array([0]))
    >>> beta = torch.tensor([[0.8, 0.2], [0.2, 0.8]])
    >>> mean_field_steps(torch.ones(1, 2), torch.full((2,), 0.1), torch.ones(1), beta, batch, num_steps=1)
    tensor([[1.9000, 1.3000]])
    """
    if not runs_compiled(weights):
        return _mean_field_steps_torch(weights, prior, damping, beta, batch, num_steps)
    if torch.is_inference_mode_enabled():
        return _mean_field(weights, prior, damping, beta, batch, num_steps)
    result: Tensor = _MeanFieldSteps.apply(  # type: ignore[no-untyped-call]
        weights, prior, damping, beta, batch, num_steps
    )
    return result


class _MixtureLogLikelihood(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, theta: Tensor, beta: Tensor, batch: Batch) -> Tensor:
        theta, beta = theta.contiguous(), beta.contiguous()
        log_likelihood, slope = _mixture_forward(theta, beta, batch)
        ctx.save_for_backward(theta, beta, slope)
        ctx.batch = batch
        return log_likelihood

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor | None, None]:
        theta, beta, slope = ctx.saved_tensors
        beta_gradient = None
        if ctx.needs_input_grad[1]:
            beta_gradient = torch.zeros_like(beta)
            arrays = _numpy(theta, beta, *_csr(ctx.batch), upstream.contiguous(), beta_gradient)
            kernels.mixture_backward_beta(0, len(theta), *arrays)
        return upstream[:, None] * slope, beta_gradient, None


class _MeanFieldSteps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weights: Tensor, prior: Tensor, damping: Tensor, beta: Tensor, batch: Batch, num_steps: int
    ) -> Tensor:
        beta, damping = beta.contiguous(), damping.contiguous()
        kept = weights.new_empty(3, num_steps, *weights.shape)
        ratios = weights.new_empty(num_steps, len(batch.counts))
        concentration = torch.empty_like(weights, memory_format=torch.contiguous_format)
        inputs = (weights.contiguous(), prior, damping, beta, *_csr(batch))
        arrays = _numpy(*inputs, *kept, ratios, concentration)
        over_rows(kernels.mean_field_forward, len(weights), *arrays)
        ctx.save_for_backward(damping, beta, kept, ratios)
        ctx.batch = batch
        return concentration

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        damping, beta, kept, ratios = ctx.saved_tensors
        gradient = torch.empty_like(kept[0, 0])
        prior_gradient, damping_gradient = torch.zeros_like(gradient), torch.zeros_like(damping)
        inputs = (upstream.contiguous(), damping, beta, *_csr(ctx.batch), *kept, ratios)
        arrays = _numpy(*inputs, gradient, prior_gradient, damping_gradient)
        over_rows(kernels.mean_field_backward, len(gradient), *arrays)
        return gradient, prior_gradient.sum(0), damping_gradient, None, None, None


def _mean_field(
    weights: Tensor, prior: Tensor, damping: Tensor, beta: Tensor, batch: Batch, num_steps: int
) -> Tensor:
    """Do mean-field steps as fast as can be where no way back is needed: for inference."""
    concentration = torch.empty_like(weights, memory_format=torch.contiguous_format)
    inputs = (weights.contiguous(), prior, damping.contiguous(), beta.contiguous(), *_csr(batch))
    over_rows(kernels.mean_field, len(weights), *_numpy(*inputs), num_steps, *_numpy(concentration))
    return concentration


def _mixture_forward(weights: Tensor, beta: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    log_likelihood, slope = torch.empty_like(weights[:, 0]), torch.empty_like(weights)
    arrays = _numpy(weights, beta, *_csr(batch), log_likelihood, slope)
    over_rows(kernels.mixture_forward, len(weights), *arrays)
    return log_likelihood, slope


def _csr(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    return batch.indptr, batch.columns, batch.counts


def _numpy(*tensors: Tensor) -> list[Any]:
    return [tensor.detach().numpy() for tensor in tensors]


def _mixture_log_likelihood_torch(theta: Tensor, beta: Tensor, batch: Batch) -> Tensor:
    documents = batch.document_of
    probability = (theta[documents] * beta[batch.columns]).sum(-1)
    return theta.new_zeros(len(theta)).index_add_(0, documents, batch.counts * probability.log())


def _expected_topic_counts_torch(weights: Tensor, beta: Tensor, batch: Batch) -> Tensor:
    documents = batch.document_of
    joint = weights[documents] * beta[batch.columns].detach()
    share = joint / joint.sum(-1, keepdim=True)
    return torch.zeros_like(weights).index_add_(0, documents, batch.counts[:, None] * share)


def _mean_field_steps_torch(
    weights: Tensor, prior: Tensor, damping: Tensor, beta: Tensor, batch: Batch, num_steps: int
) -> Tensor:
    concentration = weights
    for step in range(num_steps):
        if step > 0:
            weights = torch.softmax(torch.digamma(concentration), dim=-1)
        concentration = prior + damping[:, None] * _expected_topic_counts_torch(weights, beta, batch)
    return concentration
