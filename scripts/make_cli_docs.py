"""Write docs/cli.md from the commands' own --help."""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import typer
from typer import rich_utils

from lda_app.cli import app, run

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"
INTRODUCTION = """\
# Commands

Written by `make docs` from the commands' `--help`.

Results go to stdout, progress and messages to stderr; `--json` prints one document with a `schema_version`.
A command that fails explains why and what to do in one line, and leaves no half-written files.

| exit code | meaning |
|---|---|
| 0 | success |
| 1 | the run failed, or a bug |
| 2 | an invalid option or configuration |
| 3 | unreadable input data |
| 4 | a corpus or model folder that is missing, damaged, or of another version |
| 5 | the file system: disk full, no permission, in use by another process |
| 130, 143 | stopped by Ctrl-C or SIGTERM, after a checkpoint |
"""


def page() -> str:
    """Return the whole page."""
    paths = paths_of(typer.main.get_command(app))
    return INTRODUCTION + "".join(section(path) for path in paths)


def paths_of(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words that lead to each command, depth first."""
    yield path
    for name, subcommand in getattr(command, "commands", {}).items():
        yield from paths_of(subcommand, (*path, name))


def section(path: tuple[str, ...]) -> str:
    """Return what a command says of itself."""
    printed = io.StringIO()
    with patch.multiple(rich_utils, MAX_WIDTH=100, FORCE_TERMINAL=False), redirect_stdout(printed):
        run([*path, "--help"])
    usage = "\n".join(line.rstrip() for line in printed.getvalue().split("\n")).strip("\n")
    return f"\n## `{' '.join(['lda-app', *path])}`\n\n```text\n{usage}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
