"""Dirichlet samples and their gradients: against closed forms, and where torch's own go wrong."""

import math
import os
import subprocess
import sys

import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Dirichlet, kl_divergence

from lda_app.gradients import gamma
from lda_app.gradients.dirichlet import ImplicitDirichlet, sample_dirichlet, sample_log_dirichlet
from lda_app.gradients.gamma import log_gamma_slope
from lda_app.system.compiled import NO_COMPILE

BIAS = 1.02  # what each check must notice
DOUBLE = torch.float64
CONCENTRATION = torch.tensor([0.2, 0.9, 3.0, 12.0], dtype=DOUBLE)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(params=["compiled", "torch"])
def _implementation(request, monkeypatch):
    """Both the compiled loops and what stands in for them."""
    if request.param == "torch":
        monkeypatch.setattr(gamma, "runs_compiled", lambda tensor: False)


@pytest.mark.usefixtures("_implementation")
@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_marginals_are_beta(dtype):
    theta = sample_dirichlet(CONCENTRATION.to(dtype).expand(20_000, 4), seeded(1)).double()
    total = float(CONCENTRATION.sum())
    for k, c in enumerate(CONCENTRATION.tolist()):
        test = scipy.stats.kstest(theta[:, k].numpy(), scipy.stats.beta(c, total - c).cdf)
        assert test.pvalue > 1e-4
        wrong = scipy.stats.kstest(theta[:, k].numpy(), scipy.stats.beta(c * 1.1, total - c).cdf)
        assert wrong.pvalue < 1e-4


def gradient_samples(function, rows=200_000):
    """Return one gradient a row of ``function(θ)``, (rows, 4)."""
    concentration = CONCENTRATION.expand(rows, 4).clone().requires_grad_()
    function(sample_dirichlet(concentration, seeded(2))).sum().backward()
    return concentration.grad


def entropy_gradient(concentration):
    """Return ∇ E[Σ_k θ_k log θ_k] = ∇ Σ_k c_k / C (ψ(c_k + 1) − ψ(C + 1)) by autograd."""
    c = concentration.clone().requires_grad_()
    total = c.sum()
    (c / total * (torch.digamma(c + 1) - torch.digamma(total + 1))).sum().backward()
    return c.grad


def second_moment_gradient(concentration):
    """Return ∇ E[Σ_k θ_k²] = ∇ Σ_k c_k (c_k + 1) / (C (C + 1)) by autograd."""
    c = concentration.clone().requires_grad_()
    total = c.sum()
    (c * (c + 1) / (total * (total + 1))).sum().backward()
    return c.grad


@pytest.mark.parametrize(
    ("function", "exact"),
    [
        (lambda theta: torch.xlogy(theta, theta).sum(-1), entropy_gradient(CONCENTRATION)),
        (lambda theta: theta.square().sum(-1), second_moment_gradient(CONCENTRATION)),
    ],
    ids=["negative entropy", "second moment"],
)
def test_gradients_of_moments(function, exact):
    """The mean gradient lies within 4.5 standard errors of the closed form; one that is 2% off does not."""
    samples = gradient_samples(function)
    error = samples.std(0) / len(samples) ** 0.5
    assert bool(((samples.mean(0) - exact).abs() < 4.5 * error).all())
    assert bool(((BIAS * samples.mean(0) - exact).abs() > 4.5 * error).any())


def test_gradient_keeps_the_distribution_of_shares():
    """Continuity equation of Beta(a, b), in its weak form: E[f'(θ) ∂θ/∂a] = ∂E[f(θ)]/∂a for f = θ³."""
    a, b = 0.6, 2.5
    c = torch.tensor([a, b], dtype=DOUBLE).expand(300_000, 2).clone().requires_grad_()
    (sample_dirichlet(c, seeded(3))[:, 0] ** 3).sum().backward()
    exact_a = torch.tensor([a, b], dtype=DOUBLE, requires_grad=True)
    total = exact_a.sum()
    moment = math.prod((exact_a[0] + i) / (total + i) for i in range(3))
    moment.backward()
    error = c.grad.std(0) / len(c) ** 0.5
    assert bool(((c.grad.mean(0) - exact_a.grad).abs() < 4.5 * error).all())
    assert bool(((BIAS * c.grad.mean(0) - exact_a.grad).abs() > 4.5 * error).any())


def test_right_where_torch_is_not():
    """At θ = 2.184e-4, a = 1, b = 31622.8 the derivative of θ is 8.34e-5; torch's says 5.85e-4.

    Given θ, ours depends on Σ z as well; its mean over Σ z ~ Gamma(a + b) is the derivative of Beta(a, b).
    """
    theta, a, b = 2.184e-4, 1.0, 31622.8
    total = torch.distributions.Gamma(torch.tensor(a + b, dtype=DOUBLE), 1.0)
    torch.manual_seed(0)
    z = theta * total.sample((1000,))
    ours = theta * (1 - theta) * log_gamma_slope(torch.full_like(z, a), torch.log(z))
    step = 1e-4
    quantile = scipy.stats.beta.cdf(theta, a, b)
    exact = (scipy.stats.beta.ppf(quantile, a + step, b) - scipy.stats.beta.ppf(quantile, a - step, b)) / (
        2 * step
    )
    theirs = torch._dirichlet_grad(*(torch.tensor([x], dtype=DOUBLE) for x in (theta, a, a + b)))
    assert exact == pytest.approx(8.34e-5, rel=1e-3)
    assert float(ours.mean()) == pytest.approx(exact, rel=1e-3)
    assert abs(float(theirs * (1 - theta)) / exact - 1) > 1


