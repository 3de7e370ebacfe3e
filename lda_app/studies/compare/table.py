"""Results side by side: columns, and rows averaged over seeds."""

from __future__ import annotations

from collections import defaultdict
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Result = dict[str, Any]

NOT_APPLICABLE = "–"


class TableColumn(NamedTuple):
    """A column of a table of results."""

    title: str
    part: str
    key: str
    form: str
    scale: float = 1.0
    spread: bool = False


COLUMNS = (
    TableColumn("own", "figures", "own", ",.0f", spread=True),
    TableColumn("ref", "figures", "ref", ",.0f", spread=True),
    TableColumn("NPMI train", "figures", "npmi_train", ".3f"),
    TableColumn("NPMI test", "figures", "npmi_test", ".3f"),
    TableColumn("c_npmi", "figures", "c_npmi", ".3f"),
    TableColumn("c_v", "figures", "c_v", ".3f"),
    TableColumn("TD", "figures", "diversity", ".2f"),
    TableColumn("live", "figures", "live", ".1f"),
    TableColumn("dup.", "figures", "duplicates", ".1f"),
    TableColumn("purity", "figures", "purity", ".3f"),
    TableColumn("NMI", "figures", "nmi", ".3f"),
    TableColumn("s", "usage", "seconds", ".1f"),
    TableColumn("CPU s", "usage", "cpu_seconds", ".1f"),
    TableColumn("MB", "usage", "peak_memory", ",.0f", scale=1e-6),
    TableColumn("docs/s", "figures", "documents_per_second", ",.0f"),
)


def entry(group: Sequence[Result], column: TableColumn) -> str:
    """Return what results of several seeds have in a column: their mean, and ± half of their range.

    Examples
    --------
    >>> results = [{"figures": {"own": 700.0}}, {"figures": {"own": 710.0}}, {"figures": {"own": 705.0}}]
    >>> entry(results, COLUMNS[0]), entry([{"figures": {"own": None}}], COLUMNS[0])
    ('705 ± 5', '–')
    """
    known = (result[column.part].get(column.key) for result in group if result[column.part] is not None)
    values = [value * column.scale for value in known if value is not None]
    if not values:
        return NOT_APPLICABLE
    text = format(mean(values), column.form)
    half_range = (max(values) - min(values)) / 2
    return f"{text} ± {half_range:{column.form}}" if column.spread and len(values) > 1 else text


def rows(results: Iterable[Result]) -> tuple[list[str], list[list[str]]]:
    """Return titles and a row of texts for each method, columns that no method has left out.

    Parameters
    ----------
    results
        In the order of the rows; those of a method of several seeds are averaged.
    """
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[name_of(result)].append(result)
    columns = [c for c in COLUMNS if any(entry(group, c) != NOT_APPLICABLE for group in groups.values())]
    titles = ["method", "seeds", *(column.title for column in columns)]
    return titles, [
        [name, str(len(group)), *(entry(group, column) for column in columns)]
        for name, group in groups.items()
    ]


def name_of(result: Result) -> str:
    """Name a result's method; a star says that its time was up before it had finished."""
    return f"{result['method']}*" if result["stopped"] else str(result["method"])


def markdown(titles: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Lay a table out in Markdown, numbers to the right.

    Examples
    --------
    >>> print(markdown(["method", "own"], [["topica", "720"]]), end="")
    | method | own |
    | --- | ---: |
    | topica | 720 |
    """
    ruler = ["---", *(["---:"] * (len(titles) - 1))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (titles, ruler, *lines))
