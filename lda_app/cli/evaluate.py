"""``lda-app eval``: how good a model is, with the protocol of each measurement."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lda_app.cli.calibration import Calibrating, calibration_table, narrow_calibration_table
from lda_app.cli.groups import with_groups
from lda_app.cli.imported import Imported
from lda_app.cli.intrusion import IntrusionFiles, intrusion_table, scored
from lda_app.cli.options import JsonFlag, OutPath, Overwrite, Seed
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run
from lda_app.errors import ConfigError
from lda_app.system.runtime import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType
    from rich.table import Table

    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir

Run = Annotated[
    Path | None,
    typer.Argument(
        metavar="RUN",
        help="A model folder written by [bold]lda-app train --out[/]; or use [bold]--topic-words[/] instead.",
        show_default=False,
    ),
]
Split = Annotated[str, typer.Option("--split", metavar="NAME", help="Corpus split to evaluate on.")]
_HELD_OUT = "Held-out perplexity"
Protocols = Annotated[
    str,
    typer.Option(
        "--protocols",
        metavar="NAME,...",
        help="Any of elbo, elbo_document_mean, importance, document_completion and left_to_right (slow).",
        show_default="all but left_to_right",
        rich_help_panel=_HELD_OUT,
    ),
]
IntervalLevel = Annotated[
    float,
    typer.Option(
        "--level",
        metavar="P",
        help="Confidence level of the bootstrap intervals over documents, between 0 and 1.",
        rich_help_panel=_HELD_OUT,
    ),
]
ImportanceSamples = Annotated[
    int,
    typer.Option(
        "--importance-samples",
        min=1,
        max=10**6,
        help="Samples per document for importance; more samples give a tighter bound.",
        rich_help_panel=_HELD_OUT,
    ),
]
Particles = Annotated[
    int,
    typer.Option(
        "--left-to-right-particles",
        min=1,
        max=10**5,
        help="Particles for left_to_right, in each of two runs.",
        rich_help_panel=_HELD_OUT,
    ),
]
MaxDocuments = Annotated[
    int,
    typer.Option(
        "--max-documents",
        min=1,
        help="Maximum number of documents for left_to_right, drawn at random.",
        rich_help_panel=_HELD_OUT,
    ),
]
_TOPICS = "Topics"
CoherenceNames = Annotated[
    str,
    typer.Option(
        "--coherence",
        metavar="NAME,...",
        help="Any of document_npmi, u_mass, c_uci, c_npmi and c_v; the last three need the texts.",
        show_default="all that the reference supports",
        rich_help_panel=_TOPICS,
    ),
]
ReferenceName = Annotated[
    str | None,
    typer.Option(
        "--reference",
        metavar="train|test|FILE",
        help="Reference corpus for coherence: a split, or a text file with one document per line.",
        show_default="train, plus document_npmi on the evaluated split",
        rich_help_panel=_TOPICS,
    ),
]
TopWords = Annotated[
    int,
    typer.Option(
        "--top-words",
        min=2,
        max=100,
        help="Words per topic for coherence, overlap and exclusivity.",
        rich_help_panel=_TOPICS,
    ),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label-column",
        metavar="COLUMN",
        help="Column of document labels to compare the topics with.",
        rich_help_panel=_TOPICS,
    ),
]
PerTopic = Annotated[
    bool,
    typer.Option(
        "--per-topic",
        help="Show results for each topic instead of the summary.",
        rich_help_panel=_TOPICS,
    ),
]


@dataclass(frozen=True)
class TopicFigures:
    """The flags for evaluating topics."""

    coherence: CoherenceNames = ""
    reference: ReferenceName = None
    top_words: TopWords = 10
    labels: LabelColumn = None
    per_topic: PerTopic = False

    def options(self) -> dict[str, Any]:
        """Return the arguments for the evaluation."""
        from lda_app.evaluation.coherence import named

        return {
            "coherence": named(self.coherence.split(",")) if self.coherence else None,
            "reference": self.reference,
            "num_top_words": self.top_words,
            "labels": self.labels,
        }


@dataclass(frozen=True)
class HeldOut:
    """The flags for evaluating perplexity."""

    protocols: Protocols = ""
    level: IntervalLevel = 0.95
    importance_samples: ImportanceSamples = 100
    left_to_right_particles: Particles = 20
    max_documents: MaxDocuments = 500

    def options(self) -> dict[str, Any]:
        """Return the arguments for the evaluation."""
        from lda_app.evaluation.perplexity import DEFAULT_PROTOCOLS, Effort, named

        if not 0 < self.level < 1:
            raise ConfigError(f"--level must be between 0 and 1, got {self.level}")
        effort = Effort(
            importance_samples=self.importance_samples,
            left_to_right_particles=self.left_to_right_particles,
            max_documents=self.max_documents,
        )
        names = self.protocols.split(",") if self.protocols else DEFAULT_PROTOCOLS
        return {"protocols": named(names), "effort": effort, "confidence": self.level}


@with_groups(held_out=HeldOut, topic_figures=TopicFigures, calibrating=Calibrating, imported=Imported)
def evaluate(
    run: Run = None,
    *,
    split: Split = "test",
    held_out: HeldOut,
    topic_figures: TopicFigures,
    calibrating: Calibrating,
    imported: Imported,
    intrusion: IntrusionFiles = [],  # noqa: B006 - Typer reads it; it is never modified
    corpus: CorpusOfRun = None,
    seed: Seed = 0,
    as_json: JsonFlag = False,
    output: OutPath = None,
    overwrite: Overwrite = False,
) -> None:
    """Evaluate a model: held-out perplexity, topic coherence and topic quality.

    Perplexity is reported with an interval for each of several protocols, which cannot be compared with each
    other: [bold]elbo[/] (the evidence lower bound, averaged over tokens), [bold]elbo_document_mean[/]
    (averaged over documents), [bold]importance[/] (a tighter bound), [bold]document_completion[/] (half of
    each document is observed, the other half scored) and [bold]left_to_right[/] (an estimate, not a bound,
    on a sample of documents). [bold]--calibration[/] checks how reliable intervals of topic shares are.
    [bold]--output[/] also writes the JSON document to a file.

    Topics are evaluated by the coherence of their top words, their diversity, exclusivity and significance,
    how many of them are used, and, with [bold]--label-column[/], their agreement with document labels. See
    docs/coherence.md for each measure. Topics are evaluated as trained, including those merged or hidden
    with [bold]lda-app label[/].

    Models from other tools are evaluated the same way: [bold]lda-app eval --topic-words topics.csv
    --doc-topics theta.csv --corpus FOLDER[/]; see docs/comparing.md for the supported files.
    [bold]lda-app eval RUN --intrusion answers.json[/] scores people's answers to the report's quiz.
    """
    from lda_app.cli.quality_tables import add_labels
    from lda_app.cli.tables import check_file
    from lda_app.fitted.folder import open_model

    check_file(output, overwrite=overwrite)
    place: dict[str, Any] = {"as_json": as_json, "output": output, "overwrite": overwrite}
    if intrusion:
        answers = scored(intrusion, run, held_out.level)
        _print_results(answers, lambda: [intrusion_table(answers)], **place)
        return
    imported.require_sense(run, corpus)
    calibrating.require_sense(run, overwrite=overwrite)
    options = {"split": split, "seed": seed, **held_out.options(), **topic_figures.options()}
    if run is None:
        figures = _of_imported(imported, corpus, options)
    else:
        model = open_model(run)
        counts = corpus_of_run(model, corpus)
        figures = _of_run(model, counts, options)
        add_labels(figures, model.labels)
        if calibrating.calibration:
            lengths = counts.split(split).lengths()
            found = calibrating.run(model, lengths, seed, held_out.level, overwrite=overwrite)
            figures["calibration"] = found
    _print_results(figures, lambda: _laid_out(figures, per_topic=topic_figures.per_topic), **place)


def _print_results(
    figures: dict[str, Any],
    laid_out: "Callable[[], list[RenderableType]]",
    *,
    as_json: bool,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Write the results to the output file, if any, and print them as JSON or as tables."""
    from lda_app.cli.tables import json_text, print_json, print_out, write_out

    if output is not None:
        write_out(json_text(figures), output, overwrite=overwrite)
    if as_json:
        print_json(figures)
    else:
        print_out(*laid_out())


