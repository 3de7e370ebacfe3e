"""Write docs/cli.md from the commands' own --help."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from lda_app.cli import app

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"
WIDTH = 100
INTRODUCTION = """\
# Commands

Written by `make docs` from the commands' `--help`.

Results go to stdout, progress and messages to stderr; `--json` prints one document with a `schema_version`.
A command that fails says why, and what to do, in one line, and leaves nothing half-written.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the run cannot go on, or a bug |
| 2 | an option or a configuration that cannot be used |
| 3 | input data that cannot be read |
| 4 | a corpus or model folder that is missing, damaged, or of another version |
| 5 | the file system: disk full, no permission, in use by another process |
| 130, 143 | ended by Ctrl-C or SIGTERM, after a checkpoint |
"""


def page() -> str:
    """Return the whole page."""
    commands = helps(typer.main.get_command(app))
    sections = (f"\n## `{path}`\n\n```text\n{usage}\n```\n" for path, usage in commands)
    return INTRODUCTION + "".join(sections)


def helps(command: Any, name: str = "lda-app", parent: Any = None) -> Iterator[tuple[str, str]]:
    """Yield each command's full name and its help as plain text, depth first."""
    command.rich_markup_mode = None
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH
    )
    yield context.command_path, command.get_help(context)
    for child, subcommand in getattr(command, "commands", {}).items():
        if not subcommand.hidden:
            yield from helps(subcommand, child, context)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
