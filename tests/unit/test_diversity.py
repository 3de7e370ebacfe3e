"""Diversity, duplicates and live topics on small examples."""

import numpy as np
import pytest

from lda_app.evaluation.diversity import Duplicate, duplicates, live_topics, unique_share


@pytest.mark.parametrize(
    ("top_words", "expected"),
    [([[0, 1], [2, 3]], 1.0), ([[0, 1], [1, 0]], 0.5), ([[0, 1], [1, 2]], 0.75)],
)
def test_unique_share(top_words, expected):
    assert unique_share(np.array(top_words)) == expected


def test_duplicates_lists_each_pair_once_most_alike_first():
    top_words = np.array([range(10), range(20, 30), range(5, 15), range(9, -1, -1)])
    assert duplicates(top_words) == (Duplicate(0, 3, 10), Duplicate(0, 2, 5), Duplicate(2, 3, 5))


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
