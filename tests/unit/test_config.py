"""The configuration: what is refused, and which source wins."""

import math
from dataclasses import asdict
from typing import get_args

import pytest

from lda_app.config import PRESETS, PresetName, TrainConfig, config_from_dict, resolve_config
from lda_app.errors import ConfigError


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("num_topics", value) for value in (0, -1, 2.5, "ten", 10**9, True, None)),
        *((name, value) for name in ("alpha", "eta") for value in (0, -0.1, 1e-7, 1e4)),
        *((name, value) for name in ("alpha", "eta") for value in (math.nan, math.inf, "x")),
        *(("learning_rate", value) for value in (0, -1e-3, math.nan, 2)),
        *(("alpha_burn_in", value) for value in (-0.1, 1.1, math.nan)),
        *(("effort", value) for value in (0, -1, math.inf)),
        *((name, 0) for name in ("epochs", "steps", "batch_size", "hidden", "unroll")),
        *(("seed", value) for value in (-1, 2**32, 0.5)),
        *(("validation_fraction", value) for value in (-0.1, 0.6, math.nan)),
        ("topic_update", "gibbs"),
        ("beta_optimizer", "sgd"),
        ("init", "kmeans"),
        ("encoder", "lstm"),
        ("rate_decay", "linear"),
        ("preset", "slow"),
        ("device", "mps"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(option, value):
    with pytest.raises(ConfigError, match=f"{option} must be .*got") as error:
        TrainConfig(**{option: value})
    assert error.value.exit_code == 2


def test_seed_zero_is_a_seed():
    assert TrainConfig(seed=0).seed == 0


def test_a_flag_wins_over_the_file_and_the_file_over_the_default(tmp_path):
    file = tmp_path / "train.toml"
    file.write_text("num_topics = 30\nseed = 7\n")
    config = resolve_config({"num_topics": 50, "seed": None, "eta": None}, file)
    assert (config.num_topics, config.seed, config.eta) == (50, 7, TrainConfig().eta)


def test_a_preset_gives_what_neither_flag_nor_file_gives(tmp_path):
    file = tmp_path / "train.toml"
    file.write_text('preset = "figurnov"\nhidden = 200\nalpha = 0.5\n')
    config = resolve_config({"alpha": 0.3}, file)
    assert (config.alpha, config.hidden, config.encoder) == (0.3, 200, "mlp")
    assert (config.seed, config.preset) == (TrainConfig().seed, "figurnov")


def test_the_flags_preset_wins_over_the_files(tmp_path):
    file = tmp_path / "train.toml"
    file.write_text('preset = "figurnov"\n')
    assert resolve_config({"preset": "fast"}, file) == resolve_config({"preset": "fast"})


@pytest.mark.parametrize("name", get_args(PresetName))
def test_every_preset_is_described_and_fits_together(name):
    config = resolve_config({"preset": name})
    assert asdict(config).items() >= {"preset": name, **PRESETS[name].values}.items()
    assert config_from_dict(asdict(config), "config.json") == config


def test_presets_are_those_that_can_be_asked_for():
    assert set(PRESETS) == set(get_args(PresetName))
    assert resolve_config({}) == TrainConfig()


def test_a_length_wins_over_a_length_of_another_kind(tmp_path):
    file = tmp_path / "train.toml"
    file.write_text('preset = "figurnov"\nepochs = 4\n')
    assert [(c.epochs, c.steps) for c in (resolve_config({}, file), resolve_config({"steps": 9}, file))] == [
        (4, None),
        (None, 9),
    ]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            {"beta_optimizer": "adam"},
            r"--beta-optimizer must be natural with topic_update refined.* adam needs topic_update elbo",
        ),
        (
            {"preset": "figurnov", "topic_update": "refined"},
            "--beta-optimizer must be natural with topic_update refined",
        ),
        ({"epochs": 1, "steps": 1}, "--epochs cannot be combined with steps"),
        ({"preset": "slow"}, "--preset must be one of default, fast, figurnov, got 'slow'"),
    ],
)
def test_flags_that_do_not_fit_are_named(flags, message):
    with pytest.raises(ConfigError, match=message):
        resolve_config(flags)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("num_topic = 30", "unknown key 'num_topic'; did you mean 'num_topics'"),
        ('preset = "slow"', "preset must be one of"),
        ('num_topics = "30"', "num_topics must be a whole number"),
        ("num_topics = ", "not a TOML file"),
        ("\xff", "not a TOML file"),
    ],
)
def test_a_bad_file_is_refused_with_its_name(tmp_path, content, message):
    file = tmp_path / "train.toml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=message) as error:
        resolve_config({}, file)
    assert str(file) in str(error.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        resolve_config({}, tmp_path / "none.toml")


def test_a_stored_configuration_is_checked():
    with pytest.raises(ConfigError, match=r"config.json: unknown key 'topics'"):
        config_from_dict({"topics": 3}, "config.json")
