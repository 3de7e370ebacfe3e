"""Run the tests under one imitation, once it is seen to work."""

import functools
import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from processors import probe
from processors.imitations import Imitation

# Emulated code is some ten times slower, and test processes that pytest-xdist starts would not be emulated.
_EMULATED = ("-n0", "--timeout=1200")
_NATIVE = ("-nauto", "--timeout=600")
# What the caller has set for all tests would also decide about an imitation.
_NOT_INHERITED = frozenset({"LDA_APP_NO_COMPILE", "OMP_NUM_THREADS"})


class Outcome(NamedTuple):
    """The result of an imitation."""

    name: str
    failed: bool
    summary: str
    ran: bool = True

    def line(self) -> str:
        """Return it as a line of the table."""
        return f"{self.name:14} {'FAILED ' if self.failed else ''}{self.summary}"


def run(imitation: Imitation, tests: Sequence[str], pytest_options: Sequence[str], scratch: Path) -> Outcome:
    """Run tests, if the imitation is possible and works."""
    obstacle = imitation.obstacle() or imitation.prepare()
    if obstacle:
        return Outcome(imitation.name, failed=False, summary=f"passed over: {obstacle}", ran=False)
    ignored = disobeyed(imitation)
    if ignored:
        return Outcome(imitation.name, failed=True, summary=f"is not imitated: {'; '.join(ignored)}")
    return run_tests(imitation, [*tests, *pytest_options], scratch / f"{imitation.name}.log")


def run_tests(imitation: Imitation, arguments: Sequence[str], log: Path) -> Outcome:
    """Run pytest, and keep its output if a test fails."""
    fixed = ("--quiet", "-p", "no:cacheprovider", *(_EMULATED if imitation.emulated else _NATIVE))
    begun = time.monotonic()
    with log.open("w") as stream:
        command = ("-m", "pytest", *fixed, *arguments)
        code = start(imitation, *command, stdout=stream, stderr=subprocess.STDOUT).returncode
    summary = f"{counts(log.read_text())} in {time.monotonic() - begun:.0f} s"
    if code:
        return Outcome(imitation.name, failed=True, summary=f"{summary}, see {log}")
    log.unlink()
    return Outcome(imitation.name, failed=False, summary=summary)


def counts(output: str) -> str:
    r"""Return how many tests passed, failed and were skipped, from the last line of pytest's output.

    Examples
    --------
    >>> counts("FAILED tests/test_a.py\n1 failed, 12 passed, 3 skipped in 4.31s\n")
    '1 failed, 12 passed, 3 skipped'
    """
    found = re.findall(r"^(?:=+ )?(\d+ \w+(?:, \d+ \w+)*) in [\d.]+s", output, re.MULTILINE)
    return found[-1] if found else "no test ran"


def disobeyed(imitation: Imitation) -> list[str]:
    """Return what differs from the imitated processor, though the libraries were told of it."""
    asked = [str(probe.__file__), *imitation.sees]
    done = start(imitation, *asked, more=probe.VERBOSE, capture_output=True, text=True)
    if done.returncode:
        return [done.stderr.strip().rpartition("\n")[2] or f"the probe ended with {done.returncode}"]
    seen = probe.parse(done.stdout)
    return [
        f"{library} sees {seen.get(library, 'nothing')}, not {expected}"
        for library, expected in imitation.sees.items()
        if seen.get(library) != expected
    ]


def start(
    imitation: Imitation, *arguments: str, more: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run Python under an imitation, with further environment variables and options of subprocess.run."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    return subprocess.run(
        imitation.command(*arguments),
        env={**inherited, **environment(imitation), **(more or {})},
        preexec_fn=functools.partial(restrict, imitation.cores),
        stdin=subprocess.DEVNULL,
        check=False,
        **options,
    )


def restrict(cores: int | None) -> None:
    """Restrict this process, a child that is about to begin, to some of its cores."""
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def environment(imitation: Imitation) -> dict[str, str]:
    """Return the environment variables of an imitation, numpy's among them."""
    settings = dict(imitation.environment)
    if imitation.numpy_keeps is not None:
        unwanted = [group for group in numpy_groups() if group not in imitation.numpy_keeps]
        settings["NPY_DISABLE_CPU_FEATURES"] = " ".join(unwanted)
    return settings


@functools.cache
def numpy_groups() -> list[str]:
    """Return what numpy can be told to leave off; anything else it refuses with a warning."""
    return probe.numpy_dispatched()
