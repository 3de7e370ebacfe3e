"""The rows "training" and "faults" of the bad-input contract, within one process."""

import json
import math
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from lda_app.training import step as step_module
from lda_app.training import train as train_module
from lda_app.training.run import checkpoint_of
from tests.cli.conftest import overriding


@pytest.fixture
def train(cli, tiny_run, quick):
    """Train as `trained_run` was, on the corpus of `tiny_run`."""

    def call(out, *options):
        return cli("train", tiny_run.corpus, "--out", out, *overriding(quick, *options))

    return call


@pytest.fixture
def before_step(monkeypatch):
    """Do something before the step of a number: ``before_step(7, action)``."""

    def install(number, action):
        real = train_module.train_step

        def step(*arguments, **more):
            if arguments[-1] == number:
                action()
            return real(*arguments, **more)

        monkeypatch.setattr(train_module, "train_step", step)
        return lambda: monkeypatch.setattr(train_module, "train_step", real)

    return install


@pytest.fixture
def interrupted(train, before_step, tmp_path):
    """Interrupt a training at its eleventh step."""
    restore = before_step(10, lambda: signal.raise_signal(signal.SIGINT))
    done = train(tmp_path / "run")
    assert done.code == 130, done.stderr
    restore()
    return tmp_path / "run"


@pytest.fixture(scope="module")
def interrupted_once(trained_run, tmp_path_factory):
    """Interrupt a training at its first step; read only."""
    from lda_app.cli import run

    out = tmp_path_factory.mktemp("interrupted") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_module, "train_step", lambda *_, **__: signal.raise_signal(signal.SIGINT))
        assert run(["train", str(trained_run.corpus), "--out", str(out), "--num-topics", "3"]) == 130
    return out


BY_ELBO = ("--topic-update", "elbo")


def nan_from(call_number, monkeypatch):
    """Make the ELBO NaN from this call on; with BY_ELBO there is one call a step."""
    calls = SimpleNamespace(count=0)
    real = step_module.sampled_elbo

    def sampled_elbo(lda, batch):
        calls.count += 1
        elbo = real(lda, batch)
        return elbo._replace(loss=elbo.loss * math.nan) if calls.count >= call_number else elbo

    monkeypatch.setattr(step_module, "sampled_elbo", sampled_elbo)


def weights(run):
    return (run / "model.safetensors").read_bytes()


