"""The topics as a softmax, for a plain optimizer: what the natural-gradient step is compared with."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class TopicWordLogits(nn.Module):
    """Topic-word probabilities β_k = softmax of weights over the vocabulary, to be learned by Adam.

    It can be put in the place of :class:`~lda_app.models.topic_word.TopicWordCounts`, but each use of β sums
    over all V words, and so does a step of its optimizer.

    Parameters
    ----------
    expected_counts
        (V, K), what β is proportional to at the start; positive.

    Examples
    --------
    >>> topics = TopicWordLogits(torch.tensor([[3.0, 1.0], [1.0, 3.0]]))
    >>> topics.beta()
    tensor([[0.7500, 0.2500],
            [0.2500, 0.7500]])
    """

    def __init__(self, expected_counts: Float[Tensor, "V K"]):
        super().__init__()
        self.logits = nn.Parameter(expected_counts.log())

    @property
    def num_words(self) -> int:
        """V, the size of the vocabulary."""
        return len(self.logits)

    @property
    def num_topics(self) -> int:
        """K."""
        return self.logits.shape[1]

    @torch.no_grad()
    def rows(self, words: Int[Tensor, " U"]) -> Float[Tensor, "U K"]:
        """Rows of β for some words."""
        return self.forward(words)

    def forward(self, words: Int[Tensor, " U"]) -> Float[Tensor, "U K"]:
        """Rows of β for the model; the loss's gradient reaches the logits through them."""
        return torch.softmax(self.logits, dim=0).index_select(0, words)

    @torch.no_grad()
    def beta(self) -> Float[Tensor, "K V"]:
        """Return all of β; each row adds up to 1."""
        return torch.softmax(self.logits, dim=0).T

    def rescale(self) -> None:
        """Do nothing: there is no common factor to write into the logits."""
