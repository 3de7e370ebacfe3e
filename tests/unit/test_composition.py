"""Estimates pooled over draws of θ."""

import numpy as np
import pytest
from scipy import stats

from lda_app.analysis.composition import Estimate
from lda_app.analysis.prevalence import GroupDraws, MeanShare


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


def mean_share(values, within):
    values = np.asarray(values, dtype=float)
    return MeanShare.of(Estimate(values, np.asarray(within), 0 * values, 99, 30))


def test_the_interval_of_a_share_stays_within_its_bounds():
    lower, upper = mean_share([1e-6, 0.4, 0.6 - 1e-6], [1e-9, 0.04, 0.04]).interval(0.95)
    assert ((lower >= 0) & (upper <= 1)).all()
    assert (lower[1:] < [0.4, 0.6]).all()
    assert (upper > [1e-6, 0.4, 0.6]).all()


def test_the_interval_of_a_common_topic_is_the_normal_one_where_there_are_many_documents():
    mean = mean_share([0.3, 0.7], [1e-4, 1e-4])
    lower, upper = mean.interval(0.95)
    np.testing.assert_allclose(lower, np.array([0.3, 0.7]) - 1.96 * 0.01, atol=5e-4)
    np.testing.assert_allclose(upper, np.array([0.3, 0.7]) + 1.96 * 0.01, atol=5e-4)
    np.testing.assert_allclose(mean.standard_error, 0.01)


def test_a_rare_topic_is_as_uncertain_as_the_others_of_its_group():
    """Where no document is about a topic its own variance is nothing, but the group has a size."""
    rare = mean_share([0.5, 0.5 - 1e-9, 1e-9], [0.0025, 0.0025, 0.0])
    assert rare.size[2] == pytest.approx(100, rel=0.01)
    assert 0.01 < rare.interval(0.95)[1][2] < 0.04


def test_a_common_topic_keeps_most_of_its_own_variance():
    bursty = mean_share([0.5, 0.5], [0.0004, 0.0002])
    assert bursty.size[0] == pytest.approx(0.25 / 0.0004, rel=0.05)
    assert bursty.size[1] == pytest.approx(0.25 / 0.0002, rel=0.05)


def test_of_a_single_document_the_variance_is_unknown():
    lonely = GroupDraws(np.array([1]), np.full((3, 1, 2), 0.5), np.full((1, 2), 0.25)).mean([0])
    assert np.isnan(MeanShare.of(lonely).interval(0.9)).all()
    assert lonely.value.tolist() == [0.5, 0.5]


def test_a_difference_has_the_variance_of_both():
    one, other = mean_share([0.5, 0.5], [1e-4, 1e-4]), mean_share([0.49, 0.51], [3e-4, 3e-4])
    lower, upper, positive = one.minus(other, 0.95)
    half = 1.96 * 0.02
    np.testing.assert_allclose(lower, np.array([0.01, -0.01]) - half, atol=2e-3)
    np.testing.assert_allclose(upper, np.array([0.01, -0.01]) + half, atol=2e-3)
    np.testing.assert_allclose(positive, stats.norm.cdf([0.5, -0.5]), atol=0.02)


def test_the_difference_from_a_single_document_is_unknown():
    lonely = MeanShare(np.array([0.5]), np.array([np.nan]))
    assert np.isnan(lonely.minus(mean_share([0.5], [0.01]), 0.9)).all()


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
