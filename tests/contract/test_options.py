"""An option is one thing: the same name and meaning in Python, on the command line, and in a file."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import typer

from lda_app import TopicModel  # at once, before anything of it is replaced
from lda_app.cli import app, run
from lda_app.cli.groups import description_of
from lda_app.config import TrainConfig, config_from_dict, resolve_config
from lda_app.corpus.options import SourceOptions, WordOptions
from lda_app.errors import ConfigError

# Values that do not follow from an option's type.
VALUES = {
    "language": "de",
    "stop_words": ["orbit", "moon"],
    "keep_words": ["orbit", "moon"],
    "drop_words": ["orbit", "moon"],
    "replace": {"C++": "cplusplus"},
    "min_df": 2,
    "max_df": 0.75,
    "phrase_words": 2,
    "phrase_npmi": 0.25,
    "text_column": "body",
    "id_column": "key",
    "delimiter": ";",
    "format": "tsv",
    "pattern": "*.md",
    "encoding": "latin-1",
    "preset": "fast",
    "alpha_burn_in": 0.25,
    "validation_fraction": 0.1,
    "final_temperature": 0.1,
    "seed": 7,
}
# What an option needs beside it, to be of use or to be allowed.
BESIDE = {
    "phrase_words": {"phrases": True},
    "phrase_count": {"phrases": True},
    "phrase_npmi": {"phrases": True},
    "beta_optimizer": {"topic_update": "elbo"},
}


def options_of(group):
    hints = get_type_hints(group, include_extras=True)
    return [field for field in fields(group) if description_of(hints[field.name])]


def other_value(group, field):
    """Return a value that is not the default."""
    if field.name in VALUES:
        return VALUES[field.name]
    hint = get_type_hints(group)[field.name]
    parts = (hint,) if get_origin(hint) in (None, Literal) else get_args(hint)
    kind = next(part for part in parts if part is not type(None))
    if get_origin(kind) is Literal:
        return next(choice for choice in reversed(get_args(kind)) if choice != field.default)
    if kind is bool:
        return not field.default
    return 3 if field.default is None else type(field.default)(field.default * 2)


def as_flags(given, folder):
    """Write options as flags; words go to files."""
    flags = []
    for name, value in given.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            flags.append(flag)
        elif isinstance(value, list | dict):
            file = folder / name
            lines = [f"{a},{b}" for a, b in value.items()] if isinstance(value, dict) else value
            file.write_text("\n".join(lines))
            flags += [flag, str(file)]
        else:
            flags += [flag, str(value)]
    return flags


@pytest.fixture
def built(monkeypatch, tmp_path):
    """Return how ``corpus build`` would count words: ``built("--keep-case")``."""
    seen = []

    def build(source, out, options, **_):
        seen.append(options)
        raise ConfigError("seen")

    monkeypatch.setattr("lda_app.corpus.folder.build_corpus", build)
    (tmp_path / "texts.txt").write_text("orbit")

    def call(*flags):
        folder = str(tmp_path / "corpus")
        assert run(["corpus", "build", str(tmp_path / "texts.txt"), "--out", folder, *flags]) == 2
        return seen.pop()

    return call


@pytest.mark.parametrize("field", options_of(WordOptions), ids=lambda field: field.name)
def test_a_word_option_is_the_same_in_python_and_as_a_flag(field, built, tmp_path):
    beside = BESIDE.get(field.name, {})
    given = {field.name: other_value(WordOptions, field), **beside}
    expected = WordOptions(**given).preprocess()
    assert expected != WordOptions(**beside).preprocess()
    assert built(*as_flags(given, tmp_path)) == expected
    assert TopicModel(**given).preprocess_options == expected


@pytest.mark.parametrize("field", options_of(TrainConfig), ids=lambda field: field.name)
def test_a_training_option_is_the_same_in_python_in_a_file_and_as_a_flag(field, monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr("lda_app.cli.train._begin", lambda *given, **_: seen.append(given[2]))
    beside = BESIDE.get(field.name, {})
    given = {field.name: other_value(TrainConfig, field), **beside}
    expected = TopicModel(**given).training
    assert expected != TopicModel(**beside).training
    file = tmp_path / "options.toml"
    file.write_text("".join(f"{name} = {value!r}\n" for name, value in given.items()))
    for flags in (as_flags(given, tmp_path), ["--config", str(file)]):
        assert run(["train", "corpus", "--out", str(tmp_path / "run"), *flags]) == 0
        assert seen.pop() == expected


@pytest.mark.parametrize("field", options_of(SourceOptions), ids=lambda field: field.name)
def test_a_reading_option_is_a_flag(field, monkeypatch, tmp_path):
    seen = []

    def refuse(spec, options):
        seen.append(options)
        raise ConfigError("seen")

    monkeypatch.setattr("lda_app.corpus.sources.open_source", refuse)
    given = {field.name: other_value(SourceOptions, field)}
    assert run(["corpus", "build", "x", "--out", str(tmp_path / "c"), *as_flags(given, tmp_path)]) == 2
    assert seen == [SourceOptions(**given)]
    assert seen != [SourceOptions()]


def commands(command, path=()):
    found = getattr(command, "commands", {})
    if not found:
        yield path, command
    for name, subcommand in found.items():
        yield from commands(subcommand, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))
OPTIONS = [
    (path, option)
    for path, command in COMMANDS.items()
    for option in command.params
    if option.param_type_name == "option"
]


def test_an_option_of_one_value_is_refused_twice():
    single = [(path, option) for path, option in OPTIONS if not option.multiple]
    assert len(single) > 200
    for path, option in single:
        given = [option.opts[0]] if option.is_flag else [option.opts[0], "1"]
        with pytest.raises(Exception, match=f"{option.opts[0]} was given 2 times") as refused:
            COMMANDS[path].make_context(" ".join(path), [*given, *given])
        assert refused.value.exit_code == 2


def test_a_name_means_one_thing():
    """Options of one name agree in whether they take a file, a number, a text or nothing."""
    kinds = {}
    for _, option in OPTIONS:
        kind = option.type_descriptor.annotation
        kinds.setdefault(option.opts[0], set()).add("choice" if get_origin(kind) is Literal else str(kind))
    mixed = {name: kind for name, kind in kinds.items() if len(kind) > 1}
    # The same thing, of which one command takes one and another several, or what another tool's model has.
    assert set(mixed) <= {"--num-topics", "--alpha", "--split", "--coherence", "--format"}, mixed


def test_lists_of_words_add_up(built, tmp_path):
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("orbit")
    two.write_text("moon")
    both = WordOptions(drop_words=[one, "moon"]).preprocess()
    assert both == WordOptions(drop_words=["orbit", two]).preprocess()
    assert built("--drop-words", str(one), "--drop-words", str(two)) == both
    stop = built("--stop-words", "default", "--stop-words", str(two)).tokenizer
    assert (stop.stop_words, stop.drop_words) == ("default", ("moon",))
    several = built("--stop-words", str(one), "--stop-words", str(two)).tokenizer
    assert several.stop_words == ("moon", "orbit")


@pytest.mark.parametrize(
    "given",
    [
        {"ngram": 2.0},
        {"ngram": 0},
        {"min_length": True},
        {"min_length": "3"},
        {"keep_case": "no"},
        {"language": None},
        {"phrase_words": 9},
        {"replace": "file.csv"},
        {"replace": {"a": 1}},
        {"seeds": {"a": ["b"]}},
        {"num_topics": "5"},
    ],
    ids=str,
)
def test_a_value_of_another_type_is_refused_at_once(given):
    with pytest.raises(ConfigError, match=next(iter(given)).split("_")[0]):
        TopicModel(**given)


def test_numbers_of_numpy_are_numbers():
    given = {
        "min_df": np.int64(2),
        "max_df": np.float64(0.5),
        "num_topics": np.int32(3),
        "ngram": np.int64(2),
    }
    plain = {name: value.item() for name, value in given.items()}
    assert TopicModel(**given).preprocess_options == TopicModel(**plain).preprocess_options
    assert TopicModel(**given).training == TopicModel(**plain).training


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["stability", "run", "--seeds", "3"], "--num-seeds"),
        (["train", "corpus", "--out", "run", "--seeds=words.toml"], "--seed-words"),
        (["eval", "run", "--confidence", "0.9"], "--level"),
        (["eval", "run", "--labels", "subject"], "--label-column"),
        (["eval", "--topics", "topics.csv"], "--topic-words"),
        (["topics", "run", "--documents", "3"], "--num-documents"),
    ],
)
def test_an_old_name_leads_to_the_new_one(arguments, name, capsys):
    assert run(arguments) == 2
    assert f"is now called {name}" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["the", 3], [None], 7, "a text", [Path("none"), Path("default")]])
def test_what_is_no_list_of_words_is_refused(given):
    with pytest.raises(ConfigError):
        WordOptions(stop_words=given).preprocess()


def test_phrases_and_case_are_learned_from_python():
    texts = ["New York is in the US"] * 30 + ["the goal of the team in New York"] * 30
    options = {"phrases": True, "keep_case": True, "min_length": 2, "stop_words": "none"}
    model = TopicModel(num_topics=2, epochs=1, show_progress=False, **options).fit(texts)
    assert "New York" in model.words
    assert any("US" in word.split() for word in model.words)


def test_options_of_older_models_and_files_are_understood(tmp_path):
    config = TrainConfig(num_topics=2, seed_words={"a": ["b"]})
    assert config_from_dict({"num_topics": 2, "seeds": {"a": ["b"]}}, "config.json") == config
    assert replace(config, seed_words=None) == TrainConfig(num_topics=2)
    file = tmp_path / "options.toml"
    file.write_text('num_topics = 2\n[seeds]\na = ["b"]\n')
    assert resolve_config({}, file) == config
