"""Estimates pooled over draws of θ."""

import numpy as np
import pytest
from scipy import stats

from lda_app.uncertainty.composition import Estimate
from lda_app.uncertainty.prevalence import GroupDraws


def estimate(value=0.3, within=0.01, between=0.0, degrees=1e9, num_draws=30):
    return Estimate(np.array([value]), np.array([within]), np.array([between]), degrees, num_draws)


def test_variances_are_pooled_by_rubin_s_rules():
    draws = np.random.default_rng(0).normal(0.4, 0.1, (50, 3))
    pooled = Estimate.pooled(draws, np.full(3, 0.02), degrees=100)
    np.testing.assert_allclose(pooled.value, draws.mean(axis=0))
    np.testing.assert_allclose(pooled.variance, 0.02 + 1.02 * draws.var(axis=0, ddof=1))


def test_without_uncertainty_of_theta_it_is_the_t_interval_of_a_mean():
    values = np.random.default_rng(1).random(12)
    sums, squares = np.full((4, 1, 1), values.sum()), np.array([[(values**2).sum()]])
    mean = GroupDraws(np.array([12]), sums, squares).mean([0])
    expected = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    # Barnard and Rubin take 11 · 12/14 degrees of freedom where nothing is missing.
    narrow, wide = mean.interval(0.95), stats.t.interval(0.95, 9, values.mean(), stats.sem(values))
    assert wide[0] < narrow[0][0] <= expected[0] + 1e-12
    assert expected[1] - 1e-12 <= narrow[1][0] < wide[1]


def test_few_draws_and_much_between_them_leave_few_degrees_of_freedom():
    assert estimate(within=1e-6, between=0.01, degrees=1e12, num_draws=5).t_degrees[0] == pytest.approx(
        4, abs=0.1
    )
    assert estimate(between=0.0, degrees=500).t_degrees[0] == pytest.approx(500, rel=0.01)


def test_the_interval_of_a_share_stays_within_its_bounds():
    for value in (1e-6, 0.5, 1 - 1e-6):
        lower, upper = estimate(value, within=0.04).share_interval(0.95)
        assert 0 <= lower[0] < value < upper[0] <= 1


def test_of_a_single_document_the_variance_is_unknown():
    lonely = GroupDraws(np.array([1]), np.full((3, 1, 2), 0.5), np.full((1, 2), 0.25)).mean([0])
    assert np.isnan(lonely.share_interval(0.9)).all()
    assert lonely.value.tolist() == [0.5, 0.5]


def test_a_difference_has_the_variance_of_both():
    difference = estimate(0.5, 0.01, 0.002).minus(estimate(0.3, 0.03, 0.001))
    assert difference.value[0] == pytest.approx(0.2)
    assert difference.variance[0] == pytest.approx(0.04 + 31 / 30 * 0.003)
    assert difference.probability_positive()[0] == pytest.approx(stats.norm.cdf(0.2 / 0.2076), abs=0.01)


def test_merged_groups_are_their_documents_taken_together():
    theta = np.random.default_rng(2).dirichlet([1, 2, 3], (5, 30))  # draws, documents
    halves = GroupDraws(
        np.array([10, 20]),
        np.stack([theta[:, :10].sum(axis=1), theta[:, 10:].sum(axis=1)], axis=1),
        np.stack(
            [(theta[:, :10] ** 2).sum(axis=1).mean(axis=0), (theta[:, 10:] ** 2).sum(axis=1).mean(axis=0)]
        ),
    )
    both = halves.mean([0, 1])
    np.testing.assert_allclose(both.value, theta.mean(axis=(0, 1)))
    np.testing.assert_allclose(both.within, theta.var(axis=1, ddof=1).mean(axis=0) / 30)
