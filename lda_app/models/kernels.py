"""The loops over nonzero counts, compiled for the processor; :mod:`lda_app.models.likelihood` calls them.

Arrays: ``weights (B, K)`` one nonnegative vector a document, ``beta (U, K)`` one row a word of the batch,
``indptr (B + 1,)``, ``columns (nnz,)``, ``counts (nnz,)`` the batch. Each kernel handles documents
``start:stop``; the last arrays are written.
"""

import math

import numpy as np

from lda_app.compiled import kernel

# Below the smallest normal float32 a quotient overflows; no mixture of smoothed topics comes near it.
_TINY = np.float32(1e-35)


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
def topic_counts_backward(start, stop, weights, beta, indptr, columns, counts, slope, upstream, gradient):
    """Chain ``upstream`` through r_k = weights_k slope_k(weights): both factors depend on the weights."""
    num_topics = weights.shape[1]
    for d in range(start, stop):
        for k in range(num_topics):
            gradient[d, k] = upstream[d, k] * slope[d, k]
        for i in range(indptr[d], indptr[d + 1]):
            w = columns[i]
            probability = _TINY * counts[i]
            projected = 0 * probability
            for k in range(num_topics):
                joint = weights[d, k] * beta[w, k]
                probability += joint
                projected += joint * upstream[d, k]
            factor = counts[i] * projected / (probability * probability)
            for k in range(num_topics):
                gradient[d, k] -= factor * beta[w, k]


@kernel
def linear_forward(start, stop, inputs, weight, bias, outputs):
    """Compute inputs · weight + bias; ``inputs (B, n)``, ``weight (n, m)``, ``outputs (B, m)``."""
    for b in range(start, stop):
        outputs[b] = bias
        for j in range(inputs.shape[1]):
            for k in range(weight.shape[1]):
                outputs[b, k] += inputs[b, j] * weight[j, k]


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
