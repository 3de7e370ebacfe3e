"""Topics aligned between runs, and how often they are found."""

import numpy as np
import pytest

from lda_app.errors import FolderError
from lda_app.evaluation.stability import (
    FOUND,
    agreement,
    align,
    read_stability,
    resembling,
    similarities,
    topic_stability,
    write_stability,
)
from lda_app.system.storage import sealed_folder


@pytest.fixture
def topics():
    """Twelve topics over 400 words, unlike each other."""
    return np.random.default_rng(0).dirichlet(np.full(400, 0.05), size=12)


def noisy(beta, tokens, seed):
    """Estimate topics anew from so many tokens each."""
    counts = np.random.default_rng(seed).multinomial(tokens, beta)
    return (counts + 0.05) / (counts + 0.05).sum(axis=1, keepdims=True)


def test_a_permutation_is_undone(topics):
    order = np.random.default_rng(1).permutation(len(topics))
    aligned = align(topics, topics[order])
    np.testing.assert_array_equal(order[aligned.partner], np.arange(len(topics)))
    np.testing.assert_allclose(aligned.similarity, 1, atol=1e-12)


def test_similarity_is_one_less_the_squared_hellinger_distance(topics):
    other = noisy(topics, 500, 0)
    squared = 0.5 * ((np.sqrt(topics)[:, None] - np.sqrt(other)[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(similarities(topics, other), 1 - squared, atol=1e-12)


def test_the_partners_are_the_best_together_though_not_each_for_itself():
    beta = np.array([[0.5, 0.5, 0.0], [0.6, 0.0, 0.4]])
    other = np.array([[0.55, 0.25, 0.2], [0.0, 0.0, 1.0]])
    similarity = similarities(beta, other)
    assert similarity.argmax(axis=1).tolist() == [0, 0]
    assert align(beta, other).partner.tolist() == [0, 1]


def test_topics_learned_anew_are_found_and_strangers_are_not(topics):
    strangers = np.random.default_rng(9).dirichlet(np.full(400, 0.05), size=12)
    again = [noisy(topics, 2000, seed) for seed in range(5)]
    assert (topic_stability(topics, again).found_in == 5).all()
    assert (topic_stability(topics, [strangers] * 5).found_in == 0).all()
    assert topic_stability(topics, [strangers]).similarity < FOUND


def test_a_topic_that_one_run_lacks_is_found_in_the_others(topics):
    lacking = topics.copy()
    lacking[3] = np.random.default_rng(2).dirichlet(np.full(400, 0.05))
    scored = topic_stability(topics, [topics, lacking, topics[::-1]])
    assert scored.found_in.tolist() == [3, 3, 3, 2, *[3] * 8]
    assert scored.found_share == pytest.approx(35 / 36)


def test_each_run_is_scored_by_the_others_as_by_itself(topics):
    runs = [noisy(topics[np.random.default_rng(seed).permutation(12)], 60, seed) for seed in range(4)]
    agreed = agreement(runs)
    for number, run in enumerate(runs):
        alone = topic_stability(run, runs[:number] + runs[number + 1 :])
        np.testing.assert_array_equal(agreed.of_run(number).found_in, alone.found_in)
        np.testing.assert_allclose(agreed.of_run(number).mean_similarity, alone.mean_similarity)
    np.testing.assert_allclose(agreed.pairs, agreed.pairs.T)


def test_the_most_typical_run_is_not_the_odd_one(topics):
    odd = np.random.default_rng(3).dirichlet(np.full(400, 0.05), size=12)
    assert agreement([odd, noisy(topics, 300, 1), noisy(topics, 300, 2)]).most_typical != 0


def test_a_topic_twice_in_a_run_resembles_itself(topics):
    assert resembling([topics]) == 0
    assert resembling([np.vstack([topics, topics[:1]])]) == pytest.approx(2 / 13)


def test_runs_of_another_shape_are_refused(topics):
    with pytest.raises(ValueError, match=r"\(12, 400\) and \(11, 400\)"):
        align(topics, topics[:-1])


@pytest.fixture
def run(tmp_path):
    with sealed_folder(tmp_path / "run", kind="model", format_version=1, overwrite=False) as staging:
        (staging / "model.safetensors").write_bytes(b"weights")
    return tmp_path / "run"


def test_scores_are_kept_with_the_run(run, topics):
    assert read_stability(run, 12) is None
    scored = topic_stability(topics, [noisy(topics, 50, seed) for seed in range(3)])
    write_stability(run, scored)
    read = read_stability(run, 12)
    np.testing.assert_array_equal(read.found_in, scored.found_in)
    np.testing.assert_array_equal(read.mean_similarity, scored.mean_similarity)
    assert read.num_runs == 3


def test_scores_of_other_topics_are_refused(run, topics):
    write_stability(run, topic_stability(topics[:3], [topics[:3]]))
    with pytest.raises(FolderError, match=r"stability\.json: not the stability of 12 topics"):
        read_stability(run, 12)
