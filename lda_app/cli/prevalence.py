"""``lda-app prevalence``: the mean share of each topic in groups of documents, with intervals."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.cli.figures import (
    PlotPath,
    add_columns,
    check_outputs,
    deliver,
    number,
    percent,
    percents,
    points,
    records,
    rows,
)
from lda_app.cli.options import JsonFlag, Level, OutPath, Overwrite, RunFolder, Seed
from lda_app.cli.run_corpus import CorpusOfRun, DataSplit, corpus_of_run, splits_of
from lda_app.cli.shown_topics import NAME_WORDS, ChosenTopics, choose
from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from rich.table import Table

    from lda_app.analysis.covariates import DocumentData, Groups
    from lda_app.analysis.prevalence import Prevalence
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.model import LabelledModel

By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="COLUMN,…",
        help="Metadata columns to group by. Group dates with [bold]date:year[/], [bold]:quarter[/], "
        "[bold]:month[/] or [bold]:day[/], and numbers with [bold]age:5[/] (five bins of about equal size).",
        show_default=False,
    ),
]
Differences = Annotated[
    list[str] | None,
    typer.Option(
        "--difference",
        metavar="GROUP[,GROUP]",
        help="Compare a group with another, or with all others. Values of several columns are joined by a "
        "slash: left/1993. Repeat the option for several comparisons.",
        show_default=False,
    ),
]


def prevalence(
    run: RunFolder,
    *,
    by: By,
    difference: Differences = None,
    topics: ChosenTopics = None,
    level: Level = 0.95,
    split: DataSplit = "all",
    corpus: CorpusOfRun = None,
    seed: Seed = 0,
    as_json: JsonFlag = False,
    output: OutPath = None,
    plot: PlotPath = None,
    overwrite: Overwrite = False,
) -> None:
    """Show how prevalent each topic is in groups of documents.

    A topic's prevalence in a group is its mean share over the documents, all weighted equally. Intervals
    account for the uncertainty of each document's shares and for the sampling of documents.
    [bold]--output[/] writes the results as csv.
    """
    from lda_app.fitted.folder import open_model

    check_outputs(output, plot, overwrite=overwrite)
    model = open_model(run)
    shown = choose(model, topics)
    data, groups = _groups(model, corpus, split, by)
    pairs = [_pair(text, groups.names) for text in difference or ()]
    report = _Report(_measure(shown, data, groups, seed), shown.names(NAME_WORDS), level, pairs)
    about = {"split": split, "seed": seed, "left_out_without_words": data.num_empty}
    deliver(report, about, as_json=as_json, output=output, plot=plot, overwrite=overwrite)


def _groups(model: "ModelDir", place: Path | None, split: str, by: str) -> "tuple[DocumentData, Groups]":
    """Read the corpus and assign its documents to groups 0 … G − 1; drop those without a group."""
    from dataclasses import replace

    from lda_app.analysis.covariates import Key, columns_of, group_by, read_data
    from lda_app.system.runtime import log

    corpus = corpus_of_run(model, place)
    splits = splits_of(split, corpus.splits)
    available = columns_of(corpus, splits)
    whole = [by.strip()] if by.strip() in available else by.split(",")
    keys = [Key.parse(part.strip(), available) for part in whole]
    data = read_data(corpus, splits, [key.column for key in keys])
    groups = group_by(data.metadata, keys)
    grouped = groups.codes >= 0
    if num_left_out := int((~grouped).sum()):
        names = ", ".join(groups.keys)
        log.warning("%s documents without a value for %s are left out", f"{num_left_out:,}", names)
    return data.only(grouped), replace(groups, codes=groups.codes[grouped])


def _measure(model: "LabelledModel", data: "DocumentData", groups: "Groups", seed: int) -> "Prevalence":
    from lda_app.analysis.composition import PASSES
    from lda_app.analysis.prevalence import Prevalence, group_draws
    from lda_app.system.runtime import progress

    total = PASSES * data.doc_term.num_documents
    with progress("Drawing shares", total=total, unit="document visits") as bar:
        draws = group_draws(model, data.doc_term, groups.codes, seed=seed, bar=bar)
    return Prevalence(groups, draws, model.ids)


def _pair(text: str, names: "Sequence[str]") -> tuple[int, int | None]:
    """Parse ``GROUP`` or ``GROUP,GROUP``; group names may contain commas.

    Examples
    --------
    >>> _pair("a,b", ["a,b", "a", "b"]), _pair("a,b", ["a", "b"])
    ((0, None), (0, 1))
    """
    if text in names:
        return names.index(text), None
    commas = [place for place, letter in enumerate(text) if letter == ","]
    for one, other in ((text[:place].strip(), text[place + 1 :].strip()) for place in commas):
        if one in names and other in names and one != other:
            return names.index(one), names.index(other)
    raise ConfigError(
        f"--difference {text}: expected a group, or two different ones separated by a comma; the groups are "
        f"{', '.join(names)}"
    )


@dataclass(frozen=True)
class _Report:
    """The results, in each output format."""

    found: "Prevalence"
    names: "Mapping[int, str]"
    level: float
    pairs: list[tuple[int, int | None]]

    def tables(self) -> "Iterator[Table]":
        """Yield a table of all groups, and one per difference."""
        from lda_app.cli.tables import new_table

        keys = " and ".join(self.found.groups.keys)
        table = new_table(f"Share of each topic by {keys}")
        columns = ("topic", keys, "documents", "share", self._interval)
        add_columns(table, columns, right=("documents", "share", self._interval))
        for topic, figures in self._by_topic(self.found.table(self.level)):
            for row in rows(figures):
                name = self._name(topic) if row.Index == figures.index[0] else ""
                documents = f"{row.documents:,}" + (" (few)" if row.few_documents else "")
                table.add_row(name, row.group, documents, percent(row.share), percents(row))
        yield table
        for pair in self.pairs:
            yield self._difference_table(*pair)

    def _difference_table(self, group: int, other: int | None) -> "Table":
        from lda_app.cli.tables import new_table

        table = new_table(self._contrast(group, other))
        columns = ("topic", "points", self._interval, "P(above 0)")
        add_columns(table, columns, right=columns[1:])
        for topic, figures in self._by_topic(self.found.difference(group, other, self.level)):
            for row in rows(figures):
                ends = points(row)
                chance = number(row.probability_positive, ".3f")
                table.add_row(self._name(topic), number(100 * row.difference, "+.1f"), ends, chance)
        return table

    def csv(self) -> str:
        """Return groups and differences as csv, one row per topic and group or pair of groups."""
        from lda_app.system.storage import spreadsheet_safe

        table = self.found.table(self.level).rename(columns={"share": "estimate"})
        parts = [table.assign(quantity="share")]
        for pair in self.pairs:
            figures = self.found.difference(*pair, self.level).rename(columns={"difference": "estimate"})
            parts.append(figures.assign(quantity="difference", group=self._contrast(*pair)))
        import pandas as pd

        rows = pd.concat(parts, ignore_index=True)
        rows = rows[rows["topic"].isin(self.names)]
        names = rows["topic"].map(self.names).map(spreadsheet_safe)
        rows.insert(1, "name", names)
        rows.insert(0, "quantity", rows.pop("quantity"))
        rows["group"] = rows["group"].map(spreadsheet_safe)
        rows["documents"] = rows["documents"].astype("Int64")
        return str(rows.to_csv(index=False, lineterminator="\n"))

    def json(self, about: dict[str, Any]) -> dict[str, Any]:
        """Return everything in a form that JSON can hold."""
        groups = self.found.groups
        return {
            "schema_version": 1,
            "by": groups.keys,
            "level": self.level,
            **about,
            "topics": [{"id": topic, "name": name} for topic, name in self.names.items()],
            "groups": [
                {"values": values, "name": name, "documents": int(size)}
                for values, name, size in zip(
                    groups.values, groups.names, self.found.draws.sizes, strict=True
                )
            ],
            "prevalence": self._records(self.found.table(self.level)),
            "differences": [
                {
                    "of": self._contrast(*pair),
                    "topics": self._records(self.found.difference(*pair, self.level)),
                }
                for pair in self.pairs
            ],
        }

    def svg(self) -> str:
        """Draw all groups, topic by topic."""
        from lda_app.system.charts import interval_chart

        keys = " and ".join(self.found.groups.keys)
        return interval_chart(
            f"Share of each topic by {keys}, with {self._interval}",
            {
                self._name(topic): [(row.group, row.share, row.lower, row.upper) for row in rows(figures)]
                for topic, figures in self._by_topic(self.found.table(self.level))
            },
        )

    def _records(self, figures: "pd.DataFrame") -> list[dict[str, Any]]:
        return records(figures[figures["topic"].isin(self.names)])

    def _by_topic(self, figures: "pd.DataFrame") -> "Iterator[tuple[int, pd.DataFrame]]":
        """Yield the rows of each topic to show, most prevalent first."""
        overall = dict(zip(self.found.topics, self.found.overall(), strict=True))
        for topic in sorted(self.names, key=lambda topic: -overall[topic]):
            yield topic, figures[figures["topic"] == topic]

    def _name(self, topic: int) -> str:
        return f"{topic}  {self.names[topic]}"

    def _contrast(self, group: int, other: int | None) -> str:
        names = self.found.groups.names
        return f"{names[group]} minus {'all others' if other is None else names[other]}"

    @property
    def _interval(self) -> str:
        return f"{100 * self.level:g}% interval"
