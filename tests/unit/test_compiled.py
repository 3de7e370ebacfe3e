"""Compiled loops and what stands in for them: the same numbers, chosen without being asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from lda_app.config import TrainConfig
from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.evaluation.completion import document_completion
from lda_app.evaluation.left_to_right import left_to_right_scores
from lda_app.fitted.inference import concentration
from lda_app.gradients.dirichlet import dirichlet_divergence
from lda_app.models.guides import make_lda
from lda_app.models.likelihood import mixture_log_likelihood
from lda_app.models.topic_word import TopicWordCounts
from lda_app.system import compiled
from lda_app.system.runtime import Interruption
from lda_app.training.data import divide
from lda_app.training.train import make_state, train

NUM_TOPICS, NUM_WORDS = 5, 30


def figures():
    """What a model says of some documents, without random numbers."""
    generator = np.random.default_rng(0)
    counts = generator.poisson(0.7, size=(60, NUM_WORDS))
    counts[3] = 0
    doc_term = DocTermMatrix.from_scipy(sparse.csr_array(counts))
    torch.manual_seed(0)
    topics = TopicWordCounts(torch.rand(NUM_WORDS, NUM_TOPICS) * 50, eta=0.1)
    lda = make_lda(TrainConfig(num_topics=NUM_TOPICS), 60, topics)
    with torch.no_grad():
        for weights in lda.encoder.parameters():
            weights.add_(0.2 * torch.randn(weights.shape))
    batch = make_batch(doc_term, np.arange(60))
    gammas = lda.posterior(batch)
    theta = gammas / gammas.sum(-1, keepdim=True)
    words = mixture_log_likelihood(theta, lda.topics.rows(batch.words), batch)
    (words.sum() - dirichlet_divergence(gammas, lda.alpha).sum()).backward()
    lda.topics.step(batch.words, torch.ones(len(batch.words), NUM_TOPICS), 0.3)
    score = document_completion(
        doc_term, lambda rows: concentration(lda, rows), lda.topics.beta().numpy(), seed=1
    )
    alpha, beta = lda.alpha.detach().numpy(), lda.topics.beta().numpy()
    filtered = left_to_right_scores(doc_term, alpha, beta, seed=1, num_particles=3, max_documents=5)
    gradients = [weights.grad for weights in lda.parameters()]
    tensors = [gammas, words, *gradients, lda.topics.beta()]
    return {
        "perplexity": score.value,
        "left_to_right": filtered.log_likelihood.tolist(),
        "tensors": [tensor.flatten().tolist() for tensor in tensors],
    }


def training_works():
    generator = np.random.default_rng(1)
    doc_term = DocTermMatrix.from_scipy(sparse.csr_array(generator.poisson(0.5, size=(120, NUM_WORDS))))
    config = TrainConfig(num_topics=NUM_TOPICS, epochs=2)
    data = divide(doc_term, config)
    state = make_state(config, data, torch.device("cpu"))
    return train(state, config, data, save=lambda state: None, interruption=Interruption())


WITHOUT_COMPILING = """
import json, sys
sys.path.insert(0, {folder!r})
import test_compiled
from lda_app.system.compiled import why_not_compiled
assert "numba" not in sys.modules
assert test_compiled.training_works()
print(json.dumps(dict(test_compiled.figures(), reason=why_not_compiled())))
"""


@pytest.mark.slow
def test_without_compiled_loops_the_numbers_are_the_same():
    script = WITHOUT_COMPILING.format(folder=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, compiled.NO_COMPILE: "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    slow, fast = json.loads(done.stdout), figures()
    assert slow["reason"] == "LDA_APP_NO_COMPILE is set"
    assert slow["perplexity"] == pytest.approx(fast["perplexity"], rel=1e-5)
    assert slow["left_to_right"] == pytest.approx(fast["left_to_right"], rel=1e-5)
    for one, other in zip(slow["tensors"], fast["tensors"], strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-4)


@pytest.fixture
def _asked_anew():
    compiled.why_not_compiled.cache_clear()
    yield
    compiled.why_not_compiled.cache_clear()


def because(error):
    def fail(function):
        raise error

    return fail


@pytest.mark.usefixtures("_asked_anew")
@pytest.mark.parametrize(
    ("compile_", "reason"),
    [
        (because(ImportError("no module")), "numba is not installed"),
        (because(OSError("no LLVM")), "numba cannot compile here: OSError: no LLVM"),
        (lambda function: lambda number: -1, "numba compiles to wrong results here"),
    ],
)
def test_a_compiler_that_does_not_work_is_done_without(monkeypatch, compile_, reason):
    monkeypatch.setattr(compiled, "_compile", compile_)
    monkeypatch.delenv(compiled.NO_COMPILE, raising=False)
    assert compiled.why_not_compiled() == reason
    assert compiled.kernel(because) is because


@pytest.mark.usefixtures("_asked_anew")
@pytest.mark.parametrize("value", ["", "0"])
def test_the_variable_can_be_off(monkeypatch, value):
    monkeypatch.setenv(compiled.NO_COMPILE, value)
    assert compiled.why_not_compiled() is None


# Copies of one process, so that it is imported once; it has compiled nothing itself.
KERNEL_FROM_CACHE = """
import hashlib
import os
import numpy as np
from lda_app.models.kernels import mean_field

generator, num_documents, num_words, num_topics = np.random.default_rng(0), 400, 300, 10
sizes = generator.integers(0, 12, num_documents)
documents = [generator.choice(num_words, size, replace=False) for size in sizes]
indptr = np.cumsum([0, *map(len, documents)]).astype(np.int64)
columns = np.concatenate(documents).astype(np.int64)
counts = generator.integers(1, 4, len(columns)).astype(np.float32)
beta = generator.dirichlet(np.full(num_words, 0.1), num_topics).T.astype(np.float32).copy()
weights, prior = np.full((num_documents, num_topics), 0.1, np.float32), np.full(num_topics, 0.1, np.float32)
inferred = np.empty_like(weights)
damping = np.ones(num_documents, np.float32)
for _ in range(2):
    if os.fork():
        assert os.wait()[1] == 0
    else:
        mean_field(0, num_documents, weights, prior, damping, beta, indptr, columns, counts, 3, inferred)
        print(sum(mean_field.stats.cache_hits.values()), hashlib.sha256(inferred.tobytes()).hexdigest())
        break
"""


@pytest.mark.slow
def test_a_kernel_from_the_cache_rounds_as_one_that_was_just_compiled(tmp_path):
    pytest.importorskip("numba", reason="numba is not installed")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), compiled.NO_COMPILE: "0"}
    done = subprocess.run(
        [sys.executable, "-c", KERNEL_FROM_CACHE], env=environment, capture_output=True, text=True, check=True
    )
    (hits_before, fresh), (hits, cached) = map(str.split, done.stdout.splitlines())
    assert any(tmp_path.rglob("*.nbc"))
    assert (hits_before, hits) == ("0", "1")
    assert fresh == cached
