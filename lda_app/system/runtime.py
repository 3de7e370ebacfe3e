"""What every part of a run shares: the log, progress bars, random generators, cores and signals.

All of it writes to stderr: stdout belongs to the data.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import html
import logging
import multiprocessing.context
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from multiprocessing import resource_tracker
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from rich import progress as bars
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    import numpy as np

log = logging.getLogger("lda_app")

Item = TypeVar("Item")

_PREFIXES = {logging.WARNING: ("warning: ", "yellow"), logging.ERROR: ("error: ", "bold red")}
_SECONDS_BETWEEN_REDRAWS = 0.1
_SECONDS_BETWEEN_NOTEBOOK_REDRAWS = 0.25
# Columns from which on a row has room for counts beside its note.
_WIDE = 120


def one_line(text: str) -> str:
    r"""Return `text` with control characters, line ends and other unprintables escaped.

    Messages quote names and words of the user's data, which must neither break a line nor steer a terminal.

    Examples
    --------
    >>> one_line("a\nb\x1b[31m")
    'a\\nb\\x1b[31m'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@functools.cache
def console() -> Console:
    """Return the one console of the process: stderr, colours only on a terminal and without NO_COLOR."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


# A worker process must not wait for a lock that a thread of its parent held when it was forked.
os.register_at_fork(after_in_child=console.cache_clear)


class _ConsoleHandler(logging.Handler):
    """Write each record as one line, above the progress bars where there are some."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = _PREFIXES.get(record.levelno, "")
        # A closed stderr must not end a run.
        with contextlib.suppress(OSError, ValueError):
            console().print(Text.assemble(prefix, one_line(record.getMessage())), soft_wrap=True)


def configure_log(*, quiet: bool = False, debug: bool = False) -> None:
    """Send the app's log to stderr, one line a record.

    Warnings that libraries address to programmers are shown in debugging only.

    Parameters
    ----------
    quiet
        Only warnings and errors; also switches progress bars off.
    debug
        Debug records, too; wins over `quiet`.
    """
    log.handlers = [_ConsoleHandler()]
    log.propagate = False
    log.setLevel(logging.DEBUG if debug else logging.WARNING if quiet else logging.INFO)
    logging.getLogger("py.warnings").handlers = [_ConsoleHandler() if debug else logging.NullHandler()]
    logging.captureWarnings(True)


