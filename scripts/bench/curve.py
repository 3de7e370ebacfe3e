"""Perplexity over seconds of training, as SVG."""

from __future__ import annotations

import math
from html import escape
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Points = Sequence[tuple[float, float]]

_COLOURS = ("#0072b2", "#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#555555", "#8b4513")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 380, 60, 150, 15, 45
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
    first, last = math.log10(min(seconds) * 0.9), math.log10(max(seconds) * 1.1)

    def x(second: float) -> float:
        return _LEFT + (math.log10(second) - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        share = (value / best - 0.98) / (_WORST - 0.98)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_WIDTH / 2, _HEIGHT - 8, "seconds of training", "middle"),
        _text(_LEFT, _TOP - 3, "ref, completion perplexity", "start"),
    ]
    for tick in _ticks(10**first, 10**last):
        parts += [_line(x(tick), _TOP, x(tick), _HEIGHT - _BOTTOM)]
        parts += [_text(x(tick), _HEIGHT - _BOTTOM + 16, f"{tick:g}", "middle")]
    for share in (1.0, 1.1, 1.2, 1.3, 1.4, 1.5):
        parts += [_line(_LEFT, y(share * best), _WIDTH - _RIGHT, y(share * best))]
        parts += [_text(_LEFT - 6, y(share * best) + 4, f"{share * best:,.0f}", "end")]
    for number, ((name, points), colour) in enumerate(zip(curves.items(), cycle(_COLOURS))):
        parts += _curve([(x(s), y(value)) for s, value in points if value <= _WORST * best], colour)
        parts += [_text(_WIDTH - _RIGHT + 12, _TOP + 16 * (number + 1), name, "start", colour)]
    return "\n".join([*parts, "</svg>", ""])


def _ticks(first: float, last: float) -> list[float]:
    """1, 2, 5, 10 … within a range."""
    decades = range(math.floor(math.log10(first)), math.ceil(math.log10(last)))
    ticks = (digit * 10.0**decade for decade in decades for digit in (1, 2, 5))
    return [tick for tick in ticks if first <= tick <= last]


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
