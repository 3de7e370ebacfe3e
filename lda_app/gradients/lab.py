r"""The laboratory: bias, variance and time of an estimator on a problem whose gradient is known.

An estimate is made of S samples; the laboratory makes R of them, independently, and compares their mean
with the exact gradient.
"""

import math
import time
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lda_app.gradients.estimators import Estimator
from lda_app.gradients.problems import Problem

_NORMAL_95 = 1.96
_BLOCK = 100_000  # numbers drawn at a time, so that memory stays small


@dataclass(frozen=True)
class Measurement:
    """What an estimator is worth on a problem.

    Attributes
    ----------
    bias
        Mean estimate minus exact gradient, both along the exact gradient, as a share of its length.
    bias_error
        Half the width of the 95% confidence interval of ``bias``.
    largest_z
        The largest deviation of a component's mean from the exact one, in standard errors.
    variance
        Variance of one estimate, summed over the components.
    relative_variance
        The same, divided by the squared length of the exact gradient.
    seconds
        Time for one sample and its share of the backward pass.
    """

    family: str
    estimator: str
    problem: str
    unbiased: bool
    num_samples: int
    num_estimates: int
    bias: float
    bias_error: float
    largest_z: float
    variance: float
    relative_variance: float
    seconds: float


def measure(
    estimator: Estimator,
    problem: Problem,
    *,
    num_samples: int,
    num_estimates: int,
    seed: int,
    exact: Tensor | None = None,
) -> Measurement:
    """Measure an estimator on a problem.

    Parameters
    ----------
    estimator, problem
        An estimator and a problem of the same family.
    num_samples
        S, samples an estimate.
    num_estimates
        R, at least 2.
    seed
        Seed of all samples.
    exact
        The gradient to compare with; by default the problem's own.

    Examples
    --------
    >>> from lda_app.gradients.estimators import estimators_of
    >>> from lda_app.gradients.problems import problems_of
    >>> explicit, problem = estimators_of("normal")[0], problems_of("normal")[0]
    >>> result = measure(explicit, problem, num_samples=1, num_estimates=10_000, seed=0)
    >>> abs(result.bias) < 2 * result.bias_error
    True
    """
    gradients(estimator, problem, num_samples, 1, seed)  # compiles what is not yet compiled
    began = time.perf_counter()
    estimates = gradients(estimator, problem, num_samples, num_estimates, seed)
    seconds = (time.perf_counter() - began) / (num_samples * num_estimates)
    exact = problem.gradient() if exact is None else exact
    length = float(exact.norm())
    along = estimates @ (exact / length) / length
    error = estimates.std(0) / math.sqrt(num_estimates)
    deviation = (estimates.mean(0) - exact).abs()
    variance = float(estimates.var(0).sum())
    return Measurement(
        family=estimator.family,
        estimator=estimator.name,
        problem=problem.name,
        unbiased=estimator.unbiased,
        num_samples=num_samples,
        num_estimates=num_estimates,
        bias=float(along.mean()) - 1,
        bias_error=_NORMAL_95 * float(along.std()) / math.sqrt(num_estimates),
        largest_z=float((deviation / error.clamp(min=1e-12 * length)).max()),
        variance=variance,
        relative_variance=variance / length**2,
        seconds=seconds,
    )


def gradients(
    estimator: Estimator, problem: Problem, num_samples: int, num_estimates: int, seed: int
) -> Float[Tensor, "R P"]:
    """Return R independent estimates of the gradient, all parameters of the problem in one row.

    Examples
    --------
    >>> from lda_app.gradients.estimators import estimators_of
    >>> from lda_app.gradients.problems import problems_of
    >>> implicit, problem = estimators_of("dirichlet")[0], problems_of("dirichlet")[0]
    >>> gradients(implicit, problem, num_samples=2, num_estimates=5, seed=0).shape
    torch.Size([5, 4])
    """
    generator = torch.Generator().manual_seed(seed)
    numbers = max(parameter.numel() for parameter in problem.parameters)
    size = max(1, _BLOCK // (num_samples * numbers))
    blocks = [min(size, num_estimates - start) for start in range(0, num_estimates, size)]
    return torch.cat([_block(estimator, problem, num_samples, block, generator) for block in blocks])


def _block(
    estimator: Estimator, problem: Problem, num_samples: int, rows: int, generator: torch.Generator
) -> Tensor:
    leaves = tuple(p.expand(rows, *p.shape).clone().requires_grad_() for p in problem.parameters)
    total = estimator.surrogate(problem.integrand, leaves, num_samples, generator).sum()
    slopes = torch.autograd.grad(total, leaves)
    return torch.cat([slope.flatten(1) for slope in slopes], dim=1)
