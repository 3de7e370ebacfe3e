"""``lda-app label``, and what other commands show of it."""

import csv
import io
import json
import shutil

import pytest

SPACE = {"orbit", "shuttle", "moon", "rocket", "launch", "satellite", "astronaut", "telescope"}
SPORT = {"goal", "hockey", "puck", "player", "team", "season", "score", "league"}


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of the tiny model, beside its corpus, to be labelled."""
    shutil.copytree(tiny_run.corpus, tmp_path / "corpus")
    return shutil.copytree(tiny_run.run, tmp_path / "run")


def topics(cli, run):
    """Return the topics as `lda-app topics` shows them, by number."""
    done = cli("topics", run, "--format", "json", "--corpus", run.parent / "corpus")
    assert done.code == 0, done.stderr
    return {topic["id"]: topic for topic in json.loads(done.stdout)["topics"]}


def test_a_name_is_shown_by_topics(cli, run):
    assert cli("label", run, "--topic", "0", "space flight").code == 0
    assert topics(cli, run)[0]["label"] == "space flight"
    assert "space flight" in cli("topics", run).stdout
    rows = list(csv.DictReader(io.StringIO(cli("topics", run, "--format", "csv").stdout)))
    assert {row["topic"]: row["label"] for row in rows} == {"0": "space flight", "1": "", "2": ""}
    assert "0 space flight" in cli("topics", run, "--format", "markdown").stdout
    assert cli("label", run, "--topic", "0", "--clear").code == 0
    assert topics(cli, run)[0]["label"] is None


def test_merged_topics_have_the_shares_of_their_parts(cli, run):
    before = topics(cli, run)
    assert cli("label", run, "--merge", "1,2").code == 0
    after = topics(cli, run)
    assert set(after) == {0, 1}
    assert after[1]["members"] == [1, 2]
    assert after[1]["prevalence"] == pytest.approx(before[1]["prevalence"] + before[2]["prevalence"])
    assert cli("label", run, "--split", "1").code == 0
    assert topics(cli, run) == before


def test_hidden_topics_are_left_out_and_counted(cli, run):
    before = topics(cli, run)
    assert cli("label", run, "--hide", "0,2").code == 0
    assert topics(cli, run) == {1: before[1]}
    assert "hidden topics, not shown: 2" in cli("topics", run).stdout
    assert "hidden" in cli("label", run).stdout
    assert cli("label", run, "--show", "0,2").code == 0
    assert topics(cli, run) == before


@pytest.mark.parametrize("layout", ["table", "json", "csv", "markdown"])
def test_all_topics_may_be_hidden(cli, run, layout):
    assert cli("label", run, "--hide", "0,1,2").code == 0
    assert cli("topics", run, "--format", layout).code == 0


def test_labels_leave_the_model_sealed_and_unchanged(cli, run):
    before = (run / "manifest.json").read_bytes()
    cli("label", run, "--topic", "1", "hockey")
    done = cli("topics", run)
    assert done.code == 0
    assert "ignored" not in done.stderr
    assert (run / "manifest.json").read_bytes() == before


def test_labels_are_imported_from_a_file(cli, run, tmp_path):
    file = tmp_path / "labels.json"
    file.write_text(json.dumps({"topics": {"2": {"label": "garden"}}}))
    assert cli("label", run, "--import", file).code == 0
    assert topics(cli, run)[2]["label"] == "garden"
    content = json.loads(cli("label", run, "--json").stdout)
    assert content["topics"] == {"2": {"label": "garden", "hidden": False, "merged_into": None}}
    assert content["shown"] == [0, 1, 2]


def test_labels_of_another_model_are_refused(cli, run, trained_run, tmp_path, assert_refused):
    cli("label", run, "--topic", "1", "hockey")
    other = shutil.copytree(trained_run.run, tmp_path / "other")
    assert_refused(cli("label", other, "--import", run / "labels.json"), 2, "a different model", "--from")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--topic", "0"), ("a name and --topic go together",)),
        (("space",), ("a name and --topic go together",)),
        (("--topic", "0", "space", "--clear"), ("--clear",)),
        (("--topic", "7", "space"), ("there is no topic 7", "0 to 2")),
        (("--topic", "0", ""), ("printable",)),
        (("--merge", "1"), ("--merge", "two topics")),
        (("--merge", "1,x"), ("--merge", "1,x")),
        (("--hide", "1,1"), ("--hide", "repeats a topic")),
    ],
)
def test_what_makes_no_sense_is_refused(cli, run, assert_refused, arguments, parts):
    assert_refused(cli("label", run, *arguments), 2, *parts)
    assert not (run / "labels.json").exists()


def test_labels_are_carried_over_to_a_retrained_model(cli, run, trained_run, tmp_path):
    cli("label", run, "--topic", "0", "space flight")
    cli("label", run, "--topic", "1", "hockey")
    other = shutil.copytree(trained_run.run, tmp_path / "other")
    done = cli("label", other, "--from", run)
    assert done.code == 0
    named = {topic["label"]: topic["words"][0]["word"] for topic in topics(cli, other).values()}
    subjects = {"space flight": SPACE, "hockey": SPORT}
    for label, words in subjects.items():
        assert (label in named and named[label] in words) or f"({label})" in done.stderr


def test_labels_of_topics_that_are_not_there_are_listed(cli, run, hostile_words_run, tmp_path):
    cli("label", run, "--topic", "0", "space flight")
    other = shutil.copytree(hostile_words_run, tmp_path / "other")
    done = cli("label", other, "--from", run)
    assert done.code == 0
    assert "not carried over: topic 0 (space flight)" in done.stderr
    assert not (other / "labels.json").exists()


def test_a_model_without_labels_has_none_to_carry_over(cli, run, tiny_run, assert_refused):
    assert_refused(cli("label", run, "--from", tiny_run.run), 2, "no labels to carry over")


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("text\nthe orbit of the moon\na goal of the hockey team\ncompost and soil and seed\n")
    return path


def shares(cli, run, texts, *options):
    """Transform texts to a table, and return its rows."""
    out = run.parent / "shares.csv"
    done = cli("transform", run, texts, "--output", out, "--overwrite", *options)
    assert done.code == 0, done.stderr
    return list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("options", [(), ("--intervals",)], ids=["plain", "intervals"])
def test_transform_merges_names_and_hides(cli, run, texts, options):
    before = shares(cli, run, texts, *options)
    cli("label", run, "--topic", "2", "leisure", "--merge", "2,1")
    after = shares(cli, run, texts, *options)
    assert "topic_1" not in after[0]
    for row, old in zip(after, before, strict=True):
        assert float(row["topic_2"]) == pytest.approx(float(old["topic_1"]) + float(old["topic_2"]), abs=1e-5)
    assert [row["top_topic"] for row in after] == ["0", "2", "2"]
    assert [row["top_topic_words"] for row in after][1:] == ["leisure"] * 2
    if options:
        assert all(
            float(r["topic_2_lower"]) <= float(r["topic_2"]) <= float(r["topic_2_upper"]) for r in after
        )
    cli("label", run, "--hide", "0")
    hidden = shares(cli, run, texts, *options)
    assert "topic_0" not in hidden[0]
    assert [row["top_topic"] for row in hidden] == ["2", "2", "2"]


def test_transform_tells_names_in_lines_and_json(cli, run, texts):
    cli("label", run, "--topic", "0", "space flight")
    assert "topic 0 (space flight) 0." in cli("transform", run, texts).stdout
    content = json.loads(cli("transform", run, texts, "--json").stdout)
    assert content["topics"][0]["label"] == "space flight"
    assert content["documents"][0]["top_topic"] == 0


def test_transform_needs_a_topic_to_show(cli, run, texts, assert_refused):
    cli("label", run, "--hide", "0,1,2")
    assert_refused(cli("transform", run, texts), 2, "all topics are hidden", "--show")


@pytest.mark.parametrize(
    "arguments",
    [
        ("prevalence", "--by", "subject"),
        ("effects", "--formula", "~ subject"),
        ("plot", "similarity", "--output", "plot.svg"),
    ],
)
def test_what_tells_of_no_topic_is_refused(
    cli, described_run, tmp_path, monkeypatch, assert_refused, arguments
):
    monkeypatch.chdir(tmp_path)
    run = shutil.copytree(described_run.run, "run")
    cli("label", run, "--hide", "0,1,2")
    command, *others = arguments
    assert_refused(cli(command, run, *others), 2, "all topics are hidden", "--show")


def test_the_curve_of_a_training_needs_no_topic_to_show(cli, trained_run, tmp_path):
    run = shutil.copytree(trained_run.run, tmp_path / "run")
    cli("label", run, "--hide", "0,1,2")
    assert cli("plot", run, "training", "--output", tmp_path / "plot.svg").code == 0


def test_eval_names_topics_and_says_that_they_are_as_trained(cli, run):
    arguments = ("eval", run, "--protocols", "elbo", "--coherence", "npmi")
    assert "evaluated as trained" not in cli(*arguments).stdout
    cli("label", run, "--topic", "0", "space flight", "--merge", "1,2", "--hide", "0")
    shown = cli(*arguments, "--per-topic").stdout
    assert "space flight" in shown
    said = "topics are evaluated as trained, including those that are hidden: 0; merged: 2 into 1"
    assert said in " ".join(shown.split())
    assert said in " ".join(cli(*arguments).stdout.split())
    measured = json.loads(cli(*arguments, "--json").stdout)["topics"]
    assert measured[0]["name"] == "space flight"
    assert [topic["hidden"] for topic in measured] == [True, False, False]
    assert [topic["merged_into"] for topic in measured] == [None, None, 1]


@pytest.mark.slow
def test_stability_names_topics(cli, trained_run, tmp_path):
    run = shutil.copytree(trained_run.run, tmp_path / "run")
    cli("label", run, "--topic", "0", "space flight")
    done = cli("stability", run, "--num-seeds", "1", "--corpus", trained_run.corpus)
    assert done.code == 0, done.stderr
    assert "space flight" in done.stdout
