"""Find the metadata columns that group the documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

MOST_GROUPS = 40
_DATE = re.compile(r"\s*(?P<year>[12]\d{3})(?:-(?P<month>0[1-9]|1[0-2])(?:-\d\d(?:[T ].*)?)?)?\s*")
_MONTHS_SHOWN = 48  # longer periods are shown by year
_DATED = 0.9  # minimum proportion of dates for a column to count as time


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of documents by a metadata column.

    Parameters
    ----------
    column
        Name of the column.
    names
        Names of the groups, largest first, or in time order.
    codes
        (D,) group of each document, −1 for none.
    time
        ``"year"`` or ``"month"`` if the groups are periods; else None.
    num_left_out
        Number of rarer values that were left out.
    """

    column: str
    names: tuple[str, ...]
    codes: npt.NDArray[np.int64]
    time: str | None = None
    num_left_out: int = 0


def groupings(metadata: pd.DataFrame) -> list[Grouping]:
    """Return the columns that group documents: dates, and columns with repeated values.

    A column with more distinct values than half its documents does not count as a grouping. If a column has
    more than `MOST_GROUPS` values, the most frequent are kept.

    Examples
    --------
    >>> import pandas as pd
    >>> found = groupings(pd.DataFrame({"desk": list("aabab"), "day": [f"201{i}-01-01" for i in range(5)]}))
    >>> [(group.column, group.names, group.time) for group in found]
    [('desk', ('a', 'b'), None), ('day', ('2010', '2011', '2012', '2013', '2014'), 'year')]
    """
    found = (_over_time(metadata[name]) or _by_value(metadata[name]) for name in metadata)
    return [grouping for grouping in found if grouping is not None]


def _by_value(column: pd.Series[str]) -> Grouping | None:
    values = column.where(column.fillna("").str.strip() != "")
    counts = values.value_counts()
    if len(counts) < 2 or len(counts) > values.notna().sum() / 2:
        return None
    names = sorted(counts.index, key=lambda value: (-counts[value], value))
    return _grouping(str(column.name), values, names[:MOST_GROUPS], left_out=len(names[MOST_GROUPS:]))


def _over_time(column: pd.Series[str]) -> Grouping | None:
    known = column.dropna()
    parts = known.str.fullmatch(_DATE)
    if not len(known) or parts.mean() < _DATED:
        return None
    dates = column.str.extract(_DATE)
    months = dates["year"] + "-" + dates["month"]
    is_month = months.notna().sum() == dates["year"].notna().sum() and _span(months) <= _MONTHS_SHOWN
    periods = months if is_month else dates["year"]
    if periods.nunique() < 2:
        return None
    return _grouping(
        str(column.name), periods, sorted(periods.dropna().unique()), time="month" if is_month else "year"
    )


def _span(months: pd.Series[str]) -> int:
    """Return the number of months from the first to the last."""
    numbers = months.dropna().str[:4].astype(int) * 12 + months.dropna().str[5:].astype(int)
    return int(numbers.max() - numbers.min()) + 1 if len(numbers) else 0


def _grouping(
    column: str, values: pd.Series[str], names: list[str], *, time: str | None = None, left_out: int = 0
) -> Grouping:
    place = {name: number for number, name in enumerate(names)}
    codes = np.array([place.get(value, -1) for value in values], dtype=np.int64)
    return Grouping(column, tuple(names), codes, time, left_out)
