"""Differences between numbers of topics have honest errors."""

import functools

import numpy as np
import pytest

from lda_app.studies import paired
from lda_app.studies.paired import Scores, compare_perplexities

NUM_K, DOCUMENTS, TOKENS, SWEEPS = 4, 60, 20.0, 200
APART = np.array(
    [0.2, 0.0, 0.2, 0.3]
)  # log perplexity above the best: beyond doubt, so that the best is sure
TRAINING = 0.02


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(paired, "_RESAMPLES", 200)


def simulated(generator, above, training, seeds=3):
    """Scores of a sweep: documents are hard or easy for all runs, and a little for each; runs differ."""
    scores = []
    for _ in range(seeds):
        hard = generator.normal(6, 1, DOCUMENTS)
        own = generator.normal(0, 0.1, (NUM_K, DOCUMENTS))
        run = generator.normal(0, training, NUM_K)[:, None]
        scores.append(-TOKENS * (hard + own + run + above[:, None]))
    return Scores(tuple(scores), (np.full(DOCUMENTS, TOKENS),) * seeds)


def compared(above, training):
    generator = np.random.default_rng(5)
    return [
        compare_perplexities(simulated(generator, above, training), seed=sweep) for sweep in range(SWEEPS)
    ]


@functools.cache
def compared_apart():
    return compared(APART, TRAINING)


def spread_and_errors(sweeps):
    """Variance of the log differences from the second number over sweeps, and the mean of its estimates."""
    others = [0, 2, 3]
    values = np.array([[np.log1p(sweep.differences[k].value) for k in others] for sweep in sweeps])
    errors = np.array(
        [[s.differences[k].standard_error / (1 + s.differences[k].value) for k in others] for s in sweeps]
    )
    return values.var(axis=0, ddof=1).mean(), (errors**2).mean()


# Where trainings do not differ, their variance cannot be estimated below zero: errors are a little too large.
@pytest.mark.parametrize(("training", "most"), [(0.0, 1.6), (TRAINING, 1.3)])
def test_errors_are_as_large_as_differences_vary(training, most):
    spread, estimated = spread_and_errors(
        compared_apart() if training == TRAINING else compared(APART, training)
    )
    assert 0.8 < estimated / spread < most


def test_without_the_part_of_the_training_they_would_be_too_small(monkeypatch):
    monkeypatch.setattr(paired, "_variance_of_training", lambda y, drawn: paired._Training(0.0, 0.0, 0))
    spread, estimated = spread_and_errors(compared(APART, TRAINING))
    assert estimated / spread < 0.6


def test_equal_numbers_are_seldom_told_apart():
    sweeps = compared(np.zeros(NUM_K), TRAINING)
    wrong = np.mean([any(d.distinguishable for d in sweep.differences) for sweep in sweeps])
    assert wrong <= 0.09  # 5% are allowed; the binomial's 99% quantile


def test_numbers_apart_are_told_apart():
    for sweep in compared_apart()[:50]:
        assert sweep.best == 1
        assert [difference.distinguishable for difference in sweep.differences] == [True, False, True, True]


def test_on_the_same_documents_errors_are_far_smaller():
    sweep = compare_perplexities(simulated(np.random.default_rng(0), APART, 0.0))
    alone = sweep.estimates[0]
    assert sweep.differences[0].standard_error < 0.3 * alone.standard_error / alone.value


def test_a_single_seed_has_the_error_of_documents_alone():
    sweep = compare_perplexities(simulated(np.random.default_rng(0), APART, TRAINING, seeds=1))
    assert 0.01 < sweep.differences[0].standard_error < 0.03
