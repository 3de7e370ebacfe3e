r"""The score function estimator, its baselines, and the form that all estimators of this package share.

For any z that carries a pathwise derivative (or none), and log-weights w with the right gradient,

    ∇_λ E[f(z)] = E[∇_λ f(z) + (f(z) − b) ∇_λ w(z)].

A reparameterized sample needs no w. The score function estimator (Williams 1992, REINFORCE, the one of
policy gradients) has a fixed z and w = log q(z; λ); since E[∇w] = 0, a baseline b that does not depend on
this very z leaves the mean as it is and can lower the variance. Estimators in between have both parts.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

Parameters = tuple[Tensor, ...]
Baseline = Callable[[Tensor], Tensor]


class Draw(NamedTuple):
    """Samples of an estimator.

    Attributes
    ----------
    value
        z (S, …, d), with whatever pathwise derivative it carries.
    log_weight
        w (S, …); its gradient is weighed by f(z). None where the pathwise derivative is all.
    """

    value: Tensor
    log_weight: Tensor | None = None


Sampler = Callable[[Parameters, int, torch.Generator | None], Draw]


def surrogate(draw: Draw, values: Float[Tensor, "S *batch"], baseline: Baseline) -> Float[Tensor, "*batch"]:
    """Return a number whose value is the mean of ``values`` and whose gradient is the estimate.

    Parameters
    ----------
    draw
        The samples.
    values
        f(z) of each.
    baseline
        Maps f(z) to b, both (S, …); b_s must not depend on sample s. For weights alone.

    Examples
    --------
    The score of a Normal number z with mean μ is z − μ; here f(z) = z²:

    >>> mean = torch.tensor(1.0, requires_grad=True)
    >>> z = torch.tensor([2.0])
    >>> draw = Draw(z[:, None], log_weight=-0.5 * (z - mean) ** 2)
    >>> surrogate(draw, z**2, no_baseline).backward()
    >>> mean.grad
    tensor(4.)
    """
    if draw.log_weight is None:
        return values.mean(0)
    factor = (values - baseline(values)).detach()
    return (values + factor * (draw.log_weight - draw.log_weight.detach())).mean(0)


def no_baseline(values: Tensor) -> Tensor:
    """Return b = 0."""
    return torch.zeros_like(values)


def leave_one_out(values: Tensor) -> Tensor:
    """Return the mean of all *other* samples; 0 for a sample that is alone.

    Examples
    --------
    >>> leave_one_out(torch.tensor([1.0, 2.0, 6.0]))
    tensor([4.0000, 3.5000, 1.5000])
    """
    return (values.sum(0) - values) / max(len(values) - 1, 1)


def moving_average(values: Tensor, decay: float = 0.9) -> Tensor:
    """Return the exponentially weighted mean of the *earlier* samples; 0 for the first.

    Examples
    --------
    >>> moving_average(torch.tensor([1.0, 1.0, 11.0, 5.0]), decay=0.5)
    tensor([0.0000, 1.0000, 1.0000, 6.7143])
    """
    total, weight = torch.zeros_like(values[:1]), 0.0
    baselines = [total]
    for sample in range(len(values) - 1):
        value = values[sample : sample + 1]
        total, weight = decay * total + value, decay * weight + 1
        baselines.append(total / weight)
    return torch.cat(baselines)


def pathwise(sample: Callable[..., Tensor]) -> Sampler:
    """Make an estimator of a reparameterized sampler ``sample(*parameters, generator)``."""

    def draw(parameters: Parameters, num_samples: int, generator: torch.Generator | None) -> Draw:
        return Draw(sample(*repeated(parameters, num_samples), generator))

    return draw


def scored(sample: Callable[..., Tensor], log_density: Callable[..., Tensor]) -> Sampler:
    """Make the score function estimator of ``sample(*parameters, generator)``.

    Parameters
    ----------
    sample
        Draws (…, d); a derivative that it carries is dropped.
    log_density
        ``log_density(z, *parameters)``, (…), up to a constant.
    """

    def draw(parameters: Parameters, num_samples: int, generator: torch.Generator | None) -> Draw:
        fixed = tuple(parameter.detach() for parameter in parameters)
        value = sample(*repeated(fixed, num_samples), generator).detach()
        return Draw(value, log_density(value, *parameters))

    return draw


def repeated(parameters: Parameters, num_samples: int) -> Parameters:
    """Return the parameters (…, d) as (S, …, d), without a copy."""
    return tuple(parameter.expand(num_samples, *parameter.shape) for parameter in parameters)
