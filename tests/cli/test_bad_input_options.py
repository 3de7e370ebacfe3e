"""The row "options" of the bad-input contract: values, files and names that cannot be used."""

import pytest

from tests.cli.conftest import overriding

VALUES = {
    "--num-topics": ["0", "-1", "2.5", "ten", "1000000000", ""],
    "--alpha": ["0", "-0.1", "nan", "inf", "x"],
    "--eta": ["0", "-0.1", "nan", "inf"],
    "--learning-rate": ["0", "-1", "nan", "inf"],
    "--epochs": ["0", "-1", "1.5"],
    "--batch-size": ["0", "-8"],
    "--hidden": ["0"],
    "--unroll": ["0"],
    "--validation-fraction": ["-0.1", "0.6", "nan"],
    "--seed": ["-1", "4294967296", "0.5", "1" * 30],
    "--device": ["tpu"],
    "--topic-update": ["gibbs"],
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in VALUES.items() for value in values]
)
def test_a_value_of_training_is_refused_by_option_and_value(
    cli, assert_refused, tiny_run, tmp_path, option, value
):
    done = cli("train", tiny_run.corpus, "--out", tmp_path / "run", f"{option}={value}")
    assert_refused(done, 2, option, value[:6])
    assert list(tmp_path.iterdir()) == []


def test_a_choice_is_refused_with_the_choices(cli, tiny_run):
    done = cli("topics", tiny_run.run, "--format", "yaml")
    assert done.stderr == (
        "error: Invalid value for '--format': 'yaml' is not one of 'table', 'json', 'csv', 'markdown'; "
        "see lda-app topics --help\n"
    )


BUILDING = [
    ("--min-df", "0"),
    ("--min-df", "1.5"),
    ("--min-df", "nan"),
    ("--min-df", "few"),
    ("--max-df", "-1"),
    ("--max-vocab", "0"),
    ("--min-length", "0"),
    ("--min-length", "50"),
    ("--workers", "0"),
    ("--seed", "-1"),
    ("--seed", "4294967296"),
    ("--test-fraction", "1"),
    ("--test-fraction", "nan"),
    ("--language", "xx"),
    ("--normalize", "cut"),
    ("--format", "xls"),
    ("--encoding", "utf-9"),
    ("--encoding-errors", "hide"),
    ("--delimiter", ";;"),
]


@pytest.mark.parametrize(("option", "value"), BUILDING)
def test_a_value_of_building_is_refused_by_option_and_value(
    cli, assert_refused, tiny_csv, tmp_path, option, value
):
    done = cli("corpus", "build", tiny_csv, "--out", tmp_path / "out", f"{option}={value}")
    assert_refused(done, 2, option.removesuffix("-errors"), value)
    assert not (tmp_path / "out").exists()


def test_a_share_above_another_is_refused(cli, assert_refused, tiny_csv, tmp_path):
    limits = ("--min-df", "10", "--max-df", "2")
    done = cli("corpus", "build", tiny_csv, "--out", tmp_path / "out", *limits)
    assert_refused(done, 2, "--max-df 2 is below --min-df 10")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("num_topic = 3", ["'num_topic'", "'num_topics'"]),
        ('num_topics = "3"', ["num_topics", "'3'"]),
        ("num_topics = 0", ["num_topics", "got 0"]),
        ("[train]\nnum_topics = 3", ["'train'"]),
        ("num_topics =", ["not a TOML file"]),
        (None, ["cannot be read"]),
    ],
)
def test_a_configuration_file_is_refused_by_name_and_key(
    cli, assert_refused, tiny_run, tmp_path, content, parts
):
    file = tmp_path / "train.toml"
    if content is not None:
        file.write_text(content)
    done = cli("train", tiny_run.corpus, "--out", tmp_path / "run", "--config", file)
    assert_refused(done, 2, file, *parts)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["trian"], "'train'"),
        (["train", "--num-topic", "3"], "--num-topics"),
        (["train", "CORPUS"], "--out"),
        (["train", "--out", "RUN"], "CORPUS"),
        (["train", "--resume"], "--resume"),
        (["corpus", "bild"], "'build'"),
        (["corpus", "build", "x.csv"], "--out"),
        (["eval"], "RUN"),
        (["transform", "RUN"], "SOURCE"),
        (["topics", "RUN", "--top", "0"], "--top"),
        (["topics", "RUN", "--format", "xml"], "'xml'"),
    ],
)
def test_an_unknown_command_or_flag_is_refused_with_the_nearest(cli, assert_refused, arguments, part):
    assert_refused(cli(*arguments), 2, part)


def test_the_environment_is_checked_as_flags_are(cli, assert_refused, tiny_run, tmp_path, monkeypatch):
    monkeypatch.setenv("LDA_APP_TRAIN_NUM_TOPICS", "0")
    assert_refused(cli("train", tiny_run.corpus, "--out", tmp_path / "run"), 2, "--num-topics", "got 0")


ODD = {
    "more topics than documents": (["--num-topics", "70"], "70 topics, but only 36 documents"),
    "more topics than words": (["--num-topics", "30"], "30 topics, but only 24 words"),
    "a batch above the documents": (
        ["--batch-size", "500"],
        "batch size 500 is larger than the corpus; using all 36 documents",
    ),
    "options without effect": (["--min-df", "3"], "already has its word counts; ignored: --min-df"),
}


@pytest.mark.parametrize(("options", "warning"), ODD.values(), ids=ODD)
def test_what_can_be_done_but_hardly_meant_is_warned_of(cli, tiny_run, quick, tmp_path, options, warning):
    done = cli(
        "train", tiny_run.corpus, "--out", tmp_path / "run", *overriding(quick, "--epochs", 1, *options)
    )
    assert done.code == 0, done.stderr
    assert f"warning: {warning}" in done.stderr.replace(f"{tiny_run.corpus} ", "")


def test_more_topics_than_the_memory_holds(cli, assert_refused, tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PAGE_SIZE": 4096}.get(name, 100))
    done = cli("train", tiny_run.corpus, "--out", tmp_path / "run", "--num-topics", 2000)
    assert_refused(done, 2, "--num-topics 2000", "24 words", "memory")


def test_more_workers_than_cores_start_no_more_processes(cli, tiny_csv, tmp_path):
    assert cli("corpus", "build", tiny_csv, "--out", tmp_path / "out", "--workers", 10_000).code == 0


def test_an_empty_name_is_not_the_folder_one_is_in(cli, assert_refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_refused(cli("corpus", "build", "", "--out", "out"), 3, "empty")
    assert_refused(cli("train", "", "--out", "run"), 3, "empty")
