"""Charts as SVG, PNG or PDF, drawn by matplotlib; the same numbers give the same bytes."""

from __future__ import annotations

import io
import math
from itertools import cycle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Points = Sequence[tuple[float, float]]
    Estimates = Sequence[tuple[Any, float, float, float]]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
"""The palette of Okabe and Ito, which colour-blind readers can tell apart."""
WIDTH = 7.0
"""Inches: a page between its margins."""
STYLE: Any = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "lda-app",
    "text.parse_math": False,
    "figure.dpi": 200,
}
_ROW = 0.19  # inches of a line of a chart
_LONGEST = 45  # characters of a label
_POINTS_A_LETTER = 4.6  # at the size of the font, on average
_INDENT = 4 * "\u00a0"  # viewers of SVG collapse plain blanks


def grid(
    rows: int, columns: int, *, height: float, width: float = WIDTH, sharex: Any = False, sharey: Any = False
) -> tuple[Figure, list[Axes]]:
    """Make a figure of panels, each ``height`` inches high."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, rows * height), layout="constrained")
        axes: Any = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey)
    return figure, list(axes.ravel())


def draw(figure: Figure, kind: str = "svg") -> bytes:
    """Return a figure as a file: ``svg``, ``png`` or ``pdf``."""
    import matplotlib as mpl

    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    stream = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(stream, format=kind, metadata=undated[kind], bbox_inches="tight")
    return stream.getvalue()


def line_chart(
    title: str,
    x_label: str,
    y_label: str,
    series: Mapping[str, Points],
    *,
    logarithmic: tuple[bool, bool] = (True, True),
) -> str:
    """Draw curves through points, one colour each, with a legend.

    Parameters
    ----------
    title, x_label, y_label
        What is shown.
    series
        Name → points (x, y).
    logarithmic
        Whether the axes x and y are.

    Examples
    --------
    >>> "implicit" in line_chart("", "a", "variance", {"implicit": [(1, 2.0), (10, 0.5)]})
    True
    """
    return line_charts({title: series}, x_label, y_label, logarithmic=logarithmic)


def line_charts(
    charts: Mapping[str, Mapping[str, Points]],
    x_label: str,
    y_label: str,
    *,
    logarithmic: tuple[bool, bool] = (True, True),
) -> str:
    """Draw charts of curves, two in a row: title → name → points (x, y)."""
    figure, axes = _panels("", len(charts), height=3)
    for axis, (title, series) in zip(axes, charts.items(), strict=True):
        for (name, points), colour in zip(series.items(), cycle(COLOURS), strict=False):
            axis.plot(*zip(*points, strict=True), "o-", ms=3, color=colour, label=_short(name))
        _label(axis, title, x_label, y_label)
        _scale(axis, logarithmic)
        axis.legend(fontsize=6)
    return draw(figure).decode()


def dot_chart(title: str, groups: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Draw positive numbers as dots on one logarithmic axis, a line each, under headings.

    Parameters
    ----------
    title
        What the numbers are.
    groups
        Heading → (label, number); a number that is not positive and finite has a label but no dot.

    Examples
    --------
    >>> "implicit" in dot_chart("variance", {"gamma": [("implicit", 0.2), ("score", 30.0)]})
    True
    """
    figure, axis, rows = _lines(title, groups)
    shown = [(number, place) for place, (_, number) in rows if 0 < number < math.inf]
    if shown:
        axis.plot(*zip(*shown, strict=True), "o", ms=4, color=COLOURS[0])
    _scale(axis, (True, False))
    return draw(figure).decode()


def interval_chart(title: str, groups: Mapping[str, Estimates], *, zero: bool = False) -> str:
    """Draw estimates as dots with their intervals, a line each, under headings.

    Parameters
    ----------
    title
        What the numbers are.
    groups
        Heading → (label, estimate, lower, upper); what is not finite has a label but no dot.
    zero
        Whether to mark zero.

    Examples
    --------
    >>> "left" in interval_chart("share", {"topic 1": [("left", 0.2, 0.1, 0.3)]})
    True
    """
    figure, axis, rows = _lines(title, groups)
    shown = [(place, *figures) for place, (_, *figures) in rows if all(map(math.isfinite, figures))]
    if shown:
        places, values, lower, upper = zip(*shown, strict=True)
        axis.hlines(places, lower, upper, color=COLOURS[0])
        axis.plot(values, places, "o", ms=4, color=COLOURS[0])
    if zero:
        axis.axvline(0, color=COLOURS[7], lw=0.8)
    return draw(figure).decode()


def band_chart(title: str, x_label: str, panels: Mapping[str, Estimates]) -> str:
    """Draw curves with the bands of their intervals, a panel each, all on the same axes.

    Parameters
    ----------
    title, x_label
        What is shown.
    panels
        Heading → points (x, estimate, lower, upper).

    Examples
    --------
    >>> "topic 1" in band_chart("", "year", {"topic 1": [(1990, 0.2, 0.1, 0.3), (2000, 0.3, 0.2, 0.4)]})
    True
    """
    figure, axes = _panels(title, len(panels), sharex="all", sharey="all")
    for axis, (heading, points) in zip(axes, panels.items(), strict=False):
        x, value, lower, upper = zip(*points, strict=True)
        axis.fill_between(x, lower, upper, color=COLOURS[0], alpha=0.2)
        axis.plot(x, value, color=COLOURS[0])
        _label(axis, heading, x_label, "")
    return draw(figure).decode()


