"""Formulas of covariates, and what becomes of columns in them."""

import numpy as np
import pandas as pd
import pytest

from lda_app.analysis.design import columns_in, make_design, typed_column
from lda_app.errors import ConfigError, CorpusError


@pytest.fixture
def metadata():
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "party": generator.choice(["left", "right", "centre"], 60),
            "year": [str(1990 + i % 20) for i in range(60)],
            "day of": [f"2001-{1 + i % 12:02}-15" for i in range(60)],
        },
        dtype=object,
    )


def matrix(design):
    return design.basis @ design.triangle


def test_columns_of_all_kinds_become_covariates(metadata):
    design = make_design("~ party + year + `day of`", metadata)
    assert design.names == ("Intercept", "party[T.left]", "party[T.right]", "year", "day of")
    values = matrix(design)
    np.testing.assert_allclose(values[:, 1], metadata["party"] == "left", atol=1e-9)
    np.testing.assert_allclose(values[:, 3], metadata["year"].astype(float))
    assert values[0, 4] == pytest.approx(2001 + 14 / 365)
    np.testing.assert_allclose(design.basis.T @ design.basis, np.eye(5), atol=1e-10)


def test_splines_and_interactions(metadata):
    spline = make_design("~ s(year)", metadata)
    assert len(spline.names) == 11
    assert len(make_design("~ s(year, 4) * party", metadata).names) == 15
    np.testing.assert_allclose(matrix(spline)[:, 1:].sum(axis=1) <= 1 + 1e-9, True)


@pytest.mark.parametrize("values", [["1", "2"], ["1", "2", "3"], ["1", "2", "3", "4"]])
def test_a_spline_of_few_values_has_one_less_function(values):
    design = make_design("~ s(x)", pd.DataFrame({"x": values * 5}, dtype=object))
    assert len(design.names) == len(values)


def test_documents_that_lack_a_value_are_left_out_and_counted(metadata):
    metadata.loc[3, "party"] = None
    metadata.loc[[3, 5], "year"] = None
    design = make_design("~ party + year", metadata)
    assert design.num_missing == {"party": 1, "year": 2}
    assert np.flatnonzero(~design.kept).tolist() == [3, 5]
    assert len(design.covariates) == len(design.basis) == 58


def test_a_few_odd_values_of_a_number_are_missing_with_a_warning(metadata, caplog):
    metadata.loc[7, "year"] = "about 1999"
    assert make_design("~ year", metadata).num_missing == {"year": 1}
    assert "'about 1999'" in caplog.text


def test_predictions_average_over_the_other_covariates(metadata):
    design = make_design("~ party + year", metadata)
    values, combinations = design.predictions("party", 9)
    assert values == ["centre", "left", "right"]
    # In terms of X: the intercept, the party's own column, and the mean year.
    expected = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1]])
    in_terms_of_x = combinations @ design.triangle
    np.testing.assert_allclose(in_terms_of_x[:, :3], expected, atol=1e-9)
    np.testing.assert_allclose(in_terms_of_x[:, 3], metadata["year"].astype(float).mean())
    years, _ = design.predictions("year", 9)
    assert len(years) == 9
    assert (years[0], years[-1]) == (1990, 2009)


def test_predictions_along_a_spline_use_the_knots_of_the_data(metadata):
    design = make_design("~ s(year)", metadata)
    years, combinations = design.predictions("year", 20)
    rows = [int(np.flatnonzero(metadata["year"] == f"{year:g}")[0]) for year in years]
    np.testing.assert_allclose(combinations @ design.triangle, matrix(design)[rows], atol=1e-9)


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "2"], "int64"),
        (["1.5", None], "float64"),
        (["2001-02-03"], "float64"),
        (["a", "1"], "category"),
    ],
)
def test_types_of_columns(texts, kind):
    assert typed_column(pd.Series(texts, dtype=object)).dtype.name == kind


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("~ party +", "cannot be read"),
        ("~ 1", "names no covariate, such as party, year"),
        ("share ~ party", "leave out what is before ~"),
        ("~ party(", "cannot be read"),
    ],
)
def test_formulas_that_cannot_be_read(formula, message):
    with pytest.raises(ConfigError, match=message):
        columns_in(formula, ["party", "year"])


def test_a_message_has_no_marks_of_colour():
    with pytest.raises(ConfigError) as raised:
        columns_in("~ party +", ["party"])
    assert str(raised.value).endswith("~ party +")
    assert str(raised.value).isprintable()


def test_an_unknown_column_is_told_with_those_that_are_there():
    with pytest.raises(CorpusError, match="no column 'yeer', only 'party', 'year'"):
        columns_in("~ party + s(yeer)", ["party", "year"])


def test_functions_are_no_columns():
    assert columns_in("~ s(year) + C(month) + log(size) + `a b`", ["a b", "month", "size", "year"]) == (
        *("a b", "month", "size", "year"),
    )


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("~ log(party)", ConfigError, "cannot be evaluated"),
        ("~ log(year - 1990)", ConfigError, "cannot be evaluated|not finite"),
        ("~ year + {2 * year}", ConfigError, "linear combination"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_formulas_that_cannot_be_evaluated(metadata, formula, error, message):
    with pytest.raises(error, match=message):
        make_design(formula, metadata)


def test_columns_that_can_explain_nothing():
    with pytest.raises(CorpusError, match="no two different values"):
        make_design("~ party", pd.DataFrame({"party": ["a"] * 9}, dtype=object))
    with pytest.raises(CorpusError, match="200 different values"):
        make_design("~ name", pd.DataFrame({"name": [f"n{i}" for i in range(200)]}, dtype=object))
    with pytest.raises(CorpusError, match="2 coefficients need more documents than the 2"):
        make_design("~ party", pd.DataFrame({"party": ["a", "b"]}, dtype=object))
