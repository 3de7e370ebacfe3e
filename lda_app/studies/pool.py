"""The process pool of a study: several trainings at a time, each in its own process.

A signal stops all of them with a checkpoint, whether it was sent to this process or to the whole group; if
this process is killed, they stop by themselves. Either way, the same call resumes where they stopped.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import signal
import threading
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from lda_app.errors import Interrupted, LdaAppError
from lda_app.system.runtime import interruptible, log, main_left_out, progress, signals_held_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.context import ForkServerProcess

    from lda_app.studies.study import Cell, Study
    from lda_app.system.runtime import Interruption, Progress

_SECONDS_BETWEEN_LOOKS = 0.2
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_CHILD_MODULE = "lda_app.studies.cells"


class CellError(LdaAppError):
    """A training of a study failed.

    Parameters
    ----------
    cell
        The training.
    message
        The reason.
    exit_code
        Exit code of the error.
    """

    def __init__(self, cell: Cell, message: str, exit_code: int) -> None:
        super().__init__(f"{cell.name}: {message}")
        self.exit_code = exit_code


def run_cells(study: Study, cells: Sequence[Cell], jobs: int) -> None:
    """Finish all cells that are not finished yet.

    Parameters
    ----------
    study
        Where they are.
    cells
        All that are wanted.
    jobs
        How many are trained at a time; they share the cores.

    Raises
    ------
    CellError
        If one fails; those that run meanwhile stop with a checkpoint.
    Interrupted
        After SIGINT or SIGTERM, with checkpoints written.
    """
    # The longest first, so that none is left to run alone at the end.
    pending = sorted((cell for cell in cells if study.figures(cell) is None), reverse=True)
    num_done = len(cells) - len(pending)
    if num_done:
        log.info("%d of %d models already trained", num_done, len(cells))
    if not pending:
        return
    with interruptible() as interruption, progress("Training", len(cells), "models") as bar:
        bar.advance(num_done)
        with _ended_in_any_case() as running:
            _run(study, pending, min(jobs, len(pending)), running, bar, interruption)
        if interruption.requested:
            raise Interrupted(
                f"stopped with {bar.count} of {len(cells)} models in {study.path}; run the same command "
                "again to resume",
                interruption.requested,
            )


@dataclass(frozen=True, eq=False)
class _Running:
    """A cell under way: its process, and what it tells."""

    cell: Cell
    process: ForkServerProcess
    messages: Connection

    @classmethod
    def begin(cls, study: Study, cell: Cell, jobs: int) -> _Running:
        # Torch is imported once, by the process that all others are copies of.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([_CHILD_MODULE])
        messages, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(study, cell, jobs, theirs), name=cell.name)
        with main_left_out(), signals_held_back(*_SIGNALS):
            process.start()
        theirs.close()
        return cls(cell, process, messages)

    def read(self) -> bool:
        """Pass on what the process has told; return whether it has ended.

        Raises
        ------
        CellError
            If it failed.
        """
        try:
            while self.messages.poll():
                level, text, exit_code = self.messages.recv()
                if exit_code:
                    raise CellError(self.cell, text, exit_code)
                log.log(level, "%s: %s", self.cell.name, text)
        except EOFError:
            self.process.join()
            self._require_success()
            return True
        return False

    def _require_success(self) -> None:
        if code := self.process.exitcode:
            killed = f"killed by signal {-code}, possibly because memory ran out; use fewer --jobs"
            raise CellError(self.cell, killed if code < 0 else f"process exited with code {code}", 1)


def _run(
    study: Study,
    pending: list[Cell],
    jobs: int,
    running: list[_Running],
    bar: Progress,
    interruption: Interruption,
) -> None:
    """Keep `jobs` cells running until none are left or an interruption is requested."""
    while (pending or running) and not interruption.requested:
        while pending and len(running) < jobs:
            running.append(_Running.begin(study, pending.pop(0), jobs))
        bar.note(", ".join(job.cell.name for job in running))
        wait([job.messages for job in running], _SECONDS_BETWEEN_LOOKS)
        for job in [job for job in running if job.read()]:
            running.remove(job)
            bar.advance()
            log.info("%s: %s", job.cell.name, _summary(study.figures(job.cell) or {}))
    bar.note("")


def _summary(figures: dict[str, Any]) -> str:
    """Return how long a finished cell took and, if documents were held out, its perplexity.

    Examples
    --------
    >>> completion = {"log_likelihood": [-6.0, -3.0], "num_tokens": [2, 1]}
    >>> _summary({"train_seconds": 12.4, "completion": completion})
    'trained in 12 s, held-out perplexity 20.1'
    """
    trained, completion = f"trained in {figures['train_seconds']:,.0f} s", figures["completion"]
    if completion is None:
        return trained
    perplexity = math.exp(-sum(completion["log_likelihood"]) / sum(completion["num_tokens"]))
    return f"{trained}, held-out perplexity {perplexity:,.1f}"


@contextmanager
def _ended_in_any_case() -> Iterator[list[_Running]]:
    """Yield a list of what runs; in the end all of it stops, with checkpoints if there is time."""
    running: list[_Running] = []
    try:
        yield running
    finally:
        for job in running:
            _signal(job.process, signal.SIGINT)
        try:
            for job in running:
                job.process.join()
        finally:  # a second signal
            for job in running:
                job.process.kill()


def _signal(process: ForkServerProcess, signum: int) -> None:
    if process.pid is not None and process.is_alive():
        with suppress(ProcessLookupError):
            os.kill(process.pid, signum)


def _work(study: Study, cell: Cell, jobs: int, messages: Connection) -> None:
    """Finish a cell, in its own process."""
    # Ctrl-C reaches all processes of a terminal; it is the parent who tells this one, once.
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["LOCAL_WORLD_SIZE"] = str(jobs)  # processes share the cores as those of torchrun do
    log.handlers, log.propagate = [_Sender(messages)], False
    log.setLevel(logging.WARNING)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        from lda_app.studies.cells import finish_cell

        finish_cell(study, cell)
    except (Interrupted, KeyboardInterrupt):
        pass  # the parent asked for it
    except LdaAppError as error:
        messages.send((logging.ERROR, str(error), error.exit_code))
    except Exception as error:  # noqa: BLE001 - the parent reports it
        text = f"unexpected {type(error).__name__}: {error}: this is a bug"
        messages.send((logging.DEBUG, traceback.format_exc(), 0))
        messages.send((logging.ERROR, text, 1))


class _Sender(logging.Handler):
    """Send records to the parent."""

    def __init__(self, messages: Connection) -> None:
        super().__init__()
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            self._messages.send((record.levelno, record.getMessage(), 0))


def _end_with_parent() -> None:
    """Stop, with a checkpoint, when the parent is gone."""
    parent: Any = multiprocessing.parent_process()
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
