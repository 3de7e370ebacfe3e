"""Charts: valid SVG, everything within the frame, nothing lost."""

from xml.etree import ElementTree as ET

import pytest

from lda_app.cli.charts import Axis, dot_chart, heat_map, line_chart, side_by_side


def parsed(svg):
    root = ET.fromstring(svg)
    return root, float(root.get("width")), float(root.get("height"))


def test_dots_lie_within_the_frame():
    numbers = [1e-9, 0.3, 7e12]
    root, width, height = parsed(dot_chart("a < b", {"x & y": [(str(n), n) for n in numbers]}))
    dots = root.findall("{*}circle")
    places = [float(dot.get("cx")) for dot in dots]
    assert len(dots) == 3
    assert places == sorted(places)
    assert 0 < places[0] < places[-1] < width
    assert all(0 < float(dot.get("cy")) < height for dot in dots)


def test_what_has_no_place_is_named_without_a_dot():
    root, *_ = parsed(dot_chart("", {"x": [("zero", 0.0), ("one", 1.0), ("endless", float("inf"))]}))
    assert len(root.findall("{*}circle")) == 1
    assert {"zero", "one", "endless"} <= {text.text for text in root.findall("{*}text")}


@pytest.mark.parametrize("logarithmic", [(True, True), (False, False)])
def test_lines_have_a_legend(logarithmic):
    series = {"one": [(1.0, 2.0), (3.0, 2.0)], "two": [(1.0, 90.0)]}
    root, width, height = parsed(line_chart("t", "x", "y", series, logarithmic=logarithmic))
    assert len(root.findall("{*}circle")) == 3 + 2
    assert {"one", "two", "x", "y", "t"} <= {text.text for text in root.findall("{*}text")}
    for dot in root.findall("{*}circle"):
        assert 0 < float(dot.get("cx")) < width
        assert 0 < float(dot.get("cy")) < height


def test_a_field_has_the_shade_that_its_value_reaches():
    shades = [(0.0, "white", "right"), (0.1, "orange", "off"), (1.0, "red", "wrong")]
    svg = heat_map("t", ("x", "y"), ([1, 10, 100], [1, 10]), [[0, 0.1, 0.2], [5, 0, 1]], shades)
    _, *boxes = ET.fromstring(svg).findall("{*}rect")  # the first is the background
    areas = {colour: 0 for _, colour, _ in shades}
    for box in boxes[: -len(shades)]:  # the last are the legend
        areas[box.get("fill")] += round(float(box.get("width")) / 180)
    assert areas == {"white": 2, "orange": 2, "red": 2}


def test_linear_ticks_are_round():
    assert Axis(0, 42, 0, 1, logarithmic=False).ticks() == [0, 10, 20, 30, 40]
    assert Axis(0, 1, 0, 1, logarithmic=False).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_charts_lie_side_by_side_in_one_picture():
    chart = line_chart("a < b", "x", "y", {"line": [(1, 1), (2, 3)]})
    picture = ET.fromstring(side_by_side([chart, chart, chart]))
    places = [(part.get("x"), part.get("y")) for part in picture if part.tag.endswith("svg")]
    assert places == [("0", "0"), ("660", "0"), ("0", "350")]
    assert (picture.get("width"), picture.get("height")) == ("1320", "700")
