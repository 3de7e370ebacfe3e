"""Distributions without an easy inverse CDF are sampled right and moved right; the explicit ones, too."""

import math

import pytest
import scipy.stats
import torch
from torch.autograd import gradcheck, gradgradcheck

from lda_app.gradients import scalar_families as families
from lda_app.gradients.exponential import sample_exponential
from lda_app.gradients.normal import sample_log_normal, sample_logistic_normal, sample_normal
from lda_app.gradients.rejection import rejection_log_gamma

DOUBLE = torch.float64
BIAS = 1.02


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def row(*values):
    return torch.tensor(values, dtype=DOUBLE)


def mixture_scipy(z):
    shares = torch.softmax(row(0.5, -0.2), -1).tolist()
    return sum(
        share * scipy.stats.norm.cdf(z, mean, scale)
        for share, mean, scale in zip(shares, (-2.0, 1.0), (1.0, 0.5), strict=True)
    )


LOW, HIGH = families.BOUNDS
CASES = {
    "truncated Normal": (
        families.sample_truncated_normal,
        families.truncated_normal_cdf,
        (row(0.5), row(0.8)),
        scipy.stats.truncnorm((LOW - 0.5) / 0.8, (HIGH - 0.5) / 0.8, 0.5, 0.8).cdf,
    ),
    "mixture": (
        families.sample_normal_mixture,
        families.normal_mixture_cdf,
        (row(0.5, -0.2), row(-2.0, 1.0), row(1.0, 0.5)),
        mixture_scipy,
    ),
    "Student": (families.sample_student_t, families.student_t_cdf, (row(2.5),), scipy.stats.t(2.5).cdf),
    "von Mises": (
        families.sample_von_mises,
        families.von_mises_cdf,
        (row(1.7),),
        scipy.stats.vonmises(1.7).cdf,
    ),
}
each_case = pytest.mark.parametrize(("sample", "cdf", "parameters", "scipy_cdf"), CASES.values(), ids=CASES)


@each_case
def test_samples_follow_the_distribution(sample, cdf, parameters, scipy_cdf):
    z = sample(*(p.expand(20_000, *p.shape) for p in parameters), seeded(1)).detach().numpy().ravel()
    assert scipy.stats.kstest(z, scipy_cdf).pvalue > 1e-3
    assert scipy.stats.kstest(z + 0.06 * z.std(), scipy_cdf).pvalue < 1e-3


@each_case
def test_cdf_agrees_with_scipy(sample, cdf, parameters, scipy_cdf):
    z = torch.linspace(-0.99, 1.99, 40, dtype=DOUBLE)[:, None]
    got = cdf(z, *(p.expand(40, *p.shape) for p in parameters))
    assert torch.allclose(got.ravel(), torch.from_numpy(scipy_cdf(z.numpy())).ravel(), atol=1e-12)


@each_case
def test_cdf_is_differentiable(sample, cdf, parameters, scipy_cdf):
    z = row(0.3).requires_grad_()
    inputs = (z, *(p.clone().requires_grad_() for p in parameters))
    assert gradcheck(cdf, inputs)


@each_case
@pytest.mark.parametrize("stretch", [1.0, BIAS])
def test_samples_keep_their_quantile(sample, cdf, parameters, scipy_cdf, stretch):
    """Constant-CDF identity: F(z + h dz/dλ | λ + h) − F(z | λ) vanishes to first order; 2% of bias shows."""
    rows, step = 200, 1e-5
    leaves = tuple(p.expand(rows, *p.shape).clone().requires_grad_() for p in parameters)
    z = sample(*leaves, seeded(2))
    slope = torch.autograd.grad(z.sum(), leaves)[0][:, :1]
    moved = []
    for sign in (1, -1):
        shifted = [leaf.detach().clone() for leaf in leaves]
        shifted[0][:, 0] += sign * step
        moved.append(cdf(z.detach() + sign * step * stretch * slope, *shifted))
    drift = float(((moved[0] - moved[1]) / (2 * step)).abs().max())
    assert (drift < 1e-7) == (stretch == 1.0)


def test_student_slopes_have_their_digits_far_out():
    """Cauchy numbers at a quantile of 1e-6, whose slope is a difference quotient of scipy's quantiles."""
    degrees = row(1.0).requires_grad_()
    z = families.attach_scalar(
        row(scipy.stats.t.ppf(1e-4, 1.0)), lambda z: families.student_t_cdf(z, degrees)
    )
    (slope,) = torch.autograd.grad(z, degrees)
    low, high = (scipy.stats.t.ppf(1e-4, 1 + h) for h in (-1e-5, 1e-5))
    assert float(slope) == pytest.approx((high - low) / 2e-5, rel=1e-6)


@pytest.mark.parametrize(
    ("sample", "parameters"),
    [
        (sample_normal, (row(0.5, -1.0), row(1.0, 2.0))),
        (sample_log_normal, (row(0.5, -1.0), row(1.0, 2.0))),
        (sample_logistic_normal, (row(0.5, -1.0), row(1.0, 2.0))),
        (sample_exponential, (row(0.5, 4.0),)),
    ],
)
def test_explicit_samples_are_differentiable_twice(sample, parameters):
    inputs = tuple(p.clone().requires_grad_() for p in parameters)
    assert gradcheck(lambda *leaves: sample(*leaves, seeded(3)), inputs)
    assert gradgradcheck(lambda *leaves: sample(*leaves, seeded(3)), inputs)


def test_explicit_samples_follow_their_distributions():
    ones = torch.ones(20_000, dtype=DOUBLE)
    exponential = sample_exponential(0.4 * ones, seeded(4)).numpy()
    log_normal = sample_log_normal(0.3 * ones, 0.7 * ones, seeded(5)).numpy()
    assert scipy.stats.kstest(exponential, scipy.stats.expon(scale=2.5).cdf).pvalue > 1e-3
    assert scipy.stats.kstest(1.05 * exponential, scipy.stats.expon(scale=2.5).cdf).pvalue < 1e-3
    assert scipy.stats.kstest(log_normal, scipy.stats.lognorm(0.7, scale=math.exp(0.3)).cdf).pvalue > 1e-3


@pytest.mark.parametrize("rate", [0.0, -1.0, math.inf])
def test_wrong_rates_are_refused(rate):
    with pytest.raises(ValueError, match="rates must be positive"):
        sample_exponential(row(rate))


@pytest.mark.parametrize("augmentation", [1, 3])
@pytest.mark.parametrize("a", [1e-3, 0.4, 30.0])
def test_rejection_samples_follow_the_gamma_distribution(a, augmentation):
    log_z, log_density = rejection_log_gamma(torch.full((20_000,), a, dtype=DOUBLE), augmentation, seeded(6))
    exact = scipy.stats.loggamma(a)
    assert scipy.stats.kstest(log_z.numpy(), exact.cdf).pvalue > 1e-3
    assert bool(log_density.isfinite().all())
