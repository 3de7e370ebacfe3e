"""The derivative of Gamma samples: against 50 digits, against itself, and against what theory says of it."""

from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lda_app.gradients import gamma
from lda_app.gradients.expansion import uniform_expansion
from lda_app.gradients.gamma import log_gamma_slope, sample_log_gamma
from lda_app.gradients.reference import exact_log_gamma_slope
from lda_app.gradients.special import incomplete_gamma, slope_in_torch
from lda_app.system.compiled import why_not_compiled

REFERENCE = torch.from_numpy(np.loadtxt(Path(__file__).parents[1] / "data" / "gamma_gradient.txt"))
BIAS = 1.02  # what each check must notice
DOUBLE = torch.float64


@pytest.fixture(params=["compiled", "torch"])
def slope(request, monkeypatch):
    """The public function, with numba and as if there were none."""
    if request.param == "torch":
        monkeypatch.setattr(gamma, "runs_compiled", lambda tensor: False)
    return log_gamma_slope


def worst_error(got, exact):
    return float((got / exact - 1).abs().max())


def test_reference_table_spans_the_claimed_range():
    a, log_z, _ = REFERENCE.T
    assert len(REFERENCE) > 700
    assert a.min() == 1e-4
    assert a.max() == 1e5
    assert log_z.min() < -1e5


def test_decimal_reference_agrees_with_the_table():
    """Two references that share nothing: a convergent series, and central differences of P in 120 digits."""
    small = REFERENCE[REFERENCE[:, 0] < 2000][::3]
    exact = [float(exact_log_gamma_slope(a, log_z)) for a, log_z, _ in small.tolist()]
    assert worst_error(torch.tensor(exact, dtype=DOUBLE), small[:, 2]) < 1e-15


def test_float64_agrees_with_50_digits(slope):
    a, log_z, exact = REFERENCE.T
    assert worst_error(slope(a, log_z), exact) < 1e-12


def test_float32_agrees_with_its_bound(slope):
    a, log_z = (column.float() for column in REFERENCE.T[:2])
    exact = slope_in_torch(a.double(), log_z.double())
    assert worst_error(slope(a, log_z).double(), exact) < 1e-6


@settings(deadline=None)
@given(st.floats(-4, 5), st.floats(1e-6, 1 - 1e-6))
def test_compiled_and_torch_agree(log10_a, q):
    a = torch.tensor([10.0**log10_a], dtype=DOUBLE)
    z = torch.from_numpy(scipy.stats.gamma.ppf(q, a.numpy()))
    log_z = torch.log(z) if z > 1e-290 else torch.log(torch.tensor([q])) / a
    assert worst_error(log_gamma_slope(a, log_z), slope_in_torch(a, log_z)) < 1e-12


def test_uniform_expansion_begins_with_bernoulli_numbers():
    expected = [1, -1 / 2, 1 / 12, 0, -1 / 720]
    assert uniform_expansion(1, 5)[0].tolist() == pytest.approx(expected)


def test_quantile_is_kept():
    """CDF identity: P(a + h, z + h ∂z/∂a) = P(a, z) up to O(h²)."""
    a = torch.logspace(-1, 3, 200, dtype=DOUBLE)
    z = torch.exp(sample_log_gamma(a, torch.Generator().manual_seed(1)))
    velocity = z * log_gamma_slope(a, torch.log(z))
    step = 1e-6 * a

    def shift(scale):
        after = torch.special.gammainc(a + step, z + step * scale * velocity)
        before = torch.special.gammainc(a - step, z - step * scale * velocity)
        return float(((after - before) / (2 * step) * torch.sqrt(a)).abs().max())

    assert shift(1.0) < 1e-5
    assert shift(BIAS) > 1e-3


def test_density_obeys_the_continuity_equation():
    """∂p/∂a + ∂(p v)/∂z = 0 for the velocity v = ∂z/∂a."""
    a = torch.tensor([0.05, 0.5, 2.0, 7.0, 40.0], dtype=DOUBLE)[:, None]
    z = a * torch.linspace(0.4, 2.0, 9, dtype=DOUBLE)
    a = a.expand_as(z)

    def density(a, z):
        return torch.exp((a - 1) * torch.log(z) - z - torch.lgamma(a))

    def flow(z):
        return density(a, z) * z * slope_in_torch(a, torch.log(z))

    da, dz = 1e-5 * a, 1e-5 * z
    growth = (density(a + da, z) - density(a - da, z)) / (2 * da)
    divergence = (flow(z + dz) - flow(z - dz)) / (2 * dz)
    scale = growth.abs() + divergence.abs()
    assert float(((growth + divergence) / scale).abs().median()) < 1e-6
    assert float(((growth + BIAS * divergence) / scale).abs().median()) > 1e-3


