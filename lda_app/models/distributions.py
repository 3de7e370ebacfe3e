"""The distributions of the Pyro pair: bags of words, the guide's Dirichlet, relaxed assignments."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from pyro.distributions.torch_distribution import TorchDistribution, TorchDistributionMixin
from torch import Tensor
from torch.distributions import constraints
from torch.distributions.kl import register_kl

from lda_app.corpus.batches import Batch
from lda_app.gradients import dirichlet
from lda_app.gradients.discrete import sample_gumbel_softmax
from lda_app.models.likelihood import mixture_log_likelihood


class PyroDirichlet(dirichlet.ImplicitDirichlet, TorchDistributionMixin):  # type: ignore[misc]
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


def responsibilities(
    concentration: Float[Tensor, "B K"], beta: Float[Tensor, "U K"], batch: Batch
) -> Float[Tensor, "nnz K"]:
    """Return log q(z|w) of mean field for each nonzero count: β_kw exp ψ(γ_k), normalised."""
    logits = torch.digamma(concentration)[batch.document_of] + torch.log(beta[batch.columns])
    return torch.log_softmax(logits, dim=-1)


class Assignments(TorchDistribution):  # type: ignore[misc]
    """The topics of the words of a batch; all tokens of a nonzero count share one.

    Parameters
    ----------
    log_shares
        Log probability of each topic, (nnz, K).
    batch
        The counts.
    temperature
        Temperature of the Gumbel-softmax relaxation that samples are drawn from.
    generator
        The source of randomness.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    has_rsample = True

    def __init__(
        self,
        log_shares: Float[Tensor, "nnz K"],
        batch: Batch,
        *,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ):
        self.log_shares, self.batch = log_shares, batch
        self.temperature, self.generator = temperature, generator
        super().__init__(torch.Size([batch.num_documents]), log_shares.shape[-1:], validate_args=False)

    def expand(self, batch_shape: Any, _instance: None = None) -> "Assignments":
        """Return the distribution itself: documents are never broadcast."""
        if torch.Size(batch_shape) != self.batch_shape:
            raise ValueError(f"{self.batch_shape} documents cannot be expanded to {batch_shape}")
        return self

    def rsample(self, sample_shape: Any = ()) -> Float[Tensor, "nnz K"]:
        """Draw relaxed assignments, points on the simplex; the shape asked for must be empty."""
        assert not tuple(sample_shape)
        return sample_gumbel_softmax(self.log_shares, self.generator, temperature=self.temperature)

    def log_prob(self, assignments: Float[Tensor, "nnz K"]) -> Float[Tensor, " B"]:
        """Log probability of assignments, linear in between."""
        return _sum_tokens((assignments * self.log_shares).sum(-1), self.batch)


class AssignedWords(BagOfWords):
    """The words of documents given their assignments: log p(w|z) = Σ_k z_k log β_kw, also where z is relaxed.

    Parameters
    ----------
    assignments
        z, (nnz, K).
    beta
        (U, K) topic-word probabilities, a row for each word of the batch.
    num_documents
        B.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(self, assignments: Float[Tensor, "nnz K"], beta: Float[Tensor, "U K"], num_documents: int):
        self.assignments = assignments
        super().__init__(assignments.new_empty(num_documents, beta.shape[1]), beta)

    def log_prob(self, batch: Batch) -> Float[Tensor, " B"]:
        """Log likelihood of each document, in nats."""
        return _sum_tokens((self.assignments * torch.log(self.beta[batch.columns])).sum(-1), batch)


@register_kl(Assignments, Assignments)  # type: ignore[no-untyped-call, untyped-decorator]
def assignments_divergence(q: Assignments, p: Assignments) -> Float[Tensor, " B"]:
    """Return KL(q ‖ p) of each document's assignments, summed over its tokens."""
    return _sum_tokens((q.log_shares.exp() * (q.log_shares - p.log_shares)).sum(-1), q.batch)


def _sum_tokens(values: Float[Tensor, " nnz"], batch: Batch) -> Float[Tensor, " B"]:
    total = torch.zeros(batch.num_documents, dtype=values.dtype, device=values.device)
    return total.index_add(0, batch.document_of, batch.counts * values)
