"""``lda-app update``: topics keep their numbers and learn from new text."""

import csv
import json
import shutil

import numpy as np
import pytest

from lda_app.fitted.folder import open_model

SPACE = "orbit shuttle moon rocket launch satellite astronaut telescope"


@pytest.fixture
def new_text(tmp_path):
    """Thirty new texts, all about space, with words that the model has never seen."""
    words = f"{SPACE} capsule lander".split()
    rows = [
        (f"new{i}", " ".join(words[(3 * i + j * (1 + i % 4)) % 10] for j in range(12))) for i in range(30)
    ]
    path = tmp_path / "new.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("id", "text"), *rows])
    return path


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of the tiny model, whose topics are 0 space, 1 sport, 2 garden, beside its corpus."""
    shutil.copytree(tiny_run.corpus, tmp_path / "corpus")
    return shutil.copytree(tiny_run.run, tmp_path / "run")


def update(cli, run, new_text, out, *options):
    return cli("update", run, new_text, "--id-column", "id", "--out", out, "--steps", "40", *options)


def test_topics_keep_their_numbers_and_take_up_new_words(cli, run, new_text, tmp_path):
    out = tmp_path / "after"
    done = update(cli, run, new_text, out, "--json")
    assert done.code == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told["new_words"]) == {"capsule", "lander"}
    assert told["new_tokens"] > 0
    before, after = open_model(run), open_model(out)
    index = after.vocabulary.index
    columns = [index[word] for word in before.vocabulary.words]
    nearest = np.sqrt(before.beta) @ np.sqrt(after.beta[:, columns]).T
    assert nearest.argmax(axis=1).tolist() == [0, 1, 2]
    assert after.beta[0, index["capsule"]] > 10 * after.beta[1:, index["capsule"]].max()
    space = told["topics"][0]
    assert space["after"] > 0.8 > space["before"]
    assert space["drifted"]
    assert space["lower"] > 0


def test_what_is_told_adds_up(cli, run, new_text, tmp_path):
    out = tmp_path / "after"
    told = json.loads(update(cli, run, new_text, out, "--json").stdout)
    for name in ("before", "after"):
        assert sum(topic[name] for topic in told["topics"]) == pytest.approx(1)
    assert (
        told["num_tokens"]
        == json.loads((tmp_path / "after.corpus/manifest.json").read_text())["splits"]["train"]["tokens"]
    )


def test_the_table_tells_what_moved_and_the_model_is_left_alone(cli, run, new_text, tmp_path):
    before = (run / "manifest.json").read_bytes()
    cli("label", run, "--topic", "0", "space flight")
    done = update(cli, run, new_text, tmp_path / "after")
    assert done.code == 0
    assert "space flight" in done.stdout
    assert "New words in the vocabulary: 2" in done.stderr
    assert "Topics that moved: none" in done.stderr
    assert (run / "manifest.json").read_bytes() == before
    assert "space flight" in cli("topics", tmp_path / "after").stdout


def test_a_small_weight_lets_topics_forget(cli, run, new_text, tmp_path):
    told = []
    for weight in ("1", "0.001"):
        out = tmp_path / f"after-{weight}"
        told.append(json.loads(update(cli, run, new_text, out, "--json", "--weight", weight).stdout))
    similar = [sum(topic["similarity"] for topic in document["topics"]) for document in told]
    assert similar[1] < similar[0]


def test_equal_updates_are_equal_to_the_bit(cli, run, new_text, tmp_path):
    weights = []
    for name in ("one", "two"):
        update(cli, run, new_text, tmp_path / name)
        weights.append((tmp_path / name / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_without_the_old_corpus_prevalence_is_not_compared(cli, planted, new_text, tmp_path):
    run = planted(tmp_path / "run", place="../gone")
    done = update(cli, run, new_text, tmp_path / "after", "--json")
    assert done.code == 0
    assert "prevalence is not compared" in done.stderr
    assert {topic["before"] for topic in json.loads(done.stdout)["topics"]} == {None}


def test_the_model_itself_is_no_output(cli, run, new_text, assert_refused):
    assert_refused(update(cli, run, new_text, run), 2, "another folder")


def test_an_output_that_exists_is_refused(cli, run, new_text, tmp_path, assert_refused):
    update(cli, run, new_text, tmp_path / "after")
    assert_refused(update(cli, run, new_text, tmp_path / "after"), 2, "exists")


def test_a_model_of_imported_counts_cannot_read_text(cli, planted, new_text, tmp_path, assert_refused):
    run = planted(tmp_path / "counts", raw_text=False)
    assert_refused(update(cli, run, new_text, tmp_path / "after"), 4, "imported counts")


def test_a_model_of_the_published_recipe_cannot_go_on(cli, tiny_run, new_text, tmp_path, assert_refused):
    run = tmp_path / "published"
    cli("train", tiny_run.corpus, "--out", run, "--preset", "figurnov", "--steps", "5", "--num-topics", "3")
    assert_refused(update(cli, run, new_text, tmp_path / "after"), 2, "--encoder mlp")
    assert not list(tmp_path.glob("after*"))


def test_an_update_that_fails_leaves_nothing_behind(cli, run, new_text, tmp_path, monkeypatch):
    def fail(*_arguments, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("lda_app.training.update.train", fail)
    assert update(cli, run, new_text, tmp_path / "after").code == 130
    assert not list(tmp_path.glob("after*"))


def test_phrases_are_those_of_the_model(cli, tmp_path):
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("the white house and orbit moon launch\nhockey goal white house team\n" * 20)
    new.write_text("white house and space station orbit\nspace station white house hockey\n" * 20)
    corpus = tmp_path / "corpus"
    assert cli("corpus", "build", old, "--out", corpus, "--phrases", "--min-df", "1").code == 0
    assert cli("train", corpus, "--out", tmp_path / "run", "--num-topics", "2", "--steps", "5").code == 0
    done = cli("update", tmp_path / "run", new, "--out", tmp_path / "after", "--steps", "5")
    assert done.code == 0, done.stderr
    before, after = (set(open_model(tmp_path / name).vocabulary.words) for name in ("run", "after"))
    assert "white house" in before
    assert {"white house", "space", "station"} <= after
    assert "space station" not in after
