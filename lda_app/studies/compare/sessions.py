"""One process per training, each in its own session, so that its resources can be measured."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_SECONDS_BETWEEN_LOOKS = 0.1


class Ended(NamedTuple):
    """How a process ended without success.

    Attributes
    ----------
    reason
        In words.
    was_late
        Whether it was stopped because its time was up.
    """

    reason: str
    was_late: bool = False


def run_in_session(
    command: Sequence[str],
    *,
    too_late: Callable[[float], str | None],
    log_file: Path | None = None,
    python_path: Path | None = None,
) -> Ended | None:
    """Run a command such that all its processes can be told from others, and end them all with it.

    Parameters
    ----------
    command
        Program and arguments.
    too_late
        Asked now and then, with the seconds since the start, why to stop the command; None lets it go on.
    log_file
        Where its output goes; None leaves it where this process's goes.
    python_path
        A folder of modules for Python to look into first.

    Returns
    -------
    Ended or None
        None if it succeeded.
    """
    # Threads that wait for each other without sleeping slow down all the others of the same machine.
    variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    if python_path is not None:
        variables["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(python_path), os.environ.get("PYTHONPATH")])
        )
    output = None if log_file is None else log_file.open("wb")
    try:
        with subprocess.Popen(  # noqa: S603 - this interpreter, with arguments that no shell reads
            command,
            start_new_session=True,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
        ) as process:
            try:
                return _watch(process, too_late)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
    finally:
        if output is not None:
            output.close()


def _watch(process: subprocess.Popen[bytes], too_late: Callable[[float], str | None]) -> Ended | None:
    begun = time.monotonic()
    while True:
        try:
            code = process.wait(_SECONDS_BETWEEN_LOOKS)
        except subprocess.TimeoutExpired:
            if reason := too_late(time.monotonic() - begun):
                return Ended(reason, was_late=True)
        else:
            return _failure(code)


def _failure(code: int) -> Ended | None:
    if code < 0:
        return Ended(
            f"killed by signal {-code}" + (", possibly because memory ran out" if code == -9 else "")
        )
    return Ended(f"exit code {code}") if code else None


def limit_of(seconds: float) -> Callable[[float], str | None]:
    """Stop a command after a number of seconds.

    Examples
    --------
    >>> limit_of(60)(61), limit_of(60)(59)
    ('not ready after 60 seconds', None)
    """
    return lambda elapsed: f"not ready after {seconds:.0f} seconds" if elapsed > seconds else None
