"""One refinement by the compiled sweeps against the same sampler in fractions, given the same random bits.

The sweeps compare float32 sums with a uniform number. A comparison closer than rounding could go either way
on another processor; none here is closer than 1e-5, which the test asserts.
"""

from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import sparse

from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.models import sweeps
from lda_app.models.gibbs import refine
from lda_app.system.compiled import why_not_compiled

NUM_TOPICS, NUM_WORDS, BURN_IN, SEED = 20, 12, 2, 5
GOLDEN_RATIO, MASK = 0x9E3779B97F4A7C15, 2**64 - 1


class Bits:
    """SplitMix64, as published: the uniform numbers of one document."""

    def __init__(self, document):
        self.state = self.mixed(SEED + GOLDEN_RATIO * (document + 1))

    @staticmethod
    def mixed(x):
        x = ((x ^ (x & MASK) >> 30) * 0xBF58476D1CE4E5B9) & MASK
        x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
        return x ^ x >> 31

    def uniform(self):
        self.state = (self.state + GOLDEN_RATIO) & MASK
        return Fraction(self.mixed(self.state) >> 40, 2**24)


class ExactSampler:
    """The collapsed sampler of one document, in fractions."""

    def __init__(self, document, words, theta, alpha, beta):
        self.bits, self.words, self.alpha, self.beta = Bits(document), words, alpha, beta
        self.closest = Fraction(1)
        weights = [[t * b for t, b in zip(theta, beta[w], strict=True)] for w in words]
        self.topics = [self.draw(share, range(NUM_TOPICS)) for share in weights]
        self.present = sorted(set(self.topics))

    def draw(self, share, order):
        """Return the topic at which the running sum of the shares exceeds a uniform part of their sum."""
        total = sum(share[k] for k in order)
        mass, below, chosen = total * self.bits.uniform(), Fraction(0), None
        for k in order:
            below += share[k]
            self.closest = min(self.closest, abs(mass - below) / total)
            if chosen is None and mass < below:
                chosen = k
        return chosen

    def share(self, place):
        """Return (n + α) · β of each topic for a token, and n alone, without the token itself."""
        rest = self.topics[:place] + self.topics[place + 1 :]
        counts = [rest.count(k) for k in range(NUM_TOPICS)]
        word = self.beta[self.words[place]]
        return counts, [(n + a) * b for n, a, b in zip(counts, self.alpha, word, strict=True)]

    def sweep(self, place):
        """Draw a token's topic: first among the topics that are present, then by α."""
        counts, share = self.share(place)
        word = self.beta[self.words[place]]
        if counts[self.topics[place]] == 0:
            hole = self.present.index(self.topics[place])
            self.present[hole] = self.present[-1]
            self.present.pop()
        split = {("present", k): counts[k] * word[k] for k in self.present}
        split |= {("prior", k): self.alpha[k] * word[k] for k in range(NUM_TOPICS)}
        assert sum(split.values()) == sum(share)
        topic = self.topics[place] = self.draw(split, list(split))[1]
        if counts[topic] == 0:
            self.present.append(topic)

    def count(self, place, expected):
        """Draw a token's topic once more, and add the probabilities that it is drawn from to their mean."""
        _, share = self.share(place)
        for k in range(NUM_TOPICS):
            expected[self.words[place], k] += float(share[k] / sum(share) / sweeps.NUM_COUNTED)
        self.topics[place] = self.draw(share, range(NUM_TOPICS))


def fractions(tensor):
    return [list(map(Fraction, row)) if isinstance(row, list) else Fraction(row) for row in tensor.tolist()]


def exact_sweeps(batch, theta, alpha, beta):
    """Refine all documents; return the counts of words and of documents, and the closest comparison."""
    by_word, by_document, closest = np.zeros((NUM_WORDS, NUM_TOPICS)), [], Fraction(1)
    theta, alpha, beta = fractions(theta), fractions(alpha), fractions(beta)
    for d in range(batch.num_documents):
        here = slice(batch.indptr[d], batch.indptr[d + 1])
        words = torch.repeat_interleave(batch.columns[here], batch.counts[here].long()).tolist()
        sampler = ExactSampler(d, words, theta[d], alpha, beta)
        for _ in range(BURN_IN):
            for place in range(len(words)):
                sampler.sweep(place)
        for _ in range(sweeps.NUM_COUNTED):
            for place in range(len(words)):
                sampler.count(place, by_word)
        by_document.append([sampler.topics.count(k) for k in range(NUM_TOPICS)])
        closest = min(closest, sampler.closest)
    return by_word, by_document, closest


@pytest.fixture
def problem():
    if reason := why_not_compiled():
        pytest.skip(f"{reason}: torch has another sampler")
    generator = np.random.default_rng(0)
    counts = generator.integers(4, size=(6, NUM_WORDS))
    batch = make_batch(DocTermMatrix.from_scipy(sparse.csr_array(counts)), np.arange(6))
    assert len(batch.words) == NUM_WORDS
    theta, alpha, beta = (
        torch.from_numpy(generator.integers(1, 64, shape) / 64).float()
        for shape in ((6, NUM_TOPICS), NUM_TOPICS, (NUM_WORDS, NUM_TOPICS))
    )
    return batch, theta, alpha, beta


def test_the_sweeps_draw_what_exact_arithmetic_draws(problem):
    batch, theta, alpha, beta = problem
    refined = refine(theta, alpha, beta, batch, burn_in=BURN_IN, seed=SEED)
    by_word, by_document, closest = exact_sweeps(*problem)
    assert closest > 1e-5
    assert refined.document_topic.tolist() == by_document
    np.testing.assert_allclose(refined.word_topic, by_word, rtol=2e-6, atol=1e-6)


def test_negative_control_another_prior_draws_something_else(problem):
    batch, theta, alpha, beta = problem
    refined = refine(theta, 1.05 * alpha, beta, batch, burn_in=BURN_IN, seed=SEED)
    assert refined.document_topic.tolist() != exact_sweeps(*problem)[1]
