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
    [
        (None, 100, 2000),
        (None, 60, 1800),
        (None, 30, 1000),
        (None, 20, 1000),
        (None, 5000, 10_000),
        (None, 1, 50),
        (7, 30, 210),
    ],
)
def test_a_run_has_2000_steps_within_some_epochs_if_not_told_otherwise(epochs, steps_per_epoch, expected):
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
    assert [schedule.burn_in(step) for step in (0, 500, 625, 750, 999)] == [1, 1, 2, 4, 4]
    learns = [schedule.learns_alpha(TrainConfig(), step) for step in (0, 333, 334, 999)]
    assert learns == [False, False, True, True]


@pytest.mark.parametrize(("topic_update", "begins"), [("refined", 600), ("elbo", 0)])
def test_the_guide_begins_with_adams_full_rate_which_then_falls(topic_update, begins):
    config, schedule = TrainConfig(topic_update=topic_update, learning_rate=0.02), Schedule(1000)
    assert [schedule.trains_guide(config, step) for step in range(1000)].index(True) == begins
    rates = [schedule.adam_rate(config, step) for step in range(begins, 1000)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[0], rates[-1]) == (0.02, pytest.approx(0.001, rel=0.01))


@pytest.mark.parametrize(
    ("topic_update", "step", "follows"), [("refined", 699, False), ("refined", 700, True), ("elbo", 0, True)]
)
def test_alpha_follows_the_elbo_in_the_end(topic_update, step, follows):
    assert Schedule(1000).alpha_follows_elbo(TrainConfig(topic_update=topic_update), step) == follows


def test_adams_rate_may_stay():
    config = TrainConfig(learning_rate=3e-4, rate_decay="none", topic_update="elbo")
    assert {Schedule(1000).adam_rate(config, step) for step in range(1000)} == {3e-4}


@pytest.mark.parametrize(("share", "first"), [(0.0, 0), (2 / 3, 120_000), (1.0, 180_000)])
def test_alpha_waits_as_long_as_it_is_told(share, first):
    config, schedule = TrainConfig(alpha_burn_in=share), Schedule(180_000)
    assert [schedule.learns_alpha(config, step) for step in (first - 1, first)] == [False, True]
