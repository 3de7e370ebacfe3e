"""Documents drawn from the model, against the distribution that they are drawn from."""

import numpy as np
import pytest
from scipy import stats

from lda_app.models import simulation
from lda_app.models.simulation import simulate

ALPHA = np.array([0.5, 1.5])
BETA = np.array([[0.7, 0.0, 0.3], [0.1, 0.5, 0.4]], dtype=np.float32)
LENGTHS = np.tile([40, 0, 3], 2000)


@pytest.fixture(scope="module")
def drawn():
    return simulate(ALPHA, BETA, LENGTHS, seed=1)


def test_lengths_are_those_asked_for(drawn):
    documents, theta = drawn
    assert (documents.lengths() == LENGTHS).all()
    assert documents.shape == (6000, 3)
    assert theta.sum(axis=1) == pytest.approx(1)


def test_theta_has_the_priors_distribution(drawn):
    assert stats.kstest(drawn[1][:, 0], stats.beta(*ALPHA).cdf).pvalue > 1e-3


def test_words_have_the_probability_that_theta_gives_them(drawn):
    documents, theta = drawn
    counts = documents.to_scipy().toarray()
    expected = LENGTHS[:, None] * (theta @ BETA)
    variance = (expected * (1 - theta @ BETA)).sum(axis=0)
    z = (counts - expected).sum(axis=0) / np.sqrt(variance)
    assert (np.abs(z) < 4).all()


def test_negative_control_words_do_not_have_the_probability_that_another_theta_gives(drawn):
    documents, theta = drawn
    other = 0.9 * theta + 0.1 * np.array([1.0, 0.0])
    expected = LENGTHS[:, None] * (other @ BETA)
    variance = (expected * (1 - other @ BETA)).sum(axis=0)
    z = (documents.to_scipy().toarray() - expected).sum(axis=0) / np.sqrt(variance)
    assert np.abs(z).max() > 4


def test_words_of_probability_zero_are_never_drawn():
    documents, _ = simulate(np.ones(1), np.array([[0.0, 1.0, 0.0]]), [500], seed=0)
    assert documents.indices.tolist() == [1]


def test_the_seed_decides():
    first, again, other = (simulate(ALPHA, BETA, LENGTHS[:30], seed)[0].counts.tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_a_tiny_alpha_gives_documents_of_one_topic():
    _, theta = simulate(np.full(50, 1e-3), np.full((50, 3), 1 / 3), [5] * 100, seed=0)
    assert np.isfinite(theta).all()
    assert np.median(theta.max(axis=1)) > 0.99


def test_blocks_keep_the_order_of_documents(monkeypatch):
    monkeypatch.setattr(simulation, "_TOKENS_AT_A_TIME", 100)
    documents, _ = simulate(ALPHA, BETA, LENGTHS[:60], seed=0)
    assert (documents.lengths() == LENGTHS[:60]).all()
