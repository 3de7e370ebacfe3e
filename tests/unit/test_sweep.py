"""What follows from the figures of a sweep, in words."""

import numpy as np
import pytest

from lda_app.studies.advice import Row, advise
from lda_app.studies.paired import Difference, ValueWithError
from lda_app.studies.sweep import _over_pairs


def row(num_topics, perplexity, above, error, *, apart, similarity=0.8, coherence=0.2):
    return Row(
        num_topics=num_topics,
        most_typical=f"k{num_topics}-seed0",
        perplexity=ValueWithError(perplexity, 20.0),
        difference=Difference(above, error, apart),
        coherence=ValueWithError(coherence, 0.005),
        exclusivity=ValueWithError(0.9, 0.005),
        diversity=ValueWithError(0.7, 0.01),
        similarity=ValueWithError(similarity, 0.01),
        found=ValueWithError(0.8, 0.02),
        train_seconds=1.0,
    )


ROWS = [
    row(10, 1041.0, 0.041, 0.006, apart=True),
    row(20, 1002.0, 0.002, 0.005, apart=False),
    row(30, 1000.0, 0.0, 0.0, apart=False),
    row(50, 1030.0, 0.03, 0.004, apart=True),
]


def test_the_fewest_of_equal_numbers_are_recommended():
    recommended, reasons = advise(ROWS, 3)
    assert recommended == 20
    assert reasons[:2] == (
        "Take 20 topics, the fewest of those that predict equally well.",
        "20 and 30 are indistinguishable in held-out perplexity (20 is worse by 0.2 ± 0.5% than 30); "
        "10 is worse by 4.1 ± 0.6% and 50 by 3.0 ± 0.4%.",
    )
    assert "3 seeds" in reasons[-1]
    assert not any("were tried" in reason for reason in reasons)


def test_the_best_at_the_end_of_the_range_may_be_beyond_it():
    assert "30 is the largest number tried; more topics may predict better." in advise(ROWS[:3], 3)[1]
    assert "30 is the smallest number tried; fewer topics may predict better." in advise(ROWS[2:], 3)[1]


def test_what_is_more_stable_beyond_chance_is_named():
    rows = [row(10, 1041.0, 0.041, 0.006, apart=True, similarity=0.95), *ROWS[1:]]
    assert any(
        "10 is more stable, by the similarity of aligned topics (0.95 versus 0.80)" in reason
        for reason in advise(rows, 3)[1]
    )
    rows[0] = row(10, 1041.0, 0.041, 0.006, apart=True, similarity=0.82)
    assert not any("more stable" in reason for reason in advise(rows, 3)[1])


def test_a_single_seed_says_what_its_errors_lack():
    assert "a single seed" in advise(ROWS, 1)[1][-1]


def test_the_error_over_pairs_of_runs_is_that_of_a_mean_where_runs_add_up():
    """Where a pair's value is the sum of its runs' values, their mean over pairs is twice that over runs."""
    runs = np.random.default_rng(0).normal(size=6)
    pairs = _over_pairs(runs[:, None] + runs[None])
    assert pairs.value == pytest.approx(2 * runs.mean())
    assert pairs.standard_error == pytest.approx(2 * runs.std(ddof=1) / np.sqrt(6))
