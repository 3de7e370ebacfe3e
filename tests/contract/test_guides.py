"""Every gradient, posterior and inference trains the one model, and its bound is a bound."""

import functools
import itertools
import math

import numpy as np
import pyro
import pytest
import torch
from pyro.infer import TraceMeanField_ELBO
from scipy import sparse
from torch.distributions import Dirichlet

from lda_app.config import TrainConfig
from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.errors import ConfigError
from lda_app.fitted.inference import concentration
from lda_app.fitted.topics import topic_proportions
from lda_app.models.cavi import CoordinateAscent
from lda_app.models.elbo import SampledELBO, direct_elbo
from lda_app.models.guides import LogisticNormal, make_lda
from lda_app.models.topic_word import TopicWordCounts
from lda_app.system.runtime import Interruption
from lda_app.training.data import divide
from lda_app.training.schedule import Schedule
from lda_app.training.state import read_checkpoint, restore, save_checkpoint
from lda_app.training.train import make_state, train

K, V = 3, 24
OPTIONS = {
    "implicit": {},
    "torch": {"gradient": "torch"},
    "rsvi": {"gradient": "rsvi"},
    "score": {"gradient": "score"},
    "gumbel-softmax": {"gradient": "gumbel-softmax", "temperature": 1.0, "final_temperature": 0.2},
    "logistic-normal": {"posterior": "logistic-normal"},
    "cavi": {"inference": "cavi"},
    "mlp": {"encoder": "mlp"},
}


