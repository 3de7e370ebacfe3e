"""Error messages and exit codes.

Every error is one line on stderr, and the exit code gives its cause: 1 the run, or a bug; 2 usage; 3 the
input; 4 a corpus or model folder; 5 the file system; 130 and 143 after SIGINT and SIGTERM.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from lda_app.errors import Interrupted, LdaAppError
from lda_app.system.runtime import log
from lda_app.system.storage import explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_EXPECTED = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number",
    "float_parsing": "a number",
}


@contextmanager
def sigterm_unwinds() -> Iterator[None]:
    """Let SIGTERM run the ``finally`` clauses, so that no half-written files remain.

    Otherwise process 1 of a container would ignore it.
    """

    def end(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
        raise SystemExit(128 + signum)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def second_stdout() -> Iterator[int]:
    """Keep a copy of stdout, because rich redirects it to the null device when its reader is gone."""
    try:
        stdout = os.dup(1)
    except OSError:
        stdout = os.open(os.devnull, os.O_WRONLY)
    try:
        yield stdout
    finally:
        os.close(stdout)


def report(error: BaseException, stdout: int) -> int:
    """Log in one line what ended the run, and return the exit code.

    Parameters
    ----------
    error
        What the command raised.
    stdout
        What `second_stdout` yielded.
    """
    cause = error.__context__
    if isinstance(error, SystemExit | typer.Abort) and isinstance(cause, BrokenPipeError | EOFError):
        error = cause  # Typer and rich exit silently on these
    if isinstance(error, BrokenPipeError) and _nobody_reads(stdout):
        _discard_stdout()
        return 0
    if log.isEnabledFor(logging.DEBUG):
        traceback.print_exception(error)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    message, code = _explain(error)
    if message:
        log.log(logging.WARNING if isinstance(error, Interrupted) else logging.ERROR, "%s", message)
    return code


def _explain(error: BaseException) -> tuple[str, int]:
    match error:
        case LdaAppError():
            return str(error), error.exit_code
        case typer.TyperException():
            return _usage_message(error), error.exit_code
        case KeyboardInterrupt():
            return "interrupted", 128 + signal.SIGINT
        case MemoryError():
            return "out of memory: use less data, or a machine with more memory", 1
        case OSError(errno=int()):
            _discard_stdout()
            return explain(error), 5
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "" if log.isEnabledFor(logging.DEBUG) else "; rerun with --debug for the traceback"
    return f"unexpected {what}: this is a bug{hint}", 1


def _usage_message(error: typer.TyperException) -> str:
    """Return the message of a usage error and where to find help; empty if help was already shown."""
    message = error.format_message().replace("Value error, ", "").rstrip(".")
    if callable(details := getattr(error.__cause__, "errors", None)):
        message = _value_message(message, details()[0])
    context = getattr(error, "ctx", None)
    joint = " See" if message.endswith("?") else "; see"
    return f"{message}{joint} {context.command_path} --help" if message and context else message


def _value_message(message: str, detail: dict[str, Any]) -> str:
    """State what was expected and what was given, more briefly than pydantic, which Typer uses."""
    got = repr(detail["input"])
    if expected := _EXPECTED.get(detail["type"]):
        return f"{message.split(': ', 1)[0]}: expected {expected}, got {got}"
    message = message.replace(": Input should be ", ": expected a value ")
    return message if got in message else f"{message}, got {got}"


def _nobody_reads(stdout: int) -> bool:
    """Return whether the reader of a pipe, such as ``head``, is gone."""
    poll = select.poll()
    poll.register(stdout, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _discard_stdout() -> None:
    """Keep the interpreter from failing again when it flushes unwritten output."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
