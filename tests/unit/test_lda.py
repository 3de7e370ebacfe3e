"""The Pyro pair: its sites, its scale, and its loss against the formula."""

import numpy as np
import pyro
import pytest
import torch
from pyro import poutine
from pyro.infer import TraceMeanField_ELBO
from torch.distributions import Dirichlet, kl_divergence

from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.models.elbo import sampled_elbo
from lda_app.models.encoder import UnrolledEncoder
from lda_app.models.lda import LDA
from lda_app.models.likelihood import mixture_log_likelihood
from lda_app.models.topic_word import TopicWordCounts


@pytest.fixture
def problem():
    counts = np.random.default_rng(0).poisson(1.0, size=(8, 20))
    topics = TopicWordCounts(torch.rand(20, 3, generator=torch.Generator().manual_seed(0)), eta=0.1)
    return LDA(80, topics, UnrolledEncoder(3)), make_batch(DocTermMatrix.from_scipy(counts), np.arange(8))


def test_model_and_guide_have_the_same_latent_site_and_nothing_is_left_in_pyros_store(problem):
    lda, batch = problem
    model, guide = (poutine.trace(function).get_trace(batch) for function in (lda.model, lda.guide))
    assert (
        set(model.stochastic_nodes) - {"documents"}
        == set(guide.stochastic_nodes) - {"documents"}
        == {"theta"}
    )
    assert model.observation_nodes == ["counts"]
    assert len(pyro.get_param_store()) == 0


def test_the_loss_is_the_negative_elbo_scaled_to_the_corpus(problem):
    lda, batch = problem
    lda.generator = torch.Generator().manual_seed(3)
    loss = TraceMeanField_ELBO().differentiable_loss(lda.model, lda.guide, batch)
    lda.generator = torch.Generator().manual_seed(3)
    theta = poutine.trace(lda.guide).get_trace(batch).nodes["theta"]["value"]
    prior = Dirichlet(lda.alpha.double()).expand((8,))
    divergence = kl_divergence(Dirichlet(lda.posterior(batch).double()), prior).sum()
    elbo = mixture_log_likelihood(theta, lda.topics.rows(batch.words), batch).sum() - divergence
    torch.testing.assert_close(loss.double(), -elbo * 80 / 8, rtol=1e-5, atol=1e-3)


def test_the_loss_has_gradients_for_guide_and_prior_and_topics(problem):
    lda, batch = problem
    lda.topics.learn_by_gradient = True
    TraceMeanField_ELBO().differentiable_loss(lda.model, lda.guide, batch).backward()
    assert all(parameter.grad.isfinite().all() for parameter in lda.parameters())
    torch.testing.assert_close(
        lda.topics.gradient_counts().sum() / 10, batch.counts.sum(), rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_broke_down_give_a_loss_that_tells(problem, value):
    """A sampler that waits for a number in range would wait for ever."""
    lda, batch = problem
    with torch.no_grad():
        lda.encoder.log_prior[1] = value
    assert not sampled_elbo(lda, batch).loss.isfinite()


def test_the_global_generator_is_not_touched(problem):
    lda, batch = problem
    lda.generator = torch.Generator().manual_seed(3)
    before = torch.get_rng_state()
    poutine.trace(lda.guide).get_trace(batch)
    assert torch.equal(torch.get_rng_state(), before)