class Progress:
    """How far a piece of work has come; made by `progress`."""

    def __init__(self, label: str, total: int | None, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.count = 0
        self._note = ""
        self._start = time.monotonic()

    def advance(self, n: int = 1) -> None:
        """Count `n` more units as done."""
        self.count += n

    def watched(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, counting each as one unit.

        Examples
        --------
        >>> bar = Progress("Reading", total=None, unit="documents")
        >>> list(bar.watched("ab")), bar.count
        (['a', 'b'], 2)
        """
        for item in items:
            self.advance()
            yield item

    def note(self, text: str) -> None:
        """Show `text`, such as the current loss, behind the bar."""
        self._note = one_line(text)

    def summary(self) -> str:
        """Return the finished work in a line: label, count, seconds and the last note."""
        seconds = time.monotonic() - self._start
        count = f" {self.count:,} {self.unit}".rstrip() + " in" if self.count else ""
        note = f" ({self._note})" if self._note else ""
        return f"{self.label}:{count} {seconds:.1f} s{note}"


class _CountColumn(bars.ProgressColumn):
    def render(self, task: bars.Task) -> Text:
        if task.total and console().width < _WIDE:
            return Text(f"{task.percentage:.0f}%")
        total = f"/{task.total:,.0f}" if task.total not in (None, task.completed) else ""
        count = f"{task.completed:,.0f}" if task.completed or total else ""
        return Text(f"{count}{total} {task.fields['unit']}".strip())


class _RateColumn(bars.ProgressColumn):
    def render(self, task: bars.Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.{0 if speed >= 10 else 2}f}/s", style="cyan")


def _live_display() -> bars.Progress:
    return bars.Progress(
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(bar_width=24 if console().width >= _WIDE else 4),
        _CountColumn(),
        _RateColumn(),
        bars.TimeRemainingColumn(elapsed_when_finished=True),
        bars.TextColumn("{task.fields[note]}", markup=False),
        console=console(),
        redirect_stdout=False,
        redirect_stderr=False,
    )


class _DrawnProgress(Progress):
    """Progress that is drawn as a row of the shared live display, at most ten times a second."""

    def __init__(self, label: str, total: int | None, unit: str, display: bars.Progress) -> None:
        super().__init__(label, total, unit)
        self._display = display
        self._task = display.add_task(one_line(label), total=total, unit=unit, note="")
        self._drawn_at = self._start

    def advance(self, n: int = 1) -> None:
        self.count += n
        if time.monotonic() - self._drawn_at >= _SECONDS_BETWEEN_REDRAWS:
            self.draw()

    def note(self, text: str) -> None:
        super().note(text)
        self.draw()

    def draw(self) -> None:
        """Bring the display up to date."""
        self._drawn_at = time.monotonic()
        self._display.update(self._task, completed=self.count, note=self._note)

    def end(self, *, vanish: bool) -> None:
        """Draw the last state, or take the row off the display."""
        self.draw()
        if vanish:
            self._display.remove_task(self._task)
        elif self.total is None:
            self._display.update(self._task, total=self.count)


class _NotebookProgress(Progress):
    """Progress that is drawn in the output of a notebook's cell, a few times a second."""

    def __init__(self, label: str, total: int | None, unit: str) -> None:
        from IPython.display import HTML, display

        super().__init__(label, total, unit)
        self._html = HTML
        self._handle = display(self._html(self._drawn()), display_id=True)
        self._drawn_at = self._start

    def advance(self, n: int = 1) -> None:
        self.count += n
        if time.monotonic() - self._drawn_at >= _SECONDS_BETWEEN_NOTEBOOK_REDRAWS:
            self._drawn_at = time.monotonic()
            self._handle.update(self._html(self._drawn()))

    def end(self, *, vanish: bool) -> None:
        """Leave the summary in place of the bar, or nothing."""
        self._handle.update(self._html("" if vanish else html.escape(self.summary())))

    def _drawn(self) -> str:
        of = f' value="{self.count}" max="{self.total}"' if self.total else ""
        total = f"/{self.total:,}" if self.total else ""
        note = f" ({self._note})" if self._note else ""
        counted = html.escape(f"{self.count:,}{total} {self.unit}{note}")
        return f"{html.escape(self.label)} <progress{of}></progress> {counted}"


def _in_notebook() -> bool:
    """Whether this process is a notebook's kernel; IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


_progress_wanted: ContextVar[bool] = ContextVar("progress_wanted", default=False)


@contextmanager
def progress_shown(wanted: bool = True) -> Iterator[None]:
    """Show progress in the body, on a terminal or in a notebook, though the log hides INFO.

    The command line shows it anyway; a library is silent unless it is asked.

    Examples
    --------
    >>> with progress_shown(), progress("Counting words"):
    ...     pass
    """
    token = _progress_wanted.set(wanted)
    try:
        yield
    finally:
        _progress_wanted.reset(token)


class _Display:
    """The progress under way in this process; a terminal holds one live display, which nested rows share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Progress] = []
        self._live: bars.Progress | None = None

    def open(self, label: str, total: int | None, unit: str) -> Progress:
        """Start a row: drawn on a terminal, else only counted."""
        with self._lock:
            wanted = _progress_wanted.get() or log.isEnabledFor(logging.INFO)
            row: Progress
            if wanted and _in_notebook():
                row = _NotebookProgress(label, total, unit)
            elif self._live is not None or (wanted and console().is_terminal):
                row = _DrawnProgress(label, total, unit, self._started())
            else:
                row = Progress(label, total, unit)
            self._open.append(row)
            return row

    def _started(self) -> bars.Progress:
        if self._live is None:
            self._live = _live_display()
            self._live.start()
        return self._live

    def close(self, row: Progress) -> bool:
        """End a row and return whether it is still to be reported in the log.

        The outermost row stays on the screen as it ended, or is reported; inner rows vanish.
        """
        with self._lock:
            self._open.remove(row)
            drawn = isinstance(row, _DrawnProgress | _NotebookProgress)
            if isinstance(row, _DrawnProgress | _NotebookProgress):
                row.end(vanish=bool(self._open))
            if self._live is not None and not self._open:
                self._live.stop()
                self._live = None
            return not drawn and not self._open


_display = _Display()


@contextmanager
def progress(label: str, total: int | None = None, unit: str = "") -> Iterator[Progress]:
    """Show how far a piece of work has come.

    A bar on stderr where that is a terminal; elsewhere nothing until the work is done, then one line of log.
    Nothing at all where the log hides INFO (``--quiet``). May be nested: inner work vanishes when done and
    is not logged.

    Parameters
    ----------
    label
        What is being done, such as ``"Counting words"``.
    total
        The number of units, if known.
    unit
        The name of the units, such as ``"documents"``.

    Examples
    --------
    >>> with progress("Counting words", total=3, unit="documents") as bar:
    ...     for _ in range(3):
    ...         bar.advance()
    >>> bar.count
    3
    """
    row = _display.open(label, total, unit)
    try:
        yield row
    finally:
        to_report = _display.close(row)
    if to_report:
        log.info("%s", row.summary())


def rng(seed: int, stream: str) -> np.random.Generator:
    """Return the random generator of one purpose, such as ``"split"`` or ``"init"``.

    Streams of one seed are independent, so a change in how one is used leaves the others as they were.

    Parameters
    ----------
    seed
        The run's seed, 0 or more.
    stream
        The purpose; the same name gives the same generator on every machine.

    Examples
    --------
    >>> bool(rng(0, "split").random() == rng(0, "split").random())
    True
    >>> bool(rng(0, "split").random() == rng(0, "init").random())
    False
    """
    import numpy as np

    digest = hashlib.sha256(stream.encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, dtype="<u4").tolist()])