def _laid_out(figures: dict[str, Any], *, per_topic: bool) -> "list[RenderableType]":
    """Lay out an evaluation: one row per topic, or the summary with its notes."""
    from lda_app.cli.imported import notes as notes_of_imported
    from lda_app.cli.quality_tables import notes as notes_of_topics
    from lda_app.cli.quality_tables import topics_table
    from lda_app.cli.tables import fits

    if per_topic:
        return list(topics_table(figures))
    table = figures_table(figures)
    parts: list[RenderableType] = [table if fits(table) else narrow_table(figures)]
    parts += [*notes_of_topics(figures), *notes_of_imported(figures)]
    if "calibration" in figures:
        calibration = calibration_table(figures["calibration"])
        parts += ["", calibration if fits(calibration) else narrow_calibration_table(figures["calibration"])]
    return parts


def _of_run(model: "ModelDir", counts: "Corpus", options: dict[str, Any]) -> dict[str, Any]:
    """Evaluate an lda-app model."""
    from lda_app.evaluation.evaluate import evaluate as measure

    return measure(model, counts, **options).to_dict()


def _of_imported(imported: Imported, corpus: Path | None, options: dict[str, Any]) -> dict[str, Any]:
    """Evaluate a model from another tool."""
    from lda_app.corpus.folder import open_corpus
    from lda_app.evaluation.imported import evaluate_imported

    assert corpus is not None
    return evaluate_imported(imported.open(), open_corpus(corpus), **options).to_dict()


class Line(NamedTuple):
    """A line of the table: a measure, its protocol, and the data it was measured on."""

    figure: str
    protocol: str
    value: str
    interval: str = ""
    split: str = ""
    documents: str = ""
    tokens: str = ""


