"""The command line: which commands there are, and how each way to fail ends.

Every error is one line on stderr, and the exit code says whose it is: 1 the run's, or a bug; 2 usage; 3 the
input's; 4 a corpus or model folder's; 5 the file system's; 130 and 143 after SIGINT and SIGTERM.
"""

import inspect
import logging
import os
import re
import select
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from lda_app import __version__
from lda_app.errors import Interrupted, LdaAppError
from lda_app.runtime import configure_log, log
from lda_app.storage import explain

_GLOBAL_FLAGS = ("--debug", "--quiet")
_EPILOG = (
    "An option can also be given by the environment: LDA_APP_, the command and the option in capitals, "
    "such as LDA_APP_TRAIN_NUM_TOPICS=50. The flags --debug and --quiet may stand anywhere."
)

app = typer.Typer(
    epilog=_EPILOG,
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"auto_envvar_prefix": "LDA_APP"},
)
corpus_app = typer.Typer(no_args_is_help=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lda-app {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress: warnings and errors only.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool,
        typer.Option(
            "--version",
            help="Print the version and end.",
            is_eager=True,
            allow_from_autoenv=False,
            callback=_print_version,
        ),
    ] = False,
) -> None:
    """Find the topics of a collection of texts.

    First [bold]corpus build[/], then [bold]train[/]; [bold]eval[/] and [bold]topics[/] show what came of it,
    and [bold]transform[/] tells the topics of new documents.
    """
    configure_log(quiet=quiet, debug=debug)


@corpus_app.callback()
def _corpus() -> None:
    """Turn text into counts of words, the input of [bold]train[/]."""


def _register(group: typer.Typer, name: str, module: str, function: str) -> None:
    if find_spec(f"lda_app.cli.{module}"):
        group.command(name)(getattr(import_module(f"lda_app.cli.{module}"), function))


app.add_typer(corpus_app, name="corpus")
_register(corpus_app, "build", "corpus", "build")
_register(corpus_app, "import", "corpus", "import_counts")
_register(corpus_app, "info", "corpus", "info")
_register(corpus_app, "list", "corpus", "list_corpora")
_register(app, "train", "train", "train")
_register(app, "eval", "evaluate", "evaluate")
_register(app, "topics", "topics", "topics")
_register(app, "transform", "transform", "transform")


def run(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    argv
        The arguments without the program's name; None takes the process's own.

    Examples
    --------
    >>> run(["--version"])
    lda-app 0.1.0
    0
    """
    configure_log()
    arguments = _global_flags_first(sys.argv[1:] if argv is None else argv)
    with _sigterm_unwinds(), _second_stdout() as stdout:
        try:
            command = _tidied(typer.main.get_command(app))
            code = command.main(arguments, prog_name="lda-app", standalone_mode=False)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001 - the last place where it can be said in one line
            return _report(error, stdout)
    if code == 128 + signal.SIGINT:
        log.error("interrupted")
    return code if isinstance(code, int) else 0


def _tidied(command: Any) -> Any:
    """Shape the help: no remarks that hold for every option, flowing text, groups before single commands."""
    for parameter in (*command.params, command.get_help_option(typer.Context(command))):
        parameter.show_envvar = False
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    command.help = re.sub(r"(?<!\n)\n(?![\n\s*-])", " ", inspect.cleandoc(command.help or ""))
    if subcommands := getattr(command, "commands", {}):
        command.commands = dict(
            sorted(subcommands.items(), key=lambda item: not hasattr(item[1], "commands"))
        )
    for subcommand in subcommands.values():
        _tidied(subcommand)
    return command


def _global_flags_first(arguments: Sequence[str]) -> list[str]:
    """Let ``lda-app train … --debug`` mean ``lda-app --debug train …``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    before, after = arguments[:end], arguments[end:]
    flags = [argument for argument in before if argument in _GLOBAL_FLAGS]
    return [*flags, *(argument for argument in before if argument not in _GLOBAL_FLAGS), *after]


@contextmanager
def _sigterm_unwinds() -> Iterator[None]:
    """Let SIGTERM end the process through its ``finally`` clauses, so that nothing half-written stays.

    As process 1 of a container, it would otherwise be ignored.
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
def _second_stdout() -> Iterator[int]:
    """Keep hold of stdout, for rich sends it to nowhere when its reader has gone."""
    try:
        stdout = os.dup(1)
    except OSError:
        stdout = os.open(os.devnull, os.O_WRONLY)
    try:
        yield stdout
    finally:
        os.close(stdout)


def _report(error: BaseException, stdout: int) -> int:
    """Say in one line what ended the run and return the exit code."""
    if isinstance(error.__context__, BrokenPipeError | EOFError):
        error = error.__context__  # Typer and rich end the process for these without a word
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
            return "out of memory: use less data, or a machine with more", 1
        case OSError(errno=int()):
            _discard_stdout()
            return explain(error), 5
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "" if log.isEnabledFor(logging.DEBUG) else "; run again with --debug for the traceback"
    return f"unexpected {what}: this is a bug{hint}", 1


def _usage_message(error: typer.TyperException) -> str:
    """Return the message of a usage error with the help that mends it; none where help was the answer."""
    message = error.format_message().replace("Value error, ", "").rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message}; see {context.command_path} --help" if message and context else message


def _nobody_reads(stdout: int) -> bool:
    """Tell whether the reader of a pipe, such as ``head``, has gone."""
    poll = select.poll()
    poll.register(stdout, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _discard_stdout() -> None:
    """Keep the interpreter from failing once more when it flushes what could not be written."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
