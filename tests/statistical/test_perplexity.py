"""The evidence lower bound against the evidence itself, by quadrature, with two topics."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.evaluation.bounds import dirichlet_kl, elbo_scores

BETA = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
ALPHA = np.array([1.5, 2.0])
ROWS = np.array([[1, 0, 0], [2, 1, 0], [0, 2, 3], [4, 0, 4], [0, 0, 7]])
DOCUMENTS = DocTermMatrix.from_scipy(ROWS)
NUM_SAMPLES = 4_000


def expectation(function, concentration):
    """E[function(θ)] of two topics under Dir(concentration), by quadrature over θ₁."""
    density = stats.beta(*concentration)
    value, _ = integrate.quad(lambda t: density.pdf(t) * function(np.array([t, 1 - t])), 0, 1, epsabs=1e-12)
    return value


def log_evidence(counts):
    return np.log(expectation(lambda theta: np.prod((theta @ BETA) ** counts), ALPHA))


def exact_elbo(counts, concentration):
    likelihood = expectation(lambda theta: counts @ np.log(theta @ BETA), concentration)
    return likelihood - dirichlet_kl(concentration[None], ALPHA)[0]


def best_posterior(counts):
    """The Dirichlet of the largest exact bound."""
    best = optimize.minimize(lambda log_gamma: -exact_elbo(counts, np.exp(log_gamma)), np.log(ALPHA + 0.5))
    return np.exp(best.x)


@pytest.fixture(scope="module")
def posterior():
    gammas = np.array([best_posterior(counts) for counts in ROWS])
    return lambda doc_term: gammas[: doc_term.num_documents]


def scores_and_errors(infer):
    scores = elbo_scores(DOCUMENTS, infer, ALPHA, BETA, seed=0, num_samples=NUM_SAMPLES)
    return scores.log_likelihood, np.sqrt(scores.variance)


def test_elbo_equals_quadrature(posterior):
    estimate, error = scores_and_errors(posterior)
    exact = [exact_elbo(*pair) for pair in zip(ROWS, posterior(DOCUMENTS), strict=True)]
    assert (np.abs(estimate - exact) < 5 * error).all()


def test_elbo_is_below_the_log_evidence_and_near_it(posterior):
    estimate, error = scores_and_errors(posterior)
    evidence = np.array([log_evidence(counts) for counts in ROWS])
    gap = evidence - estimate
    assert (gap > -5 * error).all()
    assert (gap < 0.02).all()


def test_a_worse_posterior_has_a_wider_gap(posterior):
    estimate, _ = scores_and_errors(lambda doc_term: np.full((doc_term.num_documents, 2), 30.0))
    assert estimate.sum() < scores_and_errors(posterior)[0].sum() - 1


def test_negative_control_a_bound_without_its_divergence_exceeds_the_evidence(posterior):
    estimate, error = scores_and_errors(posterior)
    without_kl = estimate + dirichlet_kl(posterior(DOCUMENTS), ALPHA)
    evidence = np.array([log_evidence(counts) for counts in ROWS])
    assert (without_kl > evidence + 5 * error).any()


def test_negative_control_the_multinomial_coefficient_breaks_the_bound(posterior):
    estimate, error = scores_and_errors(posterior)
    coefficients = [stats.multinomial.logpmf(c, c.sum(), [1 / 3] * 3) + c.sum() * np.log(3) for c in ROWS]
    evidence = np.array([log_evidence(counts) for counts in ROWS])
    assert (estimate + coefficients > evidence + 5 * error).any()
