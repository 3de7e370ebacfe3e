"""What each step of a run does, as a pure function of the step: rates, burn-in, seeds."""

import math
from dataclasses import dataclass

from lda_app.config import TrainConfig
from lda_app.gradients.discrete import annealed_temperature

# Chosen on validation documents; see docs/inference.md.
_TOKENS_A_BATCH = 14_000
_SMALLEST_BATCH, _LARGEST_BATCH = 64, 1024
_FEWEST_BATCHES = 20
_STEPS = 2_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 2, 30
_STEPS_OF_SMALL, _MOST_EPOCHS_OF_SMALL = 1_000, 50
_FIRST_TOPIC_RATE, _LAST_TOPIC_RATE = 0.6, 0.012
_FIRST_BURN_IN, _LAST_BURN_IN = 1, 4
_GUIDE_STARTS, _ALPHA_FOLLOWS_ELBO = 0.6, 0.7
_LAST_ADAM_SHARE = 0.05
_VALIDATIONS = 20


def batch_size(config: TrainConfig, num_documents: int, num_tokens: int) -> int:
    """Documents a step: as asked, or as many as have about 14,000 tokens.

    Examples
    --------
    >>> batch_size(TrainConfig(), num_documents=10_000, num_tokens=600_000)
    233
    """
    if config.batch_size is not None:
        return min(config.batch_size, num_documents)
    by_tokens = int(_TOKENS_A_BATCH * num_documents / max(1, num_tokens))
    wanted = min(max(by_tokens, _SMALLEST_BATCH), _LARGEST_BATCH)
    return max(1, min(wanted, num_documents // _FEWEST_BATCHES))


def num_steps(config: TrainConfig, steps_per_epoch: int) -> int:
    """Steps of a run: as asked for, or 2,000 within 2 to 30 epochs, times the effort.

    A small corpus takes up to 50 epochs, until it has 1,000 steps.

    Examples
    --------
    >>> [num_steps(TrainConfig(), steps_per_epoch) for steps_per_epoch in (10, 30, 60, 100, 2_000)]
    [500, 1000, 1800, 2000, 4000]
    """
    if config.steps is not None:
        return config.steps
    if config.epochs is not None:
        return config.epochs * steps_per_epoch
    small = min(_STEPS_OF_SMALL, _MOST_EPOCHS_OF_SMALL * steps_per_epoch)
    most = max(_MOST_EPOCHS * steps_per_epoch, small)
    enough = min(max(_STEPS, _FEWEST_EPOCHS * steps_per_epoch), most)
    return max(1, round(config.effort * enough))


@dataclass(frozen=True)
class Schedule:
    """Rates over a run of ``num_steps`` steps.

    Examples
    --------
    >>> schedule = Schedule(num_steps=100)
    >>> schedule.topic_rate(0), schedule.burn_in(0), schedule.burn_in(99)
    (0.6, 1, 4)
    """

    num_steps: int

    def topic_rate(self, step: int) -> float:
        """Step size ρ of the topics; short-sighted at first, which anneals, then averaging."""
        return _cosine(_FIRST_TOPIC_RATE, _LAST_TOPIC_RATE, step / self.num_steps)

    def adam_rate(self, config: TrainConfig, step: int) -> float:
        """Adam's learning rate, for the encoder and for topics that have no step of their own."""
        if config.rate_decay == "none":
            return config.learning_rate
        begins = _guide_starts(config)
        share = max(step / self.num_steps - begins, 0) / (1 - begins)
        return config.learning_rate * _cosine(1.0, _LAST_ADAM_SHARE, share)

    def trains_guide(self, config: TrainConfig, step: int) -> bool:
        """Whether the guide learns and the sweeps start from its samples.

        Before, they start from uniform proportions: a guide of topics that are still mixed holds them back,
        and costs most of the time.
        """
        return step >= _guide_starts(config) * self.num_steps

    def alpha_follows_elbo(self, config: TrainConfig, step: int) -> bool:
        """Whether α learns from the ELBO, with the guide that is to use it, or from refined assignments.

        Refined samples pull the topics apart; the α that they want is too sure of itself for a guide.
        """
        return config.topic_update == "elbo" or step >= _ALPHA_FOLLOWS_ELBO * self.num_steps

    def temperature(self, config: TrainConfig, step: int) -> float:
        """Temperature of relaxed assignments: constant, or falling geometrically."""
        if config.final_temperature is None:
            return config.temperature
        return annealed_temperature(step / self.num_steps, config.temperature, config.final_temperature)

    def burn_in(self, step: int) -> int:
        """Sweeps before those that count: 1 for the first half, rising to 4 by three quarters."""
        rise = min(max(4 * step / self.num_steps - 2, 0), 1)
        return round(_FIRST_BURN_IN + rise * (_LAST_BURN_IN - _FIRST_BURN_IN))

    def learns_alpha(self, config: TrainConfig, step: int) -> bool:
        """Whether α moves: learned while the topics are still mixed, it would starve most of them."""
        return step >= config.alpha_burn_in * self.num_steps

    def validates(self, step: int) -> bool:
        """Whether held-out documents are scored after this step: 20 times a run, the last at its end."""
        done, before = ((end * _VALIDATIONS) // self.num_steps for end in (step + 1, step))
        return done > before


def _guide_starts(config: TrainConfig) -> float:
    return _GUIDE_STARTS if config.topic_update == "refined" else 0.0


def _cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
