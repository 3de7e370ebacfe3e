"""The general solver gives what explicit reparameterization gives, and what no inverse CDF gives easily."""

import pytest
import torch

from lda_app.gradients.gamma import log_gamma_slope, sample_log_gamma
from lda_app.gradients.implicit import attach_scalar, attach_vector
from lda_app.gradients.normal import sample_logistic_normal, sample_normal
from lda_app.gradients.special import incomplete_gamma

DOUBLE = torch.float64


def parameter(value):
    return torch.tensor(value, dtype=DOUBLE, requires_grad=True)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_normal_moves_with_its_mean_and_scale():
    mean, scale = parameter([0.0, 1.0, -2.0]), parameter([1.0, 0.5, 3.0])
    drawn = torch.tensor([0.3, 2.0, -7.0], dtype=DOUBLE)
    z = attach_scalar(drawn, lambda z: torch.special.ndtr((z - mean) / scale))
    by_mean, by_scale = torch.autograd.grad(z.sum(), (mean, scale))
    assert torch.equal(z, drawn)
    assert torch.allclose(by_mean, torch.ones(3, dtype=DOUBLE))
    assert torch.allclose(by_scale, ((drawn - mean) / scale).detach())


def test_gamma_agrees_with_its_own_kernel():
    a = parameter([0.2, 1.0, 8.0, 50.0])
    log_z = sample_log_gamma(a, seeded(0)).detach()
    z = attach_scalar(torch.exp(log_z), lambda z: incomplete_gamma(a, z))
    (slope,) = torch.autograd.grad(z.sum(), a)
    assert torch.allclose(slope, torch.exp(log_z) * log_gamma_slope(a, log_z), rtol=1e-10)


def mixture_cdf(z, logits, means):
    return (torch.softmax(logits, 0) * torch.special.ndtr(z[..., None] - means)).sum(-1)


@pytest.mark.parametrize("bias", [1.0, 1.02])
def test_mixture_keeps_its_quantile(bias):
    """No inverse CDF here: after a small step of the parameters, s(z) is what it was; 2% of bias shows."""
    logits, means = parameter([0.5, -0.2, 0.1]), parameter([-2.0, 0.0, 3.0])
    drawn = torch.linspace(-4, 5, 31, dtype=DOUBLE)
    direction, step = torch.tensor([1.0, -1.0, 0.5], dtype=DOUBLE), 1e-5
    velocity = (
        torch.stack(
            [
                torch.autograd.grad(attach_scalar(point, lambda z: mixture_cdf(z, logits, means)), logits)[0]
                for point in drawn
            ]
        )
        @ direction
    )
    before = mixture_cdf(drawn, logits, means)
    after = mixture_cdf(drawn + bias * step * velocity, logits + step * direction, means)
    drift = float(((after - before) / step).detach().abs().max())
    assert (drift < 1e-4) == (bias == 1.0)


def test_truncated_normal_stays_within_its_bounds():
    low, high, scale = -1.0, 2.0, parameter(1.5)

    def standardize(z):
        below, above = (torch.special.ndtr(bound / scale) for bound in (low, high))
        return (torch.special.ndtr(z / scale) - below) / (above - below)

    drawn = torch.tensor([low, 0.4, high], dtype=DOUBLE)
    slopes = [torch.autograd.grad(attach_scalar(z, standardize), scale)[0] for z in drawn]
    assert slopes[0].item() == pytest.approx(0, abs=1e-12)
    assert slopes[2].item() == pytest.approx(0, abs=1e-12)
    assert slopes[1].item() != 0


def test_vector_agrees_with_explicit_reparameterization():
    factor = parameter([[2.0, 0.0, 0.0], [0.5, 1.0, 0.0], [-1.0, 0.3, 0.7]])
    mean = parameter([1.0, 2.0, 3.0])
    noise = torch.randn(5, 3, dtype=DOUBLE, generator=seeded(1))
    weights = torch.randn(5, 3, dtype=DOUBLE, generator=seeded(2))
    explicit = mean + noise @ factor.T
    implicit = attach_vector(
        explicit, lambda z: torch.linalg.solve_triangular(factor, (z - mean).T, upper=False).T
    )
    assert torch.allclose(implicit, explicit)
    wanted = torch.autograd.grad((weights * explicit).sum(), (factor, mean))
    got = torch.autograd.grad((weights * implicit).sum(), (factor, mean))
    assert torch.allclose(got[0], wanted[0].tril())
    assert torch.allclose(got[1], wanted[1])


def test_vector_of_dependent_scalars():
    """Distributional transform of z_1 ~ Normal(0, s), z_2 | z_1 ~ Normal(r z_1, 1)."""
    r, s = parameter(0.8), parameter(2.0)
    drawn = torch.tensor([[1.0, -0.5], [-3.0, 0.2]], dtype=DOUBLE)

    def transform(z):
        first = torch.special.ndtr(z[:, 0] / s)
        return torch.stack([first, torch.special.ndtr(z[:, 1] - r * z[:, 0])], dim=-1)

    by_r, by_s = torch.autograd.grad(attach_vector(drawn, transform)[:, 1].sum(), (r, s))
    assert by_r.item() == pytest.approx(drawn[:, 0].sum().item())
    assert by_s.item() == pytest.approx((r * drawn[:, 0] / s).sum().item())


def test_samplers_of_the_normal_family():
    mean, scale = parameter([0.0, 1.0]), parameter([1.0, 2.0])
    z = sample_normal(mean, scale, seeded(3))
    by_mean, by_scale = torch.autograd.grad(z.sum(), (mean, scale))
    assert by_mean.tolist() == [1.0, 1.0]
    assert torch.allclose(by_scale, ((z - mean) / scale).detach())
    assert torch.equal(sample_logistic_normal(mean, scale, seeded(3)), torch.softmax(z, -1))


@pytest.mark.parametrize(
    ("mean", "scale", "message"),
    [
        (float("nan"), 1.0, "means must be finite"),
        (0.0, 0.0, "scales must be"),
        (0.0, float("inf"), "scales must be"),
    ],
)
def test_wrong_parameters_of_the_normal_family(mean, scale, message):
    with pytest.raises(ValueError, match=message):
        sample_normal(torch.tensor([mean]), torch.tensor([scale]))
