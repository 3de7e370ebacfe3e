r"""Scalar distributions without an easy inverse CDF, sampled anyhow, their gradients attached implicitly.

For each there is F(z | λ), differentiable in z and λ. Student's t and von Mises have none in closed form
that torch knows; theirs is the integral of the density by Gauss and Legendre's rule, of an integrand that
is analytic, so that its 64 points give all digits.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from lda_app.gradients.gamma import check_concentration, draw_log_gamma
from lda_app.gradients.implicit import attach_scalar
from lda_app.gradients.normal import check_normal, sample_normal

BOUNDS = (-1.0, 2.0)
"""Where the truncated Normal distribution is cut off."""

_NODES = 64


def truncated_normal_cdf(z: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Return F(z) of a Normal number that lies within ``BOUNDS``.

    Examples
    --------
    >>> truncated_normal_cdf(torch.tensor([-1.0, 2.0]), torch.tensor(0.0), torch.tensor(1.0))
    tensor([0., 1.])
    """
    low, high, value = (torch.special.ndtr((point - mean) / scale) for point in (*BOUNDS, z))
    cdf: Tensor = (value - low) / (high - low)
    return cdf


def sample_truncated_normal(
    mean: Float[Tensor, "*shape"], scale: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw a Normal number within ``BOUNDS``; the means should not lie far outside of them.

    Raises
    ------
    ValueError
        A mean is not finite, or a scale not positive and finite.

    Examples
    --------
    >>> mean = torch.zeros(1000, requires_grad=True)
    >>> z = sample_truncated_normal(mean, torch.ones(1000))
    >>> bool(((z >= -1) & (z <= 2)).all())
    True
    """
    check_normal(mean, scale)
    with torch.no_grad():
        low, high = (torch.special.ndtr((bound - mean) / scale) for bound in BOUNDS)
        uniform = torch.rand(mean.shape, dtype=mean.dtype, generator=generator)
        drawn = (mean + scale * torch.special.ndtri(low + uniform * (high - low))).clamp(*BOUNDS)
    return attach_scalar(drawn, lambda z: truncated_normal_cdf(z, mean, scale))


def normal_mixture_cdf(z: Tensor, logits: Tensor, means: Tensor, scales: Tensor) -> Tensor:
    """Return F(z), (…, 1), of a mixture of J Normal distributions; its parameters are (…, J)."""
    parts: Tensor = torch.softmax(logits, -1) * torch.special.ndtr((z - means) / scales)
    return parts.sum(-1, keepdim=True)


def sample_normal_mixture(
    logits: Float[Tensor, "*batch J"],
    means: Float[Tensor, "*batch J"],
    scales: Float[Tensor, "*batch J"],
    generator: torch.Generator | None = None,
) -> Float[Tensor, "*batch 1"]:
    """Draw a number from a mixture of Normal distributions, differentiable in the shares, too.

    Raises
    ------
    ValueError
        A logit or a mean is not finite, or a scale not positive and finite.

    Examples
    --------
    >>> logits = torch.zeros(2, requires_grad=True)
    >>> z = sample_normal_mixture(logits, torch.tensor([-3.0, 3.0]), torch.ones(2))
    >>> slopes = torch.autograd.grad(z.sum(), logits)[0]
    >>> bool(slopes[0] < 0 < slopes[1])
    True
    """
    if not bool(logits.isfinite().all()):
        raise ValueError("logits must be finite")
    with torch.no_grad():
        shares = torch.softmax(logits, -1).reshape(-1, logits.shape[-1])
        chosen = torch.multinomial(shares, 1, generator=generator).reshape(*logits.shape[:-1], 1)
        drawn = sample_normal(means, scales, generator).gather(-1, chosen)
    return attach_scalar(drawn, lambda z: normal_mixture_cdf(z, logits, means, scales))


def student_t_cdf(z: Tensor, degrees: Tensor) -> Tensor:
    """Return F(z) of Student's t with ν degrees of freedom.

    With z = √ν sinh y, the density is proportional to cosh^{−ν} y: F = 1/2 + c ∫_0^y cosh^{−ν}(t) dt.

    Examples
    --------
    ν = 1 is Cauchy's distribution:

    >>> student_t_cdf(torch.tensor(1.0), torch.tensor(1.0))
    tensor(0.7500)
    """
    half = degrees / 2
    constant = torch.exp(torch.lgamma(half + 0.5) - torch.lgamma(half)) / math.sqrt(math.pi)
    upper = torch.asinh(z / torch.sqrt(degrees))
    return 0.5 + constant * _integral(
        upper, lambda t: torch.exp(-degrees.unsqueeze(-1) * torch.log(torch.cosh(t)))
    )


def sample_student_t(
    degrees: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw from Student's t, differentiable in the degrees of freedom.

    Raises
    ------
    ValueError
        Degrees of freedom that are not positive and finite.

    Examples
    --------
    More degrees of freedom draw a number towards 0:

    >>> degrees = torch.full((100,), 3.0, requires_grad=True)
    >>> z = sample_student_t(degrees)
    >>> (slopes,) = torch.autograd.grad(z.sum(), degrees)
    >>> bool((slopes * z <= 0).all())
    True
    """
    check_concentration(degrees)
    with torch.no_grad():
        normal = sample_normal(torch.zeros_like(degrees), torch.ones_like(degrees), generator)
        drawn = normal * torch.exp(-0.5 * (draw_log_gamma(degrees / 2, generator) - torch.log(degrees / 2)))
    return attach_scalar(drawn, lambda z: student_t_cdf(z, degrees))


def von_mises_cdf(z: Tensor, concentration: Tensor) -> Tensor:
    """Return F(z), z from −π to π, of von Mises' distribution around 0: density e^{κ cos z} / (2π I_0(κ)).

    Examples
    --------
    >>> von_mises_cdf(torch.tensor([0.0, torch.pi]), torch.tensor([2.0, 2.0]))
    tensor([0.5000, 1.0000])
    """
    total: Tensor = 2 * math.pi * torch.special.i0e(concentration)
    kappa = concentration.unsqueeze(-1)
    part = _integral(z, lambda t: torch.exp(kappa * (torch.cos(t) - 1)))
    return 0.5 + part / total


def sample_von_mises(
    concentration: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw an angle from −π to π around 0, differentiable in κ.

    Raises
    ------
    ValueError
        A κ is not positive and finite.

    Examples
    --------
    >>> concentration = torch.full((100,), 2.0, requires_grad=True)
    >>> z = sample_von_mises(concentration)
    >>> (slopes,) = torch.autograd.grad(z.sum(), concentration)
    >>> bool((slopes * z <= 0).all())
    True
    """
    check_concentration(concentration)
    seed = int(torch.empty((), dtype=torch.int64).random_(generator=generator))
    angles = np.random.default_rng(seed).vonmises(0.0, concentration.detach().numpy())
    drawn = torch.from_numpy(np.asarray(angles)).to(concentration.dtype)
    return attach_scalar(drawn, lambda z: von_mises_cdf(z, concentration))


def _integral(upper: Tensor, integrand: Callable[[Tensor], Tensor]) -> Tensor:
    """Return ∫_0^upper of a function that maps points (…, n) to values."""
    nodes, weights = (torch.from_numpy(part).to(upper.dtype) for part in _rule())
    values = integrand(upper.unsqueeze(-1) * nodes)
    integral: Tensor = upper * (values * weights).sum(-1)
    return integral


@cache
def _rule() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Points and weights of Gauss and Legendre's rule on (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights / 2