def error_charts(title: str, x_label: str, series: Mapping[str, Sequence[tuple[float, float, float]]]) -> str:
    """Draw small charts, two in a row, each of one figure with its standard errors over the same axis x.

    Parameters
    ----------
    title, x_label
        What is shown.
    series
        Name → points (x, y, error of y), x positive; an empty one is left out.

    Examples
    --------
    >>> "found" in error_charts("", "K", {"found": [(10, 0.5, 0.1), (20, 0.4, 0.1)], "none": []})
    True
    """
    shown = {name: points for name, points in series.items() if points}
    figure, axes = _panels(title, len(shown))
    for axis, (name, points) in zip(axes, shown.items(), strict=False):
        x, y, error = zip(*points, strict=True)
        axis.errorbar(x, y, yerr=error, fmt="o-", ms=3, color=COLOURS[0])
        _scale(axis, (True, False))
        axis.set_xticks(x, [f"{number:g}" for number in x])
        axis.minorticks_off()
        _label(axis, name, x_label, "")
    return draw(figure).decode()


def heat_map(
    title: str,
    labels: tuple[str, str],
    places: tuple[Sequence[float], Sequence[float]],
    values: Sequence[Sequence[float]],
    shades: Sequence[tuple[float, str, str]],
) -> str:
    """Draw a table of numbers as coloured fields over logarithmic axes.

    Parameters
    ----------
    title
        What is shown.
    labels, places
        Labels and values of the axes x and y; the values are evenly spaced in the logarithm.
    values
        A row for each place of y.
    shades
        (least value, colour, name) in rising order; a field has the last one that its value reaches.

    Examples
    --------
    >>> shades = [(0.0, "white", "right"), (0.1, "red", "wrong")]
    >>> "wrong" in heat_map("", ("a", "b"), ([1, 10], [1, 10]), [[0, 1], [0, 0]], shades)
    True
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    figure, (axis,) = grid(1, 1, height=4)
    colours = ListedColormap([colour for _, colour, _ in shades])
    edges = [least for least, *_ in shades] + [math.inf]
    axis.pcolormesh(*places, values, cmap=colours, norm=BoundaryNorm(edges, len(shades)), rasterized=True)
    _label(axis, title, *labels)
    _scale(axis, (True, True))
    patches = [Patch(facecolor=colour, edgecolor="#999999", label=name) for _, colour, name in shades]
    axis.legend(handles=patches, loc="upper left", bbox_to_anchor=(1, 1), fontsize=6)
    return draw(figure).decode()


def _lines(
    title: str, groups: Mapping[str, Sequence[tuple[Any, ...]]]
) -> tuple[Figure, Axes, list[tuple[int, tuple[Any, ...]]]]:
    """Make a chart with a line for each heading and row, and return the rows with their places."""
    lines: list[tuple[str, tuple[Any, ...] | None]] = []
    for heading, rows in groups.items():
        lines += [(_short(heading), None), *((_INDENT + _short(row[0]), row) for row in rows)]
    figure, (axis,) = grid(1, 1, height=0.6 + _ROW * (len(lines) + 1))
    axis.set_yticks(range(len(lines)), [label for label, _ in lines], ha="left")
    longest = max((len(label) for label, _ in lines), default=0)
    axis.tick_params(axis="y", length=0, pad=_POINTS_A_LETTER * longest)
    axis.set_ylim(len(lines), -1)
    axis.grid(axis="x", color="#dddddd", lw=0.5)
    axis.set_title(_short(title, 2 * _LONGEST), fontsize=8, fontweight="bold")
    return figure, axis, [(place, row) for place, (_, row) in enumerate(lines) if row is not None]


def _short(text: object, longest: int = _LONGEST) -> str:
    """Cut a label, and replace what SVG cannot hold."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in str(text))
    return shown if len(shown) <= longest else f"{shown[: longest - 1].rstrip()}…"


def _panels(title: str, number: int, *, height: float = 1.9, **share: Any) -> tuple[Figure, list[Axes]]:
    """Make panels, two in a row, under a common title if there is one."""
    columns = min(2, max(number, 1))
    figure, axes = grid(math.ceil(max(number, 1) / columns), columns, height=height, **share)
    if title:
        figure.suptitle(_short(title, 2 * _LONGEST), fontsize=8, fontweight="bold")
    for axis in axes[number:]:
        axis.remove()
    return figure, axes[:number]


def _label(axis: Axes, title: str, x_label: str, y_label: str) -> None:
    axis.set_title(_short(title), fontsize=8)
    axis.set_xlabel(_short(x_label))
    axis.set_ylabel(y_label)


def _scale(axis: Axes, logarithmic: tuple[bool, bool]) -> None:
    """Make axes logarithmic, with plain numbers at their ticks."""
    for is_log, set_scale, ticks in zip(
        logarithmic, (axis.set_xscale, axis.set_yscale), (axis.xaxis, axis.yaxis), strict=True
    ):
        if is_log:
            set_scale("log")
            ticks.set_major_formatter(lambda value, _: f"{value:g}")
            ticks.set_minor_formatter(lambda *_: "")
