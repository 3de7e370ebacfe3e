"""One training step: the ELBO trains the guide; the topics and α learn from it, or from refined samples."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lda_app.config import ALPHA_RANGE, TrainConfig
from lda_app.corpus.batches import Batch
from lda_app.errors import NumericalError
from lda_app.models.elbo import ELBO, sampled_elbo
from lda_app.models.gibbs import Refined, refine
from lda_app.models.lda import LDA
from lda_app.models.topic_word import TopicWordCounts
from lda_app.system.distributed import SINGLE_PROCESS, Group
from lda_app.training.adam import Adam
from lda_app.training.schedule import Schedule

# Between the seeds of two processes: beyond those of all steps of all runs.
_SEED_STRIDE = 2**53


@dataclass
class Optimizers:
    """Adam for what learns by it: the encoder, if it is a network, topics that are a softmax, and α."""

    encoder: Adam | None
    topics: Adam | None
    alpha: Adam

    @classmethod
    def of(cls, lda: LDA, config: TrainConfig) -> "Optimizers":
        """Make fresh optimizers."""
        return cls(
            encoder=_adam(lda.encoder, config),
            topics=_adam(lda.topics, config),
            alpha=Adam([lda.log_alpha], config.learning_rate),
        )


def _adam(module: nn.Module, config: TrainConfig) -> Adam | None:
    weights = list(module.parameters())
    return Adam(weights, config.learning_rate, fused=True) if weights else None


def train_step(
    lda: LDA,
    optimizers: Optimizers,
    batch: Batch,
    config: TrainConfig,
    schedule: Schedule,
    step: int,
    *,
    share: float = 1.0,
    group: Group = SINGLE_PROCESS,
) -> float | None:
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
    float or None
        The batch's negative ELBO in nats per token; None where it is neither learned from nor reported.

    Raises
    ------
    NumericalError
        If the loss or a gradient is NaN or infinite; this step has changed no parameter then.
    """
    seed = step_seed(config.seed, step)
    lda.generator = torch.Generator(lda.log_alpha.device).manual_seed(seed + group.world.rank * _SEED_STRIDE)
    lda.temperature = schedule.temperature(config, step)
    lda.zero_grad()
    part = _Part(lda, batch, share, group, step)
    loss, theta = None, None
    if schedule.trains_guide(config, step):
        loss, theta = part.learn_from_elbo()
    elif schedule.validates(step):
        loss = part.elbo_alone()
    counts: list[Tensor] = []
    if config.topic_update == "refined":
        refined = part.refine(theta, schedule.burn_in(step), seed)
        counts = [refined.word_topic * part.scale]
        if not schedule.alpha_follows_elbo(config, step):
            part.learn_alpha_from(refined)
    elif isinstance(lda.topics, TopicWordCounts):
        counts = [lda.topics.gradient_counts()]
    learned = [*(weights.grad for weights in lda.parameters() if weights.grad is not None), *counts]
    group.all_reduce_sum(learned)
    _require_finite(sum(float(tensor.sum()) for tensor in learned), "the sum of all gradients", step)
    _apply(lda, optimizers, config, schedule, step)
    if isinstance(lda.topics, TopicWordCounts):
        lda.topics.step(batch.words, counts[0], schedule.topic_rate(step))
    return loss


def step_seed(seed: int, step: int) -> int:
    """Seed of all that a step draws: a resumed run draws what an uninterrupted one would have drawn."""
    return (seed * 1_000_003 + step) % 2**62


@dataclass(frozen=True)
class _Part:
    """What a process computes of a step, from its part of the batch."""

    lda: LDA
    batch: Batch
    share: float
    group: Group
    step: int

    @property
    def scale(self) -> float:
        """Documents of the corpus for each of this part, which all parts together have once."""
        return self.lda.num_documents * self.share / self.batch.num_documents

    def learn_from_elbo(self) -> tuple[float, Tensor]:
        """Leave gradients on all that learns by the ELBO; return the loss per token, and the guide's θ."""
        elbo = sampled_elbo(self.lda, self.batch)
        loss = self._per_token(elbo)
        torch.autograd.backward(elbo.loss * self.share)
        return loss, elbo.theta

    @torch.no_grad()
    def elbo_alone(self) -> float:
        """Return the loss per token, and learn nothing from it."""
        return self._per_token(sampled_elbo(self.lda, self.batch))

    def _per_token(self, elbo: ELBO) -> float:
        figures = torch.stack([elbo.loss.detach() * self.share, self.batch.counts.sum()])
        self.group.all_reduce_sum([figures])
        total, num_tokens = map(float, figures)
        _require_finite(total, "the loss", self.step)
        return total / (self.scale * num_tokens)

    def refine(self, theta: Tensor | None, burn_in: int, seed: int) -> Refined:
        """Sweep from the guide's θ, or from uniform proportions."""
        lda, batch = self.lda, self.batch
        if theta is None:
            theta = torch.full((batch.num_documents, len(lda.alpha)), 1 / len(lda.alpha)).to(lda.alpha)
        return refine(theta, lda.alpha, lda.topics.rows(batch.words), batch, burn_in=burn_in, seed=seed)

    def learn_alpha_from(self, refined: Refined) -> None:
        """Leave on α the gradient of the likelihood of the refined assignments."""
        log_likelihood = assignments_log_likelihood(refined.document_topic, self.lda.alpha)
        self.lda.log_alpha.grad = None
        torch.autograd.backward(-log_likelihood.sum() * self.scale)


def assignments_log_likelihood(
    counts: Float[Tensor, "B K"], alpha: Float[Tensor, " K"]
) -> Float[Tensor, " B"]:
    """Dirichlet-multinomial log likelihood of each document's assignments, in float64 (Minka 2000).

    Parameters
    ----------
    counts
        Tokens of each document that are assigned to each topic.
    alpha
        Concentration of the prior of θ, positive.

    Examples
    --------
    >>> assignments_log_likelihood(torch.tensor([[1.0, 0.0]]), torch.tensor([1.0, 3.0])).exp()
    tensor([0.2500], dtype=torch.float64)
    """
    counts, alpha = counts.double(), alpha.double()
    totals = torch.lgamma(alpha.sum()) - torch.lgamma(alpha.sum() + counts.sum(1))
    return totals + (torch.lgamma(alpha + counts) - torch.lgamma(alpha)).sum(1)


def _require_finite(value: float, what: str, step: int) -> None:
    if not math.isfinite(value):
        raise NumericalError(f"{what} is {value} at step {step}")


def _apply(lda: LDA, optimizers: Optimizers, config: TrainConfig, schedule: Schedule, step: int) -> None:
    for optimizer in (optimizers.encoder, optimizers.topics):
        if optimizer is not None:
            optimizer.rate = schedule.adam_rate(config, step)
            optimizer.step()
    if schedule.learns_alpha(config, step):
        optimizers.alpha.step()
        with torch.no_grad():
            lda.log_alpha.clamp_(*map(math.log, ALPHA_RANGE))
