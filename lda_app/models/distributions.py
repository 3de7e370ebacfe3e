"""The two distributions of the Pyro pair: documents as bags of words, and the guide's Dirichlet."""

from typing import ClassVar

import torch
from jaxtyping import Float
from pyro.distributions.torch_distribution import TorchDistribution, TorchDistributionMixin
from torch import Tensor
from torch.distributions import constraints

from lda_app.corpus.batches import Batch
from lda_app.gradients import dirichlet
from lda_app.models.likelihood import mixture_log_likelihood


class ImplicitDirichlet(dirichlet.ImplicitDirichlet, TorchDistributionMixin):  # type: ignore[misc]
    """The guide's Dirichlet for Pyro: its samples carry implicit reparameterization gradients."""


class BagOfWords(TorchDistribution):  # type: ignore[misc]
    """The words of documents, their order forgotten and their topic assignments summed out.

    An observation is a :class:`~lda_app.corpus.batches.Batch`; its log probability leaves out the
    multinomial coefficient, which depends on no parameter.

    Parameters
    ----------
    theta
        (B, K) topic proportions.
    beta
        (U, K) topic-word probabilities, a row for each word of the batch.
    """

    arg_constraints: ClassVar = {"theta": constraints.simplex}
    has_rsample = False

    def __init__(self, theta: Float[Tensor, "B K"], beta: Float[Tensor, "U K"]):
        self.theta = theta
        self.beta = beta
        super().__init__(
            batch_shape=theta.shape[:-1], event_shape=torch.Size([len(beta)]), validate_args=False
        )

    def expand(self, batch_shape: torch.Size, _instance: None = None) -> "BagOfWords":
        """Return the distribution itself: documents are never broadcast."""
        if torch.Size(batch_shape) != self.batch_shape:
            raise ValueError(f"{self.batch_shape} documents cannot be expanded to {batch_shape}")
        return self

    def log_prob(self, batch: Batch) -> Float[Tensor, " B"]:
        """Log likelihood of each document, in nats."""
        return mixture_log_likelihood(self.theta, self.beta, batch)
