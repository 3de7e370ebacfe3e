"""The guide's network NN(w, λ): from the counts of a document to the concentration of q(θ|w)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lda_app.corpus.batches import Batch
from lda_app.models.likelihood import expected_topic_counts, mean_field_steps
from lda_app.models.row_linear import RowLinear


class UnrolledEncoder(nn.Module):
    """A network proposes topic weights; a few unrolled mean-field steps tie them to the topics.

    The network sees a document through the topics: its input is what each topic is expected to account for
    under the prior, so its size depends on K alone and new words need no new weights. Each step is::

        γ = α' + s(N) · Σ_w n_w e β_w / (e·β_w)        e = exp ψ(γ)

    Its damping s(N) in (0, 1) is learned: with the assignments summed out, the posterior of θ is wider than
    mean field's, whose s is 1. The steps are differentiated through: the network learns to start them well.

    Parameters
    ----------
    num_topics
        K.
    num_steps
        J, the mean-field steps, at least 1.
    hidden
        Width of the network's one hidden layer.
    alpha
        Start value of α', the concentration that a document of no words tends to.
    """

    def __init__(self, num_topics: int, *, num_steps: int = 3, hidden: int = 100, alpha: float = 0.05):
        super().__init__()
        self.num_steps = num_steps
        self.inner = RowLinear(num_topics + 1, hidden)
        self.outer = RowLinear(hidden, num_topics)
        # The correction starts at zero: the untrained guide is plain mean field.
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)
        self.log_prior = nn.Parameter(torch.full((num_topics,), alpha).log())
        self.damping = nn.Parameter(torch.zeros(2))

    def forward(
        self, batch: Batch, alpha: Float[Tensor, " K"], beta: Float[Tensor, "U K"]
    ) -> Float[Tensor, "B K"]:
        """Concentration of q(θ|w) for each document; α and β are taken as given."""
        alpha, beta = alpha.detach(), beta.detach()
        lengths = batch.lengths()[:, None]
        log_lengths = torch.log(lengths.clamp(min=1))
        # Written out: torch's sigmoid rounds a number otherwise at another place of its array.
        damping = 1 / (1 + torch.exp(-self.damping[0] - self.damping[1] * log_lengths))
        weights = self._propose(batch, alpha, beta, lengths, log_lengths)
        prior = self.log_prior.exp()
        concentration = mean_field_steps(weights, prior, damping[:, 0], beta, batch, self.num_steps)
        empty = lengths == 0
        return torch.where(empty, alpha, concentration) if bool(empty.any()) else concentration

    def _propose(
        self, batch: Batch, alpha: Tensor, beta: Tensor, lengths: Tensor, log_lengths: Tensor
    ) -> Tensor:
        prior_mean = (alpha / alpha.sum()).expand(len(lengths), -1)
        counts = expected_topic_counts(prior_mean, beta, batch)
        log_share = torch.log((counts + alpha) / (lengths + alpha.sum()))
        hidden = torch.relu(self.inner(torch.cat([log_share, log_lengths], dim=-1)))
        return torch.softmax(log_share + self.outer(hidden), dim=-1)
