"""Metadata as covariates: parse text columns into groups, bins, numbers and dates."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lda_app.corpus.folder import Corpus

PERIODS = {"year": "Y", "quarter": "Q", "month": "M", "day": "D"}
MOST_GROUPS = 200

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_BINNED = re.compile(r"(?P<column>.+):(?P<way>year|quarter|month|day|[1-9]\d*)")
_LEAST_READABLE = 0.5
_COLUMNS_NAMED = 20


@dataclass(frozen=True, eq=False)
class DocumentData:
    """Nonempty documents of a corpus with selected metadata columns.

    Parameters
    ----------
    doc_term
        Counts (D, V), no row empty.
    metadata
        D rows of text; empty values count as missing.
    num_empty
        Number of documents excluded because they have no word.
    """

    doc_term: DocTermMatrix
    metadata: pd.DataFrame
    num_empty: int

    def only(self, kept: npt.NDArray[np.bool_]) -> DocumentData:
        """Keep the documents in a mask (D,)."""
        if kept.all():
            return self
        metadata = self.metadata[kept].reset_index(drop=True)
        return DocumentData(self.doc_term.rows(np.flatnonzero(kept)), metadata, self.num_empty)


def read_data(corpus: Corpus, splits: Sequence[str], columns: Sequence[str]) -> DocumentData:
    """Read and concatenate the counts and metadata of corpus splits.

    Raises
    ------
    CorpusError
        If a column is in none of the splits, or no document has a word.
    """
    available = columns_of(corpus, splits)
    for name in columns:
        require_column(name, available)
    chosen = list(dict.fromkeys(columns))
    metadata = pd.concat([_metadata(corpus, split, chosen) for split in splits], ignore_index=True)
    metadata = metadata.map(lambda value: value.strip() if isinstance(value, str) else None)
    doc_term = corpus.split(splits[0])
    if len(splits) > 1:
        doc_term = DocTermMatrix.concatenate([corpus.split(split) for split in splits], doc_term.num_words)
    filled = doc_term.lengths() > 0
    if not filled.any():
        raise CorpusError(f"{corpus.path}: no document has a word of the vocabulary")
    whole = DocumentData(doc_term, metadata.where(metadata != ""), int((~filled).sum()))
    return whole.only(filled)


def _metadata(corpus: Corpus, split: str, columns: list[str]) -> pd.DataFrame:
    """Read columns of a split; a column it lacks has only missing values."""
    present = [name for name in columns if name in corpus.metadata_columns(split)]
    return corpus.documents(split, ["id", *present]).reindex(columns=columns)


def columns_of(corpus: Corpus, splits: Sequence[str]) -> tuple[str, ...]:
    """Return the metadata columns of the splits, without ids and texts."""
    return tuple(dict.fromkeys(name for split in splits for name in corpus.metadata_columns(split)))


def require_column(name: str, available: Sequence[str]) -> None:
    """Raise an error if a column does not exist.

    Raises
    ------
    CorpusError
        If it does not; the message lists the existing columns.

    Examples
    --------
    >>> require_column("yeer", ["party", "year"])
    Traceback (most recent call last):
        ...
    lda_app.errors.CorpusError: the corpus has no column 'yeer', only 'party', 'year'
    """
    if name not in available:
        more = len(available) - _COLUMNS_NAMED
        listed = ", ".join(map(repr, available[:_COLUMNS_NAMED])) + (f" and {more} more" if more > 0 else "")
        raise CorpusError(f"the corpus has no column {name!r}, only {listed or 'ids and texts'}")


@dataclass(frozen=True)
class Key:
    """A column to group by, and how to group its values.

    Parameters
    ----------
    column
        Name of the column.
    way
        A period in :data:`PERIODS`, a number of bins with about equally many documents, or None to make each
        value a group.

    Examples
    --------
    >>> Key.parse("party", ["party"]), Key.parse("date:month", ["date"]), Key.parse("age:4", ["age"])
    (Key(column='party', way=None), Key(column='date', way='month'), Key(column='age', way=4))
    """

    column: str
    way: str | int | None = None

    @classmethod
    def parse(cls, text: str, available: Sequence[str]) -> Key:
        """Parse ``column`` or ``column:way``; an existing column with the full name takes precedence.

        Raises
        ------
        CorpusError
            If there is no such column.
        """
        match = _BINNED.fullmatch(text)
        if text in available or match is None:
            require_column(text, available)
            return cls(text)
        require_column(match["column"], available)
        return cls(match["column"], int(match["way"]) if match["way"].isdigit() else match["way"])

    @property
    def name(self) -> str:
        """The column name, with its period if any."""
        return f"{self.column}:{self.way}" if self.way in PERIODS else self.column

    def values(self, column: pd.Series[str]) -> pd.Series[str]:
        """Return the group of each value in the column, as ordered categories.

        Raises
        ------
        CorpusError
            If numbers or dates are needed, but most values are not.
        """
        if self.way is None:
            return pd.Series(pd.Categorical(column, categories=_in_order(column.dropna().unique().tolist())))
        if isinstance(self.way, int):
            return _quantile_bins(as_numbers(column), self.way)
        periods = as_dates(column).dt.to_period(PERIODS[self.way])
        return pd.Series(pd.Categorical(periods.astype("string"), ordered=True))


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of documents.

    Parameters
    ----------
    keys
        Names of the keys to group by.
    values
        For each group, its value of each key.
    codes
        (D,) group of each document; −1 if a value is missing.
    """

    keys: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: npt.NDArray[np.int64]

    @property
    def names(self) -> tuple[str, ...]:
        """The values of each group, joined by ``/``."""
        return tuple("/".join(values) for values in self.values)


