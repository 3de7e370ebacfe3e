"""Answers of people to intrusion tests: precision, odds, intervals."""

import numpy as np
import pytest
from scipy.stats import binomtest

from lda_app.errors import CorpusError
from lda_app.evaluation.intrusion import LEAST_SHARE, score_intrusion, wilson


def word(topic, chosen="goal"):
    return {"topic": topic, "words": ["moon", "orbit", "goal"], "intruder": "goal", "chosen": chosen}


def topic(document, chosen, intruder=7):
    return {
        "document": document,
        "topics": [3, 0, 7, 5],
        "shares": [0.6, 0.2, 0.0, 0.1],
        "intruder": intruder,
        "chosen": chosen,
    }


def answers(**parts):
    return {"kind": "intrusion_answers", "rater": "AB", **parts}


def test_precision_is_the_mean_over_topics_of_the_raters_who_were_right():
    first = answers(word_intrusion=[word(0), word(1), word(2, "moon")])
    second = answers(word_intrusion=[word(0), word(1, "orbit")])
    found = score_intrusion([first, second])
    assert found.words.value == pytest.approx((1 + 0.5 + 0) / 3)
    assert (found.words.num_units, found.words.num_answers) == (3, 5)
    assert found.words.chance == pytest.approx(1 / 3)
    assert found.by_topic == {0: (2, 2), 1: (1, 2), 2: (0, 1)}
    assert found.topics is None


def test_topic_log_odds_are_zero_at_best_and_count_small_shares_as_the_least():
    right = score_intrusion([answers(topic_intrusion=[topic("a", 7)])])
    wrong = score_intrusion([answers(topic_intrusion=[topic("a", 3), topic("b", 7)])])
    assert right.topic_log_odds == 0
    assert wrong.topic_log_odds == pytest.approx(np.log(LEAST_SHARE / 0.6) / 2)
    assert wrong.topics.value == 0.5
    assert wrong.topics.chance == 0.25


@pytest.mark.parametrize(("right", "number"), [(0, 5), (3, 10), (10, 10)])
def test_the_interval_is_wilsons(right, number):
    expected = binomtest(right, number).proportion_ci(0.9, method="wilson")
    assert wilson(right / number, number, 0.9) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "labels"},
        answers(),
        answers(word_intrusion=[{"topic": 1}]),
        answers(word_intrusion=[3]),
        answers(word_intrusion=[word(0, "puck")]),
        answers(topic_intrusion=[topic("a", 9)]),
        answers(topic_intrusion=[topic("a", 7) | {"shares": [1.0]}]),
    ],
)
def test_what_is_no_answer_is_refused(document):
    with pytest.raises(CorpusError):
        score_intrusion([document])
