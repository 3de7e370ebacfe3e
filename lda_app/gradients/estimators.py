r"""The table of gradient estimators: all of one signature, each with its family and whether it is unbiased.

A new estimator is a file with a sampler and a row in ``ESTIMATORS``; the laboratory, its commands and the
tests go over the table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from lda_app.gradients import density
from lda_app.gradients.dirichlet import sample_beta, sample_dirichlet, sample_log_dirichlet
from lda_app.gradients.discrete import sample_gumbel_softmax, sample_one_hot
from lda_app.gradients.exponential import sample_exponential
from lda_app.gradients.gamma import check_concentration, sample_log_gamma
from lda_app.gradients.implicit import attach_scalar
from lda_app.gradients.normal import sample_log_normal, sample_logistic_normal, sample_normal
from lda_app.gradients.rejection import rejection_dirichlet, rejection_gamma
from lda_app.gradients.scalar_families import (
    sample_normal_mixture,
    sample_student_t,
    sample_truncated_normal,
    sample_von_mises,
)
from lda_app.gradients.score import (
    Baseline,
    Draw,
    Parameters,
    Sampler,
    leave_one_out,
    moving_average,
    no_baseline,
    pathwise,
    repeated,
    scored,
    surrogate,
)
from lda_app.gradients.torch_dirichlet import sample_torch_dirichlet

Integrand = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Estimator:
    """An estimator of ∇_λ E_q(z; λ)[f(z)].

    Parameters
    ----------
    family
        The distribution q.
    name
        Name of the method; unique within the family.
    sampler
        Draws z with its pathwise derivative, its log-weight, or both.
    baseline
        What is subtracted from f where there is a log-weight.
    unbiased
        Whether the mean of the estimates is the gradient, whatever f.
    """

    family: str
    name: str
    sampler: Sampler
    baseline: Baseline = no_baseline
    unbiased: bool = True

    def surrogate(
        self,
        integrand: Integrand,
        parameters: Parameters,
        num_samples: int,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return an estimate of E[f(z)], (…), whose backward pass gives the estimate of its gradient.

        Parameters
        ----------
        integrand
            f, (S, …, d) → (S, …).
        parameters
            Parameters of the family, (…, d); each row is sampled independently.
        num_samples
            S.
        generator
            The source of randomness; torch's global one by default.

        Examples
        --------
        The mean of Normal numbers grows with their location at the rate 1:

        >>> explicit = estimators_of("normal")[0]
        >>> mean = torch.zeros(1, requires_grad=True)
        >>> explicit.surrogate(lambda z: z.sum(-1), (mean, torch.ones(1)), num_samples=4).backward()
        >>> mean.grad
        tensor([1.])
        """
        draw = self.sampler(parameters, num_samples, generator)
        return surrogate(draw, integrand(draw.value), self.baseline)


def estimators_of(family: str) -> tuple[Estimator, ...]:
    """Return the rows of a family, in the order of the table.

    Examples
    --------
    >>> [row.name for row in estimators_of("exponential")]
    ['explicit', 'implicit', 'score']
    """
    return tuple(row for row in ESTIMATORS if row.family == family)


def sample_gamma(concentration: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw z ~ Gamma(concentration, 1) with its implicit gradient, in linear scale."""
    return torch.exp(sample_log_gamma(concentration, generator))


def sample_torch_gamma(concentration: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw z ~ Gamma(concentration, 1) with torch's own gradient."""
    check_concentration(concentration)
    return torch._standard_gamma(concentration, generator=generator)


def sample_implicit_normal(mean: Tensor, scale: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw a Normal number whose gradient comes from its CDF, as if no inverse were known."""
    drawn = sample_normal(mean.detach(), scale.detach(), generator)
    return attach_scalar(drawn, lambda z: torch.special.ndtr((z - mean) / scale))


def sample_implicit_exponential(rate: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw an exponential number whose gradient comes from its CDF."""
    return attach_scalar(sample_exponential(rate.detach(), generator), lambda z: -torch.expm1(-rate * z))


def _score_dirichlet(parameters: Parameters, num_samples: int, generator: torch.Generator | None) -> Draw:
    """Draw θ and its log density from log θ, which is finite where θ is too small for a float."""
    (concentration,) = parameters
    (repeats,) = repeated((concentration.detach(),), num_samples)
    log_theta = sample_log_dirichlet(repeats, generator)
    constant = torch.lgamma(concentration.sum(-1)) - torch.lgamma(concentration).sum(-1)
    return Draw(torch.exp(log_theta), ((concentration - 1) * log_theta).sum(-1) + constant)


def _score(family: str, sampler: Sampler) -> list[Estimator]:
    return [
        Estimator(family, "score", sampler),
        Estimator(family, "score, moving average", sampler, moving_average),
        Estimator(family, "score, leave one out", sampler, leave_one_out),
    ]


def _relaxed(temperature: float, *, straight_through: bool = False) -> Estimator:
    name = f"{'straight-through' if straight_through else 'gumbel-softmax'} {temperature:g}"
    sample = partial(sample_gumbel_softmax, temperature=temperature, straight_through=straight_through)
    return Estimator("categorical", name, pathwise(sample), unbiased=False)


ESTIMATORS: tuple[Estimator, ...] = (
    Estimator("normal", "explicit", pathwise(sample_normal)),
    Estimator("normal", "implicit", pathwise(sample_implicit_normal)),
    *_score("normal", scored(sample_normal, density.log_normal_density)),
    Estimator("log-normal", "explicit", pathwise(sample_log_normal)),
    Estimator("logistic-normal", "explicit", pathwise(sample_logistic_normal)),
    Estimator("exponential", "explicit", pathwise(sample_exponential)),
    Estimator("exponential", "implicit", pathwise(sample_implicit_exponential)),
    Estimator("exponential", "score", scored(sample_exponential, density.log_exponential_density)),
    Estimator("truncated-normal", "implicit", pathwise(sample_truncated_normal)),
    Estimator("normal-mixture", "implicit", pathwise(sample_normal_mixture)),
    Estimator("student-t", "implicit", pathwise(sample_student_t)),
    Estimator("von-mises", "implicit", pathwise(sample_von_mises)),
    Estimator("gamma", "implicit", pathwise(sample_gamma)),
    Estimator("gamma", "torch", pathwise(sample_torch_gamma)),
    Estimator("gamma", "rsvi, B = 1", rejection_gamma(1)),
    Estimator("gamma", "rsvi, B = 10", rejection_gamma(10)),
    *_score("gamma", scored(sample_gamma, density.log_gamma_density)),
    Estimator("beta", "implicit", pathwise(sample_beta)),
    Estimator("beta", "score", scored(sample_beta, density.log_beta_density)),
    Estimator("dirichlet", "implicit", pathwise(sample_dirichlet)),
    Estimator("dirichlet", "torch", pathwise(sample_torch_dirichlet), unbiased=False),
    Estimator("dirichlet", "rsvi, B = 1", rejection_dirichlet(1)),
    Estimator("dirichlet", "rsvi, B = 10", rejection_dirichlet(10)),
    *_score("dirichlet", _score_dirichlet),
    *_score("categorical", scored(sample_one_hot, density.log_categorical_mass)),
    _relaxed(1.0),
    _relaxed(0.5),
    _relaxed(0.1),
    _relaxed(0.5, straight_through=True),
)

FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(row.family for row in ESTIMATORS))
