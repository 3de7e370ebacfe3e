"""One training step: the ELBO trains the guide; the topics and α learn from it, or from refined samples."""

import math
from dataclasses import dataclass
from typing import Any

import pyro
import torch
from jaxtyping import Float
from pyro.infer import TraceMeanField_ELBO
from torch import Tensor

from lda_app.config import ALPHA_RANGE, TrainConfig
from lda_app.corpus.batches import Batch
from lda_app.errors import NumericalError
from lda_app.gradients.score import leave_one_out
from lda_app.models.gibbs import Refined, refine
from lda_app.models.lda import LDA
from lda_app.training.schedule import Schedule

_ALPHA_RATE = 0.01


class SampledELBO(TraceMeanField_ELBO):  # type: ignore[misc]
    """The ELBO with closed-form KL divergence where there is one; it also keeps the guide's sample of θ.

    An estimator of the guide's may need the likelihood times a gradient of its own
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


@dataclass
class Optimizers:
    """Adam for the encoder, if it learns, and for α; the topics have a natural-gradient step of their own."""

    encoder: torch.optim.Adam | None
    alpha: torch.optim.Adam

    @classmethod
    def of(cls, lda: LDA, config: TrainConfig) -> "Optimizers":
        """Make fresh optimizers."""
        weights = list(lda.encoder.parameters())
        return cls(
            encoder=torch.optim.Adam(weights, lr=config.learning_rate) if weights else None,
            alpha=torch.optim.Adam([lda.log_alpha], lr=_ALPHA_RATE),
        )


def train_step(
    lda: LDA, optimizers: Optimizers, batch: Batch, config: TrainConfig, schedule: Schedule, step: int
) -> float:
    """Update the encoder, the topics and α from one batch.

    Returns
    -------
    float
        The batch's negative ELBO in nats per token.

    Raises
    ------
    NumericalError
        If the loss is NaN or infinite; no parameter has been changed by this step then.
    """
    seed = step_seed(config.seed, step)
    lda.generator = torch.Generator(lda.log_alpha.device).manual_seed(seed)
    lda.temperature = schedule.temperature(config, step)
    lda.topics.learn_by_gradient = config.topic_update == "elbo"
    lda.zero_grad()
    elbo = SampledELBO()
    with pyro.validation_enabled(is_validate=False):
        loss = elbo.differentiable_loss(lda.model, lda.guide, batch)
    if not torch.isfinite(loss):
        raise NumericalError(f"the loss is {loss.item()} at step {step}")
    loss.backward()
    scale = lda.num_documents / batch.num_documents
    if config.topic_update == "elbo":
        counts = lda.topics.gradient_counts()
    else:
        refined = _refine(lda, elbo.theta, batch, schedule.burn_in(step), seed)
        counts = refined.word_topic * scale
        _set_alpha_gradient(lda, refined)
    _apply(lda, optimizers, config, schedule, step)
    lda.topics.step(batch.words, counts, schedule.topic_rate(step))
    return float(loss.detach()) / (scale * float(batch.counts.sum()))


def step_seed(seed: int, step: int) -> int:
    """Seed of all that a step draws: a resumed run draws what an uninterrupted one would have drawn."""
    return (seed * 1_000_003 + step) % 2**62


def _refine(lda: LDA, theta: Tensor, batch: Batch, burn_in: int, seed: int) -> Refined:
    beta = lda.topics.rows(batch.words)
    return refine(theta, lda.alpha, beta, batch, burn_in=burn_in, seed=seed)


def _set_alpha_gradient(lda: LDA, refined: Refined) -> None:
    """Replace α's gradient by that of the Dirichlet-multinomial likelihood of the refined assignments."""
    counts, alpha = refined.document_topic.double(), lda.alpha.double()
    totals = torch.lgamma(alpha.sum()) - torch.lgamma(alpha.sum() + counts.sum(1))
    topics = (torch.lgamma(alpha + counts) - torch.lgamma(alpha)).sum(1)
    lda.log_alpha.grad = None
    torch.autograd.backward(-(totals + topics).mean())


def _apply(lda: LDA, optimizers: Optimizers, config: TrainConfig, schedule: Schedule, step: int) -> None:
    if optimizers.encoder is not None:
        for group in optimizers.encoder.param_groups:
            group["lr"] = config.learning_rate * schedule.encoder_rate(step)
        optimizers.encoder.step()
    if schedule.learns_alpha(step):
        optimizers.alpha.step()
        with torch.no_grad():
            lda.log_alpha.clamp_(*map(math.log, ALPHA_RANGE))