def test_incomplete_gamma_passes_gradcheck():
    a = torch.tensor([0.3, 1.0, 4.0, 30.0], dtype=DOUBLE, requires_grad=True)
    z = torch.tensor([0.1, 1.5, 6.0, 28.0], dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(incomplete_gamma, (a, z))


@pytest.mark.parametrize("a", [1e-4, 0.03, 0.5, 1.0, 3.0, 100.0, 1e5])
@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "torch"])
def test_samples_follow_the_gamma_distribution(a, compiled, monkeypatch):
    """Kolmogorov–Smirnov in logarithms, where samples too small for a float still have their probability."""
    if compiled and why_not_compiled():
        pytest.skip(f"loops are not compiled: {why_not_compiled()}")
    monkeypatch.setattr(gamma, "runs_compiled", lambda tensor: compiled)
    log_z = sample_log_gamma(torch.full((20_000,), a, dtype=DOUBLE), torch.Generator().manual_seed(2)).numpy()

    def cdf(log_z):
        tiny = np.exp(a * np.minimum(log_z, -30) - scipy.special.gammaln(1 + a))
        return np.where(log_z < -30, tiny, scipy.special.gammainc(a, np.exp(np.maximum(log_z, -30))))

    assert scipy.stats.kstest(log_z, cdf).pvalue > 1e-3
    shifted = scipy.stats.kstest(log_z + 0.05 * log_z.std(), cdf)
    assert shifted.pvalue < 1e-3


@pytest.mark.parametrize("a", [0.05, 0.7, 5.0, 300.0])
def test_sampled_gradients_of_moments(a):
    """d E[z]/da = 1 and d E[log z]/da = ψ'(a), within four standard errors; 2% of bias is outside of them."""
    concentration = torch.full((400_000,), a, dtype=DOUBLE)
    log_z = sample_log_gamma(concentration, torch.Generator().manual_seed(3))
    slopes = log_gamma_slope(concentration, log_z)
    trigamma = float(torch.special.polygamma(1, torch.tensor(a, dtype=DOUBLE)))
    estimates, exact = slopes / trigamma, 1.0
    error = float(estimates.std()) / len(estimates) ** 0.5
    assert abs(float(estimates.mean()) - exact) < 4 * error
    assert abs(BIAS * float(estimates.mean()) - exact) > 4 * error
    moved = torch.exp(log_z) * slopes
    assert abs(float(moved.mean()) - 1.0) < 4 * float(moved.std()) / len(moved) ** 0.5


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3), (5,), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_shapes_and_dtypes(shape, dtype):
    concentration = torch.full(shape, 0.7, dtype=dtype, requires_grad=True)
    log_z = sample_log_gamma(concentration)
    log_z.sum().backward()
    assert (log_z.shape, log_z.dtype) == (shape, dtype)
    assert concentration.grad.shape == shape
    assert bool((concentration.grad > 0).all())


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_wrong_concentrations_are_named(wrong):
    with pytest.raises(ValueError, match=rf"positive and finite: got {wrong} at index \(1, 0\)"):
        sample_log_gamma(torch.tensor([[1.0], [wrong]]))


def test_integers_are_refused():
    with pytest.raises(ValueError, match=r"floating-point numbers: got torch\.int64"):
        sample_log_gamma(torch.tensor([1, 2]))


def test_generator_alone_decides():
    concentration = torch.full((100, 7), 0.3)
    first, second = (sample_log_gamma(concentration, torch.Generator().manual_seed(5)) for _ in range(2))
    state = torch.get_rng_state()
    third = sample_log_gamma(concentration, torch.Generator().manual_seed(6))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert torch.equal(state, torch.get_rng_state())


def test_threads_do_not_matter(monkeypatch):
    concentration = torch.full((500, 3), 0.3)
    shared = sample_log_gamma(concentration, torch.Generator().manual_seed(5))
    monkeypatch.setattr(gamma, "over_rows", lambda kernel, rows, *arrays: kernel(0, rows, *arrays))
    alone = sample_log_gamma(concentration, torch.Generator().manual_seed(5))
    assert torch.equal(shared, alone)


def test_rows_are_independent():
    draws = sample_log_gamma(torch.ones(4000, 2, dtype=DOUBLE), torch.Generator().manual_seed(7))
    correlation = torch.corrcoef(torch.cat([draws[:-1], draws[1:]], dim=1).T)
    assert float((correlation - torch.eye(4)).abs().max()) < 0.08
    assert len(torch.unique(draws)) == draws.numel()


def test_undefined_upstream_stays_visible():
    concentration = torch.ones(4, 3, requires_grad=True)
    sample_log_gamma(concentration).backward(torch.full((4, 3), float("nan")))
    assert bool(concentration.grad.isnan().all())
