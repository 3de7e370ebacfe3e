"""ProdLDA's network (Srivastava and Sutton 2017): a variational autoencoder whose decoder is no mixture."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ProdLDA(nn.Module):
    """q(θ|w) is logistic-normal; the words of a document come from softmax(BN(θ·W)), W (K, V) unconstrained.

    The prior is the Laplace approximation of Dir(α, …, α) by a logistic normal in the softmax basis
    (MacKay 1998; eq. 5 of the paper): mean 0, variance (1 − 2/K)/α + 1/(Kα).

    Parameters
    ----------
    num_words, num_topics
        V and K.
    alpha
        Concentration of the Dirichlet that the prior approximates.
    hidden
        Width of the encoder's two layers.
    dropout
        Share of hidden units, and of θ, left out in training.
    """

    def __init__(self, num_words: int, num_topics: int, *, alpha: float, hidden: int, dropout: float) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(num_words, hidden),
            nn.Softplus(),
            nn.Linear(hidden, hidden),
            nn.Softplus(),
            nn.Dropout(dropout),
        )
        self.mean = nn.Sequential(nn.Linear(hidden, num_topics), _centred(num_topics))
        self.log_variance = nn.Sequential(nn.Linear(hidden, num_topics), _centred(num_topics))
        self.drop = nn.Dropout(dropout)
        self.words = nn.Linear(num_topics, num_words, bias=False)
        self.normalize = _centred(num_words)
        self.prior_variance = torch.tensor((1 - 2 / num_topics) / alpha + 1 / (num_topics * alpha))

    def loss(self, counts: Float[Tensor, "B V"]) -> Tensor:
        """Negative ELBO, nats a document: the likelihood by one sample of θ, the KL divergence exact."""
        hidden = self.encoder(counts)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        theta = torch.softmax(mean + torch.randn_like(mean) * (log_variance / 2).exp(), dim=-1)
        likelihood = (counts * self.decode(self.drop(theta))).sum(-1)
        scaled = (log_variance.exp() + mean**2) / self.prior_variance
        divergence = (scaled - 1 + self.prior_variance.log() - log_variance).sum(-1) / 2
        return torch.mean(divergence - likelihood)

    def infer(self, counts: Float[Tensor, "B V"]) -> Float[Tensor, "B K"]:
        """θ at the mean of q in the softmax basis, as the authors' code has it."""
        return torch.softmax(self.mean(self.encoder(counts)), dim=-1)

    def decode(self, theta: Float[Tensor, "B K"]) -> Float[Tensor, "B V"]:
        """Log-probabilities of words."""
        return torch.log_softmax(self.normalize(self.words(theta)), dim=-1)


def _centred(size: int) -> nn.BatchNorm1d:
    """Batch normalization that learns a shift, as the frequency of words needs, and no scale."""
    normalize = nn.BatchNorm1d(size)
    normalize.weight.requires_grad = False
    return normalize
