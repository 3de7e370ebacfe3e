"""``lda-app train --seed-words``: topics that are to be about given words."""

import json

import pytest

SEEDS = 'winter = ["hockey", "puck"]\nplants = ["seed", "Flower", "tomato"]\n'


@pytest.fixture
def seeds(tmp_path):
    """Write seed words to a file, and return it."""

    def write(text=SEEDS):
        file = tmp_path / "seeds.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def topics(cli, run):
    content = json.loads(cli("topics", run, "--format", "json").stdout)
    return {
        topic["id"]: (topic["label"], {word["word"] for word in topic["words"]})
        for topic in content["topics"]
    }


def test_seeded_topics_come_first_with_their_names_and_words(cli, quick, tiny_run, tmp_path, seeds):
    run = tmp_path / "run"
    done = cli("train", tiny_run.corpus, "--out", run, *quick, "--seed-words", seeds())
    assert done.code == 0, done.stderr
    found = topics(cli, run)
    assert found[0][0] == "plants"
    assert {"seed", "flower", "tomato"} <= found[0][1]
    assert found[1][0] == "winter"
    assert {"hockey", "puck"} <= found[1][1]
    assert found[2][0] is None
    training = json.loads((run / "config.json").read_text())["training"]
    assert training["seed_words"] == {"winter": ["hockey", "puck"], "plants": ["seed", "Flower", "tomato"]}


def test_seeds_may_stand_in_the_configuration(cli, quick, tiny_run, tmp_path):
    file, run = tmp_path / "config.toml", tmp_path / "run"
    file.write_text('seed_weight = 2.0\n[seed_words]\nwinter = ["hockey"]\n')
    assert cli("train", tiny_run.corpus, "--out", run, *quick, "--config", file).code == 0
    assert topics(cli, run)[0][0] == "winter"


def test_words_that_are_not_there_are_named(cli, quick, tiny_run, tmp_path, seeds):
    file = seeds('winter = ["hockey", "curling"]\n')
    done = cli("train", tiny_run.corpus, "--out", tmp_path / "run", *quick, "--seed-words", file)
    assert done.code == 0
    assert "warning: seeds of 'winter' that are not in the vocabulary: curling" in done.stderr


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('winter = ["curling"]', ("no word of 'winter'", "curling")),
        ("winter = []", ("--seed-words", "'winter'", "list of words")),
        ('winter = "hockey"', ("--seed-words", "'winter'", "list of words")),
        ("", ("--seed-words", "at least one topic")),
        ("winter = [", ("seeds.toml", "not a TOML file")),
        ("\n".join(f't{n} = ["hockey"]' for n in range(4)), ("name 4 topics", "num_topics is 3")),
    ],
)
def test_seeds_that_make_no_sense_are_refused(
    cli, quick, tiny_run, tmp_path, seeds, assert_refused, text, parts
):
    done = cli("train", tiny_run.corpus, "--out", tmp_path / "run", *quick, "--seed-words", seeds(text))
    assert_refused(done, 2, *parts)
    assert not (tmp_path / "run").exists()


def test_a_missing_file_of_seeds_is_named(cli, quick, tiny_run, tmp_path, assert_refused):
    done = cli(
        "train", tiny_run.corpus, "--out", tmp_path / "run", *quick, "--seed-words", tmp_path / "none.toml"
    )
    assert_refused(done, 2, "none.toml")


def test_a_run_goes_on_with_its_own_seeds_alone(cli, quick, tiny_run, tmp_path, seeds, assert_refused):
    run = tmp_path / "run"
    cli("train", tiny_run.corpus, "--out", run, *quick, "--seed-words", seeds())
    assert cli("train", "--resume", run, "--seed-words", seeds()).code == 0
    assert_refused(
        cli("train", "--resume", run, "--seed-words", seeds('winter = ["puck"]')), 2, "--seed-words"
    )