def cpu_count() -> int:
    """Return the number of cores that this process may use.

    Processes that torchrun started on one machine have a like share of them.

    Examples
    --------
    >>> cpu_count() >= 1
    True
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = os.environ.get("LOCAL_WORLD_SIZE", "")
    return max(1, cores // int(processes)) if processes.isdecimal() and int(processes) else cores


@contextmanager
def main_left_out() -> Iterator[None]:
    """Let processes that are started afresh in the body leave the program's main module alone.

    They would import it again: a script without ``if __name__ == "__main__":`` would train anew in each of
    them, and one that came by standard input is not found. The app's workers need the app's functions alone.

    Examples
    --------
    >>> with main_left_out():
    ...     sys.modules["__main__"].__spec__ is None
    True
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def signals_held_back(*signums: signal.Signals) -> Iterator[None]:
    """Let processes that are started in the body hear no such signals until they ask for them.

    SIGINT and SIGTERM reach all processes of a terminal or a service, also one that is still importing, which
    would end with a traceback. The signals of this process wait for the end of the body.

    Examples
    --------
    >>> with signals_held_back(signal.SIGINT):
    ...     signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    True
    """
    # Started on the way to another process, the tracker would let the signals through from then on.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signums)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _FreshProcess(multiprocessing.context.SpawnProcess):
    def start(self) -> None:
        with main_left_out(), signals_held_back(signal.SIGINT):  # Ctrl-C is for the parent
            super().start()


class FreshProcesses(multiprocessing.context.SpawnContext):
    """Start processes afresh, from any program: a script of any kind, standard input, a notebook."""

    Process = _FreshProcess


class Interruption:
    """Whether the user or the system has asked the run to end; made by `interruptible`.

    Attributes
    ----------
    requested
        The number of the signal, ``signal.SIGINT`` or ``signal.SIGTERM``; None while there was none.
    """

    def __init__(self) -> None:
        self.requested: int | None = None

    def __call__(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Note the first signal; the second ends the work at once."""
        if self.requested is not None:
            raise KeyboardInterrupt
        self.requested = signum


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn the first SIGINT or SIGTERM into a flag, so that the work can end at a good place.

    A second signal raises KeyboardInterrupt. The handlers are set explicitly, for process 1 of a container
    ignores signals without one. Outside the main thread, where Python delivers no signals, nothing changes.

    Examples
    --------
    >>> import signal
    >>> with interruptible() as interruption:
    ...     signal.raise_signal(signal.SIGTERM)
    >>> interruption.requested == signal.SIGTERM
    True
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {signum: signal.signal(signum, interruption) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler if handler is not None else signal.SIG_DFL)
