"""One training step: the ELBO trains the guide; the topics and α learn from it, or from refined samples."""

import math
from dataclasses import dataclass
from typing import Any

import pyro
import torch
from jaxtyping import Float
from pyro.infer import TraceMeanField_ELBO
from torch import Tensor, nn

from lda_app.config import ALPHA_RANGE, TrainConfig
from lda_app.corpus.batches import Batch
from lda_app.distributed import Group
from lda_app.errors import NumericalError
from lda_app.gradients.score import leave_one_out
from lda_app.models.gibbs import Refined, refine
from lda_app.models.lda import LDA
from lda_app.models.topic_word import TopicWordCounts
from lda_app.training.schedule import Schedule


_ALONE = Group()
# Between the seeds of two processes: beyond those of all steps of all runs.
_SEED_STRIDE = 2**53


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
    """Adam for what learns by it: the encoder, if it is a network, topics that are a softmax, and α."""

    encoder: torch.optim.Adam | None
    topics: torch.optim.Adam | None
    alpha: torch.optim.Adam

    @classmethod
    def of(cls, lda: LDA, config: TrainConfig) -> "Optimizers":
        """Make fresh optimizers."""
        return cls(
            encoder=_adam(lda.encoder, config),
            topics=_adam(lda.topics, config),
            alpha=torch.optim.Adam([lda.log_alpha], lr=config.learning_rate),
        )


def _adam(module: nn.Module, config: TrainConfig) -> torch.optim.Adam | None:
    weights = list(module.parameters())
    return torch.optim.Adam(weights, lr=config.learning_rate, fused=True) if weights else None


def train_step(
    lda: LDA,
    optimizers: Optimizers,
    batch: Batch,
    config: TrainConfig,
    schedule: Schedule,
    step: int,
    *,
    share: float = 1.0,
    group: Group = _ALONE,
) -> float:
    """Update the encoder, the topics and α from one batch.

    Of several processes, each computes on a part of the batch; what follows from the data is weighed by
    ``share`` and summed over them before it changes anything, so that all make the same step.

    Parameters
    ----------
    lda, optimizers
        What learns.
    batch
        This process's documents, over the words of the whole batch.
    config, schedule, step
        What the step, counted from 0, is to do.
    share
        This process's share of the batch's documents.
    group
        The processes.

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
    lda.generator = torch.Generator(lda.log_alpha.device).manual_seed(seed + group.place.rank * _SEED_STRIDE)
    lda.temperature = schedule.temperature(config, step)
    lda.zero_grad()
    elbo = SampledELBO()
    with pyro.validation_enabled(is_validate=False):
        loss = elbo.differentiable_loss(lda.model, lda.guide, batch) * share
    figures = torch.stack([loss.detach(), batch.counts.sum()])
    group.sum_([figures])
    total, num_tokens = figures.tolist()
    if not math.isfinite(total):
        raise NumericalError(f"the loss is {total} at step {step}")
    loss.backward()
    scale = lda.num_documents * share / batch.num_documents
    refined = None
    if config.topic_update == "refined":
        refined = _refine(lda, elbo.theta, batch, schedule.burn_in(step), seed)
        _set_alpha_gradient(lda, refined, share)
    counts = []
    if isinstance(lda.topics, TopicWordCounts):
        counts = [lda.topics.gradient_counts() if refined is None else refined.word_topic * scale]
    group.sum_([*(weights.grad for weights in lda.parameters() if weights.grad is not None), *counts])
    _apply(lda, optimizers, config, schedule, step)
    if isinstance(lda.topics, TopicWordCounts):
        lda.topics.step(batch.words, *counts, schedule.topic_rate(step))
    return total / (scale * num_tokens)


def step_seed(seed: int, step: int) -> int:
    """Seed of all that a step draws: a resumed run draws what an uninterrupted one would have drawn."""
    return (seed * 1_000_003 + step) % 2**62


def _refine(lda: LDA, theta: Tensor, batch: Batch, burn_in: int, seed: int) -> Refined:
    beta = lda.topics.rows(batch.words)
    return refine(theta, lda.alpha, beta, batch, burn_in=burn_in, seed=seed)


def _set_alpha_gradient(lda: LDA, refined: Refined, share: float) -> None:
    """Replace α's gradient by that of the Dirichlet-multinomial likelihood of the refined assignments."""
    counts, alpha = refined.document_topic.double(), lda.alpha.double()
    totals = torch.lgamma(alpha.sum()) - torch.lgamma(alpha.sum() + counts.sum(1))
    topics = (torch.lgamma(alpha + counts) - torch.lgamma(alpha)).sum(1)
    lda.log_alpha.grad = None
    torch.autograd.backward(-(totals + topics).mean() * share)


def _apply(lda: LDA, optimizers: Optimizers, config: TrainConfig, schedule: Schedule, step: int) -> None:
    for optimizer in (optimizers.encoder, optimizers.topics):
        if optimizer is not None:
            for group in optimizer.param_groups:
                group["lr"] = schedule.adam_rate(config, step)
            optimizer.step()
    if schedule.learns_alpha(config, step):
        optimizers.alpha.step()
        with torch.no_grad():
            lda.log_alpha.clamp_(*map(math.log, ALPHA_RANGE))
