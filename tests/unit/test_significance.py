"""Distances from junk topics against their definitions."""

import numpy as np
import pytest
from scipy.stats import entropy

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.evaluation.significance import background_divergence, uniform_divergence, vacuous_divergence
from lda_app.fitted.topics import usage

RNG = np.random.default_rng(0)
BETA = RNG.dirichlet(np.full(30, 0.2), size=4)
THETA = RNG.dirichlet(np.full(4, 0.3), size=25)


def test_they_are_divergences_from_the_three():
    prevalence = THETA.mean(axis=0)
    assert uniform_divergence(BETA) == pytest.approx([entropy(row, np.full(30, 1 / 30)) for row in BETA])
    assert vacuous_divergence(BETA, prevalence) == pytest.approx(
        [entropy(row, prevalence @ BETA) for row in BETA]
    )
    found = background_divergence(prevalence, (THETA * np.log(THETA)).mean(axis=0))
    assert found == pytest.approx([entropy(column, np.full(25, 1 / 25)) for column in THETA.T])


def test_the_means_come_with_the_usage_of_topics():
    counts = RNG.poisson(1.0, (25, 4)) + 1
    used = usage(DocTermMatrix.from_scipy(counts), lambda block: block.to_scipy().toarray() + 0.0)
    theta = counts / counts.sum(axis=1, keepdims=True)
    assert used.theta_log_theta == pytest.approx((theta * np.log(theta)).mean(axis=0))


def test_junk_topics_are_insignificant():
    junk = np.full((1, 30), 1 / 30)
    assert uniform_divergence(junk) == pytest.approx([0])
    assert vacuous_divergence(junk, np.ones(1)) == pytest.approx([0])
    assert background_divergence(np.array([0.25]), np.array([0.25 * np.log(0.25)])) == pytest.approx([0])


def test_a_topic_that_no_document_has_is_insignificant():
    assert background_divergence(np.array([0.0, 1.0]), np.zeros(2)).tolist() == [0, 0]
