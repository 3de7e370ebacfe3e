"""The row "faults" of the bad-input contract, between processes: kill -9, signals, readers that leave."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SECONDS_TO_END = 10  # as the contract has it


@pytest.fixture
def training(begin_copies, tiny_run, tmp_path):
    """Begin a training that would take long, in a process of its own; it has a checkpoint."""
    long = ("--num-topics", "3", "--epochs", "1000000")
    (process,) = begin_copies("lda-app", "train", tiny_run.corpus, "--out", tmp_path / "run", *long)
    wait_for((tmp_path / "run.checkpoint").exists)
    return process


def wait_for(condition):
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_training_in_time_with_a_checkpoint(training, tmp_path, signum, code):
    os.kill(training.pid, signum)
    assert training.wait(timeout=SECONDS_TO_END) == code
    assert training.stdout == ""
    assert "resume with: lda-app train --resume" in training.stderr.splitlines()[-1]
    assert "Traceback" not in training.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run.checkpoint"]


def test_a_training_in_progress_is_left_alone(training, cli, assert_refused, tiny_run, tmp_path):
    run = tmp_path / "run"
    for arguments in (
        ("train", tiny_run.corpus, "--out", run),
        ("train", tiny_run.corpus, "--out", run, "--overwrite"),
        ("train", "--resume", run),
    ):
        assert_refused(cli(*arguments), 5, run, f"in use by process {training.pid}")
    training.kill()  # it fails if there is nothing left to kill
    assert cli("train", "--resume", run, "--num-topics", 4).code == 2  # no longer in use


def test_killed_at_ten_moments_the_training_ends_as_if_it_never_was(
    begin_copies, trained_run, quick, tmp_path
):
    out = tmp_path / "run"
    script = Path(__file__).with_name("killed_training.py")
    (done,) = begin_copies("script", script, trained_run.corpus, out, *quick)
    assert done.wait() == 0, done.stderr
    *killed, last = done.stdout.splitlines()
    assert len(killed) == 10, done.stderr
    assert {int(line.split()[0]) for line in killed} <= {-signal.SIGKILL, 0}, done.stderr
    assert sum(line.startswith(str(-signal.SIGKILL)) for line in killed) >= 5
    assert sum("run.checkpoint" in line for line in killed) >= 5
    assert last == "0 run"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    for name in ("model.safetensors", "history.csv", "vocabulary.txt"):
        assert (out / name).read_bytes() == (trained_run.run / name).read_bytes()


WORKERS = """
import sys
from lda_app.corpus import counting
with counting._pool(counting.TokenizerOptions(), 2) as pool:
    print(*pool._processes, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_workers_end_with_a_parent_that_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", WORKERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(workers) == 2
    parent.kill()
    parent.communicate()
    wait_for(lambda: not any(is_running(pid) for pid in workers))


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_reader_that_leaves_is_no_error(begin_copies, trained_run, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    shown = ("topics", trained_run.run, "--top", "24", "--num-documents", "20")
    (process,) = begin_copies("lda-app", *shown, stdout=pipe)
    pipe.open().close()
    assert process.wait() == 0, process.stderr
    assert "Traceback" not in process.stderr
    assert "error" not in process.stderr


def test_a_home_that_cannot_be_written_is_no_error(cli_process, trained_run, tmp_path):
    done = cli_process(
        "topics",
        trained_run.run,
        HOME="/proc/none",
        NUMBA_CACHE_DIR="",
        TERM="dumb",
        COLUMNS="40",
        NO_COLOR="1",
    )
    assert done.code == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "arning" not in done.stderr
