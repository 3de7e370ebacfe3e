"""Tables on stdout: drawn on a terminal, plain aligned text in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType
    from rich.table import Table

_WIDE = 100_000  # columns: what goes into a pipe is never wrapped


def new_table(title: str = "") -> Table:
    """Make an empty table in the app's style.

    Examples
    --------
    >>> table = new_table()
    >>> table.add_column("word")
    >>> table.add_row("orbit")
    >>> print_out(table)
    word
    orbit
    """
    from rich import box
    from rich.table import Table

    plain = not sys.stdout.isatty()
    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=None if plain else box.SIMPLE_HEAD,
        pad_edge=False,
        header_style="bold",
    )


def print_out(*parts: RenderableType) -> None:
    """Print tables and text on stdout, in colours on a terminal alone."""
    console = _console()
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().removesuffix("\n").split("\n")))


def _console() -> Console:
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDE
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def write_out(text: str, output: Path | None, *, overwrite: bool) -> None:
    """Write a document to a file, or to stdout if none is named.

    Raises
    ------
    ConfigError
        If the file exists and may not be replaced.
    """
    from lda_app.storage import write_atomic

    if output is None:
        sys.stdout.write(text)
        return
    check_file(output, overwrite=overwrite)
    write_atomic(output, text.encode())


def check_file(output: Path | None, *, overwrite: bool) -> None:
    """Refuse a file that must not be written, before any work is done.

    Raises
    ------
    ConfigError
        If it is a folder, or exists and may not be replaced.
    """
    if output is None or output.is_char_device() or output.is_fifo():
        return
    if output.is_dir():
        raise ConfigError(f"--output {output} is a folder; name a file in it")
    if output.exists() and not overwrite:
        raise ConfigError(f"--output {output} exists; give --overwrite to replace it, or another name")
