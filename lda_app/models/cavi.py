"""Mean-field inference by coordinate ascent: the classical way to q(θ|w), without a network."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lda_app.corpus.batches import Batch
from lda_app.models.likelihood import expected_topic_counts

_MOST_STEPS = 100
_TOLERANCE = 1e-3  # tokens, the mean change of a concentration


class CoordinateAscent(nn.Module):
    """Alternate q(z) and q(θ) until a document's concentration stays, at most 100 times.

    γ = α + Σ_w n_w e β_w / (e·β_w), e = exp ψ(γ) (Blei, Ng, Jordan 2003). A document stops on its own,
    whatever the others of its batch do. There is nothing to learn.
    """

    @torch.no_grad()
    def forward(
        self, batch: Batch, alpha: Float[Tensor, " K"], beta: Float[Tensor, "U K"]
    ) -> Float[Tensor, "B K"]:
        """Concentration of q(θ|w) for each document.

        In float64, where rounding practically never decides whether a document takes another step.
        """
        dtype, alpha, beta = beta.dtype, alpha.double(), beta.double()
        lengths = batch.lengths()[:, None]
        concentration = alpha + lengths / len(alpha)
        moving = lengths > 0
        for _ in range(_MOST_STEPS):
            weights = torch.softmax(torch.digamma(concentration), dim=-1)
            updated = alpha + expected_topic_counts(weights, beta, batch)
            change = (updated - concentration).abs().mean(-1, keepdim=True)
            concentration = torch.where(moving, updated, concentration)
            moving = moving & (change > _TOLERANCE)
            if not bool(moving.any()):
                break
        return torch.where(lengths > 0, concentration, alpha).to(dtype)