@settings(deadline=None)
@given(st.lists(st.floats(-4, 5), min_size=1, max_size=6), st.sampled_from([torch.float32, DOUBLE]))
def test_everything_is_finite(exponents, dtype):
    concentration = (10.0 ** torch.tensor(exponents)).to(dtype).requires_grad_()
    theta = sample_dirichlet(concentration, seeded(0))
    (theta * torch.arange(len(exponents))).sum().backward()
    assert float(theta.detach().sum()) == pytest.approx(1, abs=1e-6)
    assert bool(concentration.grad.isfinite().all())
    log_theta = sample_log_dirichlet(concentration, seeded(0))
    log_theta.sum().backward()
    assert bool(log_theta.isfinite().all() and concentration.grad.isfinite().all())
    assert torch.allclose(log_theta.exp(), theta, atol=1e-6)


def test_tiny_concentrations_keep_their_corner():
    """torch returns rows of 1/K here; θ is all but a corner, each as often as the other."""
    theta = sample_dirichlet(torch.full((30_000, 3), 1e-4), seeded(4))
    corner = theta.max(-1).values
    assert float((corner > 0.999).float().mean()) > 0.99
    assert theta.mean(0).tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


def test_gradient_keeps_its_digits_near_a_corner():
    """Where θ_1 rounds to 1, its own gradient is that of the small rest, to float32's precision."""
    concentration = torch.tensor([[5000.0, 1e-3]]).expand(200, 2)
    leaf = concentration.clone().requires_grad_()
    sample_dirichlet(leaf, seeded(5))[:, 0].sum().backward()
    wide = concentration.double().requires_grad_()
    log_theta = sample_log_dirichlet(wide, seeded(5))
    rest = torch.exp(log_theta[:, 1])
    exact = rest * log_gamma_slope(wide, _log_gamma(wide))[:, 0] * torch.exp(log_theta[:, 0])
    seen = exact > 1e-30
    assert int(seen.sum()) > 5
    assert torch.allclose(leaf.grad[seen, 0].double(), exact[seen].detach(), rtol=1e-3)


def _log_gamma(concentration):
    return gamma.draw_log_gamma(concentration, seeded(5))


@pytest.mark.usefixtures("_implementation")
@pytest.mark.parametrize("shape", [(1,), (5,), (0, 3), (2, 0, 3), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE, torch.bfloat16])
def test_shapes_and_dtypes(shape, dtype):
    concentration = torch.full(shape, 0.7, dtype=dtype, requires_grad=True)
    theta = sample_dirichlet(concentration)
    theta.square().sum().backward()
    assert (theta.shape, theta.dtype) == (shape, dtype)
    assert concentration.grad.shape == shape


def test_distribution_draws_and_expands():
    posterior = ImplicitDirichlet(torch.ones(3), generator=seeded(6)).expand((4,))
    draws = posterior.rsample((5,))
    assert draws.shape == (5, 4, 3)
    again = ImplicitDirichlet(torch.ones(3), generator=seeded(6)).expand((4,)).rsample((5,))
    assert torch.equal(draws, again)
    assert posterior.log_prob(draws).tolist() == Dirichlet(torch.ones(4, 3)).log_prob(draws).tolist()
    assert torch.equal(posterior.entropy(), Dirichlet(torch.ones(4, 3)).entropy())


def test_distribution_keeps_density_finite():
    posterior = ImplicitDirichlet(torch.full((1000, 3), 1e-3), generator=seeded(7))
    assert bool(posterior.log_prob(posterior.rsample()).isfinite().all())


@pytest.mark.parametrize("wrong", [0.0, -0.5, math.nan, math.inf])
@pytest.mark.parametrize("make", [sample_dirichlet, sample_log_dirichlet, ImplicitDirichlet])
def test_wrong_concentrations_are_named(make, wrong):
    with pytest.raises(ValueError, match=rf"positive and finite: got {wrong} at index \(1,\)"):
        make(torch.tensor([1.0, wrong]))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_no_topics_is_an_error(shape):
    with pytest.raises(ValueError, match="needs concentrations"):
        sample_dirichlet(torch.ones(shape))


def test_kl_agrees_with_torch_in_float64():
    c, prior = CONCENTRATION.clone().requires_grad_(), CONCENTRATION.flip(0).requires_grad_()
    ours = kl_divergence(ImplicitDirichlet(c), Dirichlet(prior))
    theirs = kl_divergence(Dirichlet(c), Dirichlet(prior))
    assert ours.item() == pytest.approx(theirs.item())
    for mine, other in zip(
        torch.autograd.grad(ours, (c, prior)), torch.autograd.grad(theirs, (c, prior)), strict=True
    ):
        assert torch.allclose(mine, other)


def test_kl_does_not_cancel_in_float32():
    c = torch.full((50_000,), 0.5)
    prior = c * (1 + 1e-4 * torch.randn(50_000, generator=seeded(8)))
    exact = float(kl_divergence(Dirichlet(c.double()), Dirichlet(prior.double())))
    ours = kl_divergence(ImplicitDirichlet(c), Dirichlet(prior))
    assert ours.dtype == torch.float32
    assert float(ours) == pytest.approx(exact, rel=1e-4)
    assert float(kl_divergence(Dirichlet(c), Dirichlet(prior))) != pytest.approx(exact, rel=0.5)


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
import torch
from lda_app.system.compiled import why_not_compiled
from lda_app.gradients import dirichlet
concentration = torch.ones(2, 3, requires_grad=True)
dirichlet.sample_dirichlet(concentration).square().sum().backward()
assert why_not_compiled() == "numba is not installed"
assert concentration.grad.isfinite().all()
"""


def test_works_without_numba():
    environment = {**os.environ, NO_COMPILE: "0"}
    subprocess.run([sys.executable, "-c", WITHOUT_NUMBA], env=environment, check=True)
