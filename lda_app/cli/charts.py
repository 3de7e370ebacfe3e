"""Small SVG charts with dots, lines and intervals, drawn without a plotting library."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Point = tuple[float, float]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
"""The Okabe–Ito palette, which is safe for colour-blind readers."""

_FONT = "font-family='sans-serif' font-size='12'"
_ROW = 20


@dataclass(frozen=True)
class Axis:
    """A scale from values to positions.

    Parameters
    ----------
    low, high
        The values at its ends; positive where the axis is logarithmic.
    start, end
        Their positions.
    logarithmic
        Whether the scale is logarithmic.

    Examples
    --------
    >>> axis = Axis(1.0, 100.0, 0, 200)
    >>> axis.place(10.0), axis.ticks()
    (100.0, [1.0, 10.0, 100.0])
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = True

    def place(self, value: float) -> float:
        """Return the position of a value."""
        low, high, x = (self._scaled(v) for v in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (x - low) / ((high - low) or 1)

    def ticks(self) -> list[float]:
        """Return at most ten round values between the ends."""
        if not self.logarithmic:
            step = 10 ** math.floor(math.log10((self.high - self.low) or 1))
            step = step if (self.high - self.low) / step > 2 else step / 5
            first, last = math.ceil(self.low / step), math.floor(self.high / step)
            return [n * step for n in range(first, last + 1)]
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [10.0**n for n in range(first, last + 1, max(1, (last - first) // 8))]

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value


@dataclass
class _Drawing:
    """A collection of SVG elements."""

    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, *, anchor: str = "start", extra: str = "") -> None:
        self.parts.append(
            f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {_FONT} {extra}>{escape(text)}</text>"
        )

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.parts.append(f"<path d='M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}' stroke='#ddd'/>")

    def dot(self, x: float, y: float, colour: str) -> None:
        self.parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{colour}'/>")

    def curve(self, points: Iterable[Point], colour: str) -> None:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.parts.append(f"<path d='M{path}' fill='none' stroke='{colour}' stroke-width='2'/>")

    def area(self, points: Iterable[Point], colour: str) -> None:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.parts.append(f"<path d='M{path}Z' fill='{colour}' fill-opacity='0.2'/>")

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self.parts.append(
            f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' fill='{colour}'/>"
        )

    def ticks_below(self, axis: Axis, top: float, bottom: float) -> None:
        for value in axis.ticks():
            self.line(axis.place(value), top, axis.place(value), bottom)
            self.text(axis.place(value), bottom + 16, f"{value:g}", anchor="middle")

    def ticks_left(self, axis: Axis, left: float, right: float) -> None:
        for value in axis.ticks():
            self.line(left, axis.place(value), right, axis.place(value))
            self.text(left - 6, axis.place(value) + 4, f"{value:g}", anchor="end")

    def svg(self, width: float, height: float) -> str:
        size = f"width='{width:.0f}' height='{height:.0f}' viewBox='0 0 {width:.0f} {height:.0f}'"
        body = "\n".join(self.parts)
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' {size}>\n"
            f"<rect width='100%' height='100%' fill='white'/>\n{body}\n</svg>\n"
        )


def dot_chart(title: str, groups: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Draw positive numbers as dots on a logarithmic axis, one per line, under headings.

    Parameters
    ----------
    title
        The title.
    groups
        Heading to (label, number); a number that is not positive and finite gets a label but no dot.

    Examples
    --------
    >>> dot_chart("variance", {"gamma": [("implicit", 0.2), ("score", 30.0)]}).count("<circle")
    2
    """
    numbers = [number for rows in groups.values() for _, number in rows if _drawable(number)]
    axis = _axis(numbers, 220, 620)
    drawing = _Drawing()
    bottom = 40 + _ROW * sum(len(rows) + 1.5 for rows in groups.values())
    drawing.text(10, 22, title, extra="font-weight='bold'")
    drawing.ticks_below(axis, 34, bottom)
    y = 34.0
    for heading, rows in groups.items():
        y += _ROW
        drawing.text(10, y, heading, extra="font-weight='bold'")
        for label, number in rows:
            y += _ROW
            drawing.text(24, y, label)
            if _drawable(number):
                drawing.dot(axis.place(number), y - 4, COLOURS[0])
        y += _ROW / 2
    return drawing.svg(660, bottom + 30)


def interval_chart(
    title: str, groups: Mapping[str, Sequence[tuple[str, float, float, float]]], *, zero: bool = False
) -> str:
    """Draw estimates as dots and their intervals as lines, one per line, under headings.

    Parameters
    ----------
    title
        The title.
    groups
        Heading to (label, estimate, lower, upper); a row that is not finite gets only a label.
    zero
        Whether to mark zero.

    Examples
    --------
    >>> interval_chart("share", {"topic 1": [("left", 0.2, 0.1, 0.3)]}).count("<circle")
    1
    """
    rows = [row for lines in groups.values() for row in lines]
    ends = [end for _, *figures in rows for end in figures if math.isfinite(end)]
    axis = _axis([*ends, *([0.0] if zero else [])], 260, 620, logarithmic=False)
    drawing = _Drawing()
    bottom = 40 + _ROW * sum(len(lines) + 1.5 for lines in groups.values())
    drawing.text(10, 22, title, extra="font-weight='bold'")
    drawing.ticks_below(axis, 34, bottom)
    if zero:
        drawing.curve([(axis.place(0.0), 34), (axis.place(0.0), bottom)], COLOURS[7])
    y = 34.0
    for heading, lines in groups.items():
        y += _ROW
        drawing.text(10, y, heading, extra="font-weight='bold'")
        for label, *figures in lines:
            y += _ROW
            drawing.text(24, y, label)
            if all(map(math.isfinite, figures)):
                estimate, lower, upper = map(axis.place, figures)
                drawing.curve([(lower, y - 4), (upper, y - 4)], COLOURS[0])
                drawing.dot(estimate, y - 4, COLOURS[0])
        y += _ROW / 2
    return drawing.svg(660, bottom + 30)


def band_chart(
    title: str, x_label: str, panels: Mapping[str, Sequence[tuple[float, float, float, float]]]
) -> str:
    """Draw curves with interval bands, one per panel, all on the same axes.

    Parameters
    ----------
    title, x_label
        The title and axis labels.
    panels
        Heading to points (x, estimate, lower, upper).

    Examples
    --------
    >>> band_chart("share", "year", {"topic 1": [(1990, 0.2, 0.1, 0.3), (2000, 0.3, 0.2, 0.4)]}).count("Z'")
    1
    """
    points = [point for panel in panels.values() for point in panel]
    numbers = [number for point in points for number in point[1:]]
    drawing = _Drawing()
    drawing.text(10, 22, title, extra="font-weight='bold'")
    top = 20.0
    for column, (heading, panel) in enumerate(panels.items()):
        left, top = 60.0 + 320 * (column % 2), 70.0 + 200 * (column // 2)
        x = _axis([point[0] for point in points], left, left + 240, logarithmic=False)
        y = _axis(numbers, top + 120, top, logarithmic=False)
        drawing.text(left - 50, top - 12, heading, extra="font-weight='bold'")
        drawing.ticks_below(x, top, top + 120)
        drawing.ticks_left(y, left, left + 240)
        above = [(x.place(at), y.place(upper)) for at, _, _, upper in panel]
        below = [(x.place(at), y.place(lower)) for at, _, lower, _ in panel]
        drawing.area([*above, *reversed(below)], COLOURS[0])
        drawing.curve([(x.place(at), y.place(value)) for at, value, _, _ in panel], COLOURS[0])
    drawing.text(10, top + 168, x_label)
    return drawing.svg(660, top + 180)


def line_chart(
    title: str,
    x_label: str,
    y_label: str,
    series: Mapping[str, Sequence[Point]],
    *,
    logarithmic: tuple[bool, bool] = (True, True),
) -> str:
    """Draw curves through points in different colours, with a legend.

    Parameters
    ----------
    title, x_label, y_label
        The title and axis labels.
    series
        Name to points (x, y).
    logarithmic
        Whether the x and y axes are logarithmic.

    Examples
    --------
    >>> line_chart("", "a", "variance", {"implicit": [(1, 2.0), (10, 0.5)]}).count("stroke-width")
    1
    """
    points = [point for line in series.values() for point in line]
    x = _axis([x for x, _ in points], 70, 440, logarithmic=logarithmic[0])
    y = _axis([y for _, y in points], 300, 40, logarithmic=logarithmic[1])
    drawing = _Drawing()
    drawing.text(10, 22, title, extra="font-weight='bold'")
    drawing.ticks_below(x, 40, 300)
    drawing.ticks_left(y, 70, 440)
    drawing.text(255, 336, x_label, anchor="middle")
    drawing.text(0, 0, y_label, anchor="middle", extra="transform='translate(16 170) rotate(-90)'")
    for row, (name, line) in enumerate(series.items()):
        colour = COLOURS[row % len(COLOURS)]
        placed = [(x.place(a), y.place(b)) for a, b in line]
        drawing.curve(placed, colour)
        for point in placed:
            drawing.dot(*point, colour)
        drawing.dot(460, 50 + _ROW * row, colour)
        drawing.text(470, 54 + _ROW * row, name)
    return drawing.svg(660, 350)


def panels(title: str, x_label: str, series: Mapping[str, Sequence[tuple[float, float, float]]]) -> str:
    """Draw small charts, two per row, each of one measure with error bars over the same x axis.

    Parameters
    ----------
    title, x_label
        The title and axis labels.
    series
        Name to points (x, y, error of y), x positive; empty series are left out.

    Examples
    --------
    >>> panels("", "K", {"found": [(10, 0.5, 0.1), (20, 0.4, 0.1)], "none": []}).count("<circle")
    2
    """
    shown = {name: points for name, points in series.items() if points}
    places = sorted({x for points in shown.values() for x, _, _ in points})
    drawing = _Drawing()
    drawing.text(10, 22, title, extra="font-weight='bold'")
    for number, (name, points) in enumerate(shown.items()):
        left, top = 70 + 330 * (number % 2), 60 + 210 * (number // 2)
        _panel(drawing, name, x_label, points, places, left, top)
    return drawing.svg(690, 60 + 210 * math.ceil(len(shown) / 2))


def _panel(
    drawing: _Drawing,
    name: str,
    x_label: str,
    points: Sequence[tuple[float, float, float]],
    places: Sequence[float],
    left: float,
    top: float,
) -> None:
    """Draw one of the small charts; its x axis is logarithmic, with ticks at the points."""
    right, bottom = left + 240, top + 130
    x = Axis(places[0] / 1.1, places[-1] * 1.1, left, right)
    ends = [y + side * error for _, y, error in points for side in (-1, 1)]
    y = _axis(ends, bottom, top, logarithmic=False)
    drawing.text(left, top - 10, name)
    drawing.ticks_left(y, left, right)
    for place in places:
        drawing.line(x.place(place), top, x.place(place), bottom)
        drawing.text(x.place(place), bottom + 16, f"{place:g}", anchor="middle")
    drawing.text((left + right) / 2, bottom + 34, x_label, anchor="middle")
    drawing.curve([(x.place(a), y.place(b)) for a, b, _ in points], COLOURS[0])
    for a, b, error in points:
        drawing.curve([(x.place(a), y.place(b - error)), (x.place(a), y.place(b + error))], COLOURS[0])
        drawing.dot(x.place(a), y.place(b), COLOURS[0])


def heat_map(
    title: str,
    labels: tuple[str, str],
    places: tuple[Sequence[float], Sequence[float]],
    values: Sequence[Sequence[float]],
    shades: Sequence[tuple[float, str, str]],
) -> str:
    """Draw a table of numbers as coloured cells over logarithmic axes.

    Parameters
    ----------
    title
        The title.
    labels, places
        Labels and positions on the x and y axes; positions are evenly spaced on a log scale.
    values
        One row for each y position.
    shades
        (minimum value, colour, name) in ascending order; a cell gets the last one that its value reaches.

    Examples
    --------
    >>> shades = [(0.0, "white", "right"), (0.1, "red", "wrong")]
    >>> heat_map("", ("a", "b"), ([1, 10], [1, 10]), [[0, 1], [0, 0]], shades).count("fill='red'")
    2
    """
    across, up = places
    x, y = Axis(across[0], across[-1], 70, 430), Axis(up[0], up[-1], 300, 40)
    width, height = 360 / (len(across) - 1), 260 / (len(up) - 1)
    drawing = _Drawing()
    drawing.text(10, 22, title, extra="font-weight='bold'")
    for b, row in zip(up, values, strict=True):
        # Neighbouring cells of the same colour share one box, to keep the file small.
        colours = [_shade(value, shades) for value in row]
        for colour, run in groupby(range(len(row)), colours.__getitem__):
            first, *others = run
            left, top = x.place(across[first]) - width / 2, y.place(b) - height / 2
            drawing.box(left, top, (1 + len(others)) * width + 0.3, height + 0.3, colour)
    drawing.ticks_below(x, 300 + height / 2, 304 + height / 2)
    drawing.ticks_left(y, 66 - width / 2, 70 - width / 2)
    drawing.text(250, 340, labels[0], anchor="middle")
    drawing.text(0, 0, labels[1], anchor="middle", extra="transform='translate(16 170) rotate(-90)'")
    for line, (_, colour, name) in enumerate(shades):
        drawing.box(455, 44 + _ROW * line, 12, 12, colour)
        drawing.text(473, 54 + _ROW * line, name)
    return drawing.svg(660, 350)


def side_by_side(charts: Sequence[str], size: tuple[float, float] = (660, 350), columns: int = 2) -> str:
    """Arrange charts of the same size in rows.

    Parameters
    ----------
    charts
        Charts returned by the functions above.
    size
        Width and height of each.
    columns
        Charts per row.

    Examples
    --------
    >>> side_by_side([line_chart("", "x", "y", {"a": [(1, 1), (2, 3)]})] * 3).count("<svg")
    4
    """
    width, height = size
    drawing = _Drawing()
    for number, chart in enumerate(charts):
        x, y = number % columns * width, number // columns * height
        drawing.parts.append(chart.replace("<svg ", f"<svg x='{x:.0f}' y='{y:.0f}' ", 1).rstrip())
    return drawing.svg(columns * width, math.ceil(len(charts) / columns) * height)


def _axis(values: Sequence[float], start: float, end: float, *, logarithmic: bool = True) -> Axis:
    """Return an axis that spans all values; a logarithmic one starts and ends at round values."""
    low, high = min(values, default=1.0), max(values, default=1.0)
    if not logarithmic:
        margin = 0.05 * (high - low) or 1.0
        return Axis(low - margin, high + margin, start, end, logarithmic=False)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return Axis(10.0**first, 10.0 ** max(last, first + 1), start, end)


def _shade(value: float, shades: Sequence[tuple[float, str, str]]) -> str:
    return next(colour for least, colour, _ in reversed(shades) if value >= least)


def _drawable(number: float) -> bool:
    return 0 < number < math.inf
