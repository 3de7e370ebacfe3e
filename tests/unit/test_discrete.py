"""Categories: the race and the Gumbel maximum are one draw; the relaxation tends to it."""

import pytest
import torch

from lda_app.gradients.discrete import (
    annealed_temperature,
    exponential_race,
    gumbel_max,
    sample_gumbel_softmax,
    sample_one_hot,
)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_race_and_gumbel_maximum_agree_on_the_same_uniforms():
    logits = 3 * torch.randn(50, 7, generator=seeded(0), dtype=torch.float64)
    uniform = torch.rand(20_000, 50, 7, generator=seeded(1), dtype=torch.float64)
    race, maximum = exponential_race(logits, uniform), gumbel_max(logits, uniform)
    assert torch.equal(race, maximum)
    assert not torch.equal(race, gumbel_max(logits, 1 - uniform))


def test_categories_come_as_often_as_they_should():
    logits = torch.tensor([0.5, -1.0, 2.0, -30.0])
    drawn = sample_one_hot(logits.expand(100_000, 4), seeded(2))
    shares = torch.softmax(logits, -1)
    error = torch.sqrt(shares * (1 - shares) / 100_000)
    assert bool(((drawn.mean(0) - shares).abs() <= 4.5 * error).all())
    assert bool(((drawn.mean(0) - torch.softmax(1.05 * logits, -1)).abs() > 4.5 * error)[:3].any())
    assert bool((drawn.sum(-1) == 1).all())


def test_relaxation_tends_to_the_category():
    logits = torch.randn(1000, 5, generator=seeded(3))
    hard = sample_gumbel_softmax(logits, seeded(4), temperature=1.0, straight_through=True)
    distances = [
        float((sample_gumbel_softmax(logits, seeded(4), temperature=t) - hard).abs().max(-1).values.mean())
        for t in (1.0, 0.1, 0.01)
    ]
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] < 0.02


def test_straight_through_has_the_gradient_of_the_relaxation():
    logits = torch.randn(6, 4, generator=seeded(5), dtype=torch.float64, requires_grad=True)
    weights = torch.randn(6, 4, generator=seeded(6), dtype=torch.float64)
    slopes = [
        torch.autograd.grad(
            (
                weights * sample_gumbel_softmax(logits, seeded(7), temperature=0.7, straight_through=hard)
            ).sum(),
            logits,
        )[0]
        for hard in (False, True)
    ]
    assert torch.equal(*slopes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_at_any_temperature(dtype):
    logits = (20 * torch.randn(2000, 6, generator=seeded(8))).to(dtype).requires_grad_()
    for temperature in (1e-3, 1.0, 100.0):
        sample_gumbel_softmax(logits, seeded(9), temperature=temperature).square().sum().backward()
    assert bool(logits.grad.isfinite().all())


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_wrong_temperatures_are_refused(temperature):
    with pytest.raises(ValueError, match="temperature must be positive"):
        sample_gumbel_softmax(torch.zeros(2), temperature=temperature)


def test_annealing_falls_from_first_to_last():
    temperatures = [annealed_temperature(step / 10, 2.0, 0.2) for step in range(11)]
    assert temperatures == sorted(temperatures, reverse=True)
    assert (temperatures[0], temperatures[-1]) == (2.0, pytest.approx(0.2))
