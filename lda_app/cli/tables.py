"""Tables on stdout, formatted in a terminal and plain aligned text in a pipe; and JSON documents."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any, TextIO

from lda_app.errors import ConfigError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

_WIDE = 100_000  # columns: output to a pipe is never wrapped


def is_plain() -> bool:
    """Return whether stdout is not a terminal, so that tables have no rules and no maximum width."""
    return not sys.stdout.isatty()


def new_table(title: str = "", *, plain: bool | None = None) -> Table:
    """Create an empty table in the app's style.

    Parameters
    ----------
    title
        A line above the table.
    plain
        Columns only, without rules; None uses :func:`is_plain`.

    Examples
    --------
    >>> table = new_table(plain=True)
    >>> table.add_column("word")
    >>> table.add_row("orbit")
    >>> print(plain_text(table), end="")
    word
    orbit
    """
    from rich import box
    from rich.table import Table

    plain = is_plain() if plain is None else plain
    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=None if plain else box.SIMPLE_HEAD,
        padding=(0, 2 if plain else 1, 0, 0),
        show_edge=False,
        pad_edge=False,
        header_style="bold",
    )


def fits(table: Table) -> bool:
    """Return whether a table fits the width of stdout."""
    from rich.console import Console

    console = Console(file=sys.stdout)
    return is_plain() or console.measure(table, options=_unlimited(console)).maximum <= console.width


def _unlimited(console: Console) -> ConsoleOptions:
    return console.options.update(width=_WIDE)


def plain_text(*parts: RenderableType) -> str:
    """Render tables and text without colours or line wrapping."""
    return _rendered(parts, io.StringIO(), _WIDE)


def print_out(*parts: RenderableType) -> None:
    """Print tables and text on stdout, wrapped and (unless NO_COLOR is set) in colour on a terminal."""
    sys.stdout.write(_rendered(parts, sys.stdout, _WIDE if is_plain() else None))


def _rendered(parts: Iterable[RenderableType], file: TextIO, width: int | None) -> str:
    from rich.console import Console

    console = Console(file=file, width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    lines = captured.get().removesuffix("\n").split("\n")
    return "".join(f"{line.rstrip()}\n" for line in lines)


def json_text(content: dict[str, Any]) -> str:
    """Format a JSON document readably; NaN and infinity are bugs and raise an error.

    Examples
    --------
    >>> print(json_text({"words": ["café"]}), end="")
    {
      "words": [
        "café"
      ]
    }
    """
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def print_json(content: dict[str, Any]) -> None:
    """Print a JSON document on stdout."""
    sys.stdout.write(json_text(content))


def write_out(text: str, output: Path | None, *, overwrite: bool) -> None:
    """Write a document to a file, or to stdout if there is none.

    Raises
    ------
    ConfigError
        If the file exists and may not be replaced.
    """
    from lda_app.system.storage import write_atomic

    if output is None:
        sys.stdout.write(text)
        return
    check_file(output, overwrite=overwrite)
    write_atomic(output, text.encode())
    log.info("Wrote %s", output)


def check_file(output: Path | None, *, overwrite: bool, flag: str = "--output") -> None:
    """Reject an output file that must not be written, before any work is done.

    Raises
    ------
    ConfigError
        If it is a folder, or exists and may not be replaced.
    FileSystemError
        If nothing can be written there.
    """
    from lda_app.system.storage import check_writable

    if output is None or output.is_char_device() or output.is_fifo():
        return
    if output.is_dir():
        raise ConfigError(f"{flag} {output} is a folder; give a file name")
    if output.exists() and not overwrite:
        raise ConfigError(
            f"{flag} {output} already exists; use --overwrite to replace it, or choose another name"
        )
    check_writable(output)
