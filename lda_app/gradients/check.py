r"""How exact the derivatives are: the worst error of each family on a grid, against a reference.

Gamma is checked against decimal arithmetic, Dirichlet and Beta against the chain rule on top of it. The
scalar families have closed forms, or integrals of ∂q/∂λ over the tail beyond z.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.special
import scipy.stats
import torch
from torch import Tensor

from lda_app.gradients import scalar_families as families
from lda_app.gradients.dirichlet import dirichlet_gradient
from lda_app.gradients.gamma import log_gamma_slope
from lda_app.gradients.implicit import attach_scalar
from lda_app.gradients.reference import exact_log_gamma_slope
from lda_app.gradients.special import slope_in_torch

Array = npt.NDArray[np.float64]

_LEAST_GAMMA_QUANTILE = 1e-6
_LEAST_QUANTILE = 1e-4
_SMALLEST_NORMAL = 1e-300


@dataclass(frozen=True)
class Check:
    """The worst relative error of a derivative.

    Attributes
    ----------
    family, what
        The distribution, and which derivative of it.
    num_points
        Points of the grid.
    worst, median
        Errors relative to the derivative itself. Where it passes through zero, they are relative to its
        median over the grid at least; a Dirichlet's, to the largest term of its row.
    place
        Where the worst error is.
    bound
        What it must not exceed; None for what is shown for comparison.
    """

    family: str
    what: str
    num_points: int
    worst: float
    median: float
    place: str
    bound: float | None

    @property
    def passed(self) -> bool:
        """Whether the bound is kept, or there is none."""
        return self.bound is None or self.worst <= self.bound


def check_families(num_points: int, tick: Callable[[], object] = lambda: None) -> Iterator[Check]:
    """Check each family on a grid.

    Parameters
    ----------
    num_points
        Least number of points per family.
    tick
        Called after each point of the slow decimal reference.

    Examples
    --------
    >>> all(check.passed for check in check_families(25))
    True
    """
    grid = gamma_grid(num_points)
    exact = np.empty(len(grid))
    for row, (a, log_z) in enumerate(grid):
        exact[row] = float(exact_log_gamma_slope(a, log_z))
        tick()
    yield from _gamma(grid, exact)
    yield _dirichlet("dirichlet", 5, torch.float64, 1e-10, grid, exact)
    yield _dirichlet("dirichlet", 5, torch.float32, 1e-5, grid, exact)
    yield _dirichlet("beta", 2, torch.float64, 1e-10, grid, exact)
    yield from _scalar_families(math.ceil(math.sqrt(num_points)))


def gamma_grid(num_points: int) -> Array:
    """Return points (a, log z), even in log a from 1e-4 to 1e5 and in the logit of the quantile.

    Quantiles reach from 1e-6 to 1 − 1e-6. All numbers are exact in float32: one reference serves both.

    Examples
    --------
    >>> gamma_grid(100).shape
    (100, 2)
    """
    size = math.ceil(math.sqrt(num_points))
    a = np.geomspace(1e-4, 1e5, size).astype(np.float32).astype(np.float64)
    quantiles = _quantiles(size, _LEAST_GAMMA_QUANTILE)
    log_z = np.array([[_log_quantile(shape, q) for q in quantiles] for shape in a])
    rounded = log_z.astype(np.float32).astype(np.float64)
    return np.column_stack([np.repeat(a, size), rounded.ravel()])


def _log_quantile(a: float, q: float) -> float:
    small = (math.log(q) + math.lgamma(1 + a)) / a
    if small < -30:
        return small
    inverse = scipy.special.gammaincinv(a, q) if q < 0.5 else scipy.special.gammainccinv(a, 1 - q)
    return math.log(inverse)


def _quantiles(size: int, least: float) -> Array:
    logits = np.linspace(math.log(least / (1 - least)), -math.log(least / (1 - least)), size)
    quantiles: Array = 1 / (1 + np.exp(-logits))
    return quantiles


def _gamma(grid: Array, exact: Array) -> Iterator[Check]:
    a, log_z = torch.from_numpy(np.ascontiguousarray(grid.T))
    places = [f"a = {shape:.4g}, log z = {y:.6g}" for shape, y in grid]
    report = partial(_report, "gamma", exact=exact, places=places)
    yield report("∂z/∂a, float64", log_gamma_slope(a, log_z), bound=1e-10)
    yield report("∂z/∂a, float64 without numba", slope_in_torch(a, log_z), bound=1e-10)
    yield report("∂z/∂a, float32", log_gamma_slope(a.float(), log_z.float()), bound=1e-6)
    z = torch.exp(log_z)
    theirs = torch.where(z > _SMALLEST_NORMAL, torch._standard_gamma_grad(a, z) / z, torch.from_numpy(exact))
    yield report("∂z/∂a, torch's own, float64", theirs, bound=None)


def _dirichlet(family: str, size: int, dtype: torch.dtype, bound: float, grid: Array, exact: Array) -> Check:
    """Check ∂(g · θ)/∂c for random g, on the grid of Gamma shuffled into rows."""
    generator = np.random.default_rng(0)
    rows = generator.permutation(len(grid))[: len(grid) // size * size].reshape(-1, size)
    log_gamma, upstream = grid[rows, 1], generator.choice([-2.0, -1.0, 1.0, 3.0], size=rows.shape)
    concentration = torch.from_numpy(grid[rows, 0]).to(dtype)
    got = dirichlet_gradient(
        concentration, torch.from_numpy(log_gamma).to(dtype), torch.from_numpy(upstream).to(dtype)
    )
    wanted = _softmax_chain(log_gamma, upstream) * exact[rows]
    terms = scipy.special.softmax(log_gamma, axis=1) * exact[rows] * np.abs(upstream)
    scale = terms.max(axis=1, keepdims=True).clip(min=_SMALLEST_NORMAL)
    error = np.abs(got.double().numpy() - wanted) / scale
    worst = int(error.max(axis=1).argmax())
    place = "c = " + ", ".join(f"{c:.3g}" for c in grid[rows[worst], 0])
    name = f"∂θ/∂c, {'float64' if dtype == torch.float64 else 'float32'}"
    return Check(family, name, error.size, float(error.max()), float(np.median(error)), place, bound)


def _softmax_chain(log_gamma: Array, upstream: Array) -> Array:
    """Return θ_k (g_k − Σ_j θ_j g_j), its difference written so that nothing cancels: Σ_j θ_j (g_k − g_j)."""
    theta = scipy.special.softmax(log_gamma, axis=1)
    differences = upstream[:, :, None] - upstream[:, None, :]
    chain: Array = theta * (theta[:, None, :] * differences).sum(axis=2)
    return chain


def _scalar_families(size: int) -> Iterator[Check]:
    quantiles = np.tile(_quantiles(size, _LEAST_QUANTILE), size)
    for family, parameter, values, quantile_of, cdf, slope in _scalar_cases(size):
        parameters = np.repeat(values, size)
        z = quantile_of(quantiles, parameters)
        leaf = torch.from_numpy(parameters).requires_grad_()
        moved = attach_scalar(torch.from_numpy(z), partial(_swapped, cdf, leaf))
        (got,) = torch.autograd.grad(moved.sum(), leaf)
        places = [f"{parameter} = {value:.4g}, z = {x:.4g}" for value, x in zip(parameters, z, strict=True)]
        yield _report(family, f"∂z/∂{parameter}", got, exact=slope(z, parameters), places=places, bound=1e-9)


def _swapped(cdf: Callable[[Tensor, Tensor], Tensor], parameter: Tensor, z: Tensor) -> Tensor:
    return cdf(z, parameter)


# scipy's own functions among these are typed too narrowly for arrays.
_Case = tuple[str, str, Array, Callable[..., Any], Callable[[Tensor, Tensor], Tensor], Callable[..., Any]]


def _scalar_cases(size: int) -> Iterator[_Case]:
    """Yield family, parameter, its values; functions for quantiles, the CDF and the exact derivative."""
    norm, one = scipy.stats.norm, torch.ones((), dtype=torch.float64)
    yield (
        "normal",
        "σ",
        np.geomspace(1e-3, 1e3, size),
        lambda q, s: norm.ppf(q, 0.5, s),
        lambda z, s: torch.special.ndtr((z - 0.5) / s),
        lambda z, s: (z - 0.5) / s,
    )
    yield (
        "exponential",
        "rate",
        np.geomspace(1e-3, 1e3, size),
        lambda q, rate: -np.log1p(-q) / rate,
        lambda z, rate: -torch.expm1(-rate * z),
        lambda z, rate: -z / rate,
    )
    yield (
        "truncated-normal",
        "μ",
        np.linspace(-2.0, 3.0, size),
        _truncated_quantile,
        lambda z, mean: families.truncated_normal_cdf(z, mean, one),
        _truncated_slope,
    )
    yield (
        "normal-mixture",
        "μ",
        np.linspace(-4.0, 4.0, size),
        _mixture_points,
        _mixture_cdf,
        _mixture_slope,
    )
    yield (
        "student-t",
        "ν",
        np.geomspace(1.0, 100.0, size),
        scipy.stats.t.ppf,
        families.student_t_cdf,
        _student_slope,
    )
    yield (
        "von-mises",
        "κ",
        np.geomspace(0.05, 50.0, size),
        _von_mises_points,
        families.von_mises_cdf,
        _von_mises_slope,
    )


def _truncated_quantile(q: Array, mean: Array) -> Array:
    low, high = families.BOUNDS
    return np.asarray(scipy.stats.truncnorm.ppf(q, low - mean, high - mean, mean, 1.0))


def _truncated_slope(z: Array, mean: Array) -> Array:
    """Return 1 − (φ(low) (1 − u) + φ(high) u) / φ(z), u the quantile of z."""
    low, high = families.BOUNDS
    density = scipy.stats.norm.pdf
    below, above = (scipy.special.ndtr(bound - mean) for bound in families.BOUNDS)
    u = (scipy.special.ndtr(z - mean) - below) / (above - below)
    return np.asarray(1 - (density(low - mean) * (1 - u) + density(high - mean) * u) / density(z - mean))


# The checked mixture: 0.7 Normal(μ, 1) + 0.3 Normal(1, 1/4).
_SHARE, _OTHER_MEAN, _OTHER_SCALE = 0.7, 1.0, 0.5


def _mixture_points(q: Array, mean: Array) -> Array:
    """Return points between the parts and beyond them; which quantiles they are does not matter."""
    return np.asarray(_SHARE * scipy.stats.norm.ppf(q, mean) + (1 - _SHARE) * _OTHER_MEAN)


def _mixture_cdf(z: Tensor, mean: Tensor) -> Tensor:
    logits = torch.tensor([math.log(_SHARE), math.log(1 - _SHARE)], dtype=z.dtype)
    means = torch.stack([mean, torch.full_like(mean, _OTHER_MEAN)], -1)
    scales = torch.tensor([1.0, _OTHER_SCALE], dtype=z.dtype)
    return families.normal_mixture_cdf(z.unsqueeze(-1), logits, means, scales).squeeze(-1)


def _mixture_slope(z: Array, mean: Array) -> Array:
    """Return the share of the moved part in the density at z."""
    part = _SHARE * scipy.stats.norm.pdf(z, mean)
    other = (1 - _SHARE) * scipy.stats.norm.pdf(z, _OTHER_MEAN, _OTHER_SCALE)
    return np.asarray(part / (part + other))


def _student_slope(z: Array, degrees: Array) -> Array:
    """Return −∂F/∂ν / q by the integral of ∂q/∂ν over the tail beyond z; x = √ν sinh y."""
    digamma = scipy.special.digamma
    constant = 0.5 * (digamma((degrees + 1) / 2) - digamma(degrees / 2) - 1 / degrees)
    start = np.arcsinh(np.abs(z) / np.sqrt(degrees))
    log_density = -(degrees + 1) * np.log(np.cosh(start))

    def change(y: Array) -> Array:
        ratio = np.tanh(y) ** 2  # x² / (ν + x²)
        relative = constant - np.log(np.cosh(y)) + 0.5 * (degrees + 1) / degrees * ratio
        weight = np.exp(-degrees * np.log(np.cosh(y)) - log_density) * np.sqrt(degrees)
        return np.asarray(weight * relative)

    length = 40 / degrees + np.sqrt(80 / degrees)  # cosh^{−ν} falls by e^{−40} at least
    return np.asarray(np.sign(z) * _integral(change, start, start + length))


def _von_mises_points(q: Array, kappa: Array) -> Array:
    """Return points near the quantiles."""
    return np.asarray(np.clip(scipy.stats.norm.ppf(q) / np.sqrt(kappa + 0.3), -3.0, 3.0))


def _von_mises_slope(z: Array, kappa: Array) -> Array:
    """Return −∂F/∂κ / q by the integral of ∂q/∂κ between z and π."""
    mean = scipy.special.i1e(kappa) / scipy.special.i0e(kappa)

    def change(x: Array) -> Array:
        return np.asarray(np.exp(kappa * (np.cos(x) - np.cos(z))) * (np.cos(x) - mean))

    return np.asarray(np.sign(z) * _integral(change, np.abs(z), np.full_like(z, math.pi)))


def _integral(function: Callable[[Array], Array], start: Array, stop: Array) -> Array:
    """Integrate by Gauss and Legendre's rule with 200 points."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    half = (stop - start) / 2
    parts = (w * function(start + half * (x + 1)) for x, w in zip(nodes, weights, strict=True))
    return np.asarray(half * sum(parts))


def _report(
    family: str, what: str, got: Tensor, *, exact: Array, places: list[str], bound: float | None
) -> Check:
    size = np.abs(exact)
    error = np.abs(got.double().numpy() - exact) / (
        size if (exact > 0).all() or (exact < 0).all() else np.maximum(size, np.median(size))
    )
    worst = int(error.argmax())
    return Check(family, what, len(error), float(error[worst]), float(np.median(error)), places[worst], bound)
