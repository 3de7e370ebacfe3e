"""Seconds, processor seconds and memory of a training, and snapshots of the model during it."""

from __future__ import annotations

import os
import resource
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    FloatArray = npt.NDArray[Any]

_FIRST_SNAPSHOT, _GROWTH = 0.25, 1.5  # seconds; each waits half as long again as the one before
_PROC = Path("/proc")


class OutOfTime(Exception):  # noqa: N818 - it is no fault
    """The time of a training is up; raised within it, caught by :meth:`Clock.limited`."""


class Snapshot(NamedTuple):
    """The model after some seconds of training."""

    seconds: float
    alpha: FloatArray
    beta: FloatArray


class ResourceUsage(NamedTuple):
    """What a training took.

    Attributes
    ----------
    seconds, cpu_seconds
        By the clock on the wall, and on all cores, child processes included.
    peak_memory
        Bytes, of all processes together; what was imported and the counts are in it.
    others_load
        Cores that other programs kept busy meanwhile, on average: above 0.1 or so, times on the wall mean
        little. 0 where the system does not tell.
    """

    seconds: float
    cpu_seconds: float
    peak_memory: int
    others_load: float


class Clock:
    """Measures a training; a method calls ``start`` when its data are ready, and ``snapshot`` on the way.

    Parameters
    ----------
    keeps_snapshots
        Whether they are kept.
    time_limit
        Seconds after which a training is stopped at its next snapshot; None lets it go on.
    on_start
        Called when the training begins.
    """

    def __init__(
        self,
        *,
        keeps_snapshots: bool = False,
        time_limit: float | None = None,
        on_start: Callable[[], object] = lambda: None,
    ) -> None:
        self.snapshots: list[Snapshot] = []
        self.stopped = False
        self._keeps = keeps_snapshots
        self._limit = time_limit
        self._on_start = on_start
        self._due = _FIRST_SNAPSHOT
        self._begin()

    def start(self) -> None:
        """Begin anew."""
        self._on_start()
        self._begin()

    def _begin(self) -> None:
        self._busy = _busy_seconds()
        self._cpu = cpu_seconds()
        self._begun = time.perf_counter()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Let a training end here when its time is up, with what it has learned so far.

        Examples
        --------
        >>> clock = Clock(time_limit=0.0)
        >>> with clock.limited():
        ...     clock.check()
        ...     print("never reached")
        >>> clock.stopped
        True
        """
        with suppress(OutOfTime):
            yield

    def check(self) -> None:
        """End the training, within :meth:`limited`, if its time is up."""
        if self._limit is not None and time.perf_counter() - self._begun > self._limit:
            self.stopped = True
            raise OutOfTime

    def snapshot(self, model: Callable[[], tuple[FloatArray, FloatArray]]) -> None:
        """Keep a copy of α and β if one is due, in no time that counts; end the training if time is up."""
        begun = time.perf_counter()
        if self._keeps and begun - self._begun >= self._due:
            alpha, beta = model()
            self.snapshots.append(Snapshot(begun - self._begun, alpha.copy(), beta.copy()))
            self._due *= _GROWTH
            self._begun += time.perf_counter() - begun
        self.check()

    def stop(self) -> ResourceUsage:
        """Return what was used since the start."""
        seconds = time.perf_counter() - self._begun
        cpu = cpu_seconds() - self._cpu
        others = max(0.0, _busy_seconds() - self._busy - cpu) / seconds if _PROC.is_dir() else 0.0
        return ResourceUsage(seconds, cpu, peak_memory(), others)


def cpu_seconds() -> float:
    """Processor seconds of all processes of this session, the ended ones included."""
    if not _PROC.is_dir():
        return sum(os.times()[:4])
    return sum(sum(map(int, fields[11:15])) for _, fields in _session()) / os.sysconf("SC_CLK_TCK")


def peak_memory() -> int:
    """Most bytes in memory, added up over the processes of this session."""
    if not _PROC.is_dir():
        unit = 1 if sys.platform == "darwin" else 1024  # man 2 getrusage
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return sum(_high_water_mark(process) for process, _ in _session())


def _session() -> Iterator[tuple[Path, list[str]]]:
    """Yield folder and statistics (man 5 proc) of each process that this session's leader began."""
    session = str(os.getsid(0))
    for process in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if fields[3] == session:
                yield process, fields


def _high_water_mark(process: Path) -> int:
    with suppress(OSError):
        for line in (process / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _busy_seconds() -> float:
    """Seconds that the cores of this process have worked, for any program (man 5 proc_stat)."""
    if not _PROC.is_dir():
        return 0.0
    cores = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    lines = (line.split() for line in (_PROC / "stat").read_text().splitlines())
    busy = (map(int, (*line[1:4], *line[6:8])) for line in lines if line[0] in cores)
    return sum(map(sum, busy)) / os.sysconf("SC_CLK_TCK")
