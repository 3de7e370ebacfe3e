"""Intervals of topic shares cover what they promise, on documents whose θ is known; those of q do not."""

import numpy as np
import pytest
import torch

from lda_app.analysis.intervals import credible_intervals
from lda_app.config import TrainConfig
from lda_app.fitted.folder import untrained
from lda_app.fitted.inference import concentration
from lda_app.models.simulation import simulate
from lda_app.models.topic_word import TopicWordCounts

K, V, D = 10, 300, 500


@pytest.fixture(scope="module")
def lda():
    """Ten topics that share words, and a guide without any training: coverage must not need a good one."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = untrained(TrainConfig(num_topics=K, alpha=0.1), num_documents=D, num_words=V)
        counts = torch.distributions.Gamma(0.1, 0.001).sample((V, K))
    model.topics = TopicWordCounts(counts, eta=0.01)
    return model


@pytest.fixture(scope="module")
def beta(lda):
    return lda.topics.beta().numpy()


@pytest.fixture(scope="module", params=[50, 150, 500])
def simulated(lda, beta, request):
    return simulate(lda.alpha.detach().numpy(), beta, np.full(D, request.param), seed=request.param)


@pytest.fixture(scope="module")
def shares(lda, fitted, simulated):
    return fitted(lda).intervals(simulated[0], 0.9)


def coverage(lower, upper, theta, chosen=True):
    return ((lower <= theta) & (theta <= upper))[np.broadcast_to(chosen, theta.shape)].mean()


def test_ninety_percent_intervals_cover_88_to_92_percent(simulated, shares):
    _, theta = simulated
    # 5,000 shares, correlated within documents: standard errors of about 0.005 and, of large ones, 0.009.
    assert 0.88 <= coverage(shares.lower, shares.upper, theta) <= 0.92
    large = shares.mean > 0.05
    assert 0.87 <= coverage(shares.lower, shares.upper, theta, large) <= 0.93


def test_negative_control_intervals_of_q_do_not(lda, simulated):
    documents, theta = simulated
    lower, upper = credible_intervals(concentration(lda, documents), 0.9)
    assert not 0.88 <= coverage(lower, upper, theta) <= 0.92


def test_negative_control_of_another_model_they_do_not(lda, beta, simulated, shares):
    documents, _ = simulated
    _, others = simulate(lda.alpha.detach().numpy(), beta, documents.lengths(), seed=1)
    assert coverage(shares.lower, shares.upper, others, shares.mean > 0.05) < 0.5
