"""The guide's network of the published amortized recipe: a plain network over the vocabulary."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lda_app.corpus.batches import Batch
from lda_app.models.row_linear import RowLinear


class MLPEncoder(nn.Module):
    """Three hidden layers from a document's bag of words to its concentration, which knows nothing of β.

    ReLU within and softplus at the end, with Glorot's start (Figurnov, Mohamed, Mnih 2018, as in TensorFlow
    Probability's example of LDA). It stands here to be compared with
    :class:`~lda_app.models.encoder.UnrolledEncoder`: each word has its own weights, V · H in all.

    Parameters
    ----------
    num_words
        V.
    num_topics
        K.
    hidden
        H, the width of each hidden layer.

    Examples
    --------
    >>> import numpy as np
    >>> from lda_app.corpus.batches import make_batch
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> batch = make_batch(DocTermMatrix.from_scipy(np.array([[2, 1], [0, 0]])), np.arange(2))
    >>> concentration = MLPEncoder(2, 3, hidden=4)(batch, torch.full((3,), 0.7))
    >>> concentration.shape, concentration[1].tolist() == [torch.tensor(0.7)] * 3
    (torch.Size([2, 3]), True)
    """

    def __init__(self, num_words: int, num_topics: int, *, hidden: int = 300):
        super().__init__()
        # The first layer adds up the rows of a document's words: it costs as much as they are many.
        self.words = nn.EmbeddingBag(num_words, hidden, mode="sum", include_last_offset=True)
        self.bias = nn.Parameter(torch.zeros(hidden))
        layers = [RowLinear(hidden, size) for size in (hidden, hidden, num_topics)]
        nn.init.xavier_normal_(self.words.weight)
        for layer in layers:
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.layers = nn.ModuleList(layers)

    def forward(
        self, batch: Batch, alpha: Float[Tensor, " K"], _beta: Float[Tensor, "U K"] | None = None
    ) -> Float[Tensor, "B K"]:
        """Concentration of q(θ|w) for each document; without words it is α, and β is not looked at."""
        words = batch.words[batch.columns]
        outputs = self.words(words, batch.indptr, per_sample_weights=batch.counts) + self.bias
        for layer in self.layers:
            outputs = layer(torch.relu(outputs))
        return torch.where(batch.lengths()[:, None] > 0, _softplus(outputs), alpha.detach())


def _softplus(values: Tensor) -> Tensor:
    # Written out: torch's softplus rounds a number otherwise at another place of its array.
    return torch.relu(values) + torch.log1p(torch.exp(-values.abs()))
