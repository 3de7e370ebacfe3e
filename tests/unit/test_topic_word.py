"""β as smoothed counts: decay by a common factor, steps that touch only the words they name."""

import copy

import pytest
import torch

from lda_app.models.topic_word import TopicWordCounts


@pytest.fixture
def topics():
    return TopicWordCounts(torch.rand(30, 4, generator=torch.Generator().manual_seed(0)) * 100, eta=0.05)


def test_every_topic_is_a_distribution_over_the_words(topics):
    torch.testing.assert_close(topics.beta().sum(1), torch.ones(4))
    assert (topics.beta() > 0).all()


def test_rows_are_columns_of_beta(topics):
    words = torch.tensor([0, 3, 29])
    torch.testing.assert_close(topics.rows(words), topics.beta().T[words])


def test_steps_equal_the_plain_moving_average(topics):
    reference = topics.expected_counts.double()
    generator = torch.Generator().manual_seed(1)
    for _ in range(300):
        words = torch.randperm(30, generator=generator)[:12]
        counts = torch.rand(12, 4, generator=generator) * 50
        topics.step(words, counts, rate=0.3)
        reference *= 0.7
        reference[words] += 0.3 * counts
    expected = (reference + 0.05) / (reference.sum(0) + 30 * 0.05)
    torch.testing.assert_close(topics.beta().double(), expected.T, rtol=1e-5, atol=1e-8)


def test_the_scale_never_underflows(topics):
    for _ in range(5000):
        topics.step(torch.tensor([1]), torch.ones(1, 4), rate=0.6)
    assert topics.scale > 1e-20
    assert topics.beta().isfinite().all()
    torch.testing.assert_close(topics.totals, torch.ones(4, dtype=torch.float64), rtol=1e-6, atol=1e-6)


def test_rescaling_leaves_beta_as_it_is(topics):
    topics.step(torch.tensor([1, 2]), torch.ones(2, 4), rate=0.5)
    before = topics.beta()
    topics.rescale()
    torch.testing.assert_close(topics.beta(), before)


def test_gradient_counts_are_expected_counts(topics):
    """For one document of one topic, each word's expected count is its count."""
    topics.learn_by_gradient = True
    words, counts = torch.tensor([4, 9]), torch.tensor([3.0, 2.0])
    beta = topics(words)
    loss = -(counts * beta[:, 1].log()).sum()
    loss.backward()
    expected = torch.zeros(2, 4)
    expected[:, 1] = counts
    torch.testing.assert_close(topics.gradient_counts(), expected)


def test_gradient_counts_without_a_loss_is_an_error(topics):
    with pytest.raises(RuntimeError, match="no loss"):
        topics.gradient_counts()


def test_the_prior_is_a_part_of_the_counts_at_each_step(topics):
    seeded = copy.deepcopy(topics)
    words, prior = torch.tensor([2, 5]), torch.tensor([[7.0, 0, 0, 0], [0, 0, 3.0, 0]])
    seeded.prior = words, prior
    generator = torch.Generator().manual_seed(1)
    both = [torch.tensor([1, 5, 9]), torch.tensor([0, 2])]
    for step in range(40):
        batch = both[step % 2]
        counts = torch.rand(len(batch), 4, generator=generator) * 50
        seeded.step(batch, counts, rate=0.3)
        dense = torch.zeros(30, 4).index_add(0, batch, counts).index_add(0, words, prior)
        topics.step(torch.arange(30), dense, rate=0.3)
    torch.testing.assert_close(seeded.beta(), topics.beta())
    torch.testing.assert_close(seeded.totals, topics.totals)
