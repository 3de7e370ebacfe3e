"""Figures with their intervals as the cells of a table and the records of a JSON document."""

import math
from typing import TYPE_CHECKING, Any

from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd
    from rich.table import Table


def check_outputs(output: "Path | None", plot: "Path | None", *, overwrite: bool) -> None:
    """Refuse files for figures and for their drawing that must not be written, before any work is done.

    Raises
    ------
    ConfigError
        If one exists and may not be replaced, or its suffix is of another format.
    """
    from lda_app.cli.tables import check_file

    for flag, file, suffix in (("--output", output, ".csv"), ("--plot", plot, ".svg")):
        check_file(file, overwrite=overwrite, flag=flag)
        if file is not None and file.suffix.lower() not in {"", suffix}:
            raise ConfigError(f"{flag} {file}: the suffix must be {suffix}, got {file.suffix!r}")


def add_columns(table: "Table", names: "Sequence[str]", *, right: "Sequence[str]") -> None:
    """Add columns to a table, some of them aligned to the right."""
    for name in names:
        table.add_column(name, justify="right" if name in right else "left")


def rows(figures: "pd.DataFrame") -> "Iterator[Any]":
    """Yield the rows of a frame; their columns are attributes."""
    yield from figures.itertuples()


def records(figures: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the rows as JSON can hold them: NaN becomes null.

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
    """Format a number; ``?`` stands for one that is not known.

    Examples
    --------
    >>> number(0.5, ".1f"), number(float("nan"), ".1f")
    ('0.5', '?')
    """
    return "?" if _is_nan(value) else format(value, form)


def percent(share: float) -> str:
    """Format a share in percent.

    Examples
    --------
    >>> percent(0.1234)
    '12.3%'
    """
    return number(100 * share, ".1f") + "%"


def percents(row: Any) -> str:
    """Format the ends of a row's interval in percent, ``lower`` and ``upper``."""
    return f"{number(100 * row.lower, '.1f')} … {number(100 * row.upper, '.1f')}%"


def points(row: Any, digits: int = 1) -> str:
    """Format the ends of a row's interval in percentage points, with their signs."""
    return f"{number(100 * row.lower, f'+.{digits}f')} … {number(100 * row.upper, f'+.{digits}f')}"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
