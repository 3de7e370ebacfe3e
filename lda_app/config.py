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

MODEL, TRAINING = "The model", "The training"

# Beyond these a document's topics are all alike, or one alone, whatever the exact value.
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
# Names that options had in saved models and configurations.
_RENAMED = {"seeds": "seed_words"}
# Two ways to say one thing.
_LENGTHS = {"epochs", "steps"}
_SEED_LIMIT = 2**32
_MOST_TOPICS = 100_000


class Described(NamedTuple):
    """The one description of an option; the command line shows it, too."""

    text: str
    part: str = TRAINING
    default: str | None = None
    """What None stands for; an empty text says nothing of it."""
    metavar: str | None = None
    least: float | None = None
    most: float | None = None
    flag: Any = None
    """The type of the flag, where a command line cannot give all that Python can, such as files for words."""


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
        "the published recipe (Figurnov, Mohamed, Mnih 2018), slow, to compare with",
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
            "Values of all options that are not given: "
            + "; ".join(f"{name}, {preset.about}" for name, preset in PRESETS.items())
            + ".",
            MODEL,
        ),
    ] = "default"
    num_topics: Annotated[int, Described("K, the number of topics.", MODEL)] = 20
    topic_update: Annotated[
        TopicUpdate,
        Described(
            "How topics and alpha learn: from guide samples refined by local Gibbs sweeps, or from the "
            "elbo alone.",
            MODEL,
        ),
    ] = "refined"
    beta_optimizer: Annotated[
        BetaOptimizer,
        Described(
            "How topics follow the elbo: by natural-gradient steps, or as a softmax learned by Adam, without "
            "eta.",
            MODEL,
        ),
    ] = "natural"
    init: Annotated[Init, Described("What the topics start from: some documents each, or noise.", MODEL)] = (
        "documents"
    )
    alpha: Annotated[float, Described("Where each component of the documents' prior starts.", MODEL)] = 0.05
    eta: Annotated[float, Described("Symmetric Dirichlet prior of a topic's words.", MODEL)] = 0.05
    alpha_burn_in: Annotated[
        float, Described("Share of the run before alpha begins to learn.", MODEL, default="1/3")
    ] = 1 / 3
    encoder: Annotated[
        Encoder,
        Described(
            "The network: unrolled mean-field steps, or an mlp of three hidden layers on the words' counts.",
            MODEL,
        ),
    ] = "unrolled"
    unroll: Annotated[int, Described("J, the mean-field steps of the unrolled encoder.", MODEL)] = 3
    hidden: Annotated[int, Described("Width of the encoder's hidden layers.", MODEL)] = 100
    inference: Annotated[
        Inference,
        Described(
            "How a document's posterior is found: by a network, or by coordinate ascent without one.", MODEL
        ),
    ] = "amortized"
    posterior: Annotated[
        Posterior, Described("The family of the posterior that the network is trained with.", MODEL)
    ] = "dirichlet"
    gradient: Annotated[
        Gradient,
        Described(
            "Gradient of a Dirichlet sample: implicit, torch's own, rsvi, or the score function. With "
            "gumbel-softmax it is implicit, and each word's topic is sampled, too, relaxed."
        ),
    ] = "implicit"
    temperature: Annotated[float, Described("Of the relaxed topics of gumbel-softmax, at first.")] = 0.5
    final_temperature: Annotated[
        float | None, Described("Of the relaxed topics at the end.", default="the same")
    ] = None
    epochs: Annotated[
        int | None,
        Described("Passes over the documents.", default="as many as make 2,000 steps, from 2 to 50"),
    ] = None
    steps: Annotated[int | None, Described("Steps in all, in place of epochs.", default="by the epochs")] = (
        None
    )
    effort: Annotated[
        float, Described("Share of the steps to make where neither epochs nor steps are given.")
    ] = 1.0
    batch_size: Annotated[
        int | None,
        Described("Documents a step.", default="as many as have about 14,000 tokens, at most a 20th of all"),
    ] = None
    learning_rate: Annotated[float, Described("Adam's rate, for all that it trains.")] = 0.01
    rate_decay: Annotated[
        RateDecay, Described("How Adam's rate falls over the run; that for alpha is constant.")
    ] = "cosine"
    validation_fraction: Annotated[
        float,
        Described("Share of the training documents, at most 500, held out to measure perplexity; 0 is none."),
    ] = 0.02
    seed: Annotated[int, Described("Seed of every random choice; the same seed, the same model.")] = 0
    device: Annotated[Device, Described("Where to compute; auto takes CUDA where there is some.")] = "auto"
    seed_words: Mapping[str, Sequence[str]] | None = None
    """Topic name → words that it is to be about; the first topics are these, in alphabetical order."""
    seed_weight: float = 0.1
    """How often a seed word counts as seen in its topic, for each time that the corpus has it."""

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
    """Put the configuration together: a flag wins over the file, the file over the preset's values.

    Parameters
    ----------
    flags
        Option name to value; None means that the option was not given.
    file
        A TOML file whose top-level keys are options.
    defaults
        What a command has for options that are not given, in place of the preset's values.

    Returns
    -------
    TrainConfig
        All values as they are to be used, and the name of the preset.

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
    given = {name: value for name, value in flags.items() if value is not None}
    preset = given.get("preset", in_file.get("preset", "default"))
    try:
        _require_choice("preset", preset, get_args(PresetName))
        return TrainConfig(**_layered(PRESETS[preset].values, defaults or {}, in_file, given))
    except ConfigError as error:  # the file was checked before: this is a flag's
        name, rest = str(error).split(" ", 1)
        raise ConfigError(f"--{name.replace('_', '-')} {rest}") from None


def config_from_dict(values: Mapping[str, Any], source: str) -> TrainConfig:
    """Check the keys of a stored configuration and make it.

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


