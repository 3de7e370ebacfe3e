"""Document-level NPMI against its formula, and the cases that need a definition."""

import itertools
import math

import numpy as np
import pytest

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.evaluation.coherence import EPSILON, document_npmi, npmi


def matrix(rows):
    return DocTermMatrix.from_scipy(np.array(rows))


def by_definition(topic, rows):
    occurs = np.array([row for row in rows if any(row)]) > 0
    scores = []
    for v, w in itertools.combinations(topic, 2):
        joint = (occurs[:, v] & occurs[:, w]).mean() + EPSILON
        scores.append(math.log(joint / (occurs[:, v].mean() * occurs[:, w].mean())) / -math.log(joint))
    return np.mean(scores)


def test_each_topic_follows_the_formula():
    rows = np.random.default_rng(0).poisson(0.4, (60, 12))
    topics = np.array([[0, 3, 7, 1], [11, 2, 5, 4], [3, 0, 9, 10]])
    expected = [by_definition(topic, rows) for topic in topics]
    assert npmi(topics, matrix(rows)) == pytest.approx(expected, rel=1e-12)


def test_counts_and_empty_documents_do_not_matter():
    rows = np.random.default_rng(1).poisson(0.5, (30, 5))
    rows = rows[rows.any(axis=1)]
    padded = np.vstack([rows * 7, np.zeros((9, 5), dtype=int)])
    topics = np.array([[0, 1, 2], [4, 3, 2]])
    assert npmi(topics, matrix(padded)) == pytest.approx(npmi(topics, matrix(rows)))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([[1, 1], [0, 0], [1, 1], [0, 0]], 0.0, id="together in every document that has words"),
        pytest.param([[1, 1, 0], [0, 0, 1]], 1.0, id="always together"),
        pytest.param([[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], 0.0, id="independent"),
        pytest.param([[1, 0, 1], [1, 0, 0]], -1.0, id="one never occurs"),
        pytest.param([[0, 0, 1], [0, 0, 1]], -1.0, id="neither occurs"),
    ],
)
def test_cases_with_a_known_score(rows, expected):
    assert npmi(np.array([[0, 1]]), matrix(rows))[0] == pytest.approx(expected, abs=1e-9)


def test_words_that_never_meet_have_a_low_finite_score():
    score = npmi(np.array([[0, 1]]), matrix([[1, 0], [0, 1]]))[0]
    assert score == pytest.approx(math.log(EPSILON / 0.25) / -math.log(EPSILON))
    assert -1 < score < -0.9


def test_unseen_words_are_reported_by_topic():
    result = document_npmi(np.array([[0, 1], [2, 3]]), matrix([[1, 0, 0, 0], [2, 1, 0, 0]]), "test")
    assert result.unseen_words.tolist() == [0, 2]
    assert (result.protocol, result.reference) == ("document_npmi", "test")
    assert (result.num_documents, result.num_tokens, result.num_top_words) == (2, 4, 2)
    assert result.mean == pytest.approx(result.per_topic.mean())


def test_negative_control_shuffled_topics_are_less_coherent():
    rows = np.kron(np.eye(4, dtype=int), np.ones((20, 5), dtype=int))
    topics = np.arange(20).reshape(4, 5)
    shuffled = topics.T.reshape(4, 5)
    assert npmi(topics, matrix(rows)).mean() > npmi(shuffled, matrix(rows)).mean() + 0.5


@pytest.mark.parametrize(
    ("topics", "rows", "message"),
    [
        pytest.param([[0]], [[1, 1]], "at least 2", id="one word"),
        pytest.param([[0, 1]], [[0, 0]], "at least one word", id="no words in the reference"),
    ],
)
def test_what_cannot_be_measured_is_refused(topics, rows, message):
    with pytest.raises(ValueError, match=message):
        npmi(np.array(topics), matrix(rows))
