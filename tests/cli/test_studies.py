"""``lda-app sweep`` and ``lda-app stability``: many trainings on one corpus."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from lda_app.studies import pool

pytestmark = pytest.mark.slow

QUICK = ("--steps", "30", "--batch-size", "8", "--validation-fraction", "0.2", "--jobs", "2")
ONE_BY_ONE = (*QUICK[:6], "--jobs", "1")
# Longer than any test waits.
ENDLESS = ("--steps", "1000000", *QUICK[2:])


@pytest.fixture
def sweep(cli, tiny_run, tmp_path):
    def call(*options, numbers="2,3", seeds=2, source=tiny_run.corpus):
        return cli(
            "sweep",
            source,
            "--num-topics",
            numbers,
            "--num-seeds",
            seeds,
            "--out",
            tmp_path / "study",
            *options,
        )

    return call


@pytest.fixture
def when_looking(monkeypatch):
    """Do something once, when the parent looks at its trainings and a condition holds."""
    real = pool.wait

    def install(condition, action):
        def wait(*arguments):
            ready = real(*arguments)
            if condition():
                monkeypatch.setattr(pool, "wait", real)
                action()
            return ready

        monkeypatch.setattr(pool, "wait", wait)

    return install


def assert_same_weights(*models):
    first, second = ((model / "model.safetensors").read_bytes() for model in models)
    assert first == second


def test_a_sweep_compares_numbers_of_topics_and_goes_on_with_more(sweep, cli, tiny_run, tmp_path):
    first = sweep(*QUICK, "--json")
    assert first.code == 0, first.stderr
    found = json.loads(first.stdout)
    assert found == json.loads((tmp_path / "study" / "sweep.json").read_text())
    assert [row["num_topics"] for row in found["rows"]] == [2, 3]
    assert found["seeds"] == [0, 1]
    assert found["protocols"]["perplexity"]["protocol"] == "document_completion"
    assert found["protocols"]["perplexity"]["num_documents"] == 2 * int(0.2 * 44)
    assert found["recommended"] in {2, 3}
    assert 0 < found["rows"][0]["exclusivity"]["value"] < 1
    assert "<svg" in (tmp_path / "study" / "sweep.svg").read_text()
    model = tmp_path / "study" / found["rows"][1]["most_typical"]
    assert cli("topics", model).code == 0

    options = ("--num-topics", "3", "--seed", model.name[-1], *QUICK[:6])
    assert cli("train", tiny_run.corpus, "--out", tmp_path / "run", *options).code == 0
    assert_same_weights(model, tmp_path / "run")

    written = (model / "manifest.json").stat().st_mtime_ns
    more = sweep(*QUICK, numbers="2,3,4")
    assert more.code == 0, more.stderr
    assert "4 of 6 models already trained" in more.stderr
    assert (model / "manifest.json").stat().st_mtime_ns == written
    assert "Take " in more.stdout
    assert "document_completion on 16 documents" in more.stdout


@pytest.mark.parametrize(
    ("numbers", "parts"),
    [
        ("ten", ("--num-topics", "'ten'")),
        ("10", ("at least two numbers",)),
        ("0,5", ("--num-topics", "whole number from")),
        ("2,,3", ("--num-topics",)),
    ],
)
def test_wrong_numbers_are_refused(sweep, assert_refused, numbers, parts):
    assert_refused(sweep(*QUICK, numbers=numbers), 2, *parts)


def test_without_documents_held_out_nothing_is_trained(sweep, tmp_path, assert_refused):
    done = sweep("--steps", "30", "--validation-fraction", "0")
    assert_refused(done, 2, "--validation-fraction")
    assert not (tmp_path / "study").exists()


def test_an_error_names_the_training(sweep, tmp_path, assert_refused):
    done = sweep("--steps", "30", "--validation-fraction", "0.2", "--jobs", "1", "--device", "cuda")
    assert_refused(done, 2, "k3-seed1: ", "cuda")


def test_a_run_is_scored_by_further_seeds(cli, trained_run, planted, tmp_path):
    run = tmp_path / "run"
    assert cli("train", trained_run.corpus, "--out", run, "--num-topics", "3", *QUICK[:6]).code == 0
    done = cli("stability", run, "--num-seeds", "3", "--jobs", "2")
    assert done.code == 0, done.stderr
    assert "of 3" in done.stdout
    assert "topics are found again with another seed" in done.stdout
    assert {path.name for path in (tmp_path / "run.stability").iterdir()} >= {
        "k3-seed1",
        "k3-seed2",
        "k3-seed3",
    }

    table = cli("topics", run).stdout
    assert "found in" in table
    assert " of 3 " in table
    content = json.loads(cli("topics", run, "--format", "json").stdout)
    assert content["stability"]["num_runs"] == 3
    kept = {entry["id"]: entry for entry in json.loads((run / "stability.json").read_text())["topics"]}
    for topic in content["topics"]:
        assert topic["stability"]["found_in"] == kept[topic["id"]]["found_in"]
    rows = list(csv.DictReader(io.StringIO(cli("topics", run, "--format", "csv").stdout)))
    assert {int(row["topic"]): int(row["found_in"]) for row in rows} == {
        topic: entry["found_in"] for topic, entry in kept.items()
    }
    assert " of 3 |" in cli("topics", run, "--format", "markdown").stdout

    more = cli("stability", run, "--num-seeds", "4", "--json")
    assert more.code == 0, more.stderr
    assert json.loads(more.stdout)["num_runs"] == 4
    assert "3 of 4 models already trained" in more.stderr


def test_models_of_a_corpus_are_scored_by_each_other(cli, tiny_run, tmp_path):
    out = tmp_path / "study"
    done = cli(
        "stability", tiny_run.corpus, "--num-topics", "3", "--num-seeds", "3", "--out", out, *QUICK, "--json"
    )
    assert done.code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["num_runs"] == 2
    assert [run["name"] for run in found["runs"]] == ["k3-seed0", "k3-seed1", "k3-seed2"]
    best = max(found["runs"], key=lambda run: run["mean_similarity"])
    assert found["run"].endswith(best["name"])
    assert found["mean_similarity"] == pytest.approx(best["mean_similarity"])
    for run in found["runs"]:
        assert (out / run["name"] / "stability.json").is_file()


def test_a_run_has_its_own_options(cli, trained_run, assert_refused):
    assert_refused(cli("stability", trained_run.run, "--num-topics", "5"), 2, "--num-topics", "its own")


def test_a_corpus_needs_a_folder_for_its_models(cli, tiny_run, assert_refused):
    assert_refused(cli("stability", tiny_run.corpus), 2, "--out")
    assert_refused(cli("sweep", tiny_run.corpus, "--num-topics", "2,3"), 2, "--out")


def test_a_damaged_score_is_no_traceback(cli, planted, tmp_path, assert_refused):
    from lda_app.system.storage import write_annotation

    run = planted(tmp_path / "run")
    write_annotation(run, "stability.json", {"topics": [{"id": 0}]})
    assert_refused(cli("topics", run), 4, "stability.json", "lda-app stability")


def begin_endless(corpus, study):
    """Begin a sweep that never ends, in a process group of its own."""
    command = ("sweep", corpus, "--num-topics", "2,3", "--num-seeds", "1", "--out", study, *ENDLESS)
    return subprocess.Popen(
        [sys.executable, "-m", "lda_app", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def endless(tiny_run, tmp_path):
    """Begin a sweep that never ends; return it when all trainings run."""
    study = tmp_path / "study"
    process = begin_endless(tiny_run.corpus, study)
    wait_for(lambda: len(list(study.glob("*.checkpoint"))) == 2, process)
    yield process
    process.kill()
    process.communicate()


def wait_for(condition, process=None):
    for _ in range(1200):
        if condition():
            return
        assert process is None or process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_ctrl_c_to_the_group_ends_all_with_a_checkpoint(endless, tmp_path):
    os.killpg(endless.pid, signal.SIGINT)
    stdout, stderr = endless.communicate(timeout=60)
    assert endless.returncode == 130, stderr
    assert stdout == ""
    assert "stopped with 0 of 2 models" in stderr
    assert "run the same command again to resume" in stderr
    assert "Traceback" not in stderr
    assert nobody_writes(tmp_path / "study")


def test_ctrl_c_to_the_parent_ends_all_with_a_checkpoint(sweep, tmp_path, when_looking):
    study = tmp_path / "study"
    when_looking(
        lambda: len(list(study.glob("*.checkpoint"))) == 2, lambda: signal.raise_signal(signal.SIGINT)
    )
    done = sweep(*ENDLESS, seeds=1)
    assert (done.code, done.stdout) == (130, ""), done.stderr
    assert "stopped with 0 of 2 models" in done.stderr
    assert "run the same command again to resume" in done.stderr
    assert "Traceback" not in done.stderr
    assert nobody_writes(study)


def test_ctrl_c_before_a_training_has_begun_is_no_traceback(tiny_run, tmp_path):
    study = tmp_path / "study"
    process = begin_endless(tiny_run.corpus, study)
    # The processes of trainings begin by importing torch: they are other members of the group by then.
    wait_for(lambda: len(members(process.pid)) > 1, process)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, ""), stderr
    assert "stopped with 0 of 2 models" in stderr
    assert "Traceback" not in stderr


def members(group):
    """Return the processes of a group."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [pid for pid, pgid in pairs if int(pgid) == group]


