"""The command line: all commands, and how one is run."""

import inspect
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from lda_app import __version__
from lda_app.cli import (
    compare,
    corpus,
    doctor,
    effects,
    evaluate,
    export,
    gradients,
    label,
    plot,
    prevalence,
    report,
    serve,
    stability,
    sweep,
    topics,
    train,
    transform,
    update,
)
from lda_app.cli.exit_codes import report as report_fault
from lda_app.cli.exit_codes import second_stdout, sigterm_unwinds
from lda_app.system.runtime import configure_log, log

_GLOBAL_FLAGS = ("--debug", "--quiet")
_PREFIX = "LDA_APP"
_EPILOG = (
    "Options can also be set by environment variables: LDA_APP_, the command and the option in capitals, "
    "such as LDA_APP_TRAIN_NUM_TOPICS=50. The flags --debug and --quiet may appear anywhere."
)


_RENAMED = {
    "--seeds": ("--num-seeds", "--seed-words"),
    "--confidence": ("--level",),
    "--labels": ("--label-column",),
    "--documents": ("--num-documents",),
    "--topics": ("--topic-words",),
}


class _Command(TyperCommand):
    """A command that rejects a repeated option unless it takes several values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = {flag for parameter in self.params for flag in parameter.opts}
        for old in (part.partition("=")[0] for part in args):
            new = next((flag for flag in _RENAMED.get(old, ()) if flag in known), None)
            if old not in known and new is not None:
                ctx.fail(f"{old} is now called {new}")
        *_, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, times in Counter(order).items():
            if times > 1 and parameter.param_type_name == "option" and not parameter.multiple:
                ctx.fail(f"{parameter.opts[0]} was given {times} times but takes one value")
        return super().parse_args(ctx, args)


app = typer.Typer(
    epilog=_EPILOG,
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"auto_envvar_prefix": _PREFIX},
)
corpus_app = typer.Typer(no_args_is_help=True)
gradients_app = typer.Typer(no_args_is_help=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lda-app {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Hide progress; show only warnings and errors.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback on errors.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            is_eager=True,
            allow_from_autoenv=False,
            callback=_print_version,
        ),
    ] = False,
) -> None:
    """Find the topics in a collection of texts.

    Start with [bold]corpus build[/], then [bold]train[/]. [bold]eval[/] and [bold]topics[/] show the
    results, and [bold]transform[/] infers topics for new documents.
    """
    configure_log(quiet=quiet, debug=debug)


@corpus_app.callback()
def _corpus() -> None:
    """Turn text into word counts, the input for [bold]train[/]."""


corpus_app.command("build", cls=_Command)(corpus.build)
corpus_app.command("import", cls=_Command)(corpus.import_counts)
corpus_app.command("info", cls=_Command)(corpus.info)
corpus_app.command("list", cls=_Command)(corpus.list_corpora)
app.add_typer(corpus_app, name="corpus")


@gradients_app.callback()
def _gradients() -> None:
    """Compare the gradient estimators used in training."""


gradients_app.command("list", cls=_Command)(gradients.list_estimators)
gradients_app.command("check", cls=_Command)(gradients.check)
gradients_app.command("compare", cls=_Command)(gradients.compare)
app.add_typer(gradients_app, name="gradients")
app.command("train", cls=_Command)(train.train)
app.command("eval", cls=_Command)(evaluate.evaluate)
app.command("compare", cls=_Command)(compare.compare)
app.command("topics", cls=_Command)(topics.topics)
app.command("label", cls=_Command)(label.label)
app.command("transform", cls=_Command)(transform.transform)
app.command("prevalence", cls=_Command)(prevalence.prevalence)
app.command("effects", cls=_Command)(effects.effects)
app.command("report", cls=_Command)(report.report)
app.command("serve", cls=_Command)(serve.serve)
app.command("plot", cls=_Command)(plot.plot)
app.command("export", cls=_Command)(export.export)
app.command("stability", cls=_Command)(stability.stability)
app.command("sweep", cls=_Command)(sweep.sweep)
app.command("update", cls=_Command)(update.update)
app.command("doctor", cls=_Command)(doctor.doctor)


def run(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    argv
        The arguments without the program name; None uses ``sys.argv``.

    Examples
    --------
    >>> run(["--version"])
    lda-app 0.1.0
    0
    """
    configure_log()
    arguments = _global_flags_first(sys.argv[1:] if argv is None else argv)
    with sigterm_unwinds(), second_stdout() as stdout:
        try:
            command = _tidied(typer.main.get_command(app))
            _warn_of_unknown_variables(set(_name_variables(command, _PREFIX)))
            code = command.main(arguments, prog_name="lda-app", standalone_mode=False)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001 - the last chance to report it in one line
            return report_fault(error, stdout)
    if code == 128 + signal.SIGINT:
        log.error("interrupted")
    return code if isinstance(code, int) else 0


def _tidied(command: Any) -> Any:
    """Tidy the help: no remarks that apply to every option, reflowed text, groups before single commands."""
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


def _name_variables(command: Any, prefix: str) -> Iterator[str]:
    """Name each option's environment variable after its flag, not its parameter, and yield the names."""
    for option in command.params:
        flag = next((name for name in option.opts if name.startswith("--")), None)
        if flag is not None:
            name = f"{prefix}_{flag[2:]}".upper().replace("-", "_")
            if getattr(option, "allow_from_autoenv", False):
                option.envvar = name
            yield name
    for name, subcommand in getattr(command, "commands", {}).items():
        yield from _name_variables(subcommand, f"{prefix}_{name}")


def _warn_of_unknown_variables(known: set[str]) -> None:
    """Warn of misspelled option variables; other names may belong to an image or a script."""
    for name in sorted(os.environ.keys() - known):
        near = get_close_matches(name, sorted(known), n=1, cutoff=0.8) if name.startswith(_PREFIX) else []
        if near:
            log.warning("environment variable %s has no effect; did you mean %s?", name, near[0])


def _global_flags_first(arguments: Sequence[str]) -> list[str]:
    """Treat ``lda-app train … --debug`` as ``lda-app --debug train …``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    before, after = arguments[:end], arguments[end:]
    flags = [argument for argument in before if argument in _GLOBAL_FLAGS]
    return [*flags, *(argument for argument in before if argument not in _GLOBAL_FLAGS), *after]
