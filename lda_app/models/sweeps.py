"""The sweeps of :mod:`lda_app.models.gibbs`, compiled for the processor: a collapsed sampler of assignments.

Arrays: ``alpha (K,)``, or ``(B, K)`` if each document has its own prior; ``beta (U, K)`` one row a
word of the batch; ``columns (nnz,)``; ``tokens (nnz + 1,)`` where the tokens of each nonzero count begin;
``assignments (N,)`` the topic of each token; ``theta (B, K)``; ``indptr (B + 1,)``; ``rows (B,)`` the random
stream of each document. Each kernel handles documents ``start:stop``; the last arrays are written.
"""

import math

import numpy as np

from lda_app.gradients.kernels import log_gamma_draw
from lda_app.gradients.noise import start_row
from lda_app.system.compiled import kernel

NUM_COUNTED = 3
"""Sweeps whose conditional probabilities :func:`sweep_documents` averages."""

# SplitMix64 (Steele, Lea, Flood 2014): a stream is a counter that steps by the golden ratio.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BLOCK = 16


@kernel
def _mixed(state):
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@kernel
def _uniform(state):
    return np.float32(_mixed(state) >> np.uint64(40)) * np.float32(2.0**-24)


@kernel
def draw_topic(share, mass):
    """Return the topic at which the running sum of ``share`` exceeds ``mass``; skip whole blocks first."""
    last = len(share) - 1
    topic = 0
    while topic + _BLOCK <= last:
        block = np.float32(0)
        for k in range(topic, topic + _BLOCK):
            block += share[k]
        if mass < block:
            break
        mass -= block
        topic += _BLOCK
    while topic < last and mass >= share[topic]:
        mass -= share[topic]
        topic += 1
    return topic


@kernel
def _weigh(weights, beta, share):
    """Fill ``share`` with weights · beta, a number a topic, and return its sum."""
    for k in range(len(share)):
        share[k] = weights[k] * beta[k]
    # A separate loop: one that also stores is compiled twice, for arrays that may overlap and for others,
    # and the two add up in different orders, so that where the arrays lie would decide on the last digit.
    total = np.float32(0)
    for k in range(len(share)):
        total += share[k]
    return total


@kernel
def weigh_posterior(counts, alpha, beta, share):
    """Fill ``share`` with (counts + alpha) · beta, and return its sum."""
    for k in range(len(share)):
        share[k] = (counts[k] + alpha[k]) * beta[k]
    total = np.float32(0)
    for k in range(len(share)):
        total += share[k]
    return total


@kernel
def _add_scaled(values, scale, sums):
    for k in range(len(values)):
        sums[k] += values[k] * scale


@kernel
def sweep_documents(
    start,
    stop,
    burn_in,
    seed,
    alpha,
    beta,
    smoothing,
    columns,
    tokens,
    assignments,
    theta,
    indptr,
    rows,
    counts,
    expected,
):
    """Draw each token's first topic by θ, sweep, and count; ``counts`` and ``expected`` begin with zeros."""
    share = np.empty_like(alpha)
    present, place = np.empty((2, len(alpha)), np.int64)
    for d in range(start, stop):
        state = _mixed(seed + _GOLDEN * np.uint64(rows[d] + 1))
        for i in range(indptr[d], indptr[d + 1]):
            total = _weigh(theta[d], beta[columns[i]], share)
            for t in range(tokens[i], tokens[i + 1]):
                state += _GOLDEN
                assignments[t] = draw_topic(share, total * _uniform(state))
                counts[d, assignments[t]] += 1
        places = slice(indptr[d], indptr[d + 1] + 1)
        num_present = _find_present(counts[d], present, place)
        for _ in range(burn_in):
            state, num_present = _sweep(
                state,
                alpha,
                beta,
                smoothing,
                columns[places],
                tokens[places],
                assignments,
                counts[d],
                share,
                present,
                place,
                num_present,
            )
        for _ in range(NUM_COUNTED):
            state = _count(
                state,
                alpha,
                beta,
                columns[places],
                tokens[places],
                assignments,
                counts[d],
                share,
                expected[indptr[d] - indptr[0] : indptr[d + 1] - indptr[0]],
            )


