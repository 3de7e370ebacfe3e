"""The default beside the best rival, figure by figure."""

from __future__ import annotations

from collections import defaultdict
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.methods import METHODS
from lda_app.studies.compare.methods import OWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.cells import Cell

    Results = Mapping[Cell, dict[str, Any]]
    Means = dict[str, float]


class Compared(NamedTuple):
    """How a figure of ours is put beside that of the rival that is best in it."""

    title: str
    key: str
    best: Callable[..., str]
    text: Callable[[float, float], str]


def _ratio(ours: float, theirs: float) -> str:
    return f"{ours:,.0f} : {theirs:,.0f} = {ours / theirs:.3f}"


def _difference(ours: float, theirs: float) -> str:
    return f"{ours:.3f} − {theirs:.3f} = {ours - theirs:+.3f}"


COMPARED = (
    Compared("own", "own", min, _ratio),
    Compared("ref", "ref", min, _ratio),
    Compared("NPMI test", "npmi_test", max, _difference),
    Compared("purity", "purity", max, _difference),
    Compared("NMI", "nmi", max, _difference),
)
TITLES = ("corpus", "K", *(compared.title for compared in COMPARED), "live", "dup.", "seconds")


def rows(found: Results) -> list[list[str]]:
    """Return a row of texts under ``TITLES`` for each corpus and number of topics that has rivals.

    Parameters
    ----------
    found
        The results; those of several seeds are averaged.
    """
    groups: dict[tuple[str, int], dict[str, list[Means]]] = defaultdict(lambda: defaultdict(list))
    for cell, result in found.items():
        groups[cell.corpus, cell.num_topics][cell.method].append(result["figures"] | result["usage"])
    made = []
    for (corpus, num_topics), runs in groups.items():
        means = {method: _means(of_method) for method, of_method in runs.items()}
        rivals = {m: figures for m, figures in means.items() if not METHODS[m].is_own}
        if OWN in means and rivals:
            made.append([corpus, str(num_topics), *_row(means[OWN], rivals, num_topics)])
    return made


def _means(runs: list[Means]) -> Means:
    return {key: mean(run[key] for run in runs) for key in runs[0]}


def _row(ours: Means, rivals: dict[str, Means], num_topics: int) -> list[str]:
    texts = []
    for compared in COMPARED:
        best = compared.best(rivals, key=lambda name, key=compared.key: rivals[name][key])
        texts.append(f"{compared.text(ours[compared.key], rivals[best][compared.key])} ({best})")
    by_ref = rivals[min(rivals, key=lambda name: rivals[name]["ref"])]
    shares = (
        f"{ours[key] / num_topics:.0%} ({by_ref[key] / num_topics:.0%})" for key in ("live", "duplicates")
    )
    return [*texts, *shares, f"{ours['seconds']:.1f} ({by_ref['seconds']:.1f})"]