@pytest.fixture(scope="module")
def beta():
    """Three topics of eight words each, which overlap a little."""
    return np.kron(np.eye(K), np.full(V // K, 1.0)) * 0.115 + 0.005


@pytest.fixture(scope="module")
def doc_term(beta):
    generator = np.random.default_rng(0)
    shares = generator.dirichlet(np.full(K, 0.3), size=300)
    counts = [generator.multinomial(40, row @ beta / beta.sum(1)[0]) for row in shares]
    return DocTermMatrix.from_scipy(sparse.csr_array(np.array(counts)))


@pytest.fixture(scope="module")
def batch(doc_term):
    return make_batch(doc_term, np.arange(20))


@pytest.fixture(scope="module")
def copies(doc_term):
    """Ten copies of each document of `batch`, each with a sample of its own: cheaper than ten calls."""
    return make_batch(doc_term, np.tile(np.arange(20), 10))


def planted(beta, **options):
    """The model with the right topics and an untrained network."""
    torch.manual_seed(0)
    topics = TopicWordCounts(torch.from_numpy(1e4 * beta.T).float(), eta=0.01)
    lda = make_lda(TrainConfig(num_topics=K, alpha=0.3, **options), 300, topics)
    lda.generator = torch.Generator().manual_seed(1)
    return lda


def fit(doc_term, **options):
    config = TrainConfig(**{"num_topics": K, "epochs": 10, "alpha": 0.3, "batch_size": 30, **options})
    data = divide(doc_term, config)
    state = make_state(config, data, torch.device("cpu"))
    assert train(state, config, data, save=lambda state: None, interruption=Interruption())
    return state


@pytest.fixture(scope="module")
def fitted(doc_term):
    """Train by a row of the table once, for tests that only read: ``fitted("rsvi", "elbo")``."""
    return functools.cache(lambda name, update: fit(doc_term, topic_update=update, **OPTIONS[name]))


# The ELBO alone leaves two topics mixed for some seeds, and a processor that rounds differently is like
# another seed; so each way has three.
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("topic_update", ["elbo", "refined"])
def test_planted_topics_are_found(fitted, doc_term, beta, topic_update, name):
    first = fitted(name, topic_update)
    others = (fit(doc_term, topic_update=topic_update, seed=seed, **OPTIONS[name]) for seed in (1, 2))
    runs = itertools.chain([first], others)
    lda = next((state.lda for state in runs if are_found(state.lda, beta)), first.lda)
    assert are_found(lda, beta)
    shares = topic_proportions(concentration(lda, doc_term))
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)


def are_found(lda, beta, *, within=0.15):
    """Tell whether each topic of β has its own learned one."""
    learned = lda.topics.beta().numpy()
    distances = np.abs(beta[:, None] / beta.sum(1)[0] - learned[None]).sum(-1) / 2
    return sorted(distances.argmin(1)) == list(range(K)) and distances.min(1).max() < within


@pytest.mark.parametrize(("encoder", "rate"), [("unrolled", 0.05), ("mlp", 0.01)])
@pytest.mark.parametrize("init", ["documents", "random"])
def test_planted_topics_are_found_by_adam(doc_term, beta, encoder, rate, init):
    adam = {"beta_optimizer": "adam", "topic_update": "elbo", "learning_rate": rate}
    adam |= {"epochs": 20, "batch_size": None}
    assert are_found(fit(doc_term, encoder=encoder, init=init, **adam).lda, beta, within=0.25)


@pytest.mark.parametrize("name", OPTIONS)
def test_training_repeats_to_the_bit(doc_term, name):
    """Of the topics, too: a few steps have all phases of a run in them."""
    first, second = (fit(doc_term, epochs=2, **OPTIONS[name]) for _ in range(2))
    assert first.history == second.history
    assert torch.equal(first.lda.topics.beta(), second.lda.topics.beta())


def log_evidence(beta, batch, alpha=0.3, num_samples=200_000):
    """Log probability of the documents, by importance sampling from a wide proposal around the exact mode."""
    beta = torch.from_numpy(beta / beta.sum(1)[0]).double()
    prior, total = Dirichlet(torch.full((K,), alpha, dtype=torch.float64)), 0.0
    generator = np.random.default_rng(2)
    for d in range(batch.num_documents):
        places = slice(int(batch.indptr[d]), int(batch.indptr[d + 1]))
        words, counts = batch.words[batch.columns[places]], batch.counts[places].double()
        weights = counts @ (beta[:, words] / beta[:, words].sum(0)).T
        proposal = alpha + 0.5 * weights.numpy()
        theta = torch.from_numpy(generator.dirichlet(proposal, size=num_samples // 10)).clamp(min=1e-300)
        log_joint = prior.log_prob(theta) + (counts * torch.log(theta @ beta[:, words])).sum(-1)
        log_proposal = Dirichlet(torch.from_numpy(proposal)).log_prob(theta)
        total += float(torch.logsumexp(log_joint - log_proposal, 0)) - math.log(len(theta))
    return total


def mean_elbo(lda, batch, repeats):
    with pyro.validation_enabled(is_validate=False):
        losses = [SampledELBO().differentiable_loss(lda.model, lda.guide, batch) for _ in range(repeats)]
    return -float(torch.stack(losses).mean().detach()) * batch.num_documents / lda.num_documents


@pytest.fixture(scope="module")
def evidence(beta, batch):
    return log_evidence(beta, batch)


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in ("gumbel-softmax", "mlp")])
def test_the_elbo_is_a_lower_bound(beta, batch, copies, evidence, name):
    """Gumbel-softmax at a temperature above 0 promises no bound: a relaxed z has another mean.

    An mlp that is not trained is too far off to tell.
    """
    lda = planted(beta, **OPTIONS[name])
    elbo = mean_elbo(lda, copies, repeats=20) / 10
    assert elbo < evidence
    assert elbo > evidence - 12 * batch.num_documents


@pytest.fixture(scope="module")
def quiet_gradient(beta, copies):
    """The mean of many implicit gradients, which the others are compared with."""
    return mean_gradient(planted(beta), copies, 10)[0]


@pytest.mark.parametrize(("gradient", "power"), [("torch", 0.1), ("rsvi", 0.15), ("score", 0.5)])
def test_gradients_of_the_network_agree_in_the_mean(beta, copies, quiet_gradient, gradient, power):
    """The mean over many samples, along the mean of the implicit one, which is quiet."""
    got, error = mean_gradient(planted(beta, gradient=gradient), copies, 40, along=quiet_gradient)
    assert error < power
    assert abs(got - 1) < 4.5 * math.hypot(error, 0.02)


def mean_gradient(lda, batch, repeats, along=None):
    parameters = [p for p in lda.encoder.parameters() if p.requires_grad]
    estimates = []
    for _ in range(repeats):
        with pyro.validation_enabled(is_validate=False):
            loss = SampledELBO().differentiable_loss(lda.model, lda.guide, batch)
        slopes = torch.autograd.grad(loss, parameters, allow_unused=True)
        estimates.append(torch.cat([s.flatten() for s in slopes if s is not None]))
    stacked = torch.stack(estimates).double()
    if along is None:
        return stacked.mean(0), None
    projected = stacked @ along / along.square().sum()
    return float(projected.mean()), float(projected.std()) / math.sqrt(repeats)


def test_mean_field_bound_is_that_of_assignments(beta, batch):
    """exp E[log θ] in the likelihood gives E_q(θ)q(z)[log p − log q] with q(z) at its best."""
    lda = planted(beta, inference="cavi")
    c = lda.posterior(batch)
    beta_rows = lda.topics.rows(batch.words)[batch.columns]
    mean_log = (torch.digamma(c) - torch.digamma(c.sum(-1, keepdim=True)))[batch.document_of]
    logits = mean_log + beta_rows.log()
    q = torch.softmax(logits, -1)
    assigned = (batch.counts[:, None] * q * (logits - q.log())).sum()
    divergence = torch.distributions.kl_divergence(Dirichlet(c), Dirichlet(lda.alpha)).sum()
    exact = float((assigned - divergence).detach())
    assert mean_elbo(lda, batch, repeats=1) == pytest.approx(exact, rel=1e-5)


def test_coordinate_ascent_ends_at_a_fixed_point(beta, batch):
    lda = planted(beta, inference="cavi")
    rows = lda.topics.rows(batch.words)
    c = CoordinateAscent()(batch, lda.alpha.detach(), rows)
    weights = torch.softmax(torch.digamma(c), -1)[batch.document_of] * rows[batch.columns]
    shares = batch.counts[:, None] * weights / weights.sum(-1, keepdim=True)
    again = lda.alpha.detach() + torch.zeros_like(c).index_add_(0, batch.document_of, shares)
    assert float((again - c).abs().max()) < 0.02


def test_coordinate_ascent_treats_each_document_alike(beta, doc_term):
    lda = planted(beta, inference="cavi")
    whole = concentration(lda, doc_term.rows(np.arange(60)))
    alone = np.concatenate([concentration(lda, doc_term.rows(np.array([d]))) for d in range(10)])
    np.testing.assert_array_equal(whole[:10], alone)


def test_logistic_normal_density_adds_up_to_one():
    c = torch.tensor([[2.0, 1.0, 4.0]], dtype=torch.float64)
    edges = torch.linspace(0, 1, 801, dtype=torch.float64)
    middle = (edges[1:] + edges[:-1]) / 2
    first, second = torch.meshgrid(middle, middle, indexing="ij")
    inside = first + second < 1
    theta = torch.stack([first[inside], second[inside], (1 - first - second)[inside]], -1)
    density = LogisticNormal(c, None).log_prob(theta).exp()
    assert float(density.sum()) / 800**2 == pytest.approx(1, abs=2e-3)


def test_logistic_normal_resembles_the_dirichlet():
    c = torch.tensor([8.0, 3.0, 20.0]).expand(50_000, 3)
    theta = LogisticNormal(c, torch.Generator().manual_seed(0)).rsample()
    assert theta.mean(0).tolist() == pytest.approx(Dirichlet(c[0]).mean.tolist(), abs=0.01)
    assert theta.std(0).tolist() == pytest.approx(Dirichlet(c[0]).stddev.tolist(), rel=0.1)


def test_elbo_is_pyros_own_without_weights(beta, batch):
    lda = planted(beta)
    state = lda.generator.get_state()
    ours = SampledELBO().differentiable_loss(lda.model, lda.guide, batch)
    lda.generator.set_state(state)
    theirs = TraceMeanField_ELBO().differentiable_loss(lda.model, lda.guide, batch)
    assert float(ours.detach()) == float(theirs.detach())


@pytest.mark.parametrize("topic_update", ["elbo", "refined"])
def test_the_direct_elbo_is_that_of_the_pyro_pair(beta, batch, topic_update):
    """The same loss, the same sample and the same gradients, from the same random numbers."""
    lda = planted(beta, topic_update=topic_update)
    with torch.no_grad():
        for weights in lda.encoder.parameters():
            weights.add_(0.3 * torch.randn_like(weights))
    lda.topics.learn_by_gradient = topic_update == "elbo"
    direct = loss_and_gradients(lda, lambda: direct_elbo(lda, batch).loss)
    pyros = loss_and_gradients(lda, lambda: SampledELBO().differentiable_loss(lda.model, lda.guide, batch))
    for one, other in zip(direct, pyros, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-4)


def loss_and_gradients(lda, loss_of):
    lda.generator.manual_seed(7)
    lda.zero_grad()
    loss = loss_of()
    loss.backward()
    counts = [lda.topics.gradient_counts()] if lda.topics.learn_by_gradient else []
    return [loss.detach(), *(weights.grad.clone() for weights in lda.parameters()), *counts]


def test_a_run_without_a_network_resumes(doc_term, tmp_path):
    state = fit(doc_term, inference="cavi", epochs=2)
    save_checkpoint(tmp_path / "checkpoint", state, {})
    config = TrainConfig(num_topics=K, inference="cavi")
    fresh = make_state(config, divide(doc_term, config), torch.device("cpu"))
    restore(fresh, *read_checkpoint(tmp_path / "checkpoint"))
    assert fresh.history == state.history
    assert torch.equal(fresh.lda.topics.expected_counts, state.lda.topics.expected_counts)


def test_temperature_is_constant_or_falls():
    schedule = Schedule(num_steps=10)
    assert schedule.temperature(TrainConfig(temperature=0.7), 9) == 0.7
    annealed = TrainConfig(temperature=1.0, final_temperature=0.25)
    assert [schedule.temperature(annealed, step) for step in (0, 5, 10)] == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"inference": "cavi", "posterior": "logistic-normal"},
            "posterior must be dirichlet with inference cavi",
        ),
        (
            {"inference": "cavi", "encoder": "mlp"},
            "encoder mlp is a network, which inference cavi does not use",
        ),
        ({"inference": "cavi", "gradient": "score"}, "gradient score applies only .* leave out cavi"),
        (
            {"posterior": "logistic-normal", "gradient": "rsvi"},
            "gradient rsvi applies only .* leave out logistic-normal",
        ),
        ({"gradient": "pathwise"}, "gradient must be one of implicit, torch, rsvi, score, gumbel-softmax"),
        ({"temperature": 0.0}, "temperature must be a number from 0.01 to 100"),
        ({"final_temperature": float("nan")}, "final_temperature must be a number from 0.01 to 100"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**options)
