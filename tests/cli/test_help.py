"""The help names every command and option, and comes at once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer

from lda_app.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, subcommand in getattr(command, "commands", {}).items():
        yield from commands(subcommand, *path, name)


COMMANDS = list(commands(typer.main.get_command(app)))
IDS = [" ".join(("lda-app", *path)) for path, _ in COMMANDS]


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=IDS)
def test_each_command_explains_itself(cli, path: tuple[str, ...], command: Any) -> None:
    assert command.help, "a command has no help text"
    without = [option.name for option in command.params if not getattr(option, "help", None)]
    assert without == [], "these options have no help text"
    done = cli(*path, "--help")
    assert (done.code, done.stderr) == (0, "")
    assert " ".join(("Usage: lda-app", *path)) in done.stdout
    assert "env var" not in done.stdout


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=IDS)
def test_an_option_means_the_same_everywhere(path: tuple[str, ...], command: Any) -> None:
    names = [name for option in command.params for name in option.opts]
    assert len(names) == len(set(names))
    assert all("_" not in name for name in names if name.startswith("-"))


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from lda_app.cli import run; run(['--help']); "
        "heavy = {'torch', 'pandas', 'sklearn', 'pyro', 'numba', 'pyarrow', 'scipy', 'nltk', 'numpy'};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
