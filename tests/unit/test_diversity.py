"""Diversity, duplicates and live topics on small examples."""

import itertools

import numpy as np
import pytest

from lda_app.evaluation.diversity import (
    DuplicateTopics,
    dead_topics,
    duplicates,
    effective_topics,
    inverted_rbo,
    live_topics,
    unique_share,
)


@pytest.mark.parametrize(
    ("top_words", "expected"),
    [([[0, 1], [2, 3]], 1.0), ([[0, 1], [1, 0]], 0.5), ([[0, 1], [1, 2]], 0.75)],
)
def test_unique_share(top_words, expected):
    assert unique_share(np.array(top_words)) == expected


def test_duplicates_lists_each_pair_once_most_alike_first():
    top_words = np.array([range(10), range(20, 30), range(5, 15), range(9, -1, -1)])
    assert duplicates(top_words) == (
        DuplicateTopics(0, 3, 10),
        DuplicateTopics(0, 2, 5),
        DuplicateTopics(2, 3, 5),
    )


def test_four_shared_words_are_no_duplicate():
    assert duplicates(np.array([range(10), range(6, 16)])) == ()


def test_duplicates_agree_with_counting():
    top_words = np.array([np.random.default_rng(seed).permutation(14)[:10] for seed in range(12)])
    found = {(pair.topic, pair.other): pair.shared_words for pair in duplicates(top_words, at_least=1)}
    for topic in range(12):
        for other in range(topic + 1, 12):
            assert found[topic, other] == len(set(top_words[topic]) & set(top_words[other]))


def test_a_topic_is_live_from_a_tenth_of_the_uniform_share():
    assert live_topics(np.array([0.96, 0.025, 0.0151, 0.0249])) == 2
    assert live_topics(np.full(50, 0.02)) == 50


def test_topics_that_are_not_live_are_listed():
    prevalence = np.array([0.96, 0.025, 0.0151, 0.0249])
    assert dead_topics(prevalence) == (2, 3)
    assert live_topics(prevalence) + len(dead_topics(prevalence)) == 4


def overlap(one, other, persistence=0.9):
    """Rank-biased overlap by the sum over depths."""
    depth = len(one)
    common = [len(set(one[:d]) & set(other[:d])) / d for d in range(1, depth + 1)]
    weighted = sum(share * persistence**d for d, share in enumerate(common, start=1))
    return common[-1] * persistence**depth + (1 - persistence) / persistence * weighted


@pytest.mark.parametrize("seed", range(3))
def test_inverted_rbo_is_one_minus_the_mean_overlap_of_pairs(seed):
    rng = np.random.default_rng(seed)
    top_words = np.array([rng.permutation(20)[:10] for _ in range(9)])
    pairs = [overlap(one, other) for one, other in itertools.combinations(top_words.tolist(), 2)]
    assert inverted_rbo(top_words) == pytest.approx(1 - np.mean(pairs), rel=1e-12)


def test_inverted_rbo_of_the_same_and_of_disjoint_topics():
    same = np.tile(np.arange(10), (4, 1))
    assert inverted_rbo(same) == pytest.approx(0, abs=1e-12)
    assert inverted_rbo(np.arange(40).reshape(4, 10)) == 1
    assert inverted_rbo(same[:1]) == 1


def test_negative_control_the_rank_of_a_shared_word_matters():
    first, last = np.array([[0, 1, 2], [0, 3, 4]]), np.array([[1, 2, 0], [3, 4, 0]])
    assert unique_share(first) == unique_share(last)
    assert inverted_rbo(first) < inverted_rbo(last)


def test_effective_topics_lie_between_one_and_all():
    assert effective_topics(np.full(8, 1 / 8)) == pytest.approx(8)
    assert effective_topics(np.eye(8)[0]) == pytest.approx(1)
    assert 1 < effective_topics(np.array([0.9, 0.05, 0.05])) < 2
