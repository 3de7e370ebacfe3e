"""Training in two processes on this machine, as torchrun starts them, and what happens when one goes."""

import json
import signal
import socket

import pytest

from lda_app.training import train as train_module
from lda_app.training.run import checkpoint_of

pytestmark = pytest.mark.slow

OPTIONS = ["--num-topics", "3", "--steps", "40", "--batch-size", "8"]
OPTIONS += ["--validation-fraction", "0.2"]
BEFORE_STEP = 15


@pytest.fixture(scope="module", autouse=True)
def _loopback():
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", 0))
        except OSError as error:
            pytest.skip(f"processes cannot talk over the loopback interface here: {error}")


@pytest.fixture(scope="session")
def two_processes(begin_copies):
    """Begin two processes by `copies.py`; return what waits for exit code and stderr of each."""

    def begin(*arguments):
        copies = begin_copies(*arguments, size=2)
        return lambda: [[copy.wait(), copy.stderr] for copy in copies]

    return begin


@pytest.fixture(scope="module", autouse=True)
def talking(two_processes):
    """Let two processes talk while other tests run, for they wait most of the time."""
    return two_processes("talk")


@pytest.fixture
def train_together(two_processes):
    """Let two processes train; return exit code and stderr of each."""
    return lambda *arguments: two_processes("together", *arguments)()


def perplexity(run):
    return json.loads((run / "metrics.json").read_text())["validation_perplexity"]["value"]


@pytest.fixture(scope="module")
def alone(tiny_run, tmp_path_factory):
    """Train in one process."""
    from lda_app.cli import run

    out = tmp_path_factory.mktemp("alone") / "run"
    assert run(["train", str(tiny_run.corpus), "--out", str(out), *OPTIONS]) == 0
    return out


@pytest.fixture
def interrupted_alone(monkeypatch, cli, tiny_run, tmp_path):
    """Train in one process that is interrupted."""
    real = train_module.train_step

    def step(*arguments, **more):
        if arguments[-1] == BEFORE_STEP:
            signal.raise_signal(signal.SIGTERM)
        return real(*arguments, **more)

    monkeypatch.setattr(train_module, "train_step", step)
    assert cli("train", tiny_run.corpus, "--out", tmp_path / "run", *OPTIONS).code == 143
    return tmp_path / "run"


def test_torchrun_finds_what_one_process_finds_and_the_first_alone_writes(
    begin_copies, alone, tiny_run, tmp_path
):
    out = tmp_path / "run"
    launcher = ["torchrun", "--standalone", "--nproc-per-node", "2"]
    command = ["-m", "lda_app", "train", tiny_run.corpus, "--out", out, *OPTIONS]
    (copy,) = begin_copies(*launcher, *command)
    assert copy.wait() == 0, copy.stderr
    assert perplexity(out) == pytest.approx(perplexity(alone), rel=0.1)
    assert copy.stderr.count("Training: ") == copy.stderr.count("Model saved in ") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in alone.iterdir())


def test_processes_wait_for_each_other_but_not_for_ever(talking):
    for rank, (code, stderr) in enumerate(talking()):
        said = dict(line.split(" ", 1) for line in stderr.splitlines())
        assert said.pop("told", None) == [None, "what to do"][rank]
        assert "the weights are not the same on all processes" in said.pop("different")
        assert f"process {rank} of 2: another one ended, or did not answer for 2 s" in said.pop("gone")
        assert said == {
            "work": "done",
            "largest": "1 0",
            "union": "0 1 4 9",
            "sum": "4.0 4.0 4.0 4.0 2.0 1.0",
        }
        assert code == 1


def test_a_signal_to_one_ends_both_and_one_process_goes_on(train_together, cli, alone, tiny_run, tmp_path):
    command = "train", tiny_run.corpus, "--out", tmp_path / "run", *OPTIONS
    first, second = train_together("SIGTERM", 1, BEFORE_STEP, *command)
    stopped = f"stopped after step {BEFORE_STEP + 1}; resume with: lda-app train --resume"
    assert first[0] == 143
    assert stopped in first[1]
    assert second == [0, ""]
    assert cli("train", "--resume", tmp_path / "run").code == 0
    assert perplexity(tmp_path / "run") == pytest.approx(perplexity(alone), rel=0.1)


def test_two_processes_go_on_with_the_run_of_one(train_together, alone, interrupted_alone):
    first, second = train_together("nothing", 0, 0, "train", "--resume", interrupted_alone)
    assert first[0] == 0, first[1]
    assert second == [0, ""]
    assert perplexity(interrupted_alone) == pytest.approx(perplexity(alone), rel=0.1)
    assert not checkpoint_of(interrupted_alone).exists()


@pytest.mark.parametrize("killed", [0, 1])
def test_when_one_is_killed_the_other_ends_with_a_line(train_together, tiny_run, tmp_path, killed):
    command = "train", tiny_run.corpus, "--out", tmp_path / "run", *OPTIONS
    ended = train_together("SIGKILL", killed, BEFORE_STEP, *command)
    assert ended[killed][0] == -signal.SIGKILL
    code, stderr = ended[1 - killed]
    assert code == 1
    assert f"error: process {1 - killed} of 2: another one ended" in stderr
    assert "resume from the last checkpoint with --resume" in stderr
    assert len(stderr.splitlines()) <= 2  # the summary of the training's progress, and why it ended
    assert checkpoint_of(tmp_path / "run").exists()


def test_an_error_of_the_first_is_said_once(train_together, tiny_csv, tmp_path):
    first, second = train_together("nothing", 0, 0, "train", tiny_csv, "--out", tmp_path / "run", *OPTIONS)
    assert first[0] == 2
    assert "training with several processes needs a corpus folder; build one from" in first[1]
    assert second == [0, ""]