@kernel
def sample_documents(
    start,
    stop,
    burn_in,
    thin,
    seed,
    beta,
    columns,
    tokens,
    assignments,
    alpha,
    theta,
    indptr,
    rows,
    draws,
):
    """Sweep as :func:`sweep_documents`, and fill ``draws (B, S, K)`` with θ given every ``thin``-th sweep."""
    num_topics = alpha.shape[1]
    share, counts = np.empty_like(beta[0]), np.empty_like(beta[0])
    smoothing = np.empty(len(beta), beta.dtype)
    present, place = np.empty((2, num_topics), np.int64)
    noise = np.empty(1, np.uint64)
    for d in range(start, stop):
        state = _mixed(seed + _GOLDEN * np.uint64(rows[d] + 1))
        start_row(noise, seed, rows[d])
        counts[:] = 0
        for i in range(indptr[d], indptr[d + 1]):
            smoothing[columns[i]] = _weigh(alpha[d], beta[columns[i]], share)
            total = _weigh(theta[d], beta[columns[i]], share)
            for t in range(tokens[i], tokens[i + 1]):
                state += _GOLDEN
                assignments[t] = draw_topic(share, total * _uniform(state))
                counts[assignments[t]] += 1
        places = slice(indptr[d], indptr[d + 1] + 1)
        num_present = _find_present(counts, present, place)
        for sweep in range(burn_in + thin * draws.shape[1]):
            state, num_present = _sweep(
                state,
                alpha[d],
                beta,
                smoothing,
                columns[places],
                tokens[places],
                assignments,
                counts,
                share,
                present,
                place,
                num_present,
            )
            since = sweep - burn_in + 1
            if since > 0 and since % thin == 0:
                _draw_theta(counts, alpha[d], noise, draws[d, since // thin - 1])


@kernel
def _draw_theta(counts, alpha, noise, theta):
    """Draw θ from Dirichlet(α + counts), in logarithms: small concentrations underflow otherwise."""
    for k in range(len(theta)):
        theta[k] = log_gamma_draw(np.float64(alpha[k]) + counts[k], noise)
    largest = theta.max()
    for k in range(len(theta)):
        theta[k] = math.exp(theta[k] - largest)
    theta /= theta.sum()


@kernel
def _count(state, alpha, beta, columns, tokens, assignments, counts, share, expected):
    """Sweep once more, and add the probabilities that each topic is drawn from to their mean."""
    for i in range(len(expected)):
        word = beta[columns[i]]
        for t in range(tokens[i], tokens[i + 1]):
            counts[assignments[t]] -= 1
            total = weigh_posterior(counts, alpha, word, share)
            _add_scaled(share, 1 / (NUM_COUNTED * total), expected[i])
            state += _GOLDEN
            assignments[t] = draw_topic(share, total * _uniform(state))
            counts[assignments[t]] += 1
    return state


@kernel
def _sweep(
    state, alpha, beta, smoothing, columns, tokens, assignments, counts, share, present, place, num_present
):
    """Draw the topic of each token of a document anew, given all others.

    (n_k + α_k) β_kw is split in two (Yao, Mimno, McCallum 2009): n_k β_kw, for the few topics that are
    present in the document, and α_k β_kw, whose sum ``smoothing`` belongs to the word and is seldom hit.
    """
    for i in range(len(tokens) - 1):
        word = beta[columns[i]]
        for t in range(tokens[i], tokens[i + 1]):
            topic = assignments[t]
            counts[topic] -= 1
            if counts[topic] == 0:
                num_present -= 1
                present[place[topic]] = present[num_present]
                place[present[num_present]] = place[topic]
            total = np.float32(0)
            for j in range(num_present):
                total += counts[present[j]] * word[present[j]]
            state += _GOLDEN
            mass = (total + smoothing[columns[i]]) * _uniform(state)
            if mass < total:
                j = -1
                while mass >= 0 and j < num_present - 1:
                    j += 1
                    mass -= counts[present[j]] * word[present[j]]
                topic = present[j]
            else:
                _weigh(alpha, word, share)
                topic = draw_topic(share, mass - total)
            if counts[topic] == 0:
                present[num_present] = topic
                place[topic] = num_present
                num_present += 1
            counts[topic] += 1
            assignments[t] = topic
    return state, num_present


@kernel
def _find_present(counts, present, place):
    """List the topics with tokens in ``present``, and where each stands in ``place``; return their number."""
    num_present = 0
    for k in range(len(counts)):
        if counts[k] > 0:
            present[num_present] = k
            place[k] = num_present
            num_present += 1
    return num_present
