"""Charts: valid SVG that says what it shows, whatever the names, and the same bytes each time."""

from xml.etree import ElementTree as ET

import pytest

from lda_app.system import charts

NASTY = "a < b & $x_1$ \u2028"


def texts(svg):
    return {(text.text or "").strip() for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.dot_chart(NASTY, {NASTY: [(NASTY, 1e-9), ("one", 7e12)]}),
        lambda: charts.interval_chart(NASTY, {NASTY: [(NASTY, 0.2, 0.1, 0.3)]}, zero=True),
        lambda: charts.line_chart(NASTY, "x", "y", {NASTY: [(1.0, 2.0), (3.0, 2.0)], "two": [(1.0, 90.0)]}),
        lambda: charts.band_chart(NASTY, "x", {NASTY: [(1, 0.2, 0.1, 0.3)], "two": [(2, 0.2, 0.1, 0.3)]}),
        lambda: charts.error_charts(NASTY, "K", {NASTY: [(10, 0.5, 0.1)], "none": []}),
        lambda: charts.heat_map(
            NASTY, ("x", "y"), ([1, 10], [1, 10]), [[0, 1], [2, 0]], [(0.0, "red", NASTY)]
        ),
    ],
)
def test_a_chart_is_valid_and_the_same_each_time(draw):
    svg = draw()
    assert any("a < b & $x_1$" in text for text in texts(svg))
    assert draw() == svg


@pytest.mark.parametrize("number", [0.0, float("inf"), float("nan"), -1.0])
def test_what_has_no_place_is_named(number):
    svg = charts.dot_chart("", {"x": [("odd", number), ("one", 1.0)]})
    assert {"odd", "one"} <= texts(svg)
    assert {"odd", "one"} <= texts(
        charts.interval_chart("", {"x": [("odd", number, *2 * [number]), ("one", 1, 0, 2)]})
    )


def test_long_and_odd_labels_leave_room_for_the_figures():
    row = ("x" * 200, 0.2, 0.1, 0.3)
    _, axis, _ = charts._lines("t" * 300, {"y" * 200: [row]})
    axis.figure.draw_without_rendering()
    assert axis.get_position().width * axis.figure.get_figwidth() > 3
    assert "a�b" in texts(charts.interval_chart("", {"a\x0bb": [row]}))


def test_curves_have_a_legend():
    assert {"one", "two"} <= texts(charts.line_chart("t", "x", "y", {"one": [(1, 2)], "two": [(1, 90)]}))


def test_an_empty_group_is_a_heading():
    assert {"empty", "full", "one"} <= texts(charts.dot_chart("", {"empty": [], "full": [("one", 1.0)]}))
