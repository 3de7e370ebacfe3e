"""Words of a topic by relevance, lift and FREX, and the map of topics."""

import numpy as np
import pytest

from lda_app.evaluation.exclusivity import frex_scores
from lda_app.report.layout import place, topic_distances
from lda_app.report.words import LAMBDAS, marginal, reachable, relevance


@pytest.fixture
def beta():
    return np.random.default_rng(0).dirichlet(np.full(40, 0.1), 6) + 1e-9


@pytest.fixture
def word_shares(beta):
    return marginal(beta, np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1]))


@pytest.fixture
def scores(beta):
    return np.stack(list(frex_scores(beta)))


def test_relevance_is_a_mixture_of_probability_and_lift(beta, word_shares):
    probability, lift = np.log(beta[0]), np.log(beta[0] / word_shares)
    for weight in (0, 0.25, 1):
        mixed = weight * probability + (1 - weight) * lift
        np.testing.assert_allclose(relevance(beta[0], word_shares, weight), mixed)


@pytest.mark.parametrize("weight", LAMBDAS)
def test_every_stop_of_the_slider_finds_its_words(beta, word_shares, scores, weight):
    chosen = reachable(beta, word_shares, scores, 5)
    for beta_k, words in zip(beta, chosen, strict=True):
        first = np.argsort(-relevance(beta_k, word_shares, weight))[:5]
        assert set(first) <= set(words)


def test_words_are_in_order_of_their_probability(beta, word_shares, scores):
    for beta_k, words in zip(beta, reachable(beta, word_shares, scores, 5), strict=True):
        assert np.all(np.diff(beta_k[words]) <= 0)
        assert len(set(words)) == len(words)


def test_frex_wants_words_both_frequent_and_exclusive():
    # Word 0 is frequent in both topics, word 1 in the first alone, word 2 in neither.
    beta = np.array([[0.5, 0.45, 0.05], [0.9, 0.01, 0.09]])
    assert next(frex_scores(beta)).argmax() == 1


def test_distance_is_a_metric_of_distributions(beta):
    distances = topic_distances(beta)
    assert np.all(distances == distances.T)
    assert np.all(np.diag(distances) == 0)
    assert np.all(distances <= 1)
    through = distances[:, :, None] + distances[None, :, :]
    assert np.all(distances[:, None, :] <= through.transpose(0, 1, 2) + 1e-12)


def test_distance_agrees_with_scipy(beta):
    from scipy.spatial.distance import jensenshannon

    assert topic_distances(beta)[0, 3] == pytest.approx(jensenshannon(beta[0], beta[3], base=2))


def test_places_keep_distances_that_a_plane_can_hold():
    points = np.random.default_rng(1).normal(size=(7, 2))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    placed = place(distances)
    np.testing.assert_allclose(np.linalg.norm(placed[:, None] - placed[None], axis=2), distances, atol=1e-2)


def test_the_same_distances_give_the_same_map(beta):
    distances = topic_distances(beta)
    assert np.array_equal(place(distances), place(distances.copy()))
