"""The training configuration: one documented dataclass, filled from defaults, a TOML file and flags."""

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

from lda_app.errors import ConfigError

TopicUpdate = Literal["refined", "elbo"]
Gradient = Literal["implicit", "torch", "rsvi", "score", "gumbel-softmax"]
Posterior = Literal["dirichlet", "logistic-normal"]
Inference = Literal["amortized", "cavi"]
Encoder = Literal["unrolled", "mlp"]
BetaOptimizer = Literal["natural", "adam"]
Init = Literal["documents", "random"]
RateDecay = Literal["cosine", "none"]
PresetName = Literal["default", "fast", "figurnov"]
Device = Literal["auto", "cpu", "cuda"]

MODEL, TRAINING = "Model", "Training"

# Beyond these, every document has either all topics equally or a single one, whatever the exact value.
ALPHA_RANGE = (1e-3, 1e3)

_CHOICES = {
    "preset": PresetName,
    "topic_update": TopicUpdate,
    "beta_optimizer": BetaOptimizer,
    "init": Init,
    "encoder": Encoder,
    "inference": Inference,
    "posterior": Posterior,
    "gradient": Gradient,
    "rate_decay": RateDecay,
    "device": Device,
}
# Old option names, still found in saved models and configurations.
RENAMED = {"seeds": "seed_words"}
# Two ways to set the same thing.
_LENGTHS = {"epochs", "steps"}
_SEED_LIMIT = 2**32
_MOST_TOPICS = 100_000


class Described(NamedTuple):
    """The one description of an option; the command line shows it, too."""

    text: str
    part: str = TRAINING
    default: str | None = None
    """What the help shows for None; an empty text shows nothing."""
    metavar: str | None = None
    least: float | None = None
    most: float | None = None
    flag: Any = None
    """The type of the flag, if it differs from the Python type, such as files instead of words."""


class Preset(NamedTuple):
    """Values that go together, for the options that a user does not give."""

    about: str
    values: Mapping[str, Any]


