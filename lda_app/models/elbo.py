"""The ELBO of a batch: the negative loss, with the sample of θ that it was taken at.

The Pyro pair of :class:`~lda_app.models.lda.LDA` defines it, and ``SampledELBO`` reads it off the pair's
traces. Tracing takes nearly a third of a step, so for the default guide :func:`direct_elbo` calls the
functions that the pair's distributions call, one after the other; a test holds the two together.
"""

import math
from typing import Any, NamedTuple

import pyro
import torch
from jaxtyping import Float
from pyro.infer import TraceMeanField_ELBO
from torch import Tensor

from lda_app.corpus.batches import Batch
from lda_app.gradients.dirichlet import dirichlet_divergence, sample_dirichlet
from lda_app.gradients.score import leave_one_out
from lda_app.models.distributions import PyroDirichlet
from lda_app.models.lda import LDA
from lda_app.models.likelihood import mixture_log_likelihood


class ELBO(NamedTuple):
    """What one sample of θ a document says."""

    loss: Float[Tensor, ""]
    """−ELBO in nats, scaled up from the batch to the corpus; its gradient is the estimate."""
    theta: Float[Tensor, "B K"]
    """The guide's sample, without a gradient."""


def sampled_elbo(lda: LDA, batch: Batch) -> ELBO:
    """Return the loss of a batch, by the way that suits the guide.

    Parameters
    ----------
    lda
        The model; its generator is drawn from.
    batch
        The counts.
    """
    if lda.variational is PyroDirichlet and not lda.relaxed:
        return direct_elbo(lda, batch)
    traced = SampledELBO()
    with pyro.validation_enabled(is_validate=False):
        loss = traced.differentiable_loss(lda.model, lda.guide, batch)
    return ELBO(loss, traced.theta)


def direct_elbo(lda: LDA, batch: Batch) -> ELBO:
    """Return the loss where q(θ|w) is a Dirichlet, term by term: E_q[log p(w|θ, β)] − KL(q ‖ p)."""
    beta = lda.topics(batch.words)
    concentration = lda.posterior(batch, beta)
    total = concentration.sum()
    if not math.isfinite(total.item()):  # there is nothing to sample from
        return ELBO(total, concentration.detach())
    theta = sample_dirichlet(concentration, lda.generator).clamp(min=torch.finfo(concentration.dtype).tiny)
    log_likelihood = mixture_log_likelihood(theta, beta, batch)
    divergence = dirichlet_divergence(concentration, lda.alpha)
    scale = lda.num_documents / batch.num_documents
    return ELBO(scale * (divergence - log_likelihood).sum(), theta.detach())


class SampledELBO(TraceMeanField_ELBO):  # type: ignore[misc]
    """The ELBO of any Pyro pair, with closed-form KL divergence where there is one; it also keeps θ.

    The guide's estimator may need the likelihood times another gradient
    (:class:`~lda_app.models.guides.EstimatedDirichlet`). As a baseline, a document's likelihood per token is
    compared with that of the other documents.
    """

    theta: Float[Tensor, "B K"]

    def _get_trace(self, model: Any, guide: Any, args: Any, kwargs: Any) -> Any:
        model_trace, guide_trace = super()._get_trace(model, guide, args, kwargs)
        self.theta = guide_trace.nodes["theta"]["value"].detach()
        return model_trace, guide_trace

    def _differentiable_loss_particle(self, model_trace: Any, guide_trace: Any) -> Any:
        loss, surrogate_loss = super()._differentiable_loss_particle(model_trace, guide_trace)
        log_weight = getattr(guide_trace.nodes["theta"]["fn"], "log_weight", None)
        if log_weight is not None:
            counts = model_trace.nodes["counts"]
            lengths = counts["value"].lengths()
            advantage = counts["log_prob"] - lengths * leave_one_out(counts["log_prob"] / lengths)
            change = log_weight - log_weight.detach()
            surrogate_loss = surrogate_loss - (advantage.detach() * change).sum()
        return loss, surrogate_loss
