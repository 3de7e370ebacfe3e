"""Result files to a page of Markdown; every figure on it is read from them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from bench import results, summary
from bench.cells import HEADLINE_TOPICS
from bench.corpora import CORPORA
from bench.methods import METHODS
from bench.run import Opened
from lda_app.errors import LdaAppError
from lda_app.studies.compare.curve import draw, seconds_to
from lda_app.studies.compare.table import TableColumn, entry, markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bench.cells import Cell
    from lda_app.corpus.folder import Corpus

    Results = dict[Cell, dict[str, Any]]

_BUSY = 0.1  # cores that others used
_COMPARED = "## By lda-app compare\n"

_INTRODUCTION = """\
# Benchmarks

LDA by several methods, all measured by the same functions (`scripts/bench`). `make bench` makes all results
that are missing or out of date, below data/bench, and writes this page from them.

Each training has a process of its own and all cores; the methods' settings are in \
`lda_app/studies/compare/methods`.
A warm-up comes before: imports and compilation are not counted, nor is the conversion of counts into a
library's own form. Figures are means over the seeds; ± is half of the range.

The [last part](#by-lda-app-compare) is made by `lda-app compare`, which does the same on any corpus, and \
has ProdLDA, too.

| column | meaning |
|---|---|
| own | completion perplexity of the test documents, half of the tokens observed, θ by the method itself |
| ref | the same with θ by one shared mean-field inference (100 sweeps), with the method's α and β |
| elbo, by documents | perplexity by the evidence lower bound of that inference: exp(−Σ ELBO / Σ N), and \
exp(mean(−ELBO / N)) |
| NPMI | coherence of the top 10 words, co-occurrence in training and in test documents |
| TD | topic diversity, the unique share of the top 25 words |
| live, dup. | topics with a mean test share of at least 0.1/K; topics sharing 5 of 10 top words with one |
| purity, NMI | of the test documents' arg-max topic against their label |
| s, CPU s, MB | training: wall and processor seconds, peak memory, imports included |
| docs/s | test documents inferred a second, from counts, by the method itself |
"""


_SUMMARY = """\
## The default beside the best rival

Each figure beside that of the rival that is best in it, means over the seeds; live and duplicate topics and
seconds beside those of the rival with the best ref.
"""


COLUMNS = (
    TableColumn("own", "figures", "own", ",.0f", spread=True),
    TableColumn("ref", "figures", "ref", ",.0f", spread=True),
    TableColumn("elbo", "figures", "elbo", ",.0f"),
    TableColumn("by documents", "figures", "elbo_document_mean", ",.0f"),
    TableColumn("NPMI train", "figures", "npmi_train", ".3f"),
    TableColumn("NPMI test", "figures", "npmi_test", ".3f"),
    TableColumn("TD", "figures", "diversity", ".2f"),
    TableColumn("live", "figures", "live", ".1f"),
    TableColumn("dup.", "figures", "duplicates", ".1f"),
    TableColumn("purity", "figures", "purity", ".3f"),
    TableColumn("NMI", "figures", "nmi", ".3f"),
    TableColumn("s", "usage", "seconds", ".1f"),
    TableColumn("CPU s", "usage", "cpu_seconds", ".1f"),
    TableColumn("MB", "usage", "peak_memory", ",.0f", scale=1e-6),
    TableColumn("docs/s", "figures", "documents_per_second", ",.0f"),
)


def write_page(cells: Sequence[Cell], folder: Path, out: Path) -> None:
    """Write the page, and its curves beside it, from the results that are there and up to date."""
    opened = Opened(folder)
    found = _read(cells, opened, folder)
    sections = [_INTRODUCTION, *_conditions(found), *_missing(cells, found), *_summary(found)]
    for name in CORPORA:
        of_corpus = {cell: result for cell, result in found.items() if cell.corpus == name}
        if of_corpus:
            sections += [_heading(name, opened.corpus(name)), *_tables(of_corpus)]
            sections += _curve(of_corpus, out.with_name(f"{out.stem}-{name}.svg"))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(sections) + _compared(out), encoding="utf-8")


def _compared(page: Path) -> str:
    """Return the part of the page that `make benchmarks` has written, which is kept."""
    _, mark, rest = page.read_text(encoding="utf-8").partition(_COMPARED) if page.exists() else ("", "", "")
    return f"\n\n{mark}{rest}" if mark else ""


def _read(cells: Iterable[Cell], opened: Opened, folder: Path) -> Results:
    found = {}
    for cell in cells:
        try:
            result = results.read(folder, cell, opened.corpus(cell.corpus).fingerprint)
        except LdaAppError:
            result = None
        if result is not None:
            found[cell] = result
    return found


def _conditions(found: Results) -> list[str]:
    """Say on what machine, with what versions, and how undisturbed."""
    machines = {tuple(result["inputs"]["machine"].values()) for result in found.values()}
    versions = {pair for result in found.values() for pair in result["inputs"]["versions"].items()}
    lines = [
        f"Machine: {processor}, {cores} cores, {memory} GB, {system}, Python {python}.\n"
        for processor, cores, memory, system, python in sorted(machines)
    ]
    lines += [f"Versions: {', '.join(f'{name} {number}' for name, number in sorted(versions))}.\n"]
    busy = [cell for cell, result in found.items() if result["usage"]["others_load"] > _BUSY]
    if busy:
        most = max(found[cell]["usage"]["others_load"] for cell in busy)
        lines += [
            f"**Times not to be trusted:** during {len(busy)} of {len(found)} trainings other programs kept "
            f"up to {most:.1f} cores busy.\n"
        ]
    return lines if found else []


def _missing(cells: Sequence[Cell], found: Results) -> list[str]:
    missing = [cell for cell in cells if cell not in found]
    if not missing:
        return []
    lines = [f"Missing: {len(missing)} of {len(cells)} results.\n"]
    for (corpus, num_topics), group in itertools.groupby(sorted(missing), key=lambda cell: cell[:2]):
        seeds = defaultdict(list)
        for cell in group:
            seeds[cell.seed].append(cell.method)
        names = "; ".join(f"seed {seed}: {_all_or(methods)}" for seed, methods in sorted(seeds.items()))
        lines.append(f"- {corpus}, K = {num_topics}, {names}")
    return [*lines, ""]


def _all_or(methods: Sequence[str]) -> str:
    return "all methods" if len(methods) == len(METHODS) else ", ".join(methods)


def _summary(found: Results) -> list[str]:
    rows = summary.rows(found)
    if not rows:
        return []
    return [_SUMMARY, markdown(summary.TITLES, rows)]


def _heading(name: str, corpus: Corpus) -> str:
    sizes = "; ".join(
        f"{split['documents'] - split['empty']:,} documents with {split['tokens']:,} tokens in {part}"
        for part, split in sorted(corpus.manifest["splits"].items(), reverse=True)
    )
    about, label = CORPORA[name].description, CORPORA[name].label
    return f"\n## {name}\n\n{about}. {len(corpus.vocabulary):,} words; {sizes}; label: {label}.\n"


def _tables(found: Results) -> list[str]:
    titles = ["method", "seeds", *(column.title for column in COLUMNS)]
    lines = []
    for num_topics in sorted({cell.num_topics for cell in found}):
        of_size = defaultdict(list)
        for cell, result in found.items():
            if cell.num_topics == num_topics:
                of_size[cell.method].append(result)
        made = [
            [method, str(len(of_size[method])), *(entry(of_size[method], column) for column in COLUMNS)]
            for method in METHODS
            if method in of_size
        ]
        lines += [f"### K = {num_topics}\n", markdown(titles, made), *_times_to_best_rival(found, num_topics)]
    return lines


def _curve(found: Results, path: Path) -> list[str]:
    """Draw the perplexity over time, where the rivals were followed, too."""
    curves = {
        cell.method: (*result["curve"], (result["usage"]["seconds"], result["figures"]["ref"]))
        for cell, result in found.items()
        if cell.has_curve and cell.num_topics == HEADLINE_TOPICS
    }
    if all(METHODS[method].is_own for method in curves):
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(draw(curves), encoding="utf-8")
    return [f"![ref over seconds of training, K = {HEADLINE_TOPICS}, seed 0]({path.name})\n"]


def _times_to_best_rival(found: Results, num_topics: int) -> list[str]:
    """Say when each of our methods reached what the best rival ended at, with seed 0."""
    of_size = {c.method: r for c, r in found.items() if (c.num_topics, c.seed) == (num_topics, 0)}
    ours = [method for method in of_size if METHODS[method].is_own]
    rivals = [method for method in of_size if method not in ours]
    if not (ours and rivals):
        return []
    best = min(rivals, key=lambda method: of_size[method]["figures"]["ref"])
    target, seconds = of_size[best]["figures"]["ref"], of_size[best]["usage"]["seconds"]
    reached = ", ".join(f"{method} {_share_of(seconds, of_size[method], target)}" for method in ours)
    return [
        f"Best rival by ref, seed 0: {best}, {target:,.0f} after {seconds:.1f} s; reached by {reached}.\n"
    ]


def _share_of(rivals_seconds: float, result: dict[str, Any], target: float) -> str:
    points = (*result["curve"], (result["usage"]["seconds"], result["figures"]["ref"]))
    seconds = seconds_to(target, points)
    return "never" if seconds is None else f"in {seconds:.1f} s ({seconds / rivals_seconds:.2f} of its time)"
