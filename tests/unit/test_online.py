"""Learning without an end: the rates, and steps on documents as they come."""

import numpy as np
import torch

from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.training.data import TrainingData
from lda_app.training.online import OnlineSchedule, learn_from
from lda_app.training.train import make_state


def test_rates_fall_such_that_their_sum_diverges_and_that_of_squares_does_not():
    rates = np.array([OnlineSchedule(offset=1.0, decay=0.7).topic_rate(step) for step in range(100_000)])
    assert (np.diff(rates[1:]) < 0).all()
    assert rates.max() < 1
    assert rates[50_000:].sum() > 10
    assert (rates[50_000:] ** 2).sum() < 0.05


def test_alpha_waits_or_never_moves():
    schedule = OnlineSchedule()
    learns = [schedule.learns_alpha(TrainConfig(), step) for step in (0, 99, 100)]
    assert learns == [False, False, True]
    assert not schedule.learns_alpha(TrainConfig(alpha_burn_in=1.0), 10**9)


def test_no_step_forgets_everything():
    assert OnlineSchedule(offset=1.0, decay=0.0).topic_rate(5) == 0.9


def test_empty_documents_are_passed_over():
    counts = DocTermMatrix.from_scipy(np.array([[0, 0], [2, 1], [0, 0], [1, 3], [4, 0]]))
    config = TrainConfig(num_topics=2)
    data = TrainingData(counts, np.array([1, 3, 4]), None)
    state = make_state(config, data, torch.device("cpu"))
    learn_from(state, config, OnlineSchedule(), counts, batch_size=2)
    assert state.step == 2
    learn_from(state, config, OnlineSchedule(), counts.rows([0, 2]), batch_size=2)
    assert state.step == 2