def test_a_loss_of_nan_keeps_the_last_good_weights(cli, train, assert_refused, tmp_path, monkeypatch):
    nan_from(15, monkeypatch)
    done = train(tmp_path / "run", *BY_ELBO)
    assert_refused(done, 1, "nan at step 14", "the weights after 14 steps", tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["steps"] == 14
    assert cli("eval", tmp_path / "run").code == 0


def test_a_loss_of_nan_before_there_are_weights_to_keep(train, assert_refused, tmp_path, monkeypatch):
    nan_from(1, monkeypatch)
    done = train(tmp_path / "run", *BY_ELBO)
    assert_refused(done, 1, "nan at step 0", "no weights are kept", "--learning-rate")
    assert list(tmp_path.iterdir()) == []


def test_a_loss_of_nan_does_not_harm_the_model_that_was_there(
    train, planted, assert_refused, tmp_path, monkeypatch
):
    planted(tmp_path / "run")
    before = weights(tmp_path / "run")
    nan_from(1, monkeypatch)
    assert_refused(train(tmp_path / "run", "--overwrite", *BY_ELBO), 1, "nan")
    assert weights(tmp_path / "run") == before


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("step", [0, 10, 15])
def test_interrupted_and_gone_on_with_is_as_if_never_stopped(
    cli, train, before_step, trained_run, tmp_path, signum, code, step
):
    run = tmp_path / "run"
    restore = before_step(step, lambda: signal.raise_signal(signum))
    done = train(run)
    restore()
    assert (done.code, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-1] == (
        f"warning: stopped after step {step + 1}; resume with: lda-app train --resume {run}"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run.checkpoint"]
    assert cli("train", "--resume", run).code == 0
    assert weights(run) == weights(trained_run.run)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (run / "history.csv").read_bytes() == (trained_run.run / "history.csv").read_bytes()


def test_a_second_signal_ends_the_run_at_once(train, before_step, tmp_path):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before_step(10, twice)
    done = train(tmp_path / "run")
    assert done.code == 130
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run.checkpoint"]


def test_resume_of_a_finished_run_says_so(cli, trained_run, tmp_path):
    before = weights(trained_run.run)
    done = cli("train", "--resume", trained_run.run)
    assert done.code == 0
    assert "finished" in done.stderr
    assert weights(trained_run.run) == before


OTHERWISE = {
    "K": (["--num-topics", "7"], ["--num-topics 3, not 7"]),
    "a seed": (["--seed", "7"], ["--seed 0, not 7"]),
    "a configuration": (["--config", "x.toml"], ["leave out --config"]),
    "words": (["--min-df", "3"], ["leave out --min-df"]),
    "a place": (["--out", "elsewhere"], ["leave out --out"]),
    "--overwrite": (["--overwrite"], ["leave out --overwrite"]),
}


@pytest.mark.parametrize("state", ["interrupted", "finished"])
@pytest.mark.parametrize(("options", "parts"), OTHERWISE.values(), ids=OTHERWISE)
def test_a_run_does_not_go_on_otherwise_than_it_began(
    cli, assert_refused, trained_run, request, state, options, parts
):
    run = request.getfixturevalue("interrupted_once") if state == "interrupted" else trained_run.run
    assert_refused(cli("train", "--resume", run, *options), 2, *parts)


@pytest.mark.parametrize("state", ["interrupted", "finished"])
def test_a_run_does_not_go_on_with_another_corpus(
    cli, assert_refused, trained_run, tmp_path, tiny_csv, request, state
):
    run = request.getfixturevalue("interrupted_once") if state == "interrupted" else trained_run.run
    other = tmp_path / "other"
    assert cli("corpus", "build", tiny_csv, "--out", other, "--max-vocab", 20).code == 0
    assert_refused(cli("train", other, "--resume", run), 2, other, "fingerprint")


def test_a_run_whose_corpus_is_gone_asks_for_it(cli, train, interrupted, assert_refused, tiny_run, tmp_path):
    moved = tmp_path / "deeper" / "run"
    moved.parent.mkdir()
    checkpoint_of(interrupted).rename(checkpoint_of(moved))
    assert_refused(cli("train", "--resume", moved), 4, "lda-app train CORPUS --resume")
    assert cli("train", tiny_run.corpus, "--resume", moved).code == 0


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda _: b"", lambda data: data[:-1] + b"\0"])
def test_a_damaged_checkpoint_is_named(cli, interrupted, assert_refused, damage):
    checkpoint = checkpoint_of(interrupted)
    checkpoint.write_bytes(damage(checkpoint.read_bytes()[:-1] + b"\1"))
    assert_refused(cli("train", "--resume", interrupted), 4, checkpoint, "--overwrite")


def test_an_unfinished_run_is_not_lost_by_beginning_anew(train, interrupted, assert_refused, trained_run):
    before = checkpoint_of(interrupted).read_bytes()
    assert_refused(train(interrupted), 2, "--resume", "--overwrite")
    assert checkpoint_of(interrupted).read_bytes() == before
    assert train(interrupted, "--overwrite").code == 0
    assert weights(interrupted) == weights(trained_run.run)
    assert not checkpoint_of(interrupted).exists()


def test_where_no_run_is(cli, assert_refused, tmp_path):
    assert_refused(cli("train", "--resume", tmp_path / "none"), 4, "no such run", "--out")
    assert list(tmp_path.iterdir()) == []


def test_topics_that_are_mostly_unused_or_alike_are_warned_of(train, tmp_path):
    done = train(tmp_path / "run", "--num-topics", 24, "--epochs", 1)
    assert done.code == 0
    assert "try fewer topics or more text" in done.stderr


