"""Compiled loops over rows: draws of log-Gamma numbers, and the gradients of Gamma and Dirichlet samples.

Each row has its own random stream, so that a result depends neither on the number of threads nor on how
the rows are shared out among them. Numbers are computed in float64, whatever the arrays hold.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lda_app.gradients.noise import State, normal, start_row, uniform
from lda_app.gradients.special import Accuracy
from lda_app.system.compiled import kernel

Array = npt.NDArray[Any]

_HALF_LOG_2_PI = 0.9189385332046727
_TERMS_A_TEST = 4  # superfluous terms cost less than a loop whose length the processor cannot foresee


@kernel
def log_gamma_draw(a: float, state: State) -> float:
    """Draw log z, z ~ Gamma(a, 1), by Marsaglia and Tsang (2000); for a < 1, log z = log z' + log(u) / a."""
    d = (a if a >= 1.0 else a + 1.0) - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(state)
        v = (1.0 + c * x) ** 3
        if v > 0.0:
            u = uniform(state)
            square = x * x
            if u < 1.0 - 0.0331 * square * square:
                break
            if math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v)):
                break
    boost = math.log(uniform(state)) / a if a < 1.0 else 0.0
    return math.log(d * v) + boost


@kernel
def draw_log_gamma(start: int, stop: int, concentration: Array, seed: np.uint64, log_gamma: Array) -> None:
    """Fill ``log_gamma (B, K)`` with log z, z ~ Gamma(concentration, 1)."""
    state = np.empty(1, np.uint64)
    for row in range(start, stop):
        start_row(state, seed, row)
        for k in range(concentration.shape[1]):
            log_gamma[row, k] = log_gamma_draw(np.float64(concentration[row, k]), state)


@kernel
def digamma_above_one(a: float, start: float) -> float:
    """Return ψ(1 + a), a ≥ 0: upward recurrence to x ≥ ``start``, then the asymptotic series."""
    x, numerator, denominator = 1.0 + a, 0.0, 1.0
    while x < start:
        numerator = numerator * x + denominator
        denominator *= x
        x += 1.0
    inverse = 1.0 / (x * denominator)  # one division for 1/x and the sum of the recurrence
    r = inverse * denominator
    u = r * r
    tail = 1 / 252 - u * (1 / 240 - u * (1 / 132 - u * (691 / 32760 - u / 12)))
    return math.log(x) - 0.5 * r - u * (1 / 12 - u * (1 / 120 - u * tail)) - numerator * inverse * x


@kernel
def digamma_in_parts(a: float) -> tuple[float, float, float]:
    """Return ψ(a) − log(a + 8), ψ′(a) and a (a + 1) … (a + 7), a > 0, without a logarithm or a branch.

    The recurrence ψ(a) = ψ(a + 8) − Σ 1/(a + i) takes its sum from the product and its first two derivatives,
    for one division in all; the asymptotic series serves a + 8. Relative errors are below 1e-12.
    """
    product, first, second = 1.0, 0.0, 0.0
    for i in range(8):
        x = a + i
        second = second * x + 2.0 * first
        first = first * x + product
        product *= x
    x = a + 8.0
    inverse = 1.0 / (x * product)
    r, ratio = inverse * product, first * inverse * x
    u = r * r
    tail = 1 / 12 - u * (1 / 120 - u * (1 / 252 - u * (1 / 240 - u / 132)))
    trigamma_tail = 1 / 6 - u * (1 / 30 - u * (1 / 42 - u * (1 / 30 - u * 5 / 66)))
    trigamma = r + 0.5 * u + u * r * trigamma_tail + ratio * ratio - second * inverse * x
    return -0.5 * r - u * tail - ratio, trigamma, product


@kernel
def polygammas(a: float) -> tuple[float, float, float]:
    """Return log Γ(a), ψ(a) and ψ′(a), a > 0."""
    rest, trigamma, product = digamma_in_parts(a)
    x = a + 8.0
    r, log_x = 1.0 / x, math.log(x)
    u = r * r
    tail = 1 / 12 - u * (1 / 360 - u * (1 / 1260 - u * (1 / 1680 - u / 1188)))
    log_gamma = (x - 0.5) * log_x - x + _HALF_LOG_2_PI + r * tail - math.log(product)
    return log_gamma, log_x + rest, trigamma