def figures_table(figures: dict[str, Any]) -> "Table":
    """Lay out the results, one per line."""
    from lda_app.cli.tables import new_table

    table = new_table(_title(figures))
    table.add_column("figure")
    table.add_column("protocol", overflow="fold")
    for column in ("value", _interval_name(figures), "split", "documents", "tokens"):
        table.add_column(column, justify="left" if column == "split" else "right")
    for line in _lines(figures):
        table.add_row(*line)
    return table


def narrow_table(figures: dict[str, Any]) -> "Table":
    """Lay out the same in two columns, for a narrow terminal."""
    from lda_app.cli.tables import new_table

    table = new_table(_title(figures))
    table.add_column("figure")
    table.add_column("value", justify="right", no_wrap=True)
    for line in _lines(figures):
        table.add_row(f"{line.figure}: {line.protocol}", line.value)
        if line.interval:
            table.add_row(f"  {_interval_name(figures)} {line.interval}", "", style="dim")
        if line.split:
            documents = [f"{line.documents} documents"] if line.documents else []
            measured_on = ", ".join([line.split, *documents, f"{line.tokens} tokens"])
            table.add_row(f"  {measured_on}", "", style="dim")
    return table


def _title(figures: dict[str, Any]) -> str:
    return f"{figures['num_topics']} topics · {figures['num_words']:,} words · seed {figures['seed']}"


def _interval_name(figures: dict[str, Any]) -> str:
    return f"{100 * figures['confidence']:.3g}% interval"


def _lines(figures: dict[str, Any]) -> list[Line]:
    split = figures["split"]
    return [
        *(_perplexity_line(figure, split) for figure in figures["perplexity"].values()),
        _unknown_line(figures["out_of_vocabulary"]),
        *map(_coherence_line, figures["coherence"]),
        *_diversity_lines(figures),
        *_usage_lines(figures, split),
        *(_label_lines(figures["labels"]) if figures["labels"] else []),
    ]


def _diversity_lines(figures: dict[str, Any]) -> list[Line]:
    return [
        Line(_named(key.split("_")[0], figure), figure["protocol"], f"{figure['value']:.3f}")
        for key in ("diversity", "diversity_by_rank", "exclusivity")
        for figure in [figures[key]]
    ] + [Line("significance", name, f"{value:.2f} nats") for name, value in figures["significance"].items()]


def _usage_lines(figures: dict[str, Any], split: str) -> list[Line]:
    num_topics = figures["num_topics"]
    live, effective, twins = (figures[key] for key in ("live_topics", "effective_topics", "duplicate_topics"))
    used, size = f"{effective['value']:.1f} of {num_topics}", _size(effective)
    return [
        Line("live topics", live["protocol"], f"{live['value']} of {num_topics}", "", split, *_size(live)),
        Line("effective topics", effective["protocol"], used, "", split, *size),
        Line("duplicate topics", twins["protocol"], f"{twins['value']} of {num_topics}"),
    ]


def _label_lines(labels: dict[str, Any]) -> list[Line]:
    """Lay out the agreement with labels; the majority label is the baseline for accuracy."""
    figure, classified = f"labels, {one_line(labels['column'])}", labels["classification"]
    on = ("", labels["split"], f"{labels['num_documents']:,}")
    lines = [Line(figure, name, f"{labels[name]:.3f}", *on) for name in ("purity", "nmi")]
    if classified is None:
        return [*lines, Line(figure, "logistic_regression", "too few")]
    accuracy = f"{classified['accuracy']:.3f} ± {classified['standard_error']:.3f}"
    on = ("", labels["split"], f"{classified['num_documents']:,}")
    return [
        *lines,
        Line(figure, "logistic_regression", accuracy, *on),
        Line(figure, "majority_label", f"{classified['majority']:.3f}", *on),
    ]


def _named(measure: str, figure: dict[str, Any]) -> str:
    return f"{measure}, top {figure['num_top_words']}"


def _perplexity_line(figure: dict[str, Any], split: str) -> Line:
    documents, tokens = _size(figure)
    if figure["num_not_drawn"]:
        documents += f" of {figure['num_documents'] + figure['num_not_drawn']:,}"
    value, ends = figure["value"], figure["interval"]
    digits = 1 if value >= 100 else 3
    interval = f"{ends['low']:,.{digits}f} to {ends['high']:,.{digits}f}" if ends else ""
    return Line("perplexity", figure["protocol"], f"{value:,.{digits}f}", interval, split, documents, tokens)


def _unknown_line(unknown: dict[str, Any]) -> Line:
    """Lay out the out-of-vocabulary words, ``unknown`` if the corpus does not record them."""
    number, share = unknown["num_tokens"], unknown["share"]
    shown = ("unknown", "unknown") if number is None else (f"{share:.1%}", f"{number:,}")
    return Line("words left out", "out_of_vocabulary", shown[0], split=unknown["split"], tokens=shown[1])


def _coherence_line(figure: dict[str, Any]) -> Line:
    value, split = f"{figure['value']:.3f}", figure["reference_split"]
    return Line(_named("coherence", figure), figure["protocol"], value, "", split, *_size(figure))


def _size(figure: dict[str, Any]) -> tuple[str, str]:
    return f"{figure['num_documents']:,}", f"{figure['num_tokens']:,}"
