"""Calibration where the exact posterior is known: each word is of one topic, so p(θ|w) = Dir(α + counts)."""

import numpy as np
import pytest
import torch
from scipy import stats

from lda_app.analysis.intervals import credible_intervals
from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.evaluation import calibration
from lda_app.evaluation.calibration import (
    LEVELS,
    calibrate,
    document_lengths,
    draws_rank,
    guide_rank,
)
from lda_app.fitted.folder import untrained
from lda_app.fitted.inference import concentration
from lda_app.models.topic_word import TopicWordCounts

ALPHA = np.array([0.05, 0.4, 1.5])
LENGTHS = {"5": np.full(1500, 5), "60": np.full(1500, 60)}


def posterior(weight):
    """The exact posterior for weight 1; as if each token were so many, for another."""
    return guide_rank(lambda doc_term: ALPHA + weight * doc_term.to_scipy().toarray())


def calibrated(rank, seed=1):
    return calibrate({"it": rank}, ALPHA, np.eye(3), LENGTHS, seed=seed).parts


def test_the_exact_posterior_is_calibrated():
    parts = calibrated(posterior(1))
    assert [(part.lengths, part.topics) for part in parts] == [
        (length, topics) for length in ("5", "60") for topics in ("all", "largest")
    ]
    for part in parts:
        assert part.p_value > 1e-3
        for coverage, level in zip(part.coverage, LEVELS, strict=True):
            assert coverage.value == pytest.approx(level, abs=2 * coverage.margin)
        assert sum(part.ranks) == part.num_documents == 1500


def test_a_posterior_that_is_too_sure_is_caught():
    for part in calibrated(posterior(4)):
        assert part.p_value < 1e-6
        assert all(c.value < level - c.margin for c, level in zip(part.coverage, LEVELS, strict=True))


def test_a_posterior_that_is_not_sure_enough_is_caught():
    """Too wide intervals hold too often; of the largest topic, which is not near an end of the scale."""
    for part in calibrated(posterior(0.3)):
        if part.topics == "largest":
            assert part.p_value < 1e-6
            assert part.coverage[0].value > 0.5 + part.coverage[0].margin


def test_intervals_that_always_hold_are_not_said_to_be_without_error():
    always = calibration._coverage(np.full((30, 1), 0.5), level=0.95, confidence=0.95)
    assert always.value == 1
    assert 0.03 < always.margin < 0.1


def test_coverage_is_that_of_the_intervals_themselves():
    generator = np.random.default_rng(0)
    theta, gammas = generator.dirichlet(ALPHA + 1, 400), generator.gamma(2, 3, (400, 3))
    ranked = guide_rank(lambda doc_term: gammas)(None, theta, generator)
    lower, upper = credible_intervals(gammas, 0.8)
    assert ((np.abs(ranked.below - 0.5) <= 0.4) == ((lower <= theta) & (theta <= upper))).all()


def test_a_share_that_rounds_to_one_or_zero_is_still_ranked():
    gammas = np.array([[5.0, 0.01], [0.001, 3.0]])
    theta = np.array([[1.0, 1e-30], [0.0, 1.0]])
    below = guide_rank(lambda doc_term: gammas)(None, theta, np.random.default_rng(0)).below
    assert below[0].sum() == pytest.approx(1)
    assert below[0, 1] == pytest.approx(stats.beta(0.01, 5).cdf(1e-30))
    assert 0 < below[1, 0] < 0.6


@pytest.fixture(scope="module")
def lda():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        lda = untrained(TrainConfig(num_topics=3, alpha=0.3), num_documents=10, num_words=6)
    counts = torch.tensor([[9, 1, 1], [9, 1, 1], [1, 9, 1], [1, 9, 1], [1, 1, 9], [1, 1, 9]])
    lda.topics = TopicWordCounts(100.0 * counts, eta=0.1)
    return lda.eval()


def test_draws_of_the_exact_posterior_are_calibrated_and_an_untrained_guide_is_not(lda, fitted):
    alpha, beta = lda.alpha.detach().numpy(), lda.topics.beta().numpy()
    posteriors = {
        "draws": draws_rank(fitted(lda)),
        "guide": guide_rank(lambda doc_term: concentration(lda, doc_term) + 30),
    }
    found = calibrate(posteriors, alpha, beta, {"30": np.full(800, 30)}, seed=3)
    assert [part.posterior for part in found.parts] == ["draws", "draws", "guide", "guide"]
    for part in found.parts:
        if part.posterior == "draws":
            assert part.p_value > 1e-3
            assert all(abs(c.value - c.level) < 2.5 * c.margin for c in part.coverage)
        else:
            assert part.p_value < 1e-6


def test_ranks_of_draws_agree_with_the_intervals_that_the_app_prints(lda, fitted):
    documents = DocTermMatrix.from_scipy(np.random.default_rng(0).poisson(3, (60, 6)))
    theta = np.random.default_rng(1).dirichlet(np.ones(3), 60)
    below = draws_rank(fitted(lda))(documents, theta, np.random.default_rng(2)).below
    shares = fitted(lda).intervals(documents, 0.9)
    held = (shares.lower <= theta) & (theta <= shares.upper)
    assert ((np.abs(below - 0.5) <= 0.45) == held).all()


def test_lengths_are_drawn_from_those_of_documents_that_have_words():
    lengths = document_lengths(np.array([0, 3, 8]), num_documents=50, seed=0)
    assert set(lengths["corpus"].tolist()) == {3, 8}
    assert lengths["500"].tolist() == [500] * 50


def test_the_seed_decides():
    first, again, other = (calibrated(posterior(1), seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
