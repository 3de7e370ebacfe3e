"""Perplexity over seconds of training, as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Points = Sequence[tuple[float, float]]

_WORST = 1.5  # times the best perplexity: what is worse is left out


def seconds_to(perplexity: float, points: Points) -> float | None:
    """Return the seconds after which a perplexity was reached for the first time, None if it never was.

    Examples
    --------
    >>> seconds_to(800, [(1.0, 900.0), (2.5, 790.0), (4.0, 780.0)])
    2.5
    """
    return next((seconds for seconds, value in points if value <= perplexity), None)


def draw(curves: Mapping[str, Points]) -> str:
    """Draw one line a method over the seconds, on a logarithmic scale, without what is far from the best.

    Parameters
    ----------
    curves
        Method → seconds and perplexities, in the order of time.
    """
    from lda_app.system.charts import line_chart

    worst = _WORST * min(value for points in curves.values() for _, value in points)
    near = {name: [point for point in points if point[1] <= worst] for name, points in curves.items()}
    shown = {name: points for name, points in near.items() if points}
    title = "Perplexity over the time of training"
    return line_chart(title, "seconds of training", "ref", shown, logarithmic=(True, False))
