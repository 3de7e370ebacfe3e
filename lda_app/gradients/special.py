r"""The incomplete gamma function P(a, z), its derivative in a, and the slope ∂ log z/∂a at constant P.

With D = z^a e^{-z} / Γ(a), the series and the continued fraction (DLMF 8.11.4 and 8.9.2) read

    P = D Σ_n z^n / (a)_{n+1},    1 − P = D / (b_0 + a_1 / (b_1 + a_2 / (b_2 + …))),

b_n = z + 2n + 1 − a and a_n = n (a − n). Both are differentiated in forward mode: each term and each level
carries its derivative in a along. The slope −(∂P/∂a) / D then contains neither D nor P:

    ∂ log z/∂a = −[(log z − ψ(a)) S + S']    with the series S,
                  (log z − ψ(a)) F + F'      with the fraction F,

so that no exponential of log z can underflow. Where a is large, :mod:`lda_app.gradients.expansion` serves.
"""

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from lda_app.gradients.expansion import uniform_expansion


class Accuracy(NamedTuple):
    """How far each formula of the derivative is carried.

    Attributes
    ----------
    table
        Coefficients of the uniform expansion, (orders, terms).
    smallest
        The concentration from which on the uniform expansion is used.
    tolerance
        The relative size of the first term that the series leaves out.
    depth
        The continued fraction has depth / z + 4 levels.
    digamma_start
        ψ takes its asymptotic series from this argument on.
    """

    table: npt.NDArray[np.float64]
    smallest: float
    tolerance: float
    depth: float
    digamma_start: float


@cache
def accuracy(dtype: torch.dtype) -> Accuracy:
    """Return the settings for a relative error below 1e-12 in float64, 1e-6 in any other dtype."""
    if dtype == torch.float64:
        return Accuracy(uniform_expansion(12, 24), 12.0, tolerance=1e-17, depth=120.0, digamma_start=8.0)
    return Accuracy(uniform_expansion(5, 12), 6.0, tolerance=1e-9, depth=20.0, digamma_start=4.0)


def slope_in_torch(concentration: Tensor, log_value: Tensor) -> Tensor:
    """Return ∂ log z/∂a in float64 by torch alone: the formulas of the kernels, on masked tensors."""
    settings = accuracy(concentration.dtype)
    a, log_z = concentration.detach().to(torch.float64), log_value.detach().to(torch.float64)
    z = torch.exp(log_z)
    delta = log_z - torch.log(a)
    expansion = (a >= settings.smallest) & (delta.abs() < 1.2)
    series = ~expansion & (z < torch.clamp(a + 2.0 * torch.sqrt(a), min=3.0))
    fraction = ~(expansion | series)
    slope = torch.empty_like(a)
    slope[expansion] = _from_expansion(a[expansion], delta[expansion], settings)
    slope[series] = _from_series(a[series], log_z[series], z[series], settings)
    slope[fraction] = _from_fraction(a[fraction], log_z[fraction], z[fraction], settings)
    return slope


def _from_expansion(a: Tensor, delta: Tensor, settings: Accuracy) -> Tensor:
    total = torch.zeros_like(a)
    for coefficients in settings.table[::-1].tolist():
        order = torch.zeros_like(a)
        for coefficient in reversed(coefficients):
            order = order * delta + coefficient
        total = total / a + order
    return total / a


def _from_series(a: Tensor, log_z: Tensor, z: Tensor, settings: Accuracy) -> Tensor:
    centred = log_z - torch.digamma(1.0 + a)
    term, total, value, n = torch.ones_like(a), torch.ones_like(a), centred, a
    while bool((term > settings.tolerance * total).any()):
        n = n + 1.0
        term = term * (z / n)
        centred = centred - 1.0 / n
        total = total + term
        value = value + term * centred
    return -value / a


def _from_fraction(a: Tensor, log_z: Tensor, z: Tensor, settings: Accuracy) -> Tensor:
    b = z + 1.0 - a
    tail, tail_slope = torch.zeros_like(a), torch.zeros_like(a)
    levels = math.ceil(settings.depth / float(z.min())) + 4 if z.numel() else 0
    for n in range(levels, 0, -1):
        denominator = b + 2.0 * n + tail
        tail = n * (a - n) / denominator
        tail_slope = (n + tail * (1.0 - tail_slope)) / denominator
    level = 1.0 / (b + tail)
    centred = log_z - torch.digamma(1.0 + a) + 1.0 / a
    return level * (centred + level * (1.0 - tail_slope))


class _IncompleteGamma(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, z: Tensor) -> Tensor:
        ctx.save_for_backward(a, z)
        value: Tensor = torch.special.gammainc(a, z)
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor]:
        a, z = ctx.saved_tensors
        log_z = torch.log(z)
        weight = upstream * torch.exp(a * log_z - z - torch.lgamma(a))
        return -weight * slope_in_torch(a, log_z), weight / z


def incomplete_gamma(a: Float[Tensor, "*shape"], z: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return P(a, z), the cumulative distribution function of Gamma(a, 1), differentiable in both arguments.

    Parameters
    ----------
    a, z
        Positive, of one shape and dtype.

    Examples
    --------
    P(1, z) = 1 − e^{-z}:

    >>> a, z = torch.ones(1, dtype=torch.float64), torch.full((1,), 2.0, dtype=torch.float64)
    >>> incomplete_gamma(a, z)
    tensor([0.8647], dtype=torch.float64)
    """
    return _IncompleteGamma.apply(a, z)  # type: ignore[no-any-return, no-untyped-call]
