"""A run that goes on from its checkpoint ends as one that was never interrupted, to the bit."""

import functools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.system.runtime import Interruption
from lda_app.training import train as train_module
from lda_app.training.data import divide
from lda_app.training.prior import TopicPrior
from lda_app.training.state import read_checkpoint, restore, save_checkpoint
from lda_app.training.train import make_state, train

NUM_STEPS = 38
STOPS = [1, 13, 25, 37]  # before and after α and then the guide begin to learn, off the validations


@pytest.fixture(scope="module")
def doc_term():
    return DocTermMatrix.from_scipy(sparse.csr_array(np.random.default_rng(0).poisson(0.6, size=(120, 50))))


SEEDED = TopicPrior(np.array([3, 17]), np.array([[40.0, 0, 0, 0, 0], [0, 25.0, 0, 0, 0]], dtype=np.float32))


def run(config, doc_term, *, checkpoint=None, go_on=False, stop=None, forget=()):
    """Train, from the checkpoint if it is to go on, and to the step of a number if there is one."""
    data = replace(divide(doc_term, config), prior=SEEDED if config.seed_words else None)
    state = make_state(config, data, torch.device("cpu"))
    if go_on:
        header, tensors = read_checkpoint(checkpoint)
        restore(state, header, {name: t for name, t in tensors.items() if not name.startswith(forget)})
    interruption = Interruption()
    real = train_module.train_step

    def step(*arguments, **more):
        if arguments[-1] + 1 == stop:
            interruption.requested = 2
        return real(*arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_module, "train_step", step)

        def save(state):
            if checkpoint is not None:
                save_checkpoint(checkpoint, state, {})

        assert train(state, config, data, save=save, interruption=interruption) == (stop is None)
    return state


def same(a, b):
    ours, theirs = a.lda.state_dict(), b.lda.state_dict()
    return a.history == b.history and all(torch.equal(ours[name], theirs[name]) for name in ours)


PUBLISHED = {"topic_update": "elbo", "encoder": "mlp", "beta_optimizer": "adam", "init": "random"}
WAYS = {
    "refined": {},
    "seeded": {"seed_words": {"a": ["x"], "b": ["y"]}},
    "elbo": {"topic_update": "elbo"},
    "published": PUBLISHED,
}


@pytest.fixture(scope="module", params=WAYS.values(), ids=WAYS)
def uninterrupted(request, doc_term):
    config = TrainConfig(num_topics=5, epochs=2, batch_size=6, validation_fraction=0.05, **request.param)
    state = run(config, doc_term)
    assert state.step == NUM_STEPS
    return config, state


@pytest.fixture(scope="module")
def stopped(uninterrupted, doc_term, tmp_path_factory):
    """Leave a checkpoint at a step, once: ``stopped(25)`` is where it lies, to be copied by who goes on."""

    @functools.cache
    def checkpoint(stop):
        path = tmp_path_factory.mktemp("stopped") / "checkpoint"
        assert run(uninterrupted[0], doc_term, checkpoint=path, stop=stop).step == stop
        return path

    return checkpoint


@pytest.mark.parametrize("stop", STOPS)
def test_a_resumed_run_equals_an_uninterrupted_one(uninterrupted, stopped, doc_term, tmp_path, stop):
    config, whole = uninterrupted
    copy = shutil.copy(stopped(stop), tmp_path)
    assert same(run(config, doc_term, checkpoint=Path(copy), go_on=True), whole)


@pytest.mark.parametrize("forget", ["encoder", "topics", "alpha"])
def test_negative_control_without_an_optimizers_moments_it_does_not(
    uninterrupted, stopped, doc_term, tmp_path, forget
):
    config, whole = uninterrupted
    if forget == "topics" and config.beta_optimizer == "natural":
        pytest.skip("a natural-gradient step has no moments")
    copy = shutil.copy(stopped(25), tmp_path)
    resumed = run(config, doc_term, checkpoint=Path(copy), go_on=True, forget=forget)
    assert not same(resumed, whole)
