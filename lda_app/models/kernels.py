"""The loops over nonzero counts, compiled for the processor; :mod:`lda_app.models.likelihood` calls them.

Arrays: ``weights (B, K)`` one nonnegative vector a document, ``beta (U, K)`` one row a word of the batch,
``indptr (B + 1,)``, ``columns (nnz,)``, ``counts (nnz,)`` the batch. Each kernel handles documents
``start:stop``; the last arrays are written.
"""

import math

import numpy as np

from lda_app.gradients.kernels import digamma_in_parts
from lda_app.system.compiled import inlined, kernel

# Below the smallest normal float32 a quotient overflows; no mixture of smoothed topics comes near it.
_TINY = np.float32(1e-35)
# A weight so much smaller than the largest tells nothing, and its products may be subnormal, which are slow.
_NEGLIGIBLE = np.float32(1e-20)


@kernel
def mixture_forward(start, stop, weights, beta, indptr, columns, counts, log_likelihood, slope):
    """Compute Σ_w n_w log(weights·β_w) a document, and its slope Σ_w n_w β_w / (weights·β_w)."""
    num_topics = weights.shape[1]
    for d in range(start, stop):
        total = 0.0
        slope[d] = 0
        for i in range(indptr[d], indptr[d + 1]):
            w = columns[i]
            probability = _TINY * counts[i]
            for k in range(num_topics):
                probability += weights[d, k] * beta[w, k]
            total += counts[i] * math.log(probability)
            ratio = counts[i] / probability
            for k in range(num_topics):
                slope[d, k] += ratio * beta[w, k]
        log_likelihood[d] = total


@kernel
def mixture_backward_beta(start, stop, weights, beta, indptr, columns, counts, upstream, beta_gradient):
    """Add upstream_d n_w weights_d / (weights_d·β_w) to row w; documents share rows, so use one thread."""
    num_topics = weights.shape[1]
    for d in range(start, stop):
        for i in range(indptr[d], indptr[d + 1]):
            w = columns[i]
            probability = _TINY * counts[i]
            for k in range(num_topics):
                probability += weights[d, k] * beta[w, k]
            ratio = upstream[d] * counts[i] / probability
            for k in range(num_topics):
                beta_gradient[w, k] += ratio * weights[d, k]


@kernel
def mean_field_forward(
    start,
    stop,
    proposal,
    prior,
    damping,
    beta,
    indptr,
    columns,
    counts,
    weights,
    slopes,
    trigammas,
    ratios,
    concentration,
):
    """Do J steps γ = prior + damping_d e slope(e), slope(e) = Σ_w n_w β_w / (e·β_w), from e = ``proposal``.

    Between two steps e = softmax ψ(γ). Each step's e, its slope, and the ψ′(γ) that e was made with are kept
    in ``weights``, ``slopes`` and ``trigammas``, all (J, B, K), for the way back, and n_w / (e·β_w) in
    ``ratios (J, nnz)``.
    """
    num_steps, _, num_topics = weights.shape
    for d in range(start, stop):
        weights[0, d] = proposal[d]
        for j in range(num_steps):
            e, slope = weights[j, d], slopes[j, d]
            if j > 0:
                _softmax_digamma(concentration[d], e, trigammas[j, d])
            slope[:] = 0
            for i in range(indptr[d], indptr[d + 1]):
                word = beta[columns[i]]
                probability = _TINY * counts[i]
                for k in range(num_topics):
                    probability += e[k] * word[k]
                ratio = counts[i] / probability
                ratios[j, i] = ratio
                for k in range(num_topics):
                    slope[k] += ratio * word[k]
            for k in range(num_topics):
                concentration[d, k] = prior[k] + damping[d] * e[k] * slope[k]


@kernel
def mean_field(
    start, stop, proposal, prior, damping, beta, indptr, columns, counts, num_steps, concentration
):
    """Do the steps of :func:`mean_field_forward`, and keep nothing for a way back."""
    # Two arrays: of the rows of one, numba would not know that their elements lie side by side.
    e, slope = np.empty_like(prior), np.empty_like(prior)
    for d in range(start, stop):
        e[:] = proposal[d]
        for j in range(num_steps):
            if j > 0:
                _softmax_digamma(concentration[d], e, slope)  # the slope's place serves for ψ′, not needed
            _slope(indptr[d], indptr[d + 1], e, beta, columns, counts, slope)
            for k in range(len(prior)):
                concentration[d, k] = prior[k] + damping[d] * e[k] * slope[k]


@inlined
def _slope(first, last, e, beta, columns, counts, slope):
    """Fill ``slope`` (K,) with Σ_w n_w β_w / (e·β_w).

    Four words at a time, so that e and the slope are loaded and stored once for all four.
    """
    slope[:] = 0
    whole = last - (last - first) % 4
    for i in range(first, whole, 4):
        n0, n1, n2, n3 = counts[i], counts[i + 1], counts[i + 2], counts[i + 3]
        w0, w1, w2, w3 = beta[columns[i]], beta[columns[i + 1]], beta[columns[i + 2]], beta[columns[i + 3]]
        p0, p1, p2, p3 = _TINY * n0, _TINY * n1, _TINY * n2, _TINY * n3
        for k in range(len(e)):
            p0 += e[k] * w0[k]
            p1 += e[k] * w1[k]
            p2 += e[k] * w2[k]
            p3 += e[k] * w3[k]
        r0, r1, r2, r3 = n0 / p0, n1 / p1, n2 / p2, n3 / p3
        for k in range(len(e)):
            slope[k] += (r0 * w0[k] + r1 * w1[k]) + (r2 * w2[k] + r3 * w3[k])
    for i in range(whole, last):
        word = beta[columns[i]]
        probability = _TINY * counts[i]
        for k in range(len(e)):
            probability += e[k] * word[k]
        ratio = counts[i] / probability
        for k in range(len(e)):
            slope[k] += ratio * word[k]


