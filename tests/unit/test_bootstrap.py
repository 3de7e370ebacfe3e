"""Bootstrap intervals, against scipy's and against what they promise."""

import numpy as np
import pytest
from scipy import stats

from lda_app.evaluation import bootstrap
from lda_app.evaluation.bootstrap import Bootstrap


def skewed(size, seed):
    """Numbers whose ratio of sums is 3 in the long run."""
    generator = np.random.default_rng(seed)
    denominators = generator.lognormal(3, 1, size)
    return denominators * (3 + generator.exponential(2, size) - 2), denominators


def test_ends_are_those_of_scipy():
    numerator, denominator = skewed(80, seed=1)
    found = Bootstrap(confidence=0.9, num_replicates=20_000).interval(numerator, denominator)
    expected = stats.bootstrap(
        (numerator, denominator),
        lambda n, d, axis: n.sum(axis=axis) / d.sum(axis=axis),
        paired=True,
        vectorized=True,
        confidence_level=0.9,
        n_resamples=20_000,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.03 * width)
    assert found.high == pytest.approx(expected.high, abs=0.03 * width)
    assert found.confidence == 0.9


def covers(confidence, scale=1.0):
    """The share of samples of 60 documents whose interval, widened by a scale, holds the long-run ratio."""
    held = 0
    for seed in range(400):
        interval = Bootstrap(confidence, seed, num_replicates=400).interval(*skewed(60, seed))
        middle, half = (interval.high + interval.low) / 2, scale * (interval.high - interval.low) / 2
        held += middle - half <= 3 <= middle + half
    return held / 400


def test_intervals_hold_the_ratio_about_as_often_as_they_say():
    assert covers(0.8) == pytest.approx(0.8, abs=0.08)


def test_negative_control_half_an_interval_does_not():
    assert covers(0.8, scale=0.5) < 0.65


def test_the_seed_decides():
    first, again, other = (Bootstrap(seed=seed).interval(*skewed(50, 0)) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_many_documents_are_drawn_in_groups_without_changing_the_width(monkeypatch):
    numbers = skewed(5000, seed=2)
    single = Bootstrap().interval(*numbers)
    monkeypatch.setattr(bootstrap, "_MOST_UNITS", 700)
    grouped = Bootstrap().interval(*numbers)
    assert grouped.high - grouped.low == pytest.approx(single.high - single.low, rel=0.15)
    assert grouped.low < numbers[0].sum() / numbers[1].sum() < grouped.high


def test_one_document_tells_nothing_of_others():
    assert Bootstrap().interval(np.ones(1), np.ones(1)) is None


def test_equal_documents_leave_no_doubt():
    interval = Bootstrap().interval(np.full(30, 0.1), np.full(30, 0.3))
    assert (interval.low, interval.high) == pytest.approx((1 / 3, 1 / 3))
