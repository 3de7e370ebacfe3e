"""Credible intervals of a document's topic shares."""

import numpy as np
import pytest
from scipy import stats

from lda_app.analysis.intervals import credible_intervals

LEVELS = (0.5, 0.9, 0.99)


@pytest.mark.parametrize("level", LEVELS)
def test_the_tails_of_the_beta_marginals_are_equal(level):
    concentration = np.random.default_rng(0).gamma(0.5, 4.0, (50, 7)) + 0.01
    lower, upper = credible_intervals(concentration, level)
    marginal = stats.beta(concentration, concentration.sum(axis=1, keepdims=True) - concentration)
    tail = (1 - level) / 2
    np.testing.assert_allclose(marginal.cdf(lower), tail, rtol=1e-9)
    np.testing.assert_allclose(marginal.sf(upper), tail, rtol=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_they_hold_the_share_of_samples_that_they_promise(level):
    concentration = np.array([0.3, 2.0, 7.0])
    samples = np.random.default_rng(1).dirichlet(concentration, 20_000)
    lower, upper = credible_intervals(concentration[None], level)
    held = ((lower <= samples) & (samples <= upper)).mean(axis=0)
    np.testing.assert_allclose(held, level, atol=4 * np.sqrt(level * (1 - level) / len(samples)))


def test_ends_are_shares_however_small_or_large_the_concentration():
    rows = [[1e-3, 1e-3, 1e-3], [1e-3, 1e7, 1e-3], [1e9, 1.0, 1e-3], [5.0, 5.0, 5.0]]
    for dtype in (np.float32, np.float64):
        lower, upper = credible_intervals(np.array(rows, dtype=dtype))
        assert np.isfinite(lower).all()
        assert (lower >= 0).all()
        assert (lower <= upper).all()
        assert (upper <= 1).all()


def test_a_single_topic_is_certain():
    assert [end.tolist() for end in credible_intervals(np.array([[3.0]]))] == [[[1.0]], [[1.0]]]


def test_no_documents_have_no_intervals():
    assert [end.shape for end in credible_intervals(np.empty((0, 4)))] == [(0, 4), (0, 4)]


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 90, float("nan")])
def test_a_level_is_a_probability(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        credible_intervals(np.ones((1, 2)), level)
