"""Formulas and design matrices for regressing topic shares on metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lda_app.analysis.covariates import as_dates, numbers, require_column
from lda_app.errors import ConfigError, CorpusError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

MOST_LEVELS = 100
_READABLE = 0.95  # minimum proportion of numbers (or dates) for a column to be read as such
_MOST_SPLINE = 10
_AVERAGED_OVER = 2000
_FEW_VALUES = 12
_COLLINEAR = 1e-9


def spline(x: Any, df: int | None = None, *, _state: dict[str, Any]) -> Any:
    """B-spline of a numeric covariate: ``s(year)`` or ``s(year, 5)`` in a formula.

    Like s() in stm: ``df`` basis functions, by default 10, or one less than the number of distinct values if
    that is smaller. Fewer than three give straight lines or parabolas.
    """
    from formulaic.transforms import basis_spline

    if "df" not in _state:
        _state["df"] = max(1, min(_MOST_SPLINE, len(np.unique(x)) - 1)) if df is None else df
        _state["basis"] = {}
    degree = min(3, _state["df"])
    return basis_spline(x, df=_state["df"], degree=degree, extrapolation="clip", _state=_state["basis"])


@dataclass(frozen=True, eq=False)
class Design:
    """A formula evaluated on the covariates of documents.

    Parameters
    ----------
    formula
        The formula.
    names
        Names of the p coefficients.
    covariates
        Columns of the formula for n documents, as numbers or categories.
    basis
        (n, p), columns orthonormal: the design matrix X is ``basis @ triangle``.
    triangle
        (p, p), upper triangular.
    kept
        (D,) mask of the n documents that have all covariates.
    num_missing
        Number of missing values, for each column that has any.
    """

    formula: str
    names: tuple[str, ...]
    covariates: pd.DataFrame
    basis: FloatArray
    triangle: FloatArray
    kept: npt.NDArray[np.bool_]
    num_missing: dict[str, int]
    _spec: Any

    def coefficients(self) -> FloatArray:
        """Return the matrix (p, p) that maps the basis coefficients to the formula's."""
        return np.asarray(np.linalg.inv(self.triangle))

    def predictions(self, column: str, num_points: int) -> tuple[list[Any], FloatArray]:
        """Return values of a covariate, and the combinations (m, p) that predict the mean share at each.

        Predictions average over the other covariates as observed in at most 2,000 documents.

        Parameters
        ----------
        column
            Covariate to vary: over all values if categorical or if they are few, else over ``num_points``
            evenly spaced values.
        num_points
            Number of grid points for a numeric covariate.
        """
        values = _grid(self.covariates[column], num_points)
        some = self.covariates.iloc[:: -(-len(self.covariates) // _AVERAGED_OVER)]
        rows = [_matrix(self._spec, _with_value(some, column, value)).mean(axis=0) for value in values]
        return values, np.stack(rows) @ self.coefficients()


def columns_in(formula: str, available: Sequence[str]) -> tuple[str, ...]:
    """Return the columns used in a formula.

    Raises
    ------
    ConfigError
        If it cannot be parsed.
    CorpusError
        If a name is neither a column nor a function.

    Examples
    --------
    >>> columns_in("~ party + s(year)", ["id", "party", "year"])
    ('party', 'year')
    """
    from formulaic import Formula
    from formulaic.errors import FormulaicError
    from formulaic.transforms import TRANSFORMS

    try:
        parsed: Any = Formula(formula if "~" in formula else f"~ {formula}")
        if hasattr(parsed, "lhs"):
            raise ConfigError(
                f"--formula {formula}: leave out what is before ~; topic shares are the response"
            )
        required = set(parsed.required_variables)
    except (FormulaicError, SyntaxError) as error:
        raise ConfigError(f"--formula {formula}: cannot be read: {_plain(error)}") from None
    for name in sorted(required - {"s"} - set(TRANSFORMS)):
        require_column(name, available)
    columns = tuple(name for name in available if name in required)
    if not columns:
        raise ConfigError(f"--formula {formula}: names no covariate, such as {', '.join(available[:3])}")
    return columns


def make_design(formula: str, metadata: pd.DataFrame) -> Design:
    """Evaluate a formula on the covariates of documents.

    Numbers stay numbers, dates become fractional years (2001.5 is July 2001), and other columns become
    categories, with the first one as the reference level. Documents that lack a covariate are excluded.

    Parameters
    ----------
    formula
        Formula in R notation, such as ``~ party + s(year)``.
    metadata
        Columns of the formula as text, D rows.

    Raises
    ------
    ConfigError
        If the formula cannot be evaluated, or its terms are collinear.
    CorpusError
        If too few documents have all covariates, or a column has too many values to be a category.

    Examples
    --------
    >>> metadata = pd.DataFrame({"party": ["a", "b", "b", "b", None], "year": list("12489")})
    >>> design = make_design("~ party + year", metadata)
    >>> design.names, design.num_missing
    (('Intercept', 'party[T.b]', 'year'), {'party': 1})
    """
    typed = pd.DataFrame({name: typed_column(metadata[name]) for name in metadata})
    missing = typed.isna()
    kept = ~missing.any(axis=1).to_numpy()
    covariates = typed[kept].reset_index(drop=True)
    for name in covariates.select_dtypes("category"):
        covariates[name] = covariates[name].cat.remove_unused_categories()
    _require_usable(covariates)
    matrix, names, spec = _evaluated(formula, covariates)
    if len(matrix) <= len(names):
        raise CorpusError(
            f"--formula {formula}: {len(names)} coefficients need more documents than the {len(matrix):,} "
            "that have a value of each covariate"
        )
    basis, triangle = np.linalg.qr(matrix)
    _require_independent(formula, names, triangle)
    num_missing = {str(name): int(count) for name, count in missing.sum().items() if count}
    return Design(formula, names, covariates, basis, triangle, kept, num_missing, spec)


def typed_column(column: pd.Series[str]) -> pd.Series[Any]:
    """Parse a column as numbers or dates if nearly all values are, else as categories.

    Examples
    --------
    >>> [typed_column(pd.Series(texts)).dtype.name for texts in (["1990", "2000"], ["2000-07", "?"])]
    ['int64', 'category']
    """
    present = column.notna()
    for read in (numbers, _years):
        found = read(column)
        odd = present & found.isna()
        if present.any() and odd.sum() <= (1 - _READABLE) * present.sum():
            if odd.any():
                what, example = f"{int(odd.sum()):,} values of {column.name!r}", column[odd].iloc[0]
                log.warning("%s are no numbers or dates, such as %r: taken as missing", what, example)
            whole = found.notna().all() and (found == found.round()).all()
            return found.astype(np.int64) if whole else found
    return column.astype("category")


def _years(column: pd.Series[str]) -> pd.Series[float]:
    """Parse dates as fractional years; all missing if most values are not dates."""
    try:
        dates = as_dates(column)
    except CorpusError:
        return pd.Series(np.nan, index=column.index)
    start = pd.to_datetime(dates.dt.year.astype("Int64").astype("string") + "-01-01", errors="coerce")
    days = (dates - start).dt.total_seconds() / 86_400
    return dates.dt.year + days / (365 + dates.dt.is_leap_year)


def _require_usable(covariates: pd.DataFrame) -> None:
    for name, column in covariates.items():
        if column.nunique() < 2:
            raise CorpusError(f"the column {name!r} has no two different values to compare")
        if isinstance(column.dtype, pd.CategoricalDtype) and column.nunique() > MOST_LEVELS:
            raise CorpusError(
                f"the column {name!r} has {column.nunique():,} different values, which are neither numbers "
                f"nor dates; a covariate may have {MOST_LEVELS}"
            )


def _evaluated(formula: str, covariates: pd.DataFrame) -> tuple[FloatArray, tuple[str, ...], Any]:
    from formulaic import model_matrix
    from formulaic.errors import FormulaicError

    try:
        found: Any = model_matrix(formula, covariates, context=_context(), na_action="raise", output="numpy")
        matrix = np.asarray(found, dtype=np.float64)
    except (FormulaicError, SyntaxError, TypeError, ValueError) as error:
        raise ConfigError(f"--formula {formula}: cannot be evaluated: {_plain(error)}") from None
    if not np.isfinite(matrix).all():
        raise ConfigError(f"--formula {formula}: is not finite for all documents")
    return matrix, tuple(found.model_spec.column_names), found.model_spec


def _matrix(spec: Any, covariates: pd.DataFrame) -> FloatArray:
    return np.asarray(spec.get_model_matrix(covariates, context=_context()), dtype=np.float64)


def _context() -> dict[str, Any]:
    from formulaic.utils.stateful_transforms import stateful_transform

    return {"s": stateful_transform(spline)}


def _require_independent(formula: str, names: Sequence[str], triangle: FloatArray) -> None:
    """Raise an error if a term is a linear combination of earlier ones."""
    own, whole = np.abs(np.diag(triangle)), np.linalg.norm(triangle, axis=0)
    for name in np.asarray(names)[own <= _COLLINEAR * np.maximum(whole, 1)]:
        raise ConfigError(
            f"--formula {formula}: {name} is a linear combination of the terms before it; "
            "leave out one of them"
        )


def _grid(column: pd.Series[Any], num_points: int) -> list[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(column.cat.categories)
    values = np.unique(column)
    return list(values if len(values) <= _FEW_VALUES else np.linspace(values[0], values[-1], num_points))


def _with_value(covariates: pd.DataFrame, column: str, value: Any) -> pd.DataFrame:
    kind = covariates[column].dtype
    same = pd.Series([value] * len(covariates), index=covariates.index)
    return covariates.assign(**{column: same.astype(kind) if isinstance(kind, pd.CategoricalDtype) else same})


def _plain(error: BaseException) -> str:
    """Return formulaic's error message on one line, without colour codes."""
    text = re.sub(r"[⧛\x1b]+\[[\d;]*m|[⧛⧚]", "", str(error))
    return " ".join(text.split())
