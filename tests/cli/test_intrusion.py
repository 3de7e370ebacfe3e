"""``lda-app eval --intrusion``: the answers of the report's quiz, scored."""

import json

import pytest

from lda_app.system.storage import content_fingerprint


@pytest.fixture
def answers(tmp_path, tiny_run):
    """Write the answers of a rater about the tiny model."""

    def write(name="answers.json", chosen="goal", about=None):
        question = {"topic": 0, "words": ["moon", "orbit", "goal"], "intruder": "goal", "chosen": chosen}
        content = {
            "schema_version": 1,
            "kind": "intrusion_answers",
            "about": about or content_fingerprint(tiny_run.run, "model"),
            "rater": name,
            "word_intrusion": [question],
            "topic_intrusion": [],
        }
        (tmp_path / name).write_text(json.dumps(content))
        return tmp_path / name

    return write


def test_answers_are_scored_with_intervals(cli, answers):
    files = answers("one.json"), answers("two.json", "moon")
    done = cli("eval", "--intrusion", files[0], "--intrusion", files[1], "--json")
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["word_intrusion"]["value"] == 0.5
    assert 0 < found["word_intrusion"]["low"] < 0.5 < found["word_intrusion"]["high"] < 1
    assert found["topic_intrusion"] is None
    table = cli("eval", "--intrusion", files[0]).stdout
    assert "word_intrusion, model precision" in table
    assert "1.00" in table


def test_answers_about_another_model_are_refused(cli, answers, tiny_run, trained_run, assert_refused):
    assert cli("eval", tiny_run.run, "--intrusion", answers()).code == 0
    assert_refused(cli("eval", trained_run.run, "--intrusion", answers()), 2, "a different model")
    mixed = ("--intrusion", answers("one.json"), "--intrusion", answers("two.json", about="other"))
    assert_refused(cli("eval", *mixed), 2, "two.json", "a different model")


@pytest.mark.parametrize("text", ["", "[1]", '{"kind": "labels"}'])
def test_what_holds_no_answers_is_refused(cli, tmp_path, assert_refused, text):
    (tmp_path / "answers.json").write_text(text)
    assert_refused(cli("eval", "--intrusion", tmp_path / "answers.json"), 3)


def test_a_missing_file_is_named(cli, tmp_path, assert_refused):
    assert_refused(cli("eval", "--intrusion", tmp_path / "none.json"), 3, "none.json")
