"""The trained guide beside the exact posterior of tiny documents, by quadrature."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import digamma

from lda_app.config import TrainConfig
from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted.inference import concentration
from lda_app.models.encoder import UnrolledEncoder
from lda_app.models.lda import LDA
from lda_app.models.threads import one_torch_thread
from lda_app.models.topic_word import TopicWordCounts
from lda_app.training.schedule import Schedule
from lda_app.training.step import Optimizers, train_step

ALPHA = 0.4
BETA = np.array([[0.6, 0.25, 0.15], [0.1, 0.3, 0.6]])  # (K, V)
GRID = (np.arange(20_000) + 0.5) / 20_000


def documents(num_documents, seed):
    generator = np.random.default_rng(seed)
    theta = generator.dirichlet([ALPHA, ALPHA], size=num_documents)
    counts = [generator.multinomial(generator.integers(2, 9), row @ BETA) for row in theta]
    return DocTermMatrix.from_scipy(sparse.csr_array(np.array(counts)))


def exact_mean(counts):
    """Posterior mean of θ_1 by quadrature."""
    mixture = np.stack([GRID, 1 - GRID], axis=1) @ BETA
    log_density = (ALPHA - 1) * (np.log(GRID) + np.log1p(-GRID)) + np.log(mixture) @ counts
    weight = np.exp(log_density - log_density.max())
    return (weight * GRID).sum() / weight.sum()


def mean_field_mean(counts):
    """Posterior mean of θ_1 by coordinate ascent on q(θ)q(z) (Blei, Ng, Jordan 2003)."""
    gamma = np.full(2, ALPHA + counts.sum() / 2)
    for _ in range(500):
        share = BETA * np.exp(digamma(gamma))[:, None]
        gamma = ALPHA + (share / share.sum(0)) @ counts
    return gamma[0] / gamma.sum()


@pytest.fixture(scope="module")
def trained():
    """Return a model whose topics are the true ones and stay so; only its guide is trained."""
    doc_term = documents(3000, seed=0)
    topics = TopicWordCounts(torch.tensor(BETA.T * 1e9, dtype=torch.float32), eta=1e-3)
    torch.manual_seed(0)
    lda = LDA(3000, topics, UnrolledEncoder(2, hidden=20, alpha=ALPHA), alpha=ALPHA)
    config, schedule = TrainConfig(num_topics=2), Schedule(num_steps=600)
    optimizers = Optimizers.of(lda, config)
    generator = np.random.default_rng(1)
    fixed = {name: value.clone() for name, value in lda.state_dict().items() if "encoder" not in name}
    with one_torch_thread():
        for step in range(600):
            batch = make_batch(doc_term, np.sort(generator.choice(3000, size=100, replace=False)))
            train_step(lda, optimizers, batch, config, schedule, step)
            lda.load_state_dict(fixed, strict=False)
    return lda


def errors(lda):
    doc_term = documents(200, seed=7)
    rows = doc_term.to_scipy().toarray()
    exact = np.array([exact_mean(row) for row in rows])
    gamma = concentration(lda, doc_term)
    guide = gamma[:, 0] / gamma.sum(1)
    mean_field = np.array([mean_field_mean(row) for row in rows])
    return np.abs(guide - exact), np.abs(mean_field - exact)


def test_the_guide_is_close_to_the_exact_posterior(trained):
    guide, _ = errors(trained)
    assert guide.mean() < 0.03


def test_the_guide_is_closer_than_mean_field(trained):
    guide, mean_field = errors(trained)
    assert guide.mean() < 0.7 * mean_field.mean()


def test_negative_control_an_untrained_guide_is_not_close():
    topics = TopicWordCounts(torch.tensor(BETA.T * 1e9, dtype=torch.float32), eta=1e-3)
    guide, _ = errors(LDA(1, topics, UnrolledEncoder(2, alpha=0.01), alpha=0.01))
    assert guide.mean() > 0.05
