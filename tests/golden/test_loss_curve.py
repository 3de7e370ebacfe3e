"""The loss curve of a short run, as it was when the recipe was last changed on purpose."""

import numpy as np
import pytest
import torch
from scipy import sparse

from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.runtime import Interruption
from lda_app.training.data import divide
from lda_app.training.train import make_state, train

# Losses in nats per token at the validations of a run; other processors round differently, hence tolerances.
GOLDEN = {
    "refined": [3.725, 3.816, 3.752, 3.686, 3.679],
    "elbo": [4.129, 3.752, 3.729, 3.684, 3.709],
    "published": [4.546, 4.384, 4.373, 4.349, 4.335],
}
WAYS = {
    "refined": {},
    "elbo": {"topic_update": "elbo"},
    "published": {"topic_update": "elbo", "beta_optimizer": "adam", "encoder": "mlp", "init": "random"},
}


def corpus():
    """Draw 400 documents of 40 tokens from eight topics of ten words each."""
    generator = np.random.default_rng(42)
    beta = np.full((8, 80), 0.002)
    for topic in range(8):
        beta[topic, topic * 10 : (topic + 1) * 10] = 1
    beta /= beta.sum(1, keepdims=True)
    theta = generator.dirichlet(np.full(8, 0.2), size=400)
    return DocTermMatrix.from_scipy(
        sparse.csr_array([generator.multinomial(40, row @ beta) for row in theta])
    )


def losses(way):
    config = TrainConfig(num_topics=8, epochs=10, validation_fraction=0.05, seed=3, **WAYS[way])
    data = divide(corpus(), config)
    state = make_state(config, data, torch.device("cpu"))
    train(state, config, data, save=lambda _: None, interruption=Interruption())
    return [row["loss"] for row in state.history]


@pytest.mark.parametrize("way", sorted(GOLDEN))
def test_the_loss_curve_is_as_it_was(way):
    np.testing.assert_allclose(losses(way)[::4], GOLDEN[way], rtol=0.01)
