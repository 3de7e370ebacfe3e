"""Perplexity over seconds of training, as SVG."""

from __future__ import annotations

import math
from html import escape
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Points = Sequence[tuple[float, float]]

_COLOURS = ("#0072b2", "#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#555555", "#8b4513")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 380, 60, 150, 20, 45
_WORST = 1.5  # times the best perplexity: what is worse lies above the picture


def seconds_to(perplexity: float, points: Points) -> float | None:
    """Return the seconds after which a perplexity was reached for the first time, None if it never was.

    Examples
    --------
    >>> seconds_to(800, [(1.0, 900.0), (2.5, 790.0), (4.0, 780.0)])
    2.5
    """
    return next((seconds for seconds, value in points if value <= perplexity), None)


def draw(curves: Mapping[str, Points]) -> str:
    """Draw one line a method, its end marked; seconds are on a logarithmic scale.

    Parameters
    ----------
    curves
        Method → seconds and perplexities, in the order of time.
    """
    seconds = [s for points in curves.values() for s, _ in points]
    best = min(value for points in curves.values() for _, value in points)
    frame = _Frame(min(seconds) * 0.9, max(seconds) * 1.1, best * 0.98, best * _WORST)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *frame.grid(),
    ]
    for number, ((name, points), colour) in enumerate(zip(curves.items(), cycle(_COLOURS))):
        parts += _curve([(frame.x(s), frame.y(v)) for s, v in points if v <= frame.worst], colour)
        parts += [_text(_WIDTH - _RIGHT + 12, _TOP + 16 * (number + 1), name, "start", colour)]
    return "\n".join([*parts, "</svg>", ""])


class _Frame(NamedTuple):
    """Where seconds and perplexities lie in the picture."""

    first: float
    last: float
    best: float
    worst: float

    def x(self, seconds: float) -> float:
        share = math.log(seconds / self.first) / math.log(self.last / self.first)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, perplexity: float) -> float:
        share = (perplexity - self.best) / (self.worst - self.best)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def grid(self) -> Iterator[str]:
        """Lines and their values, and what the axes are."""
        yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "training time (seconds)", "middle")
        yield _text(_LEFT, _TOP - 4, "document-completion perplexity (ref)", "start")
        for seconds in _round_numbers(self.first, self.last):
            yield _line(self.x(seconds), _TOP, self.x(seconds), _HEIGHT - _BOTTOM)
            yield _text(self.x(seconds), _HEIGHT - _BOTTOM + 16, f"{seconds:g}", "middle")
        step = max(_round_numbers(1, (self.worst - self.best) / 4), default=1)
        for value in range(int(-(-self.best // step) * step), int(self.worst) + 1, int(step)):
            yield _line(_LEFT, self.y(value), _WIDTH - _RIGHT, self.y(value))
            yield _text(_LEFT - 6, self.y(value) + 4, f"{value:,}", "end")


def _round_numbers(first: float, last: float) -> list[float]:
    """1, 2, 5, 10 … within a range."""
    decades = range(math.floor(math.log10(first)), math.ceil(math.log10(max(first, last))) + 1)
    numbers = (digit * 10.0**decade for decade in decades for digit in (1, 2, 5))
    return [number for number in numbers if first <= number <= last]


def _curve(points: Points, colour: str) -> list[str]:
    if not points:
        return []
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>',
    ]


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#222222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
