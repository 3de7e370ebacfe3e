"""The likelihood and the expected topic counts, against dense arithmetic and torch's own gradients."""

import numpy as np
import pytest
import torch
from scipy import sparse

from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.models import likelihood
from lda_app.models.likelihood import expected_topic_counts, mean_field_steps, mixture_log_likelihood

NUM_TOPICS = 7


@pytest.fixture
def problem():
    """Return a batch with an empty document, and random theta and beta with gradients."""
    generator = np.random.default_rng(3)
    counts = generator.poisson(0.4, size=(40, 60))
    counts[5] = 0
    doc_term = DocTermMatrix.from_scipy(sparse.csr_array(counts))
    batch = make_batch(doc_term, np.arange(40))
    theta = torch.from_numpy(generator.dirichlet(np.ones(NUM_TOPICS), size=40)).requires_grad_()
    beta = torch.from_numpy(generator.dirichlet(np.ones(60), size=NUM_TOPICS).T[batch.words]).requires_grad_()
    return batch._replace(counts=batch.counts.double()), theta, beta


def dense(batch, num_words):
    counts = torch.zeros(batch.num_documents, num_words, dtype=torch.float64)
    counts[batch.document_of, batch.columns] = batch.counts
    return counts


def test_likelihood_equals_dense_arithmetic(problem):
    batch, theta, beta = problem
    expected = (dense(batch, len(beta)) * (theta @ beta.T).log()).sum(1)
    torch.testing.assert_close(mixture_log_likelihood(theta, beta, batch), expected)


def test_expected_counts_equal_dense_arithmetic_and_add_up_to_the_lengths(problem):
    batch, theta, beta = problem
    counts = expected_topic_counts(theta, beta, batch)
    joint = theta[:, None, :] * beta[None]
    expected = (dense(batch, len(beta))[..., None] * joint / joint.sum(-1, keepdim=True)).sum(1)
    torch.testing.assert_close(counts, expected)
    torch.testing.assert_close(counts.sum(1), batch.lengths())


def test_weights_need_no_norm(problem):
    batch, theta, beta = problem
    torch.testing.assert_close(
        expected_topic_counts(theta, beta, batch), expected_topic_counts(theta * 17, beta, batch)
    )


def test_compiled_and_torch_agree_in_value_and_gradient(problem):
    batch, theta, beta = problem
    results = []
    for function in (mixture_log_likelihood, likelihood._mixture_log_likelihood_torch):
        value = function(theta, beta, batch)
        weights = torch.linspace(0.5, 1.5, value.numel(), dtype=value.dtype)
        results.append((value, *torch.autograd.grad((value * weights).sum(), (theta, beta))))
    for compiled, reference in zip(*results, strict=True):
        torch.testing.assert_close(compiled, reference)


@pytest.mark.parametrize("num_steps", [1, 3])
def test_mean_field_steps_compiled_and_torch_agree_in_value_and_gradient(problem, num_steps):
    batch, weights, beta = problem
    prior = torch.linspace(0.01, 0.4, NUM_TOPICS, dtype=torch.float64).requires_grad_()
    damping = torch.linspace(0.2, 0.9, batch.num_documents, dtype=torch.float64).requires_grad_()
    results = []
    for function in (mean_field_steps, likelihood._mean_field_steps_torch):
        value = function(weights, prior, damping, beta.detach(), batch, num_steps)
        upstream = torch.linspace(-1, 1, value.numel(), dtype=value.dtype).reshape(value.shape)
        slopes = torch.autograd.grad((value * upstream).sum(), (weights, prior, damping))
        results.append((value, *slopes))
    for compiled, reference in zip(*results, strict=True):
        torch.testing.assert_close(compiled, reference)


@pytest.mark.parametrize("num_steps", [1, 3])
def test_inference_does_the_steps_of_training(problem, num_steps):
    batch, theta, beta = (value.detach() if torch.is_tensor(value) else value for value in problem)
    damping = torch.linspace(0.2, 0.9, len(theta), dtype=torch.float64)
    arguments = (theta, torch.full((NUM_TOPICS,), 0.1, dtype=torch.float64), damping, beta, batch, num_steps)
    of_training, counts = mean_field_steps(*arguments), expected_topic_counts(theta, beta, batch)
    with torch.inference_mode():
        torch.testing.assert_close(mean_field_steps(*arguments), of_training)
        torch.testing.assert_close(expected_topic_counts(theta, beta, batch), counts)


def test_mean_field_weights_do_not_underflow():
    """All concentrations so small that exp ψ is zero in any float."""
    batch = make_batch(DocTermMatrix.from_scipy(np.array([[1, 0]])), np.array([0]))
    prior, beta = torch.tensor([1e-3, 2e-3]), torch.full((1, 2), 0.5)
    for damping in (torch.zeros(1), torch.ones(1)):
        gammas = mean_field_steps(torch.full((1, 2), 0.5), prior, damping, beta, batch, 3)
        reference = likelihood._mean_field_steps_torch(
            torch.full((1, 2), 0.5), prior, damping, beta, batch, 3
        )
        torch.testing.assert_close(gammas, reference)


def test_a_gradient_check_by_differences(problem):
    _, theta, beta = problem
    small = make_batch(DocTermMatrix.from_scipy(np.array([[2, 0, 1], [0, 3, 0]])), np.array([0, 1]))
    small = small._replace(counts=small.counts.double())
    theta, beta = theta[:2], beta[:3]
    assert torch.autograd.gradcheck(
        lambda t, b: mixture_log_likelihood(t, b, small),
        (theta.detach().requires_grad_(), beta.detach().requires_grad_()),
    )
    prior = torch.full((NUM_TOPICS,), 0.2, dtype=torch.float64, requires_grad=True)
    damping = torch.tensor([0.3, 0.8], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda t, p, s: mean_field_steps(t, p, s, beta.detach(), small, 2),
        (theta.detach().requires_grad_(), prior, damping),
    )


def test_negative_control_a_gradient_two_percent_off_is_noticed(problem):
    batch, theta, beta = problem
    value = mixture_log_likelihood(theta, beta, batch).sum()
    (gradient,) = torch.autograd.grad(value, theta)
    (reference,) = torch.autograd.grad(
        likelihood._mixture_log_likelihood_torch(theta, beta, batch).sum(), theta
    )
    with pytest.raises(AssertionError):
        torch.testing.assert_close(gradient * 1.02, reference)


def test_no_array_grows_with_the_vocabulary():
    """A million words: rows of the batch's own words only, so a batch takes kilobytes, not gigabytes."""
    doc_term = DocTermMatrix(
        np.array([0, 2, 3]),
        np.array([5, 999_999, 7], dtype=np.int32),
        np.array([1, 2, 3], dtype=np.int32),
        10**6,
    )
    batch = make_batch(doc_term, np.array([0, 1]))
    assert sum(part.numel() for part in batch) < 20
    theta, beta = torch.full((2, 3), 1 / 3), torch.rand(len(batch.words), 3)
    assert mixture_log_likelihood(theta, beta, batch).shape == (2,)