def group_by(metadata: pd.DataFrame, keys: Sequence[Key]) -> Groups:
    """Group documents by one or more columns.

    Raises
    ------
    CorpusError
        If no document has values for all keys, or a key's values cannot be parsed.
    ConfigError
        If there are too many groups to show.

    Examples
    --------
    >>> frame = pd.DataFrame({"party": ["b", "a", None, "a"], "year": ["2001", "10", "10", "10"]})
    >>> groups = group_by(frame, [Key("year"), Key("party")])
    >>> groups.names, groups.codes.tolist()
    (('10/a', '2001/b'), [1, 0, -1, 0])
    """
    columns = [key.values(metadata[key.column]) for key in keys]
    complete = np.all([column.notna() for column in columns], axis=0)
    names = ", ".join(key.column for key in keys)
    if not complete.any():
        raise CorpusError(f"no document has a value of {names}")
    codes = np.stack([column.cat.codes.to_numpy() for column in columns], axis=1)[complete]
    found, inverse = np.unique(codes, axis=0, return_inverse=True)
    if len(found) > MOST_GROUPS:
        raise ConfigError(
            f"--by {names}: {len(found):,} groups, but at most {MOST_GROUPS} can be compared; put numbers "
            f"into bins by {keys[0].column}:10, dates into periods by {keys[0].column}:year"
        )
    values = [tuple(str(c.cat.categories[v]) for c, v in zip(columns, row, strict=True)) for row in found]
    group_of = np.full(len(metadata), -1, dtype=np.int64)
    group_of[complete] = inverse.ravel()
    return Groups(tuple(key.name for key in keys), tuple(values), group_of)


def numbers(column: pd.Series[str]) -> pd.Series[float]:
    """Parse texts as numbers; invalid or infinite values become missing.

    Commas may separate thousands; decimal commas are not recognized.

    Examples
    --------
    >>> numbers(pd.Series(["1,234.5", " -2e3", "about 7", None, "inf"])).tolist()
    [1234.5, -2000.0, nan, nan, nan]
    """
    text = column.str.strip()
    grouped = text.str.fullmatch(_THOUSANDS).fillna(False).astype(bool)
    plain = text.mask(grouped, text.str.replace(",", ""))
    found = pd.to_numeric(plain, errors="coerce").astype(float)
    return found.where(np.isfinite(found))


def as_numbers(column: pd.Series[str]) -> pd.Series[float]:
    """Parse a numeric column; invalid values become missing.

    Raises
    ------
    CorpusError
        If most nonmissing values are invalid.
    """
    found = numbers(column)
    _require_readable(column, found, "numbers")
    return found


def as_dates(column: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Parse a date column: ISO dates, English dates, or years; invalid values become missing.

    Times with a zone are converted to UTC; others are left unchanged. 03/04/2020 is read with the month
    first.

    Raises
    ------
    CorpusError
        If most nonmissing values are invalid.

    Examples
    --------
    >>> as_dates(pd.Series(["1993", "2001-02-03T04:05:06Z", "April 2, 2001", "soon"])).dt.year.tolist()
    [1993.0, 2001.0, 2001.0, nan]
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = pd.to_datetime(column, errors="coerce", format="mixed", utc=True).dt.tz_localize(None)
    _require_readable(column, found, "dates")
    return found


def _require_readable(
    column: pd.Series[str], found: pd.Series[float] | pd.Series[pd.Timestamp], what: str
) -> None:
    present, readable = column.notna(), found.notna()
    if readable.sum() < _LEAST_READABLE * present.sum():
        odd = column[present & ~readable].iloc[0]
        raise CorpusError(
            f"the column {column.name!r} does not hold {what}: {int(readable.sum()):,} of "
            f"{int(present.sum()):,} values can be read as such, {odd!r} cannot"
        )


def _in_order(values: list[str]) -> list[str]:
    """Sort values, numerically if all are numbers, else as text."""
    read = numbers(pd.Series(values, dtype=object))
    if read.notna().all():
        return [values[place] for place in np.argsort(read.to_numpy(), kind="stable")]
    return sorted(values)


def _quantile_bins(values: pd.Series[float], number: int) -> pd.Series[str]:
    """Put numbers into quantile bins, named by their smallest and largest values."""
    bins = pd.qcut(values, number, labels=False, duplicates="drop")
    ends = values.groupby(bins).agg(["min", "max"])
    labels = [f"{low:g}" if low == high else f"{low:g}–{high:g}" for low, high in ends.to_numpy()]
    names = dict(zip(ends.index, labels, strict=True))
    return pd.Series(pd.Categorical(bins.map(names), categories=labels, ordered=True))
