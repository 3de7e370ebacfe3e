"""The training loop."""

import json
import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from lda_app.config import TrainConfig
from lda_app.corpus.batches import Batch, ShuffledBatches, make_batch
from lda_app.errors import ConfigError, NumericalError
from lda_app.evaluation.completion import document_completion
from lda_app.evaluation.scores import Perplexity
from lda_app.fitted.inference import concentration
from lda_app.models.lda import LDA
from lda_app.models.threads import one_torch_thread
from lda_app.models.topic_word import TopicWordCounts
from lda_app.system.distributed import SINGLE_PROCESS, Group
from lda_app.system.runtime import Interruption, Progress, progress
from lda_app.training.data import TrainingData
from lda_app.training.schedule import Schedule, batch_size, num_steps
from lda_app.training.start import start_model
from lda_app.training.state import RunState
from lda_app.training.step import Optimizers, train_step

_SECONDS_BETWEEN_CHECKPOINTS = 10.0
# A checkpoint of a large model takes long to write; all of them together shall not slow training down.
_MOST_TIME_FOR_CHECKPOINTS = 0.05


def make_state(config: TrainConfig, data: TrainingData, device: torch.device) -> RunState:
    """Return the state of a run that has not done a step."""
    lda = start_model(config, data.doc_term, data.rows, data.prior).to(device)
    return RunState(lda, Optimizers.of(lda, config))


def train(
    state: RunState,
    config: TrainConfig,
    data: TrainingData,
    *,
    save: Callable[[RunState], None],
    interruption: Interruption,
    group: Group = SINGLE_PROCESS,
) -> bool:
    """Train until the schedule ends, the validation no longer gets better, or an interruption is asked for.

    Parameters
    ----------
    state
        A fresh state or one from a checkpoint; it is brought forward, and left as the last step has made it.
    config
        The run's configuration.
    data
        What to learn from.
    save
        Called to write a checkpoint: every ten seconds, more rarely where that takes long, and when
        interrupted.
    interruption
        Looked at after each step; that of one process stops all, and they all learn of the signal.
    group
        The processes that train together, with equal states.

    Returns
    -------
    bool
        Whether training is finished; False if it was interrupted.

    Raises
    ------
    ConfigError
        If there are more processes than documents in a batch.
    NumericalError
        If the loss is NaN or infinite; the state is then that of the last good step.
    ProcessGroupError
        If another process has ended or does not answer.
    """
    loop = _Loop(state, config, data, group)
    checkpoints = _Checkpoints(state, save, group)
    checkpoints.write()
    total = loop.batches.num_visited(loop.num_steps)
    with one_torch_thread(), progress("Training", total, "document visits") as bar:
        bar.advance(loop.batches.num_visited(state.step))
        while not loop.finished():
            loop.advance(bar)
            signum, due = group.all_reduce_max(interruption.requested or 0, checkpoints.due)
            if signum or due:
                checkpoints.write()
            if signum:
                interruption.requested = signum
                return False
    state.lda.topics.rescale()
    return True


class _Checkpoints:
    """Written by the first process, while the others wait; when, is its decision alone, for clocks differ."""

    def __init__(self, state: RunState, save: Callable[[RunState], None], group: Group):
        self.state, self.save, self.group = state, save, group
        self.due_at = math.inf

    @property
    def due(self) -> bool:
        """Whether the last one is old enough; never so but on the first process."""
        return time.monotonic() > self.due_at

    def write(self) -> None:
        """Write a checkpoint."""
        self.group.rank_zero_first(self._write)

    def _write(self) -> bytes:
        begun = time.monotonic()
        self.save(self.state)
        now = time.monotonic()
        self.due_at = now + max(_SECONDS_BETWEEN_CHECKPOINTS, (now - begun) / _MOST_TIME_FOR_CHECKPOINTS)
        return b""


class _Loop:
    """One step after the other, with a validation now and then."""

    def __init__(self, state: RunState, config: TrainConfig, data: TrainingData, group: Group):
        self.state, self.config, self.data, self.group = state, config, data, group
        size = batch_size(config, len(data.rows), data.doc_term.num_tokens)
        self.batches = ShuffledBatches(data.doc_term, data.rows, size, config.seed)
        self.num_steps = num_steps(config, self.batches.steps_per_epoch)
        self.schedule = Schedule(self.num_steps)
        self.device = state.lda.log_alpha.device
        if data.prior is not None and isinstance(state.lda.topics, TopicWordCounts):
            state.lda.topics.prior = data.prior.on(self.device)
        if (smallest := len(data.rows) // self.batches.steps_per_epoch) < group.world.world_size:
            raise ConfigError(
                f"a batch of {smallest} documents is too small for {group.world.world_size} processes; start "
                "fewer, or use a larger --batch-size"
            )

    def finished(self) -> bool:
        """Whether the schedule has ended."""
        return self.state.step >= self.num_steps

    def advance(self, bar: Progress) -> None:
        """Do one step; score the held-out documents if it is their turn."""
        state, begun = self.state, time.monotonic()
        rows = self.batches.documents(state.step)
        batch = self._part_of(rows)
        share = batch.num_documents / len(rows)
        plan = self.config, self.schedule, state.step
        try:
            loss = train_step(state.lda, state.optimizers, batch, *plan, share=share, group=self.group)
        except NumericalError as error:
            kept = f"the weights after {state.step} steps" if state.step else "no weights"
            raise NumericalError(f"{error}; {kept} are kept; try a smaller --learning-rate") from None
        if loss is not None:
            state.losses.append(loss)
        state.step += 1
        if self.schedule.validates(state.step - 1):
            bar.note(self._validate())
        state.seconds += time.monotonic() - begun
        bar.advance(len(rows))

    def _part_of(self, rows: npt.NDArray[np.int64]) -> Batch:
        """Return this process's documents of a batch, over the words of the whole batch."""
        own = make_batch(self.data.doc_term, self.group.shard(rows))
        return own.over(self.group.union(own.words)).to(self.device)

    def _validate(self) -> str:
        """Add a row to the history, and say how it stands."""
        state = self.state
        epoch = state.step / self.batches.steps_per_epoch
        loss = math.fsum(state.losses) / len(state.losses)
        state.losses.clear()
        self.group.require_same(state.lda.state_dict())
        perplexity: float | None = json.loads(self.group.rank_zero_first(self._score))
        row = {"step": state.step, "epoch": epoch, "loss": loss, "validation_perplexity": perplexity}
        state.history.append(row)
        held_out = "" if perplexity is None else f", held-out perplexity {perplexity:,.0f}"
        return f"epoch {epoch:.0f}, loss {loss:.2f}{held_out}"

    def _score(self) -> bytes:
        score = validation_score(self.state.lda, self.data, self.config.seed)
        return json.dumps(None if score is None else score.value).encode()


def validation_score(lda: LDA, data: TrainingData, seed: int) -> Perplexity | None:
    """Score a model on the held-out training documents; None if there are none."""
    if data.validation is None:
        return None
    beta = lda.topics.beta().cpu().numpy()
    return document_completion(data.validation, partial(concentration, lda), beta, seed=seed)