@kernel
def mean_field_backward(
    start,
    stop,
    upstream,
    damping,
    beta,
    indptr,
    columns,
    counts,
    weights,
    slopes,
    trigammas,
    ratios,
    proposal_gradient,
    prior_gradient,
    damping_gradient,
):
    """Chain ``upstream (B, K)`` back through the steps of :func:`mean_field_forward`, last step first.

    The prior's gradient is given for each document, (B, K).
    """
    num_steps, _, num_topics = weights.shape
    joint = np.empty(num_topics, upstream.dtype)
    for d in range(start, stop):
        gradient = proposal_gradient[d]
        gradient[:] = upstream[d]
        for j in range(num_steps - 1, -1, -1):
            e, slope = weights[j, d], slopes[j, d]
            for k in range(num_topics):
                prior_gradient[d, k] += gradient[k]
                joint[k] = gradient[k] * e[k]
                gradient[k] *= slope[k]
            damping_gradient[d] += _dot(joint, slope)
            _subtract_curvature(indptr[d], indptr[d + 1], joint, beta, columns, counts, ratios[j], gradient)
            for k in range(num_topics):
                gradient[k] *= damping[d]
            if j > 0:
                _softmax_digamma_backward(e, trigammas[j, d], gradient)


@kernel
def _dot(values, others):
    total = 0 * values[0]
    for k in range(len(values)):
        total += values[k] * others[k]
    return total


@kernel
def _subtract_curvature(first, last, joint, beta, columns, counts, ratios, gradient):
    """Take Σ_w n_w (joint·β_w) β_w / (e·β_w)² off the gradient: how a document's slope moves with e."""
    for i in range(first, last):
        word = beta[columns[i]]
        projected = 0 * ratios[i]
        for k in range(len(joint)):
            projected += joint[k] * word[k]
        factor = projected * ratios[i] * (ratios[i] / counts[i])
        for k in range(len(joint)):
            gradient[k] -= factor * word[k]


@kernel
def _softmax_digamma(concentration, weights, trigammas):
    """Fill ``weights`` with softmax ψ(γ) and ``trigammas`` with ψ′(γ); all (K,).

    exp ψ(γ) is (γ + 8) exp(ψ(γ) − log(γ + 8)), and the largest is taken as 1, so that it does not underflow.
    """
    num_topics = len(weights)
    for k in range(num_topics):
        weights[k], trigammas[k], _ = digamma_in_parts(np.float64(concentration[k]))
    largest = weights.max()
    for k in range(num_topics):
        weight = (concentration[k] + 8) * math.exp(weights[k] - largest)
        weights[k] = weight if weight > _NEGLIGIBLE else 0
    weights /= weights.sum()


@kernel
def _softmax_digamma_backward(weights, trigammas, gradient):
    """Chain ``gradient`` (K,), in place, from the weights back to γ."""
    mean = _dot(weights, gradient)
    for k in range(len(weights)):
        gradient[k] = trigammas[k] * weights[k] * (gradient[k] - mean)


@kernel
def linear_forward(start, stop, inputs, weight, bias, outputs):
    """Compute inputs · weight + bias; ``inputs (B, n)``, ``weight (n, m)``, ``outputs (B, m)``."""
    whole = inputs.shape[1] - inputs.shape[1] % 4
    for b in range(start, stop):
        row, out = inputs[b], outputs[b]
        out[:] = bias
        for j in range(0, whole, 4):  # four at a time, so that the outputs are loaded and stored less often
            for k in range(len(out)):
                out[k] += (row[j] * weight[j, k] + row[j + 1] * weight[j + 1, k]) + (
                    row[j + 2] * weight[j + 2, k] + row[j + 3] * weight[j + 3, k]
                )
        for j in range(whole, len(row)):
            for k in range(len(out)):
                out[k] += row[j] * weight[j, k]


@kernel
def smooth_rows(start, stop, expected_counts, words, scale, eta, norm, rows):
    """Fill row u with (scale · expected_counts + eta) · norm of word u; ``norm (K,)``, ``rows (U, K)``."""
    for u in range(start, stop):
        w = words[u]
        for k in range(len(norm)):
            rows[u, k] = (expected_counts[w, k] * scale + eta) * norm[k]


@kernel
def add_to_rows(start, stop, expected_counts, words, counts, factor):
    """Add ``factor`` times row u of ``counts (U, K)`` to the row of word u; the words are distinct."""
    for u in range(start, stop):
        w = words[u]
        for k in range(counts.shape[1]):
            expected_counts[w, k] += counts[u, k] * factor
