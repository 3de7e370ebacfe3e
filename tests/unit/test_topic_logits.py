"""β as a softmax: the same β and the same expected counts as the topics that it stands in for."""

import pytest
import torch

from lda_app.models.topic_logits import TopicWordLogits
from lda_app.models.topic_word import TopicWordCounts


@pytest.fixture
def counts():
    return torch.rand(30, 4, generator=torch.Generator().manual_seed(0)) * 100 + 0.05


def test_beta_is_in_proportion_to_the_counts(counts):
    topics = TopicWordLogits(counts)
    assert (topics.num_words, topics.num_topics) == (30, 4)
    torch.testing.assert_close(topics.beta(), (counts / counts.sum(0)).T)


def test_rows_are_columns_of_beta(counts):
    topics, words = TopicWordLogits(counts), torch.tensor([0, 3, 29])
    torch.testing.assert_close(topics.rows(words), topics.beta().T[words])
    assert not topics.rows(words).requires_grad


def test_the_gradient_is_the_expected_counts_less_what_beta_has_of_them(counts):
    """−∂/∂logits of Σ n log(θ·β_w) is n_k β_kw − n_kw, n_kw the expected counts."""
    words, number = torch.tensor([4, 9, 20]), torch.tensor([3.0, 2.0, 7.0])
    theta = torch.tensor([0.1, 0.2, 0.3, 0.4])
    plain, natural = TopicWordLogits(counts), TopicWordCounts(counts, eta=0.0)
    natural.learn_by_gradient = True
    for topics in (plain, natural):
        (-(number * (topics(words) @ theta).log()).sum()).backward()
    expected = torch.zeros_like(counts).index_add_(0, words, natural.gradient_counts())
    torch.testing.assert_close(
        plain.logits.grad, expected.sum(0) * plain.beta().T - expected, rtol=1e-4, atol=1e-6
    )