def test_a_killed_sweep_leaves_nobody_and_goes_on(endless, tmp_path):
    endless.kill()
    endless.communicate()
    wait_for(lambda: nobody_writes(tmp_path / "study"))


def nobody_writes(study):
    """Tell whether no training holds the lock of its model, and each has left its checkpoint."""
    names = {path.name for path in study.iterdir()}
    return (
        not any(name.endswith(".lock") for name in names)
        and {
            "k2-seed0.checkpoint",
            "k3-seed0.checkpoint",
        }
        <= names
    )


def test_an_interrupted_study_ends_as_if_it_had_not_been(sweep, tmp_path, when_looking):
    study = tmp_path / "study"
    when_looking(lambda: list(study.glob("*-seed0.json")), lambda: signal.raise_signal(signal.SIGINT))
    stopped = sweep(*ONE_BY_ONE, seeds=1)
    assert stopped.code == 130, stopped.stderr
    done = sweep(*ONE_BY_ONE, "--json", seeds=1)
    assert done.code == 0, done.stderr
    whole = sweep(*ONE_BY_ONE, "--json", "--overwrite", seeds=1)
    timeless = [
        [{**row, "train_seconds": 0} for row in json.loads(text.stdout)["rows"]] for text in (done, whole)
    ]
    assert timeless[0] == timeless[1]