@kernel
def dirichlet_divergence(
    start: int,
    stop: int,
    concentration: Array,
    prior: Array,
    divergence: Array,
    gradient: Array,
    mean_log: Array,
) -> None:
    """Fill ``divergence (B,)`` with KL(Dirichlet(concentration) ‖ Dirichlet(prior)), less terms of the prior.

    ``gradient (B, K)`` is its derivative in the concentrations, ``mean_log (B, K)`` E[log θ]; ``prior (K,)``.
    """
    num_topics = len(prior)
    prior_total = prior.sum()
    terms = np.empty(num_topics)
    for row in range(start, stop):
        total = 0.0
        for k in range(num_topics):
            total += concentration[row, k]
        log_gamma_total, digamma_total, trigamma_total = polygammas(total)
        common = (total - prior_total) * trigamma_total
        for k in range(num_topics):
            c = np.float64(concentration[row, k])
            log_gamma, digamma, trigamma = polygammas(c)
            mean_log[row, k] = digamma - digamma_total
            gradient[row, k] = (c - prior[k]) * trigamma - common
            terms[k] = (c - prior[k]) * (digamma - digamma_total) - log_gamma
        # A loop that also stores may add up in another order where the arrays lie elsewhere.
        divergence[row] = log_gamma_total + terms.sum()


@kernel
def _from_expansion(a: float, delta: float, table: Array) -> float:
    """Return ∂ log z / ∂a by the uniform expansion of :mod:`lda_app.gradients.expansion`."""
    inverse, total = 1.0 / a, 0.0
    for k in range(table.shape[0] - 1, -1, -1):
        order = 0.0
        for n in range(table.shape[1] - 1, -1, -1):
            order = order * delta + table[k, n]
        total = total * inverse + order
    return total * inverse


@kernel
def _from_series(a: float, log_z: float, z: float, accuracy: Accuracy) -> float:
    """Return ∂ log z / ∂a by P = z^a e^{-z} / Γ(a+1) Σ_n z^n / (a+1)_n, each term with its derivative."""
    centred = log_z - digamma_above_one(a, accuracy.digamma_start)
    term, total, value, n = 1.0, 1.0, centred, a
    while term > accuracy.tolerance * total:
        for _ in range(_TERMS_A_TEST):
            n += 1.0
            r = 1.0 / n
            term *= z * r
            centred -= r
            total += term
            value += term * centred
    return -value / a


@kernel
def _from_fraction(a: float, log_z: float, z: float, accuracy: Accuracy) -> float:
    """Return ∂ log z / ∂a by 1 − P = z^a e^{-z} / Γ(a) / (b_0 + a_1 / (b_1 + …)), from the bottom up."""
    b = z + 1.0 - a
    tail, tail_slope = 0.0, 0.0
    for n in range(math.ceil(accuracy.depth / z) + 4, 0, -1):
        denominator = b + 2.0 * n + tail
        tail = n * (a - n) / denominator
        tail_slope = (n + tail * (1.0 - tail_slope)) / denominator
    fraction = 1.0 / (b + tail)
    centred = log_z - digamma_above_one(a, accuracy.digamma_start) + 1.0 / a
    return fraction * (centred + fraction * (1.0 - tail_slope))


@kernel
def log_gamma_slope(a: float, log_z: float, accuracy: Accuracy) -> float:
    """Return ∂ log z / ∂a of z ~ Gamma(a, 1) at a fixed quantile, by the formula that suits (a, z)."""
    if a >= accuracy.smallest:
        delta = log_z - math.log(a)
        if abs(delta) < 1.2:
            return _from_expansion(a, delta, accuracy.table)
    z = math.exp(log_z)
    if z < 3.0 or z < a + 2.0 * math.sqrt(a):
        return _from_series(a, log_z, z, accuracy)
    return _from_fraction(a, log_z, z, accuracy)


@kernel
def log_gamma_backward(
    start: int,
    stop: int,
    concentration: Array,
    log_gamma: Array,
    upstream: Array,
    accuracy: Accuracy,
    gradient: Array,
) -> None:
    """Chain ``upstream`` through log z: ``gradient`` = upstream ∂ log z / ∂concentration, all (B, K)."""
    for row in range(start, stop):
        for k in range(concentration.shape[1]):
            slope = log_gamma_slope(
                np.float64(concentration[row, k]), np.float64(log_gamma[row, k]), accuracy
            )
            gradient[row, k] = upstream[row, k] * slope


@kernel
def dirichlet_backward(
    start: int,
    stop: int,
    concentration: Array,
    log_gamma: Array,
    theta: Array,
    upstream: Array,
    accuracy: Accuracy,
    gradient: Array,
) -> None:
    """Chain ``upstream`` through θ = softmax(log z), all arrays (B, K).

    The mean of ``upstream`` is divided by Σ_k θ_k, which differs from 1 by rounding: so the difference
    below keeps its digits where one θ_k is nearly 1.
    """
    for row in range(start, stop):
        total, mean = 0.0, 0.0
        for k in range(concentration.shape[1]):
            total += theta[row, k]
            mean += np.float64(theta[row, k]) * upstream[row, k]
        mean /= total
        for k in range(concentration.shape[1]):
            slope = log_gamma_slope(
                np.float64(concentration[row, k]), np.float64(log_gamma[row, k]), accuracy
            )
            gradient[row, k] = theta[row, k] * (upstream[row, k] - mean) * slope
