"""Bounds and estimates of the evidence against itself: by quadrature, and by sums over assignments."""

import itertools

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.evaluation.bounds import dirichlet_kl, elbo_scores, importance_scores
from lda_app.evaluation.left_to_right import left_to_right_scores
from lda_app.evaluation.perplexity import Effort, perplexities

BETA = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
ALPHA = np.array([1.5, 2.0])
ROWS = np.array([[1, 0, 0], [2, 1, 0], [0, 2, 3], [4, 0, 4], [0, 0, 7]])
DOCUMENTS = DocTermMatrix.from_scipy(ROWS)
NUM_SAMPLES = 4_000


def expectation(function, concentration):
    """E[function(θ)] of two topics under Dir(concentration), by quadrature over θ₁."""
    (a, b), log_mass = concentration, special.betaln(*concentration)

    def integrand(t):
        return t ** (a - 1) * (1 - t) ** (b - 1) * function(np.array([t, 1 - t]))

    return integrate.quad(integrand, 0, 1, epsabs=1e-12)[0] / np.exp(log_mass)


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


@pytest.fixture(scope="module")
def scored(posterior):
    return scores_and_errors(posterior)


@pytest.fixture(scope="module")
def evidence():
    return np.array([log_evidence(counts) for counts in ROWS])


def scores_and_errors(infer):
    scores = elbo_scores(DOCUMENTS, infer, ALPHA, BETA, seed=0, num_samples=NUM_SAMPLES)
    return scores.log_likelihood, np.sqrt(scores.variance)


def test_elbo_equals_quadrature(posterior, scored):
    estimate, error = scored
    exact = [exact_elbo(*pair) for pair in zip(ROWS, posterior(DOCUMENTS), strict=True)]
    assert (np.abs(estimate - exact) < 5 * error).all()


def test_elbo_is_below_the_log_evidence_and_near_it(scored, evidence):
    estimate, error = scored
    gap = evidence - estimate
    assert (gap > -5 * error).all()
    assert (gap < 0.02).all()


def test_a_worse_posterior_has_a_wider_gap(scored):
    estimate, _ = scores_and_errors(lambda doc_term: np.full((doc_term.num_documents, 2), 30.0))
    assert estimate.sum() < scored[0].sum() - 1


def test_negative_control_a_bound_without_its_divergence_exceeds_the_evidence(posterior, scored, evidence):
    estimate, error = scored
    without_kl = estimate + dirichlet_kl(posterior(DOCUMENTS), ALPHA)
    assert (without_kl > evidence + 5 * error).any()


def test_negative_control_the_multinomial_coefficient_breaks_the_bound(scored, evidence):
    estimate, error = scored
    coefficients = [stats.multinomial.logpmf(c, c.sum(), [1 / 3] * 3) + c.sum() * np.log(3) for c in ROWS]
    assert (estimate + coefficients > evidence + 5 * error).any()


BETA_3 = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.6, 0.2]])
ALPHA_3 = np.array([1.5, 1.2, 1.8])
COPIES = 3_000


def exact_log_evidence(counts, alpha, beta):
    """log p(w|α, β) by the sum over all assignments of topics to tokens."""
    words = np.repeat(np.arange(len(counts)), counts)
    assignments = np.array(list(itertools.product(range(len(alpha)), repeat=len(words))))
    words_given_topics = beta[assignments, words].prod(axis=1)
    topic_counts = np.stack([(assignments == k).sum(axis=1) for k in range(len(alpha))], axis=1)
    log_topics = (special.gammaln(alpha + topic_counts) - special.gammaln(alpha)).sum(axis=1)
    log_topics += special.gammaln(alpha.sum()) - special.gammaln(alpha.sum() + len(words))
    return np.log(words_given_topics @ np.exp(log_topics))


def copies(counts):
    return DocTermMatrix.from_scipy(np.tile(counts, (COPIES, 1)))


def misses(estimates, expected):
    """How many standard errors the mean of independent estimates is away."""
    return abs(estimates.mean() - expected) / (estimates.std() / np.sqrt(len(estimates)))


@pytest.fixture(params=[(ALPHA, BETA), (ALPHA_3, BETA_3)], ids=["two topics", "three topics"])
def model(request):
    return request.param


def rough_posterior(alpha, beta):
    """A third of a fold-in step: not the best q, but wide enough, γ < 2 α, for weights of finite variance."""
    return lambda doc_term: alpha + doc_term.to_scipy() @ (beta / beta.sum(axis=0)).T / 3


def importance(doc_term, alpha, beta, num_samples, seed=0):
    infer = rough_posterior(alpha, beta)
    return importance_scores(doc_term, infer, alpha, beta, seed=seed, num_samples=num_samples)


def test_the_sum_over_assignments_is_the_evidence_by_quadrature():
    assert exact_log_evidence(ROWS[2], ALPHA, BETA) == pytest.approx(log_evidence(ROWS[2]))


def test_importance_equals_the_evidence_within_its_error(model):
    scores = importance(DOCUMENTS, *model, num_samples=20_000)
    exact = np.array([exact_log_evidence(counts, *model) for counts in ROWS])
    assert (np.abs(scores.log_likelihood - exact) < 5 * np.sqrt(scores.variance)).all()
    assert (np.sqrt(scores.variance) < 0.1).all()


