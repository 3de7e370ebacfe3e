"""The topics: β as smoothed expected counts, and their natural-gradient step."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lda_app.models import kernels
from lda_app.system.compiled import runs_compiled

# Rescaling touches the whole matrix, so it waits until float32 needs it: this is every few dozen steps.
_SMALLEST_SCALE = 1e-18


class TopicWordCounts(nn.Module):
    """Topic-word probabilities β_kw = (λ_kw + η) / (n_k + V η), with expected counts λ and n_k = Σ_w λ_kw.

    Kept word by word (V, K), because a batch needs only the rows of its words. The counts decay at
    each step; the decay is a common factor, so a step costs as much as the batch has words, whatever V.

    Parameters
    ----------
    expected_counts
        λ (V, K), tokens of each word that each topic accounts for.
    eta
        Smoothing η, the symmetric Dirichlet prior of a topic over the words.

    Attributes
    ----------
    prior
        Words (S,) and counts (S, K) that the prior has of them beyond η, or None. The counts are a part of λ
        from the first step on, as if the topics had been observed with these counts elsewhere.

    Examples
    --------
    >>> topics = TopicWordCounts(torch.tensor([[3.0, 0.0], [1.0, 2.0]]), eta=0.5)
    >>> topics.beta()
    tensor([[0.7000, 0.3000],
            [0.1667, 0.8333]])
    """

    expected_counts: Tensor
    """λ / scale, (V, K)."""
    scale: Tensor
    """The factor, common to all counts, by which they have decayed since the last rescaling."""
    totals: Tensor
    """n (K,), the sums of λ over the words, in float64."""

    def __init__(self, expected_counts: Float[Tensor, "V K"], eta: float):
        super().__init__()
        self.eta = eta
        self.register_buffer("expected_counts", expected_counts.clone())
        self.register_buffer("scale", torch.ones((), dtype=torch.float64))
        self.register_buffer("totals", expected_counts.sum(0, dtype=torch.float64))
        self.learn_by_gradient = False
        self.prior: tuple[Tensor, Tensor] | None = None
        self._leaf: Tensor | None = None

    @property
    def num_words(self) -> int:
        """V, the size of the vocabulary."""
        return len(self.expected_counts)

    @property
    def num_topics(self) -> int:
        """K."""
        return self.expected_counts.shape[1]

    def rows(self, words: Int[Tensor, " U"]) -> Float[Tensor, "U K"]:
        """Rows of β for some words."""
        if not runs_compiled(self.expected_counts):
            return self._smooth(self.expected_counts[words])
        rows = self.expected_counts.new_empty(len(words), self.num_topics)
        scale, eta, norm = self._smoothing()
        arrays = _numpy(self.expected_counts, words, scale, eta, norm, rows)
        # In one thread: it is done before another would have woken up.
        kernels.smooth_rows(0, len(words), *arrays)
        return rows

    def forward(self, words: Int[Tensor, " U"]) -> Float[Tensor, "U K"]:
        """Rows of β for the model; if they learn by gradient, the leaf that `gradient_counts` reads."""
        self._leaf = self.rows(words).requires_grad_(self.learn_by_gradient)
        return self._leaf

    def beta(self) -> Float[Tensor, "K V"]:
        """Return all of β; each row adds up to 1."""
        return self._smooth(self.expected_counts).T

    def pseudocounts(self) -> Float[Tensor, "K V"]:
        """λ + η: the Dirichlets' parameters; a row divided by its sum is the topic's β."""
        return (self.expected_counts * self.scale + self.eta).T

    def gradient_counts(self) -> Float[Tensor, "U K"]:
        """Expected counts from the gradient that the last loss left on the rows of β.

        For a log likelihood Σ n log(θ·β_w), the product β_kw ∂/∂β_kw *is* the expected number of times that
        topic k wrote word w (the loss is its negative).
        """
        if self._leaf is None or self._leaf.grad is None:
            raise RuntimeError(
                "no loss has been differentiated with respect to the topics since the last step"
            )
        return -self._leaf.detach() * self._leaf.grad

    @torch.no_grad()
    def step(self, words: Int[Tensor, " U"], counts: Float[Tensor, "U K"], rate: float) -> None:
        """Move λ towards counts that stand for the whole corpus: λ ← (1 - rate) λ + rate · counts.

        A natural-gradient step on the topics' Dirichlet (Hoffman et al. 2013, section 2.4); words that are
        not named have no counts. What the prior has is counted at each step.

        Parameters
        ----------
        words
            Distinct words.
        counts
            Their expected counts in the corpus.
        rate
            Step size in (0, 1).
        """
        self._leaf = None
        self.scale *= 1 - rate
        self.totals *= 1 - rate
        self._count(words, counts, rate)
        if self.prior is not None:
            self._count(*self.prior, rate)
        if self.scale < _SMALLEST_SCALE:
            self.rescale()

    @torch.no_grad()
    def rescale(self) -> None:
        """Write the common factor into the counts; β stays as it is."""
        self.expected_counts *= self.scale.to(self.expected_counts.dtype)
        self.totals.copy_(self.expected_counts.sum(0, dtype=torch.float64))
        self.scale.fill_(1)

    def _count(self, words: Tensor, counts: Tensor, rate: float) -> None:
        self._add(words, counts, rate / self.scale.item())
        self.totals.add_(counts.sum(0, dtype=torch.float64), alpha=rate)

    def _add(self, words: Tensor, counts: Tensor, factor: float) -> None:
        if not runs_compiled(self.expected_counts):
            self.expected_counts[words] += counts * factor
            return
        scaled = torch.tensor(factor, dtype=counts.dtype)
        kernels.add_to_rows(0, len(words), *_numpy(self.expected_counts, words, counts.contiguous(), scaled))

    def _smooth(self, expected_counts: Tensor) -> Tensor:
        scale, eta, norm = self._smoothing()
        return (expected_counts * scale + eta) * norm

    def _smoothing(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return scale, η and 1 / (n_k + V η), in the precision of the counts."""
        dtype = self.expected_counts.dtype
        norm = 1 / (self.totals + self.num_words * self.eta)
        return self.scale.to(dtype), torch.tensor(self.eta, dtype=dtype, device=norm.device), norm.to(dtype)


def _numpy(*tensors: Tensor) -> list[Any]:
    """Return arrays that share the tensors' memory, and numbers for tensors without dimensions."""
    return [tensor.detach().numpy()[()] for tensor in tensors]
