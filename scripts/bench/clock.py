"""Seconds, processor seconds and memory of a training on Linux, and snapshots of the model during it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    FloatArray = npt.NDArray[Any]

_TICKS = os.sysconf("SC_CLK_TCK")
_FIRST_SNAPSHOT, _GROWTH = 0.25, 1.5  # seconds; each waits half as long again as the one before


class Snapshot(NamedTuple):
    """The model after so many seconds of training."""

    seconds: float
    alpha: FloatArray
    beta: FloatArray


class Usage(NamedTuple):
    """What a training took.

    Attributes
    ----------
    seconds, cpu_seconds
        By the clock on the wall, and on all cores, child processes included.
    peak_memory
        Bytes, of all processes together; what was imported and the counts are in it.
    others_load
        Cores that other programs kept busy meanwhile, on average: above 0.1 or so, times mean little.
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
    """

    def __init__(self, *, keeps_snapshots: bool = False) -> None:
        self.snapshots: list[Snapshot] = []
        self._keeps = keeps_snapshots
        self._due = _FIRST_SNAPSHOT
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self._busy = _busy_seconds()
        self._cpu = cpu_seconds()
        self._begun = time.perf_counter()

    def snapshot(self, model: Callable[[], tuple[FloatArray, FloatArray]]) -> None:
        """Keep a copy of α and β if one is due; the time that this takes is not counted."""
        begun = time.perf_counter()
        if not self._keeps or begun - self._begun < self._due:
            return
        alpha, beta = model()
        self.snapshots.append(Snapshot(begun - self._begun, alpha.copy(), beta.copy()))
        self._due *= _GROWTH
        self._begun += time.perf_counter() - begun

    def stop(self) -> Usage:
        """Return what was used since the start."""
        seconds = time.perf_counter() - self._begun
        cpu = cpu_seconds() - self._cpu
        others = max(0.0, _busy_seconds() - self._busy - cpu) / seconds
        return Usage(seconds, cpu, peak_memory(), others)


def cpu_seconds() -> float:
    """Processor seconds of all processes of this session, the ended ones included."""
    return sum(sum(map(int, fields[11:15])) for _, fields in _session()) / _TICKS


def peak_memory() -> int:
    """Most bytes in memory, added up over the processes of this session."""
    return sum(_high_water_mark(process) for process, _ in _session())


def _session() -> Iterator[tuple[Path, list[str]]]:
    """Yield folder and statistics (man 5 proc) of each process that this session's leader began."""
    session = str(os.getsid(0))
    for process in Path("/proc").glob("[0-9]*"):
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
    cores = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    busy = (map(int, (*line[1:4], *line[6:8])) for line in lines if line[0] in cores)
    return sum(map(sum, busy)) / _TICKS
