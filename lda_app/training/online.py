"""Learning from documents as they come, without an end that a schedule could aim at."""

from dataclasses import dataclass

from lda_app.config import TrainConfig
from lda_app.corpus.batches import make_batch
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.models.threads import one_torch_thread
from lda_app.training.schedule import Schedule
from lda_app.training.state import RunState
from lda_app.training.step import train_step

_BURN_IN = 2
# Topics have come apart by then.
_STEPS_BEFORE_ALPHA = 100


@dataclass(frozen=True)
class OnlineSchedule(Schedule):
    """Rates that fall for ever: ρ_t = (τ + t)^−κ (Hoffman, Blei and Bach 2010, eq. 8).

    Parameters
    ----------
    offset
        τ, at least 1, slows down the first steps.
    decay
        κ; from above 0.5 up to 1 the topics converge.

    Examples
    --------
    >>> schedule = OnlineSchedule(offset=10.0, decay=0.7)
    >>> round(schedule.topic_rate(0), 3), round(schedule.topic_rate(990), 4)
    (0.2, 0.0079)
    """

    num_steps: int = 0
    offset: float = 10.0
    decay: float = 0.7

    def topic_rate(self, step: int) -> float:
        """Step size ρ of the topics; below 1, for what was learned before must not be lost as a whole."""
        return min(float((self.offset + step) ** -self.decay), 0.9)

    def adam_rate(self, config: TrainConfig, step: int) -> float:
        """Adam's learning rate, falling as ρ does."""
        return config.learning_rate * self.topic_rate(step) / self.topic_rate(0)

    def trains_guide(self, config: TrainConfig, step: int) -> bool:  # noqa: ARG002
        """Whether the guide learns: always, for it may be asked at any time."""
        return True

    def alpha_follows_elbo(self, config: TrainConfig, step: int) -> bool:  # noqa: ARG002
        """Whether α learns from the ELBO: always, with the guide."""
        return True

    def temperature(self, config: TrainConfig, step: int) -> float:  # noqa: ARG002
        """Temperature of relaxed assignments: constant."""
        return config.temperature

    def burn_in(self, step: int) -> int:  # noqa: ARG002
        """Sweeps before those that count."""
        return _BURN_IN

    def learns_alpha(self, config: TrainConfig, step: int) -> bool:
        """Whether α moves: not at first, and never where the configuration says so."""
        return config.alpha_burn_in < 1 and step >= _STEPS_BEFORE_ALPHA

    def validates(self, step: int) -> bool:  # noqa: ARG002
        """Whether held-out documents are scored: there are none."""
        return False


def learn_from(
    state: RunState, config: TrainConfig, schedule: OnlineSchedule, doc_term: DocTermMatrix, batch_size: int
) -> None:
    """Take one step per batch of documents, in their order; documents without words are skipped.

    Parameters
    ----------
    state
        Is brought forward.
    config
        Configuration of the run.
    schedule
        The rates.
    doc_term
        Counts (D, V).
    batch_size
        Documents a step, at most.

    Raises
    ------
    NumericalError
        If the loss is NaN or infinite; the state is then that of the last good step.
    """
    filled = doc_term.filled()
    device = state.lda.log_alpha.device
    with one_torch_thread():
        for start in range(0, len(filled), batch_size):
            batch = make_batch(doc_term, filled[start : start + batch_size]).to(device)
            train_step(state.lda, state.optimizers, batch, config, schedule, state.step)
            state.step += 1