def test_importance_of_one_sample_is_the_elbo_in_expectation(model):
    infer, documents = rough_posterior(*model), copies(ROWS[2])
    single = importance(documents, *model, num_samples=1)
    bound = elbo_scores(documents, infer, *model, seed=1, num_samples=50).log_likelihood.mean()
    assert misses(single.log_likelihood, bound) < 4
    assert single.variance is None


def test_bounds_rise_with_the_number_of_samples_towards_the_evidence(model):
    # The document of the widest gaps: each step is at least five standard errors of its difference.
    documents, exact = copies(ROWS[4]), exact_log_evidence(ROWS[4], *model)
    bound = elbo_scores(documents, rough_posterior(*model), *model, seed=0).log_likelihood.mean()
    weighted = [importance(documents, *model, num_samples=n).log_likelihood for n in (2, 8, 32)]
    two, eight, most = (values.mean() for values in weighted)
    assert bound < two < eight < most < exact + 4 * weighted[2].std() / np.sqrt(COPIES)


def test_weights_are_unbiased(model):
    """The mean weight, not its logarithm, is the evidence in expectation."""
    scores = importance(copies(ROWS[1]), *model, num_samples=5)
    assert misses(np.exp(scores.log_likelihood), np.exp(exact_log_evidence(ROWS[1], *model))) < 4


def test_negative_control_weights_without_the_density_of_the_posterior_are_biased(model):
    _, beta = model
    gammas = rough_posterior(*model)(copies(ROWS[1]))
    theta = np.array([stats.dirichlet(gammas[0]).rvs(COPIES, random_state=0)])[0]
    wrong = np.prod((theta @ beta) ** ROWS[1], axis=1)
    assert misses(wrong, np.exp(exact_log_evidence(ROWS[1], *model))) > 4


@pytest.mark.parametrize("num_particles", [1, 4])
def test_left_to_right_is_unbiased_with_any_number_of_particles(model, num_particles):
    for counts in (ROWS[1], ROWS[3]):
        scores = left_to_right_scores(
            copies(counts), *model, seed=1, num_particles=num_particles, max_documents=COPIES
        )
        assert misses(np.exp(scores.log_likelihood), np.exp(exact_log_evidence(counts, *model))) < 4


def test_negative_control_left_to_right_under_another_prior_is_not(model):
    alpha, beta = model
    scores = left_to_right_scores(copies(ROWS[4]), alpha[::-1], beta, seed=1, max_documents=COPIES)
    assert misses(np.exp(scores.log_likelihood), np.exp(exact_log_evidence(ROWS[4], *model))) > 4


def mean_without_choice(words, alpha, beta, num_particles, num_runs):
    """Mean estimate, and its error, of the algorithm whose particles are neither copied nor dropped."""
    generator, each = np.random.default_rng(0), np.eye(len(alpha))
    topics = np.zeros((num_runs, num_particles, len(words)), dtype=int)
    counts, estimate = np.zeros((num_runs, num_particles, len(alpha))), np.ones(num_runs)

    def draw(token):
        cumulative = np.cumsum((counts + alpha) * beta[:, words[token]], axis=-1)
        below = generator.random((num_runs, num_particles, 1)) * cumulative[..., -1:]
        topics[..., token] = (cumulative < below).sum(axis=-1)
        return each[topics[..., token]]

    for n, word in enumerate(words):
        for token in range(n):
            counts -= each[topics[..., token]]
            counts += draw(token)
        estimate *= ((counts + alpha) @ beta[:, word]).mean(axis=1) / (n + alpha.sum())
        counts += draw(n)
    return estimate.mean(), estimate.std() / np.sqrt(num_runs)


def test_negative_control_left_to_right_without_a_choice_of_particles_is_biased():
    alpha, beta, words = np.array([0.1, 0.1]), np.array([[0.9, 0.1], [0.1, 0.9]]), [0, 0, 1, 0]
    exact = np.exp(exact_log_evidence(np.array([3, 1]), alpha, beta))
    single, error = mean_without_choice(words, alpha, beta, num_particles=1, num_runs=20_000)
    assert abs(single - exact) < 4 * error
    several, error = mean_without_choice(words, alpha, beta, num_particles=4, num_runs=20_000)
    assert several - exact > 20 * error
    assert several / exact == pytest.approx(1.09, abs=0.01)
    chosen = left_to_right_scores(
        DocTermMatrix.from_scipy(np.tile([3, 1], (COPIES, 1))),
        alpha,
        beta,
        seed=0,
        num_particles=4,
        max_documents=COPIES,
    )
    assert misses(np.exp(chosen.log_likelihood), exact) < 4


def test_left_to_right_states_its_error(model):
    documents = copies(ROWS[3])
    scores = left_to_right_scores(documents, *model, seed=0, num_particles=8, max_documents=COPIES)
    assert scores.variance.mean() == pytest.approx(scores.log_likelihood.var(), rel=0.15)


def test_all_protocols_agree_on_what_is_known_exactly(model):
    infer, documents = rough_posterior(*model), copies(ROWS[2])
    exact = np.exp(-exact_log_evidence(ROWS[2], *model) / ROWS[2].sum())
    effort = Effort(importance_samples=200, max_documents=COPIES)
    names = ("elbo", "importance", "left_to_right")
    elbo, weighted, filtered = perplexities(names, documents, infer, *model, seed=0, effort=effort)
    assert elbo.value > weighted.value
    for measured in (weighted, filtered):
        assert measured.value == pytest.approx(exact, abs=5 * measured.monte_carlo_error + 2e-3)
