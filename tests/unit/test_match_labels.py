"""Labels carried over: to topics that are surely the same, and to no others."""

import numpy as np
import pytest

from lda_app.analysis.match_labels import carry_over, match_topics
from lda_app.fitted.labels import Labels

WORDS = [f"word{n}" for n in range(40)]


@pytest.fixture
def beta():
    """Six topics that differ clearly."""
    return np.random.default_rng(0).dirichlet(np.full(40, 0.1), size=6)


def test_a_model_in_another_order_and_with_other_words_keeps_its_labels(beta):
    order = [3, 1, 5, 0, 4, 2]
    shuffled, words = np.random.default_rng(1).permutation(40), [*WORDS, "new"]
    again = np.zeros((6, 41))
    again[:, :40] = beta[order][:, shuffled]
    matches = match_topics(beta, WORDS, again, [words[n] for n in shuffled] + ["new"])
    assert [match.new for match in matches] == [order.index(topic) for topic in range(6)]
    assert all(match.sure for match in matches)
    labels = Labels(6).named(2, "space").merged(2, [5]).hidden([0])
    carried = carry_over(labels, matches, 6)
    assert carried.name(order.index(2)) == "space"
    assert set(carried.members(order.index(2))) == {order.index(2), order.index(5)}
    assert carried.entry(order.index(0)).hidden


def test_negative_control_other_topics_are_not_taken_for_the_same(beta):
    other = np.random.default_rng(9).dirichlet(np.full(40, 0.1), size=6)
    matches = match_topics(beta, WORDS, other, WORDS)
    assert not any(match.sure for match in matches)
    assert not carry_over(Labels(6).named(0, "space"), matches, 6).topics


def test_a_topic_of_which_there_are_two_now_is_doubtful(beta):
    twins = np.vstack([beta[:1], beta])
    matches = match_topics(beta, WORDS, twins, WORDS)
    assert [match.sure for match in matches] == [False, *[True] * 5]


def test_a_model_of_fewer_topics_leaves_some_without_a_match(beta):
    matches = match_topics(beta, WORDS, beta[:4], WORDS)
    assert [match.new for match in matches] == [0, 1, 2, 3, None, None]
    assert not any(match.sure for match in matches[4:])
