"""Intervals of prevalence cover the truth of simulated groups; under one prior for all groups they do not."""

import numpy as np
import pytest
import torch

from lda_app.analysis import composition
from lda_app.analysis.prevalence import MeanShare, group_draws
from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted.folder import untrained
from lda_app.models.simulation import simulate
from lda_app.models.topic_word import TopicWordCounts

K, V, SIZE, NUM_GROUPS = 8, 300, 120, 24
LEVEL = 0.9


@pytest.fixture(scope="module")
def lda():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = untrained(TrainConfig(num_topics=K, alpha=0.15), num_documents=100, num_words=V)
        counts = torch.distributions.Gamma(0.1, 0.001).sample((V, K))
    model.topics = TopicWordCounts(counts, eta=0.01)
    return model


@pytest.fixture(scope="module")
def model(lda, fitted):
    return fitted(lda).labelled()


@pytest.fixture(scope="module")
def groups(lda):
    """Groups of 120 documents of 50 words, whose mean shares differ: documents, groups, true means (G, K)."""
    generator = np.random.default_rng(4)
    means = generator.dirichlet(np.full(K, 1.5), NUM_GROUPS)
    alpha, beta = lda.alpha.detach().numpy().sum(), lda.topics.beta().numpy()
    parts = [simulate(alpha * mean, beta, np.full(SIZE, 50), seed=g)[0] for g, mean in enumerate(means)]
    return DocTermMatrix.concatenate(parts, V), np.repeat(np.arange(NUM_GROUPS), SIZE), means


@pytest.fixture(scope="module")
def drawn(model, groups):
    documents, codes, _ = groups
    return group_draws(model, documents, codes, seed=1)


def held(ends, truth):
    return (ends[0] <= truth) & (truth <= ends[1])


def test_intervals_of_prevalence_cover_what_they_promise(drawn, groups):
    truth = groups[2]
    covered = [held(MeanShare.of(drawn.mean([g])).interval(LEVEL), truth[g]) for g in range(NUM_GROUPS)]
    # 192 shares: the standard error is about 0.022.
    assert 0.84 <= np.mean(covered) <= 0.96


def test_intervals_of_differences_cover_what_they_promise(drawn, groups):
    truth = groups[2]
    pairs = [(g, g + 1) for g in range(0, NUM_GROUPS, 2)]
    covered = [
        held(MeanShare.of(drawn.mean([a])).minus(MeanShare.of(drawn.mean([b])), LEVEL), truth[a] - truth[b])
        for a, b in pairs
    ]
    assert 0.83 <= np.mean(covered) <= 0.97


def test_negative_control_without_sampling_of_documents_they_do_not(drawn, groups):
    truth, covered = groups[2], []
    for g in range(NUM_GROUPS):
        mean = drawn.mean([g])
        half = 1.645 * np.sqrt(mean.between)
        covered.append(held((mean.value - half, mean.value + half), truth[g]))
    assert np.mean(covered) < 0.7


def test_groups_are_not_drawn_towards_the_corpus(model, drawn, groups):
    """Under one prior large shares of short documents come out too small; the groups' own priors mend it."""
    documents, codes, truth = groups
    common = np.concatenate([draws.mean(axis=1) for draws in model.draws(documents, 10, seed=2)])
    largest = np.arange(NUM_GROUPS), truth.argmax(axis=1)
    naive = np.stack([common[codes == g].mean(axis=0) for g in range(NUM_GROUPS)])
    informed = np.stack([drawn.mean([g]).value for g in range(NUM_GROUPS)])
    bias = {name: (values - truth)[largest].mean() for name, values in (("naive", naive), ("own", informed))}
    assert bias["naive"] < -0.015
    assert abs(bias["own"]) < 0.01


def test_a_seed_gives_the_same_figures(model, groups):
    documents, codes, _ = groups
    some = np.arange(0, len(codes), 40)
    sample = documents.rows(some)
    one, same, other = (group_draws(model, sample, codes[some] % 2, seed=s, num_draws=3) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.sums, same.sums)
    assert not np.allclose(one.sums, other.sums)
    assert one.sums.sum(axis=2) == pytest.approx(np.tile(one.sizes, (3, 1)))
    assert composition.PASSES == 3
