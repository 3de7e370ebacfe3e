"""Estimates with intervals as table cells and JSON records."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from rich.table import Table

PlotPath = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE.svg", help="Also draw a chart (.svg).", show_default=False),
]


class Report(Protocol):
    """The results, in each output format."""

    def tables(self) -> "Iterator[Table]":
        """Yield tables for people."""

    def csv(self) -> str:
        """Return the results as csv."""

    def json(self, about: dict[str, Any]) -> dict[str, Any]:
        """Return everything in a form that JSON can hold, including the data it was measured on."""

    def svg(self) -> str:
        """Draw the results."""


def deliver(
    report: Report,
    about: dict[str, Any],
    *,
    as_json: bool,
    output: Path | None,
    plot: Path | None,
    overwrite: bool,
) -> None:
    """Write and draw the results to the given files; print JSON, or tables if there is no output file."""
    from lda_app.cli.tables import print_json, print_out, write_out

    if output is not None:
        write_out(report.csv(), output, overwrite=overwrite)
    if plot is not None:
        write_out(report.svg(), plot, overwrite=overwrite)
    if as_json:
        print_json(report.json(about))
    elif output is None:
        print_out(*report.tables())


def check_outputs(output: Path | None, plot: Path | None, *, overwrite: bool) -> None:
    """Reject output files that must not be written, before any work is done.

    Raises
    ------
    ConfigError
        If one exists and may not be replaced, or has the wrong suffix.
    """
    from lda_app.cli.tables import check_file

    for flag, file, suffix in (("--output", output, ".csv"), ("--plot", plot, ".svg")):
        check_file(file, overwrite=overwrite, flag=flag)
        if file is not None and file.suffix.lower() not in {"", suffix}:
            raise ConfigError(f"{flag} {file}: the suffix must be {suffix}, got {file.suffix!r}")


def add_columns(table: "Table", names: "Sequence[str]", *, right: "Sequence[str]") -> None:
    """Add columns to a table, some of them right-aligned."""
    for name in names:
        table.add_column(name, justify="right" if name in right else "left")


def rows(figures: "pd.DataFrame") -> "Iterator[Any]":
    """Yield the rows of a frame, with columns as attributes."""
    yield from figures.itertuples()


def records(figures: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the rows as JSON records, with NaN as null.

    Examples
    --------
    >>> import pandas as pd
    >>> records(pd.DataFrame({"share": [0.5, float("nan")]}))
    [{'share': 0.5}, {'share': None}]
    """
    return [
        {str(name): None if _is_nan(value) else value for name, value in row.items()}
        for row in figures.to_dict("records")
    ]


def number(value: float, form: str) -> str:
    """Format a number, or ``?`` if it is unknown.

    Examples
    --------
    >>> number(0.5, ".1f"), number(float("nan"), ".1f")
    ('0.5', '?')
    """
    return "?" if _is_nan(value) else format(value, form)


def percent(share: float) -> str:
    """Format a share as a percentage.

    Examples
    --------
    >>> percent(0.1234)
    '12.3%'
    """
    return number(100 * share, ".1f") + "%"


def percents(row: Any) -> str:
    """Format a row's interval, ``lower`` to ``upper``, in percent; ``?`` if there is none."""
    if _is_nan(row.lower):
        return "?"
    return f"{number(100 * row.lower, '.1f')} … {number(100 * row.upper, '.1f')}%"


def points(row: Any, digits: int = 1) -> str:
    """Format a row's interval in signed percentage points; ``?`` if there is none."""
    if _is_nan(row.lower):
        return "?"
    return f"{number(100 * row.lower, f'+.{digits}f')} … {number(100 * row.upper, f'+.{digits}f')}"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
