"""``lda-app effects``: how the prevalence of topics depends on covariates."""

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
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from rich.table import Table

    from lda_app.analysis.covariates import DocumentData
    from lda_app.analysis.design import Design
    from lda_app.analysis.effects import Effects
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.model import LabelledModel

_CURVE_POINTS = 41

Formula = Annotated[
    str | None,
    typer.Option(
        "--formula",
        metavar="FORMULA",
        help="Covariates as an R formula: [bold]~ party + s(year)[/]. s() is a spline, C() treats numbers as "
        "categories, a * b adds an interaction; put names with spaces or symbols in backticks.",
        show_default=False,
    ),
]
Covariates = Annotated[
    str | None,
    typer.Option(
        "--covariates",
        metavar="COLUMN,…",
        help="Covariates with separate effects: short for a formula that adds them up.",
        show_default=False,
    ),
]
Along = Annotated[
    str | None,
    typer.Option(
        "--along",
        metavar="COLUMN",
        help="Show predicted prevalence along this covariate instead of coefficients.",
        show_default=False,
    ),
]


def effects(
    run: RunFolder,
    *,
    formula: Formula = None,
    covariates: Covariates = None,
    along: Along = None,
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
    """Estimate how topic prevalence depends on covariates.

    Each topic's share is regressed on metadata columns. Standard errors and intervals account for the
    uncertainty of each document's shares and for the sampling of documents. [bold]--output[/] writes the
    results as csv.
    """
    from lda_app.fitted.folder import open_model

    check_outputs(output, plot, overwrite=overwrite)
    model = open_model(run)
    shown = choose(model, topics)
    data, design = _design(model, corpus, split, _one_formula(formula, covariates))
    if along is not None and along not in design.covariates:
        named = ", ".join(map(str, design.covariates))
        raise ConfigError(f"--along {along}: not a covariate in the formula; choose one of {named}")
    report = _Report(_regress(shown, data, design, seed), shown.names(NAME_WORDS), along, level)
    about = {"split": split, "seed": seed, "left_out_without_words": data.num_empty}
    deliver(report, about, as_json=as_json, output=output, plot=plot, overwrite=overwrite)


def _one_formula(formula: str | None, covariates: str | None) -> str:
    """Return the given formula, or one that adds up the given covariates.

    Examples
    --------
    >>> _one_formula(None, "party, year of birth")
    '~ `party` + `year of birth`'
    """
    if (formula is None) == (covariates is None):
        raise ConfigError('give either --formula, such as "~ party + s(year)", or --covariates party,year')
    if formula is not None:
        return formula
    return "~ " + " + ".join(f"`{name.strip()}`" for name in (covariates or "").split(","))


def _design(model: "ModelDir", place: Path | None, split: str, formula: str) -> "tuple[DocumentData, Design]":
    """Read the corpus, and apply the formula to the documents that have all covariates."""
    from lda_app.analysis.covariates import columns_of, read_data
    from lda_app.analysis.design import columns_in, make_design
    from lda_app.system.runtime import log

    corpus = corpus_of_run(model, place)
    splits = splits_of(split, corpus.splits)
    data = read_data(corpus, splits, columns_in(formula, columns_of(corpus, splits)))
    design = make_design(formula, data.metadata)
    if design.num_missing:
        counts = ", ".join(f"{count:,} of {name}" for name, count in design.num_missing.items())
        left_out = f"{int((~design.kept).sum()):,}"
        log.warning("%s documents left out because of missing values (%s)", left_out, counts)
    return data.only(design.kept), design


def _regress(model: "LabelledModel", data: "DocumentData", design: "Design", seed: int) -> "Effects":
    from lda_app.analysis.composition import PASSES
    from lda_app.analysis.effects import regress
    from lda_app.system.runtime import progress

    total = PASSES * data.doc_term.num_documents
    with progress("Drawing shares", total=total, unit="document visits") as bar:
        return regress(model, data.doc_term, design, seed=seed, bar=bar)


@dataclass(frozen=True)
class _Report:
    """The results, in each output format."""

    found: "Effects"
    names: "Mapping[int, str]"
    along: str | None
    level: float

    def figures(self, num_points: int = 9) -> "pd.DataFrame":
        """Return coefficients, or predictions along a covariate, for the topics to show."""
        if self.along is None:
            figures = self.found.table(self.level)
        else:
            figures = self.found.predictions(self.along, self.level, num_points)
        return figures[figures["topic"].isin(self.names)]

    def tables(self) -> "Iterator[Table]":
        """Yield a table of the results, topic by topic."""
        from lda_app.cli.tables import new_table

        table = new_table(f"{self._what}, {len(self.found.design.basis):,} documents")
        figure = ("coefficient", "points") if self.along is None else (self.along, "share")
        names = ["topic", *figure, "std. error", self._interval, *(["p"] if self.along is None else [])]
        add_columns(table, names, right=names[2:])
        for topic, figures in self.figures().groupby("topic"):
            for row in rows(figures):
                name = self._name(topic) if row.Index == figures.index[0] else ""
                table.add_row(name, *(_coefficient(row) if self.along is None else _prediction(row)))
        yield table

    def csv(self) -> str:
        """Return the results as csv."""
        from lda_app.system.storage import spreadsheet_safe

        figures = self.figures()
        figures.insert(1, "name", figures["topic"].map(self.names).map(spreadsheet_safe))
        key = figures.columns[2]
        figures[key] = [spreadsheet_safe(v) if isinstance(v, str) else v for v in figures[key]]
        return str(figures.to_csv(index=False, lineterminator="\n"))

    def json(self, about: dict[str, Any]) -> dict[str, Any]:
        """Return everything in a form that JSON can hold."""
        design = self.found.design
        return {
            "schema_version": 1,
            "formula": design.formula,
            "level": self.level,
            **about,
            "documents": len(design.basis),
            "left_out_without_value": design.num_missing,
            "topics": [{"id": topic, "name": name} for topic, name in self.names.items()],
            "along": self.along,
            "predictions" if self.along else "coefficients": records(self.figures()),
        }

    def svg(self) -> str:
        """Draw coefficients, predictions for each category, or curves along a numeric covariate."""
        from lda_app.system.charts import band_chart, interval_chart

        title = f"{self._what}, with {self._interval}"
        figures = self.figures(_CURVE_POINTS)
        key, value = figures.columns[1:3]
        lines = {
            self._name(topic): list(part[[key, value, "lower", "upper"]].itertuples(index=False, name=None))
            for topic, part in figures.groupby("topic")
        }
        if self.along is not None and not isinstance(lines[next(iter(lines))][0][0], str):
            return band_chart(title, self.along, lines)
        if self.along is None:
            lines = {name: [line for line in part if line[0] != "Intercept"] for name, part in lines.items()}
        return interval_chart(title, lines, zero=self.along is None)

    @property
    def _what(self) -> str:
        what = "Coefficients of" if self.along is None else f"Predicted share along {self.along} by"
        return f"{what} {self.found.design.formula}"

    def _name(self, topic: Any) -> str:
        return f"{topic}  {self.names[topic]}"

    @property
    def _interval(self) -> str:
        return f"{100 * self.level:g}% interval"


def _coefficient(row: Any) -> tuple[str, ...]:
    chance = "<0.001" if row.p_value < 0.001 else number(row.p_value, ".3f")
    error = number(100 * row.standard_error, ".2f")
    return row.coefficient, number(100 * row.estimate, "+.2f"), error, points(row, 2), chance


def _prediction(row: Any) -> tuple[str, ...]:
    value = row.value if isinstance(row.value, str) else f"{row.value:g}"
    return value, percent(row.share), number(100 * row.standard_error, ".1f"), percents(row)