PRESETS: Mapping[PresetName, Preset] = {
    "default": Preset("the best topics", {}),
    "fast": Preset("nearly as good, in a third of the time", {"effort": 0.3, "learning_rate": 0.03}),
    # The hyper-parameters of Figurnov, Mohamed and Mnih (2018) as TensorFlow Probability's example of LDA
    # has them, which learns from all documents and keeps the last weights.
    "figurnov": Preset(
        "the published recipe (Figurnov, Mohamed, Mnih 2018), slow, for comparison",
        {
            "topic_update": "elbo",
            "beta_optimizer": "adam",
            "encoder": "mlp",
            "hidden": 300,
            "init": "random",
            "alpha": 0.7,
            "alpha_burn_in": 2 / 3,
            "learning_rate": 3e-4,
            "rate_decay": "none",
            "batch_size": 32,
            "steps": 180_000,
            "validation_fraction": 0.0,
        },
    ),
}


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run besides the corpus.

    ``preset`` names where values came from; :func:`resolve_config` puts them in.

    Examples
    --------
    >>> TrainConfig(num_topics=0)
    Traceback (most recent call last):
        ...
    lda_app.errors.ConfigError: num_topics must be a whole number from 1 to 100000, got 0
    """

    preset: Annotated[
        PresetName,
        Described(
            "Preset values for the options you do not set: "
            + "; ".join(f"{name}, {preset.about}" for name, preset in PRESETS.items())
            + ".",
            MODEL,
        ),
    ] = "default"
    num_topics: Annotated[int, Described("Number of topics (K).", MODEL)] = 20
    topic_update: Annotated[
        TopicUpdate,
        Described(
            "How topics and alpha are learned: from guide samples refined by local Gibbs sweeps, or from "
            "the ELBO alone.",
            MODEL,
        ),
    ] = "refined"
    beta_optimizer: Annotated[
        BetaOptimizer,
        Described(
            "How the topics are optimised: by natural-gradient steps, or as a softmax trained with Adam, "
            "without eta.",
            MODEL,
        ),
    ] = "natural"
    init: Annotated[
        Init, Described("How topics are initialised: from a few documents each, or at random.", MODEL)
    ] = "documents"
    alpha: Annotated[
        float, Described("Initial value of each component of the document-topic prior.", MODEL)
    ] = 0.05
    eta: Annotated[float, Described("Symmetric Dirichlet prior on each topic's words.", MODEL)] = 0.05
    alpha_burn_in: Annotated[
        float, Described("Fraction of the run before alpha starts to learn.", MODEL, default="1/3")
    ] = 1 / 3
    encoder: Annotated[
        Encoder,
        Described(
            "Inference network: unrolled mean-field steps, or an MLP with three hidden layers.",
            MODEL,
        ),
    ] = "unrolled"
    unroll: Annotated[int, Described("Mean-field steps in the unrolled encoder (J).", MODEL)] = 3
    hidden: Annotated[int, Described("Width of the encoder's hidden layers.", MODEL)] = 100
    inference: Annotated[
        Inference,
        Described(
            "How document posteriors are inferred: by a network, or by coordinate ascent (cavi).", MODEL
        ),
    ] = "amortized"
    posterior: Annotated[
        Posterior, Described("Family of the variational posterior used in training.", MODEL)
    ] = "dirichlet"
    gradient: Annotated[
        Gradient,
        Described(
            "Gradient of Dirichlet samples: implicit, torch's own, rsvi, or the score function. "
            "gumbel-softmax is implicit and also samples a relaxed topic for each word."
        ),
    ] = "implicit"
    temperature: Annotated[
        float, Described("Initial temperature of the relaxed topics (gumbel-softmax).")
    ] = 0.5
    final_temperature: Annotated[
        float | None, Described("Final temperature of the relaxed topics.", default="same as --temperature")
    ] = None
    epochs: Annotated[
        int | None,
        Described("Passes over the corpus (epochs).", default="enough for 2,000 steps, between 2 and 50"),
    ] = None
    steps: Annotated[
        int | None, Described("Total training steps, instead of epochs.", default="set by epochs")
    ] = None
    effort: Annotated[
        float, Described("Multiplies the default number of steps; unused if epochs or steps is set.")
    ] = 1.0
    batch_size: Annotated[
        int | None,
        Described("Documents per step.", default="about 14,000 tokens' worth, at most a 20th of the corpus"),
    ] = None
    learning_rate: Annotated[float, Described("Adam's learning rate.")] = 0.01
    rate_decay: Annotated[
        RateDecay, Described("How Adam's learning rate decays over the run; the rate for alpha is constant.")
    ] = "cosine"
    validation_fraction: Annotated[
        float,
        Described(
            "Fraction of the training documents (at most 500) held out to measure perplexity; 0 for none."
        ),
    ] = 0.02
    seed: Annotated[int, Described("Random seed; the same seed gives the same model.")] = 0
    device: Annotated[Device, Described("Where to compute; auto uses CUDA if available.")] = "auto"
    seed_words: Mapping[str, Sequence[str]] | None = None
    """Topic name → seed words; these topics come first, in alphabetical order."""
    seed_weight: float = 0.1
    """Prior count of a seed word in its topic, per occurrence of the word in the corpus."""

    def __post_init__(self) -> None:
        _require_whole("num_topics", self.num_topics, 1, _MOST_TOPICS)
        _require_whole("seed", self.seed, 0, _SEED_LIMIT - 1)
        for name, choices in _CHOICES.items():
            _require_choice(name, getattr(self, name), get_args(choices))
        _require_compatible(self)
        _require_seeds(self)
        for name in ("epochs", "steps", "batch_size"):
            if getattr(self, name) is not None:
                _require_whole(name, getattr(self, name), 1, 10**9)
        for name in ("hidden", "unroll"):
            _require_whole(name, getattr(self, name), 1, 10_000)
        for name, least, most in (
            ("alpha", *ALPHA_RANGE),
            ("eta", 1e-6, 1e3),
            ("alpha_burn_in", 0.0, 1.0),
            ("effort", 1e-3, 1e3),
            ("learning_rate", 1e-6, 1.0),
            ("validation_fraction", 0.0, 0.5),
            ("temperature", 1e-2, 1e2),
            ("seed_weight", 1e-3, 1e3),
            *((("final_temperature", 1e-2, 1e2),) if self.final_temperature is not None else ()),
        ):
            _require_number(name, getattr(self, name), least, most)


def resolve_config(
    flags: Mapping[str, Any], file: Path | None = None, *, defaults: Mapping[str, Any] | None = None
) -> TrainConfig:
    """Combine the settings: flags override the file, and the file overrides the preset.

    Parameters
    ----------
    flags
        Option name to value; None means that the option was not given.
    file
        A TOML file whose top-level keys are options.
    defaults
        The command's own defaults, which override the preset.

    Returns
    -------
    TrainConfig
        The final values, and the name of the preset.

    Raises
    ------
    ConfigError
        If the file cannot be read, a key is unknown (the nearest is named) or a value is out of range.

    Examples
    --------
    >>> resolve_config({"num_topics": 50, "seed": None}).num_topics
    50
    >>> published = resolve_config({"preset": "figurnov", "hidden": 100})
    >>> published.encoder, published.hidden
    ('mlp', 100)
    """
    in_file = _read_toml(file) if file is not None else {}
    given = {name: plain(value) for name, value in flags.items() if value is not None}
    preset = given.get("preset", in_file.get("preset", "default"))
    try:
        _require_choice("preset", preset, get_args(PresetName))
        return TrainConfig(**_layered(PRESETS[preset].values, defaults or {}, in_file, given))
    except ConfigError as error:  # the file was checked before: this is a flag's
        name, rest = str(error).split(" ", 1)
        raise ConfigError(f"--{name.replace('_', '-')} {rest}") from None


def config_from_dict(values: Mapping[str, Any], source: str) -> TrainConfig:
    """Build a configuration from stored values and check its keys.

    Parameters
    ----------
    values
        As made by ``dataclasses.asdict``.
    source
        Where the values come from, for the message.

    Raises
    ------
    ConfigError
        If a key is unknown or a value out of range.
    """
    names = [field.name for field in dataclasses.fields(TrainConfig)]
    values = _renamed(values)
    for key in values:
        if key not in names:
            nearest = difflib.get_close_matches(key, names, n=1, cutoff=0)
            raise ConfigError(f"{source}: unknown key {key!r}; did you mean {nearest[0]!r}?")
    try:
        return TrainConfig(**values)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None


def plain(value: Any) -> Any:
    """Return a number of numpy as one of Python, and anything else as it is."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def read_seed_words(file: Path) -> dict[str, Any]:
    """Read seed words from a TOML file: a line ``name = ["word", "word"]`` for each topic.

    Raises
    ------
    ConfigError
        If it cannot be read or is not a TOML file; its content is checked with the configuration.
    """
    return _load_toml(file)