def test_an_output_that_exists_is_replaced_on_demand_only(train, planted, assert_refused, tmp_path):
    run = planted(tmp_path / "run")
    before = weights(run)
    assert_refused(train(run, "--seed", 1), 2, run, "--overwrite")
    assert weights(run) == before
    assert train(run, "--seed", 1, "--overwrite").code == 0
    assert weights(run) != before


@pytest.mark.parametrize("name", ["thesis", "thesis/notes.md"])
def test_what_is_not_ours_is_refused_before_anything_is_read(cli, assert_refused, tmp_path, name):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "notes.md").write_text("mine")
    done = cli("train", "no-such-corpus.csv", "--out", tmp_path / name, "--overwrite")
    assert_refused(done, 2, tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["thesis", "notes.md"]


def test_a_corpus_folder_is_no_place_for_a_model(train, assert_refused, tiny_run):
    assert_refused(train(tiny_run.corpus, "--overwrite"), 2, "is a corpus folder")


def test_another_corpus_beside_the_run_is_not_replaced_unasked(
    cli, assert_refused, quick, tiny_csv, tmp_path
):
    beside = tmp_path / "run.corpus"
    assert cli("corpus", "build", tiny_csv, "--out", beside, "--max-vocab", 20).code == 0
    before = (beside / "manifest.json").read_bytes()
    assert_refused(cli("train", tiny_csv, "--out", tmp_path / "run", *quick), 2, beside, "--overwrite")
    assert (beside / "manifest.json").read_bytes() == before
    again = cli(
        "train", tiny_csv, "--out", tmp_path / "run", *overriding(quick, "--epochs", 1), "--overwrite"
    )
    assert again.code == 0, again.stderr


def test_a_full_disk(train, planted, full_disk, assert_refused, tmp_path):
    run = planted(tmp_path / "run")
    before = weights(run)
    with full_disk():
        done = train(run, "--overwrite")
    assert_refused(done, 5, "free some space")
    assert weights(run) == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_disk_too_full_is_known_before_training(train, assert_refused, before_step, tmp_path, monkeypatch):
    before_step(0, lambda: pytest.fail("training began"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100))
    assert_refused(train(tmp_path / "run"), 5, tmp_path / "run", "free some space")
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_folder_is_known_before_anything_is_read(cli, assert_refused, read_only_folder):
    out = read_only_folder / "run"
    assert_refused(cli("train", "no-such-corpus.csv", "--out", out), 5, out, "Permission denied")


HOLDER = """
import sys
from pathlib import Path
from lda_app.system.storage import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_runs_into_one_folder(cli, assert_refused, interrupted, tiny_run):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, interrupted],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "held\n"
        begun = cli("train", tiny_run.corpus, "--out", interrupted)
        resumed = cli("train", "--resume", interrupted)
        other.stdin.close()
    for done in (begun, resumed):
        assert_refused(done, 5, interrupted, f"in use by process {other.pid}")


PLACES = {
    "a trailing slash": "run/",
    "a detour": "none/../run",
    "a space": "my run",
    "another script": "läuft 模型",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_any_path_will_do(cli, train, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    done = train(place, "--epochs", 1)
    assert done.code == 0, done.stderr
    (run,) = tmp_path.iterdir()
    assert (f"'{run.name}'" if " " in place or "模" in place else run.name) in done.stderr.splitlines()[-1]
    assert cli("topics", place.replace("none/../", "")).code == 0


def test_the_folder_one_is_in(cli, interrupted, trained_run, monkeypatch):
    monkeypatch.chdir(interrupted.parent)
    assert cli("train", "--resume", "./run").code == 0
    monkeypatch.chdir(interrupted)
    assert "finished" in cli("train", "--resume", ".").stderr
    assert weights(interrupted) == weights(trained_run.run)


def test_nothing_of_torch_is_left_behind(train, tmp_path):
    threads = torch.get_num_threads()
    assert train(tmp_path / "run", "--epochs", 1).code == 0
    assert torch.get_num_threads() == threads
