"""How commands end: one line on stderr and the exit code that says whose fault it was."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from lda_app import __version__, errors
from lda_app import cli as frame

BUG = ": this is a bug; rerun with --debug for the traceback"
FAULTS = {
    "run": (errors.NumericalError("loss is nan at step 7"), 1, "error: loss is nan at step 7"),
    "options": (errors.ConfigError("--alpha must be positive"), 2, "error: --alpha must be positive"),
    "input": (errors.CorpusError("a\nb.csv:3: 2 columns"), 3, r"error: a\nb.csv:3: 2 columns"),
    "folder": (errors.FolderError("runs/a is empty"), 4, "error: runs/a is empty"),
    "files": (errors.FileSystemError("cannot write x"), 5, "error: cannot write x"),
    "SIGINT": (
        errors.Interrupted("stopped; --resume goes on", signal.SIGINT),
        130,
        "warning: stopped; --resume goes on",
    ),
    "SIGTERM": (
        errors.Interrupted("stopped; --resume goes on", signal.SIGTERM),
        143,
        "warning: stopped; --resume goes on",
    ),
    "disk full": (
        OSError(errno.ENOSPC, "No space left on device", "x"),
        5,
        "error: x: No space left on device: free some space or choose another location",
    ),
    "forbidden": (
        PermissionError(errno.EACCES, "Permission denied", "x"),
        5,
        "error: x: Permission denied: check the permissions or choose another location",
    ),
    "memory": (MemoryError(), 1, "error: out of memory: use less data, or a machine with more memory"),
    "second Ctrl-C": (KeyboardInterrupt(), 130, "error: interrupted"),
    "bug": (
        ValueError("shapes differ"),
        1,
        f"error: unexpected ValueError: shapes differ{BUG}",
    ),
    "nameless bug": (
        AssertionError(),
        1,
        f"error: unexpected AssertionError{BUG}",
    ),
    "broken pipe of a worker": (BrokenPipeError(errno.EPIPE, "Broken pipe"), 5, "error: Broken pipe"),
}

PROGRAM = """
import signal, sys, time
from pathlib import Path
import typer
from lda_app import cli
from lda_app.system import storage

@cli.app.command()
def count() -> None:
    for i in range(100_000):
        print(i)

@cli.app.command()
def wait(out: Path) -> None:
    with storage.sealed_folder(out, kind="model", format_version=1, overwrite=False):
        print("ready", flush=True)
        time.sleep(60)

# A job in the background of a shell ignores SIGINT, and so do its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(cli.run())
"""


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch):
    """Register a command that raises what it is given."""
    raised: list[BaseException] = []
    app = typer.Typer(context_settings={"auto_envvar_prefix": "LDA_APP"})
    app.callback()(frame._main)

    @app.command()
    def work(num_topics: int = 5) -> None:
        print(num_topics)
        for error in raised:
            raise error

    @app.command()
    def other() -> None:
        pass

    monkeypatch.setattr(frame, "app", app)
    return raised.append


@pytest.mark.parametrize(("error", "code", "line"), FAULTS.values(), ids=FAULTS)
def test_each_fault_has_a_line_and_a_code(cli, fail, error: BaseException, code: int, line: str) -> None:
    fail(error)
    assert cli("work") == (code, "5\n", line + "\n")


def test_the_cause_of_an_error_does_not_hide_it(cli, fail) -> None:
    error = errors.CorpusError("news.csv.gz is cut off")
    error.__context__ = EOFError()
    fail(error)
    assert cli("work") == (3, "5\n", "error: news.csv.gz is cut off\n")


def test_debug_shows_the_traceback_wherever_it_stands(cli, fail) -> None:
    fail(ValueError("shapes differ"))
    for arguments in (["--debug", "work"], ["work", "--debug"]):
        done = cli(*arguments)
        assert done.code == 1
        assert "Traceback (most recent call last)" in done.stderr
        assert done.stderr.endswith("error: unexpected ValueError: shapes differ: this is a bug\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["wrok"], "error: No such command 'wrok'. Did you mean 'work'? See lda-app --help"),
        (["work", "--num-topic", "3"], "--num-topics"),
        (["work", "--num-topics", "ten"], "'--num-topics': expected a whole number, got 'ten';"),
        (["work", "extra"], "extra"),
        (["--colour"], "No such option: --colour"),
        (["work", "--", "--debug"], "--debug"),
    ],
)
def test_usage_errors_are_one_line(cli, fail, arguments: list[str], line: str) -> None:
    done = cli(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert line in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith("--help\n")
    assert done.stderr.count("\n") == 1


def test_options_come_from_the_environment_too(cli, fail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LDA_APP_WORK_NUM_TOPICS", "7")
    monkeypatch.setenv("LDA_APP_VERSION", "of an image")
    assert cli("work") == (0, "7\n", "")
    assert cli("work", "--num-topics", 9) == (0, "9\n", "")


def test_version(cli) -> None:
    assert cli("--version") == (0, f"lda-app {__version__}\n", "")


def test_no_command_shows_the_help(cli) -> None:
    done = cli()
    assert done.code == 2
    assert "corpus" in done.stdout
    assert done.stderr == ""


def shell(command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CODE": PROGRAM}
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


RUN = f'"{sys.executable}" -c "$CODE"'


def test_a_reader_that_leaves_is_no_error() -> None:
    done = shell(f"{RUN} count | head -1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_a_reader_that_leaves_the_help_is_no_error() -> None:
    done = shell(f"{RUN} --help | (exec <&-; sleep 1)")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_standard_output_on_a_full_disk() -> None:
    done = shell(f"{RUN} count > /dev/full")
    line = "error: No space left on device: free some space or choose another location\n"
    assert (done.returncode, done.stderr) == (5, line)


def test_a_closed_standard_output_is_no_error() -> None:
    done = shell(f"{RUN} count >&-")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("signum", "code", "line"), [(signal.SIGTERM, 143, ""), (signal.SIGINT, 130, "error: interrupted\n")]
)
def test_signals_leave_nothing_half_written(tmp_path: Path, signum: int, code: int, line: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "wait", str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signum)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (code, line)
    assert list(tmp_path.iterdir()) == []
