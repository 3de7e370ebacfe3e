"""A recommendation in words: which number of topics to take, why, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy import stats

from lda_app.studies.paired import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lda_app.studies.paired import Difference, ValueWithError


@dataclass(frozen=True)
class Row:
    """What was found for one number of topics.

    Parameters
    ----------
    num_topics
        K.
    most_typical
        Name of the run that agrees most with the others of this K: the one to use.
    perplexity, difference
        By document completion; the difference is that from the best K.
    coherence, exclusivity, diversity
        Means over runs.
    similarity, found
        Aligned topics of two runs: mean similarity, and share of those found; None for a single run.
    train_seconds
        Mean over runs.
    """

    num_topics: int
    most_typical: str
    perplexity: ValueWithError
    difference: Difference
    coherence: ValueWithError
    exclusivity: ValueWithError
    diversity: ValueWithError
    similarity: ValueWithError | None
    found: ValueWithError | None
    train_seconds: float


def advise(rows: Sequence[Row], num_seeds: int) -> tuple[int, tuple[str, ...]]:
    """Recommend the fewest topics whose perplexity cannot be told from the lowest.

    Parameters
    ----------
    rows
        What was found, by rising number of topics; at least two.
    num_seeds
        Runs of each.

    Returns
    -------
    recommended, reasons
        The number of topics, and sentences.
    """
    best = min(rows, key=lambda row: row.perplexity.value)
    equal = [row for row in rows if not row.difference.distinguishable]
    chosen = equal[0]
    reasons = [
        f"Take {chosen.num_topics} topics"
        + (", the fewest of those that predict equally well." if len(equal) > 1 else ", of those tried."),
        _perplexity(rows, best, equal),
        _edge(rows, best),
        _readability(rows, chosen, num_seeds),
        _sureness(num_seeds),
    ]
    return chosen.num_topics, tuple(reason for reason in reasons if reason)


def _perplexity(rows: Sequence[Row], best: Row, equal: Sequence[Row]) -> str:
    """Report which numbers are indistinguishable from the best, and how much worse the others are."""
    names = _list([str(row.num_topics) for row in equal])
    if len(equal) > 1:
        worse = [row for row in equal if row is not best]
        said = (
            f"{names} are indistinguishable in held-out perplexity ({_worse(worse)} than {best.num_topics})"
        )
    else:
        said = f"{names} has the lowest held-out perplexity"
    others = [row for row in rows if row.difference.distinguishable]
    return f"{said}; {_worse(others)}." if others else f"{said}."


def _worse(rows: Sequence[Row]) -> str:
    """Report how much worse each is than the best."""
    sizes = [
        f"by {100 * row.difference.value:.1f} ± {100 * row.difference.standard_error:.1f}%" for row in rows
    ]
    first, *others = [f"{row.num_topics} {size}" for row, size in zip(rows, sizes, strict=True)]
    return _list([first.replace(" by", " is worse by"), *others])


def _edge(rows: Sequence[Row], best: Row) -> str:
    """Note if the best number may lie outside the range tried."""
    if best is rows[-1]:
        return f"{best.num_topics} is the largest number tried; more topics may predict better."
    if best is rows[0]:
        return f"{best.num_topics} is the smallest number tried; fewer topics may predict better."
    return ""


def _readability(rows: Sequence[Row], chosen: Row, num_seeds: int) -> str:
    """Report numbers of topics that beat the chosen one in coherence or stability."""
    figures: list[tuple[str, Callable[[Row], ValueWithError | None]]] = [
        ("more stable, by the similarity of aligned topics", lambda row: row.similarity),
        ("more coherent", lambda row: row.coherence),
    ]
    said = []
    for name, figure in figures:
        best = max(rows, key=lambda row: _value(figure(row)))
        value, own = figure(best), figure(chosen)
        if value is not None and own is not None and _beyond_chance(value, own, num_seeds):
            said.append(f"{best.num_topics} is {name} ({value.value:.2f} versus {own.value:.2f})")
    return f"Perplexity measures prediction only; for readers, {_list(said)}." if said else ""


def _value(estimate: ValueWithError | None) -> float:
    return -math.inf if estimate is None else estimate.value


def _beyond_chance(larger: ValueWithError, smaller: ValueWithError, num_seeds: int) -> bool:
    """Tell whether two means over as many runs differ by more than chance, by Student's t at 95%."""
    if larger.standard_error is None or smaller.standard_error is None:
        return False
    limit = stats.t.ppf((1 + CONFIDENCE) / 2, 2 * (num_seeds - 1))
    return bool(
        larger.value - smaller.value > limit * math.hypot(larger.standard_error, smaller.standard_error)
    )


def _sureness(num_seeds: int) -> str:
    if num_seeds == 1:
        return (
            "± is a standard error over documents only: a single seed cannot show how much trainings differ."
        )
    return (
        f"± is a standard error over documents and {num_seeds} seeds; all comparisons hold jointly at the "
        f"{CONFIDENCE:.0%} level."
    )


def _list(items: Sequence[str]) -> str:
    """Join items as in a sentence.

    Examples
    --------
    >>> _list(["10", "20", "50"])
    '10, 20 and 50'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
