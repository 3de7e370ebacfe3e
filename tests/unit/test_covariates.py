"""Metadata as groups, bins, numbers and dates."""

import numpy as np
import pandas as pd
import pytest

from lda_app.analysis.covariates import Key, as_dates, as_numbers, group_by, numbers
from lda_app.errors import ConfigError, CorpusError


def frame(**columns):
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def test_numbers_are_read_as_people_write_them():
    texts = ["7", " 7.5 ", "-1e3", "1,234", "12,345,678.9", "1,23", "3,5", "0x10", "seven", "", "nan", None]
    expected = [7, 7.5, -1000, 1234, 12345678.9, *[np.nan] * 7]
    np.testing.assert_array_equal(numbers(pd.Series(texts, dtype=object)), expected)


def test_dates_of_many_forms_and_long_ago():
    texts = ["1993", "1993-04", "1993-04-02", "2001-02-03T23:00:00-05:00", "1789-07-14", "2 April 2001"]
    found = as_dates(pd.Series(texts, dtype=object))
    assert found.dt.strftime("%Y-%m-%d").tolist() == [
        *("1993-01-01", "1993-04-01", "1993-04-02", "2001-02-04", "1789-07-14", "2001-04-02")
    ]


@pytest.mark.parametrize("read", [as_numbers, as_dates])
def test_a_column_of_something_else_is_refused_with_an_example(read):
    with pytest.raises(CorpusError, match=r"'party' does not hold .*: 0 of 2 values .* 'left' cannot"):
        read(pd.Series(["left", None, "right"], name="party", dtype=object))


def test_groups_are_ordered_as_numbers_where_all_are():
    groups = group_by(frame(year=["10", "9", "100"]), [Key("year")])
    assert groups.names == ("9", "10", "100")
    assert group_by(frame(year=["10", "9", "x"]), [Key("year")]).names == ("10", "9", "x")


def test_several_keys_make_the_groups_that_occur():
    data = frame(party=["b", "a", "b", None], year=["2", "1", "1", "1"])
    groups = group_by(data, [Key("party"), Key("year")])
    assert groups.values == (("a", "1"), ("b", "1"), ("b", "2"))
    assert groups.codes.tolist() == [2, 0, 1, -1]


@pytest.mark.parametrize(
    ("way", "names"),
    [
        ("year", ("2019", "2020")),
        ("quarter", ("2019Q4", "2020Q1")),
        ("month", ("2019-12", "2020-01", "2020-02")),
        ("day", ("2019-12-31", "2020-01-01", "2020-02-01")),
    ],
)
def test_dates_are_put_together_by_period(way, names):
    data = frame(date=["2020-02-01", "2019-12-31", "2020-01-01T12:00", "some day", None])
    groups = group_by(data, [Key("date", way)])
    assert groups.names == names
    assert groups.codes[3:].tolist() == [-1, -1]
    assert groups.keys == (f"date:{way}",)


def test_bins_hold_about_as_many_values_each():
    ages = [str(age) for age in range(100)]
    groups = group_by(frame(age=[*ages, None, "old"]), [Key("age", 4)])
    assert groups.names == ("0–24", "25–49", "50–74", "75–99")
    assert np.bincount(groups.codes[:100]).tolist() == [25] * 4
    assert groups.codes[100:].tolist() == [-1, -1]


def test_many_equal_values_make_fewer_bins():
    groups = group_by(frame(age=["5"] * 9 + ["7"]), [Key("age", 5)])
    assert len(groups.names) < 5
    assert (groups.codes >= 0).all()


def test_a_column_may_look_like_a_key():
    assert Key.parse("date:month", ["date:month", "date"]) == Key("date:month")
    assert Key.parse("date:month", ["date"]) == Key("date", "month")
    with pytest.raises(CorpusError, match="no column 'date:week', only 'date'"):
        Key.parse("date:week", ["date"])


def test_too_many_groups_are_refused_with_advice():
    with pytest.raises(ConfigError, match=r"300 groups, .* by age:10"):
        group_by(frame(age=[str(age) for age in range(300)]), [Key("age")])


def test_no_value_at_all():
    with pytest.raises(CorpusError, match="no document has a value of party"):
        group_by(frame(party=[None, None]), [Key("party")])
