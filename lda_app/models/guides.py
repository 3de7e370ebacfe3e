"""The guides to choose from: what stands for q(θ|w), and which gradient its samples carry.

All have the concentration of a Dirichlet for their parameter, given by the encoder or by coordinate ascent,
and the model's inference reports that Dirichlet, whichever trained it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, TypeVar

import torch
from jaxtyping import Float
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Tensor
from torch.distributions import constraints

from lda_app.config import TrainConfig
from lda_app.gradients.estimators import Estimator, estimators_of
from lda_app.gradients.normal import sample_logistic_normal
from lda_app.models.cavi import CoordinateAscent
from lda_app.models.distributions import PyroDirichlet
from lda_app.models.encoder import UnrolledEncoder
from lda_app.models.lda import LDA, Topics
from lda_app.models.mlp_encoder import MLPEncoder
from lda_app.models.topic_logits import TopicWordLogits
from lda_app.models.topic_word import TopicWordCounts

Family = TypeVar("Family", bound=TorchDistribution)
Variational = Callable[..., TorchDistribution]

_ESTIMATORS = {"torch": "torch", "rsvi": "rsvi, B = 10", "score": "score"}


def make_topics(config: TrainConfig, expected_counts: Float[Tensor, "V K"]) -> Topics:
    """Make the topics as the optimizer of β that a configuration asks for needs them, from counts λ."""
    if config.beta_optimizer == "adam":
        return TopicWordLogits(expected_counts + config.eta)
    topics = TopicWordCounts(expected_counts, config.eta)
    topics.learn_by_gradient = config.topic_update == "elbo"
    return topics


def make_lda(config: TrainConfig, num_documents: int, topics: Topics) -> LDA:
    """Make a model with the guide that a configuration asks for; its network is drawn from torch's generator.

    Parameters
    ----------
    config
        The run's configuration.
    num_documents
        D of the training corpus.
    topics
        The topic-word probabilities.
    """
    return LDA(
        num_documents,
        topics,
        _make_encoder(config, topics.num_words),
        alpha=config.alpha,
        variational=variational(config),
        relaxed=config.gradient == "gumbel-softmax",
    )


def _make_encoder(config: TrainConfig, num_words: int) -> torch.nn.Module:
    if config.inference == "cavi":
        return CoordinateAscent()
    if config.encoder == "mlp":
        return MLPEncoder(num_words, config.num_topics, hidden=config.hidden)
    return UnrolledEncoder(
        config.num_topics, num_steps=config.unroll, hidden=config.hidden, alpha=config.alpha
    )


def variational(config: TrainConfig) -> Variational:
    """Return what makes q(θ|w) of a concentration and a source of randomness."""
    if config.inference == "cavi":
        return MeanFieldDirichlet
    if config.posterior == "logistic-normal":
        return LogisticNormal
    if name := _ESTIMATORS.get(config.gradient):
        (estimator,) = (row for row in estimators_of("dirichlet") if row.name == name)
        return partial(EstimatedDirichlet, estimator)
    return PyroDirichlet


class _DirichletGuide(PyroDirichlet):
    """A Dirichlet with its closed-form KL divergence, sampled in another way."""

    def __init__(self, concentration: Float[Tensor, "B K"], generator: torch.Generator | None):
        super().__init__(concentration, generator=generator)

    def expand(self, batch_shape: Any, _instance: None = None) -> "_DirichletGuide":
        """Return the distribution itself: documents are never broadcast."""
        return _same_documents(self, batch_shape)


class EstimatedDirichlet(_DirichletGuide):
    """A Dirichlet whose samples carry the gradient of an estimator of the laboratory.

    Parameters
    ----------
    estimator
        A row of the table, of the family dirichlet.
    concentration
        (B, K).
    generator
        The source of randomness.

    Attributes
    ----------
    log_weight
        Log weight of the last sample, (B,): its gradient, weighted by the likelihood, belongs to the
        estimate. None where the pathwise derivative is all.
    """

    log_weight: Tensor | None = None

    def __init__(
        self, estimator: Estimator, concentration: Float[Tensor, "B K"], generator: torch.Generator | None
    ):
        self.estimator = estimator
        super().__init__(concentration, generator)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw θ, (B, K); the shape asked for must be empty."""
        assert not tuple(sample_shape)
        draw = self.estimator.sampler((self.concentration,), 1, self.generator)
        self.log_weight = None if draw.log_weight is None else draw.log_weight[0]
        return draw.value[0].clamp(min=torch.finfo(draw.value.dtype).tiny)


class MeanFieldDirichlet(_DirichletGuide):
    """A Dirichlet that hands exp E[log θ] to the likelihood in place of a sample.

    Σ_w n_w log Σ_k exp(E[log θ_k]) β_kw − KL is the ELBO of q(θ) q(z) with q(z) at its best, the bound of
    classical variational inference (Blei, Ng, Jordan 2003).
    """

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return exp E[log θ], (B, K), which adds up to less than 1."""
        assert not tuple(sample_shape)
        c = self.concentration
        weights = torch.exp(torch.digamma(c) - torch.digamma(c.sum(-1, keepdim=True)))
        return weights.clamp(min=torch.finfo(weights.dtype).tiny)


class LogisticNormal(TorchDistribution):  # type: ignore[misc]
    """softmax(z), z_k ~ Normal(μ_k, σ_k²), like a Dirichlet(c): mean and variance of each e^z_k are c_k.

    Parameters
    ----------
    concentration
        c, (B, K).
    generator
        The source of randomness.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    has_rsample = True

    def __init__(self, concentration: Float[Tensor, "B K"], generator: torch.Generator | None):
        spread = torch.log1p(1 / concentration)
        self.mean_log = torch.log(concentration) - spread / 2
        self.spread = spread  # the variance of each z_k
        self.generator = generator
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=False)

    @property
    def support(self) -> Any:
        """The simplex."""
        return constraints.simplex

    def expand(self, batch_shape: Any, _instance: None = None) -> "LogisticNormal":
        """Return the distribution itself: documents are never broadcast."""
        return _same_documents(self, batch_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw θ, (…, K), reparameterized explicitly."""
        shape = self._extended_shape(torch.Size(sample_shape))
        mean, scale = self.mean_log.expand(shape), self.spread.sqrt().expand(shape)
        theta = sample_logistic_normal(mean, scale, self.generator)
        return theta.clamp(min=torch.finfo(theta.dtype).tiny)

    def log_prob(self, theta: Tensor) -> Tensor:
        """Return the log density of θ with respect to K − 1 of its shares.

        z = log θ + s for some s; the density is the integral over s of that of z, times Π 1/θ_k.
        """
        log_theta = torch.log(theta)
        precision, residual = 1 / self.spread, log_theta - self.mean_log
        total = precision.sum(-1)
        square = (precision * residual.square()).sum(-1) - (precision * residual).sum(-1).square() / total
        num_free = theta.shape[-1] - 1
        constant = 0.5 * (torch.log(precision).sum(-1) - torch.log(total) - num_free * _LOG_2_PI)
        return constant - 0.5 * square - log_theta.sum(-1)


_LOG_2_PI = 1.8378770664093453


def _same_documents(distribution: Family, batch_shape: Any) -> Family:
    if torch.Size(batch_shape) != distribution.batch_shape:
        raise ValueError(f"{distribution.batch_shape} documents cannot be expanded to {batch_shape}")
    return distribution
