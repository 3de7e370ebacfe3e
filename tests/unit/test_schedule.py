"""The schedule of a run: how long it is, and what changes on the way."""

import pytest

from lda_app.config import TrainConfig
from lda_app.training.schedule import Schedule, batch_size, num_steps


@pytest.mark.parametrize("steps", [1, 2, 19, 20, 39, 59, 400, 2000, 2001])
def test_validations_are_twenty_and_one_is_at_the_end(steps):
    schedule = Schedule(steps)
    validated = [step for step in range(steps) if schedule.validates(step)]
    assert len(validated) == min(20, steps)
    assert validated[-1] == steps - 1


@pytest.mark.parametrize(
    ("epochs", "steps_per_epoch", "expected"),
    [(None, 100, 2000), (None, 20, 1000), (None, 5000, 10_000), (None, 1, 50), (7, 30, 210)],
)
def test_a_run_has_2000_steps_within_2_to_50_epochs_if_not_told_otherwise(epochs, steps_per_epoch, expected):
    assert num_steps(TrainConfig(epochs=epochs), steps_per_epoch) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"steps": 180_000}, 180_000),
        ({"steps": 3, "effort": 0.5}, 3),
        ({"epochs": 2, "effort": 0.5}, 200),
        ({"effort": 0.3}, 600),
        ({"effort": 0.001}, 2),
    ],
)
def test_a_length_that_is_asked_for_wins_over_effort(options, expected):
    assert num_steps(TrainConfig(**options), steps_per_epoch=100) == expected


@pytest.mark.parametrize(
    ("asked", "num_documents", "num_tokens", "expected"),
    [
        pytest.param(None, 100_000, 10_000_000, 140, id="14,000 tokens"),
        pytest.param(None, 100_000, 500_000, 1024, id="short documents"),
        pytest.param(None, 100_000, 10**9, 64, id="long documents"),
        pytest.param(None, 400, 1_000, 20, id="a twentieth of few documents"),
        pytest.param(None, 3, 30, 1, id="hardly any"),
        pytest.param(50, 100_000, 10**9, 50, id="as asked"),
        pytest.param(50, 7, 70, 7, id="more than there are"),
    ],
)
def test_batch_size(asked, num_documents, num_tokens, expected):
    assert batch_size(TrainConfig(batch_size=asked), num_documents, num_tokens) == expected


def test_rates_fall_and_sweeps_rise_over_a_run():
    schedule = Schedule(1000)
    rates = [schedule.topic_rate(step) for step in range(1000)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[0], rates[-1]) == (0.6, pytest.approx(0.012, rel=0.01))
    shares = [schedule.adam_rate(TrainConfig(learning_rate=0.02), step) for step in range(1000)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 0.02
    assert [schedule.burn_in(step) for step in (0, 500, 625, 750, 999)] == [2, 2, 4, 6, 6]
    learns = [schedule.learns_alpha(TrainConfig(), step) for step in (0, 333, 334, 999)]
    assert learns == [False, False, True, True]


def test_adams_rate_may_stay():
    config, schedule = TrainConfig(learning_rate=3e-4, rate_decay="none"), Schedule(1000)
    assert {schedule.adam_rate(config, step) for step in range(1000)} == {3e-4}


@pytest.mark.parametrize(("share", "first"), [(0.0, 0), (2 / 3, 120_000), (1.0, 180_000)])
def test_alpha_waits_as_long_as_it_is_told(share, first):
    config, schedule = TrainConfig(alpha_burn_in=share), Schedule(180_000)
    assert [schedule.learns_alpha(config, step) for step in (first - 1, first)] == [False, True]
