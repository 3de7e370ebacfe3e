"""The training loop."""

import math
import time
from collections.abc import Callable
from functools import partial

import torch

from lda_app.config import TrainConfig
from lda_app.corpus.batches import ShuffledBatches
from lda_app.errors import NumericalError
from lda_app.evaluation.perplexity import Perplexity, document_completion
from lda_app.inference import concentration
from lda_app.models.lda import LDA
from lda_app.models.threads import one_torch_thread
from lda_app.runtime import Interruption, Progress, progress
from lda_app.training.data import TrainingData
from lda_app.training.schedule import Schedule, batch_size, num_steps
from lda_app.training.start import start_model
from lda_app.training.state import RunState
from lda_app.training.step import Optimizers, train_step

_SECONDS_BETWEEN_CHECKPOINTS = 10.0


def make_state(config: TrainConfig, data: TrainingData, device: torch.device) -> RunState:
    """Return the state of a run that has not done a step."""
    lda = start_model(config, data.doc_term, data.rows).to(device)
    return RunState(lda, Optimizers.of(lda, config))


def train(
    state: RunState,
    config: TrainConfig,
    data: TrainingData,
    *,
    save: Callable[[RunState], None],
    interruption: Interruption,
) -> bool:
    """Train until the schedule ends, the validation no longer gets better, or an interruption is asked for.

    Parameters
    ----------
    state
        A fresh state or one from a checkpoint; it is brought forward, and ends with the best weights.
    config
        The run's configuration.
    data
        What to learn from.
    save
        Called every ten seconds, and when interrupted, to write a checkpoint.
    interruption
        Looked at after each step.

    Returns
    -------
    bool
        Whether training is finished; False if it was interrupted.

    Raises
    ------
    NumericalError
        If the loss is NaN or infinite; the state then has the best weights so far.
    """
    loop = _Loop(state, config, data)
    save(state)
    saved_at = time.monotonic()
    total = loop.batches.num_visited(loop.num_steps)
    with one_torch_thread(), progress("Training", total, "document visits") as bar:
        bar.advance(loop.batches.num_visited(state.step))
        while not loop.finished():
            loop.advance(bar)
            if interruption.requested is not None:
                save(state)
                return False
            if time.monotonic() - saved_at > _SECONDS_BETWEEN_CHECKPOINTS:
                save(state)
                saved_at = time.monotonic()
    state.restore_best()
    state.lda.topics.rescale()
    return True


class _Loop:
    """One step after the other, with a validation now and then."""

    def __init__(self, state: RunState, config: TrainConfig, data: TrainingData):
        self.state, self.config, self.data = state, config, data
        size = batch_size(config, len(data.rows), data.doc_term.num_tokens)
        self.batches = ShuffledBatches(data.doc_term, data.rows, size, config.seed)
        self.num_steps = num_steps(config, self.batches.steps_per_epoch)
        self.schedule = Schedule(self.num_steps)
        self.device = state.lda.log_alpha.device

    def finished(self) -> bool:
        """Whether the schedule has ended, or too many validations in a row were no better than the best."""
        state = self.state
        # While the topics' rate is high they anneal, and the held-out perplexity may well rise meanwhile.
        since = max(state.best_step, self.num_steps // 2)
        later = [row for row in state.history if (row["step"] or 0) > since]
        return state.step >= self.num_steps or (bool(state.best_step) and len(later) >= self.config.patience)

    def advance(self, bar: Progress) -> None:
        """Do one step; score the held-out documents if it is their turn."""
        state, begun = self.state, time.monotonic()
        batch = self.batches[state.step].to(self.device)
        try:
            loss = train_step(state.lda, state.optimizers, batch, self.config, self.schedule, state.step)
        except NumericalError as error:
            state.restore_best()
            kept = f"the weights of step {state.best_step}" if state.best_step else "no weights"
            raise NumericalError(f"{error}; {kept} are kept; try a smaller --learning-rate") from None
        state.losses.append(loss)
        state.step += 1
        if self.schedule.validates(state.step - 1):
            bar.note(self._validate())
        state.seconds += time.monotonic() - begun
        bar.advance(batch.num_documents)

    def _validate(self) -> str:
        """Add a row to the history, keep the weights if they are the best, and say how it stands."""
        state = self.state
        epoch = state.step / self.batches.steps_per_epoch
        loss = math.fsum(state.losses) / len(state.losses)
        state.losses.clear()
        score = validation_score(state.lda, self.data, self.config.seed)
        perplexity = None if score is None else score.value
        row = {"step": state.step, "epoch": epoch, "loss": loss, "validation_perplexity": perplexity}
        best = min(
            (value for r in state.history if (value := r["validation_perplexity"]) is not None),
            default=math.inf,
        )
        state.history.append(row)
        if perplexity is None or perplexity < best:
            state.keep_as_best()
        held_out = "" if perplexity is None else f", held-out perplexity {perplexity:,.0f}"
        return f"epoch {epoch:.0f}, loss {loss:.2f}{held_out}"


def validation_score(lda: LDA, data: TrainingData, seed: int) -> Perplexity | None:
    """Score a model on the held-out training documents; None if there are none."""
    if data.validation is None:
        return None
    beta = lda.topics.beta().cpu().numpy()
    return document_completion(data.validation, partial(concentration, lda), beta, seed=seed)
