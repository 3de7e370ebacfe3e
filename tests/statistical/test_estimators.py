"""Every row of the table of estimators keeps what it says of itself, and a biased one is found out."""

import dataclasses
import math

import pytest
import torch

from lda_app.gradients.estimators import ESTIMATORS, FAMILIES, Estimator, estimators_of
from lda_app.gradients.lab import gradients, measure
from lda_app.gradients.problems import PROBLEMS, Problem, problems_of
from lda_app.gradients.score import Draw, leave_one_out, moving_average, no_baseline, surrogate

BIAS = 1.02  # what each check must notice
FALSE_ALARM = 4.5  # standard errors: one comparison in 150,000, of about 300
PAIRS = [(row, problem) for row in ESTIMATORS for problem in problems_of(row.family)]
IDS = [f"{row.family}-{row.name}-{problem.name}" for row, problem in PAIRS]
UNBIASED = [(pair, name) for pair, name in zip(PAIRS, IDS, strict=True) if pair[0].unbiased]
SLOW = {"von-mises", "beta", "dirichlet"}  # a quarter of the samples leaves 7 standard errors or more
BIASED = [row for row in ESTIMATORS if not row.unbiased]


@pytest.mark.parametrize(
    ("estimator", "problem"), [pair for pair, _ in UNBIASED], ids=[name for _, name in UNBIASED]
)
def test_unbiased_estimators_meet_the_exact_gradient(estimator, problem):
    result = measure(estimator, problem, num_samples=4, num_estimates=10_000, seed=1)
    assert result.largest_z < FALSE_ALARM
    assert result.bias_error < 0.15  # so that the check can see something


@pytest.mark.parametrize("estimator", BIASED, ids=lambda row: f"{row.family}-{row.name}")
def test_biased_estimators_are_found_out(estimator):
    results = [
        measure(estimator, problem, num_samples=4, num_estimates=10_000, seed=1)
        for problem in problems_of(estimator.family)
    ]
    assert max(result.largest_z for result in results) > FALSE_ALARM


@pytest.mark.slow
@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in {"categorical", "student-t"}])
def test_two_percent_of_bias_are_found_out(family):
    """The first row of each family, the quiet one, with each derivative stretched."""
    honest, problem = estimators_of(family)[0], problems_of(family)[0]

    def stretched(parameters, num_samples, generator):
        return honest.sampler(
            tuple(p.detach() + BIAS * (p - p.detach()) for p in parameters), num_samples, generator
        )

    biased = dataclasses.replace(honest, sampler=stretched)
    num_estimates = 100_000 if family in SLOW else 400_000
    result = measure(biased, problem, num_samples=1, num_estimates=num_estimates, seed=2)
    assert result.largest_z > FALSE_ALARM
    assert result.bias == pytest.approx(BIAS - 1, abs=2 * result.bias_error)


def test_names_are_unique_and_each_family_has_a_problem():
    assert len({(row.family, row.name) for row in ESTIMATORS}) == len(ESTIMATORS)
    assert len({(problem.family, problem.name) for problem in PROBLEMS}) == len(PROBLEMS)
    assert {problem.family for problem in PROBLEMS} == set(FAMILIES)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: f"{problem.family}-{problem.name}")
def test_closed_forms_are_the_means_of_integrands(problem):
    estimator = estimators_of(problem.family)[0]
    parameters = tuple(p.expand(50_000, *p.shape) for p in problem.parameters)
    values = estimator.surrogate(problem.integrand, parameters, 1, torch.Generator().manual_seed(3)).detach()
    exact = float(problem.expectation(*problem.parameters))
    spread = float(values.std()) / math.sqrt(len(values))
    offset = exact - float(values.mean())
    assert abs(offset) < FALSE_ALARM * spread


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda row: f"{row.family}-{row.name}")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [0, 3])
def test_one_signature(estimator, dtype, rows):
    problem = problems_of(estimator.family)[0]
    leaves = tuple(p.to(dtype).expand(rows, *p.shape).clone().requires_grad_() for p in problem.parameters)
    value = estimator.surrogate(lambda z: z.sum(-1), leaves, 2, torch.Generator().manual_seed(0))
    assert (value.shape, value.dtype) == ((rows,), dtype)
    slopes = torch.autograd.grad(value.sum(), leaves)
    assert all(bool(slope.isfinite().all()) for slope in slopes)
    assert [slope.shape for slope in slopes] == [leaf.shape for leaf in leaves]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda row: f"{row.family}-{row.name}")
def test_the_seed_alone_decides(estimator):
    problem = problems_of(estimator.family)[0]
    state = torch.get_rng_state()
    first, again, other = (gradients(estimator, problem, 2, 5, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    # The relaxed rows apart, an estimate of every family depends on what was drawn.
    assert not torch.equal(first, other)
    assert torch.equal(state, torch.get_rng_state())


POSITIVE = {
    "gamma": "concentrations",
    "beta": "concentrations",
    "dirichlet": "concentrations",
    "student-t": "concentrations",
    "von-mises": "concentrations",
    "exponential": "rates",
    "normal": "means",
    "log-normal": "means",
    "logistic-normal": "means",
    "truncated-normal": "means",
    "normal-mixture": "logits",
}


@pytest.mark.parametrize("family", POSITIVE)
def test_undefined_parameters_are_refused(family):
    problem = problems_of(family)[0]
    wrong = tuple(torch.full_like(p, math.nan) for p in problem.parameters)
    for estimator in estimators_of(family):
        with pytest.raises(ValueError, match=f"{POSITIVE[family]} must be"):
            estimator.surrogate(problem.integrand, wrong, 1)


def test_baselines_know_nothing_of_their_own_sample():
    values = torch.randn(6, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    for baseline in (no_baseline, leave_one_out, moving_average):
        jacobian = torch.autograd.functional.jacobian(baseline, values.requires_grad_())
        own = torch.einsum("iaia->ia", jacobian)
        assert bool((own == 0).all())


def test_a_baseline_that_knows_its_sample_is_found_out():
    """The mean of *all* samples shrinks the gradient by 1/S."""

    def sampler(parameters, num_samples, generator):
        (mean,) = parameters
        z = mean.detach() + torch.randn(num_samples, *mean.shape, generator=generator, dtype=mean.dtype)
        return Draw(z, (-0.5 * (z - mean) ** 2).sum(-1))

    problem = Problem(
        "normal",
        "mean",
        (torch.zeros(1, dtype=torch.float64),),
        lambda z: z.sum(-1),
        lambda mean: mean.sum(-1),
    )
    greedy = Estimator("normal", "greedy", sampler, lambda values: values.mean(0).expand_as(values))
    result = measure(greedy, problem, num_samples=4, num_estimates=20_000, seed=5)
    assert result.bias == pytest.approx(-1 / 4, abs=0.03)


def test_value_of_a_surrogate_is_the_mean():
    values = torch.tensor([1.0, 3.0])
    log_weight = torch.tensor([0.3, -2.0], requires_grad=True)
    assert surrogate(Draw(values[:, None], log_weight), values, leave_one_out).item() == 2.0
