"""Exponential samples by inverse CDF: z = −log(u) / rate, so that ∂z/∂rate = −z / rate."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def sample_exponential(
    rate: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw z ~ Exponential(rate), with mean 1/rate, differentiable in the rate.

    Parameters
    ----------
    rate
        Positive and finite.
    generator
        The source of randomness; torch's global one by default.

    Raises
    ------
    ValueError
        A rate is NaN, infinite, zero or negative.

    Examples
    --------
    >>> rate = torch.tensor([4.0], requires_grad=True)
    >>> z = sample_exponential(rate, torch.Generator().manual_seed(0))
    >>> (slope,) = torch.autograd.grad(z, rate)
    >>> torch.equal(slope, -z / rate)
    True
    """
    if not bool(((rate > 0) & (rate < math.inf)).all()):
        raise ValueError("rates must be positive and finite")
    return -torch.log(open_uniform(rate, generator)) / rate


def open_uniform(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw from (0, 1], so that a logarithm is finite: numbers of the shape, dtype and device of ``like``."""
    return 1 - torch.rand(like.shape, dtype=like.dtype, device=like.device, generator=generator)