def read_seed_words(file: Path) -> dict[str, Any]:
    """Read seed words from a TOML file: a line ``name = ["word", "word"]`` for each topic.

    Raises
    ------
    ConfigError
        If it cannot be read or is no TOML file; what it says is checked with the configuration.
    """
    return _load_toml(file)


def _layered(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Let later layers win; one that has epochs or steps also wins over the other of the two."""
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
    return {_RENAMED.get(key, key): value for key, value in dict(values).items()}


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
            'seed_words must name a topic or more, each with its words: space = ["orbit", "nasa"]'
        )
    for name, words in config.seed_words.items():
        if not isinstance(words, list | tuple) or not words or not all(isinstance(w, str) for w in words):
            raise ConfigError(
                f'seed_words must give {name!r} a list of words, such as ["orbit"], got {words!r}'
            )
    if len(config.seed_words) > config.num_topics:
        raise ConfigError(
            f"seed_words name {len(config.seed_words)} topics, but num_topics is {config.num_topics}"
        )
    if config.beta_optimizer == "adam":
        raise ConfigError("seed_words are a prior on counts; leave out beta_optimizer adam, which has none")


def _require_compatible(config: TrainConfig) -> None:
    if config.epochs is not None and config.steps is not None:
        raise ConfigError("epochs must not be given with steps: each says how long the run is")
    if config.beta_optimizer == "adam" and config.topic_update != "elbo":
        raise ConfigError(
            "beta_optimizer must be natural with refined samples, which give counts and no gradient; "
            "adam needs topic_update elbo"
        )
    if config.inference == "cavi" and config.encoder != "unrolled":
        raise ConfigError(f"encoder {config.encoder} is a network; leave it out, or leave out cavi")
    if config.inference == "cavi" and config.posterior != "dirichlet":
        raise ConfigError("posterior must be dirichlet with cavi: coordinate ascent has no other")
    if config.gradient != "implicit" and (config.inference, config.posterior) != ("amortized", "dirichlet"):
        raise ConfigError(
            f"gradient {config.gradient} is one of a network's Dirichlet samples; leave it out, or leave out "
            f"{'cavi' if config.inference == 'cavi' else config.posterior}"
        )
