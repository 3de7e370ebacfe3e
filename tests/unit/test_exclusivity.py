"""FREX against its definition, and exclusivity as stm computes it."""

import numpy as np
import pytest

from lda_app.evaluation.exclusivity import exclusivity, frex
from lda_app.fitted.topics import top_words


def rank(values):
    """Mean rank from 1, as R's rank()."""
    return np.array([(values < value).sum() + ((values == value).sum() + 1) / 2 for value in values])


def by_stm(beta, num_words=10, weight=0.7):
    """Follow stm::exclusivity step by step, words in rows; its sum over the top words of each topic."""
    t_beta = beta.T
    shares = t_beta / t_beta.sum(axis=1, keepdims=True)
    exclusive = np.apply_along_axis(rank, 0, shares) / len(shares)
    frequent = np.apply_along_axis(rank, 0, t_beta) / len(shares)
    scores = 1 / (weight / exclusive + (1 - weight) / frequent)
    order = np.argsort(-t_beta, axis=0, kind="stable")[:num_words]
    return np.array([scores[order[:, k], k].sum() for k in range(len(beta))])


@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_a_tenth_of_stm_s(seed):
    beta = np.random.default_rng(seed).dirichlet(np.full(60, 0.1), size=7)
    beta[:, :5] = 0.001  # equals
    assert exclusivity(beta, top_words(beta, 10)) == pytest.approx(by_stm(beta) / 10, rel=1e-12)


def test_negative_control_the_weight_matters():
    beta = np.random.default_rng(0).dirichlet(np.full(60, 0.1), size=7)
    assert np.abs(exclusivity(beta, top_words(beta, 10), weight=0.3) - by_stm(beta) / 10).max() > 0.01


def test_words_that_no_topic_has_are_no_trouble():
    beta = np.array([[0.5, 0.5, 0.0], [0.2, 0.8, 0.0]])
    assert np.isfinite(exclusivity(beta, top_words(beta, 3))).all()


def test_the_best_word_of_both_kinds_has_one():
    assert frex(np.array([0.6, 0.4]), np.array([0.9, 0.1]))[0] == 1