def _layered(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the layers, later ones winning; epochs or steps in a layer replace both in earlier layers."""
    values: dict[str, Any] = {}
    for layer in layers:
        replaced = _LENGTHS if _LENGTHS & layer.keys() else ()
        values = {name: value for name, value in values.items() if name not in replaced} | dict(layer)
    return values


def _read_toml(file: Path) -> dict[str, Any]:
    values = _renamed(_load_toml(file))
    config_from_dict(values, str(file))
    return values


def _renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(values)
    for old, new in RENAMED.items():
        if old in values and new in values:
            raise ConfigError(f"{old} is the old name of {new}: give one of them")
    return {RENAMED.get(key, key): value for key, value in values.items()}


def _load_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not a TOML file: {error}") from None


def _require_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}, got {value!r}")


def _require_number(name: str, value: Any, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigError(f"{name} must be a number from {least:g} to {most:g}, got {value!r}")


def _require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def _require_seeds(config: TrainConfig) -> None:
    if config.seed_words is None:
        return
    if not isinstance(config.seed_words, Mapping) or not config.seed_words:
        raise ConfigError(
            'seed_words must name at least one topic with its words, such as space = ["orbit", "nasa"]'
        )
    for name, words in config.seed_words.items():
        if not isinstance(words, list | tuple) or not words or not all(isinstance(w, str) for w in words):
            raise ConfigError(
                f'seed_words must give {name!r} a list of words, such as ["orbit"], got {words!r}'
            )
    if len(config.seed_words) > config.num_topics:
        raise ConfigError(
            f"seed_words name {len(config.seed_words)} topics, but num_topics is {config.num_topics}; "
            "raise num_topics"
        )
    if config.beta_optimizer == "adam":
        raise ConfigError(
            "seed_words need the topic prior, which beta_optimizer adam lacks; leave one of them out"
        )


def _require_compatible(config: TrainConfig) -> None:
    if config.epochs is not None and config.steps is not None:
        raise ConfigError("epochs cannot be combined with steps: both set the length of the run; give one")
    if config.beta_optimizer == "adam" and config.topic_update != "elbo":
        raise ConfigError(
            "beta_optimizer must be natural with topic_update refined, which yields counts, not gradients; "
            "adam needs topic_update elbo"
        )
    if config.inference == "cavi" and config.encoder != "unrolled":
        raise ConfigError(
            f"encoder {config.encoder} is a network, which inference cavi does not use; leave one out"
        )
    if config.inference == "cavi" and config.posterior != "dirichlet":
        raise ConfigError("posterior must be dirichlet with inference cavi, which supports no other")
    if config.gradient != "implicit" and (config.inference, config.posterior) != ("amortized", "dirichlet"):
        raise ConfigError(
            f"gradient {config.gradient} applies only to a network's Dirichlet samples; leave it out, or "
            f"leave out {'cavi' if config.inference == 'cavi' else config.posterior}"
        )
