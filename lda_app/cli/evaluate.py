"""``lda-app eval``: how good a model is, each figure with the protocol by which it was measured."""

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
from lda_app.runtime import one_line

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
        help="The folder of a model, as [bold]lda-app train --out[/] wrote it; or give [bold]--topics[/].",
        show_default=False,
    ),
]
Split = Annotated[
    str, typer.Option("--split", metavar="NAME", help="The split of the corpus to evaluate on.")
]
_HELD_OUT = "Held-out perplexity"
Protocols = Annotated[
    str,
    typer.Option(
        "--protocols",
        metavar="NAME,...",
        help="Of elbo, elbo_document_mean, importance, document_completion and left_to_right, which is slow.",
        show_default="all but left_to_right",
        rich_help_panel=_HELD_OUT,
    ),
]
IntervalLevel = Annotated[
    float,
    typer.Option(
        "--level",
        metavar="P",
        help="Confidence level of the intervals, by a bootstrap over documents; between 0 and 1.",
        rich_help_panel=_HELD_OUT,
    ),
]
ImportanceSamples = Annotated[
    int,
    typer.Option(
        "--importance-samples",
        min=1,
        max=10**6,
        help="Samples a document of importance: the more, the tighter the bound.",
        rich_help_panel=_HELD_OUT,
    ),
]
Particles = Annotated[
    int,
    typer.Option(
        "--left-to-right-particles",
        min=1,
        max=10**5,
        help="Particles of left_to_right, in each of two runs.",
        rich_help_panel=_HELD_OUT,
    ),
]
MaxDocuments = Annotated[
    int,
    typer.Option(
        "--max-documents",
        min=1,
        help="Documents that left_to_right scores at most, drawn at random.",
        rich_help_panel=_HELD_OUT,
    ),
]
_TOPICS = "Topics"
CoherenceNames = Annotated[
    str,
    typer.Option(
        "--coherence",
        metavar="NAME,...",
        help="Of document_npmi, u_mass, c_uci, c_npmi and c_v; the last three look into the texts.",
        show_default="all that the reference allows",
        rich_help_panel=_TOPICS,
    ),
]
ReferenceName = Annotated[
    str | None,
    typer.Option(
        "--reference",
        metavar="train|test|FILE",
        help="Where the words are looked up: a split, or a text file of a document a line.",
        show_default="train, and document_npmi of the split evaluated, too",
        rich_help_panel=_TOPICS,
    ),
]
TopWords = Annotated[
    int,
    typer.Option(
        "--top-words",
        min=2,
        max=100,
        help="Words of a topic that coherence, overlap and exclusivity look at.",
        rich_help_panel=_TOPICS,
    ),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label-column",
        metavar="COLUMN",
        help="A column of labels of the documents, to compare the topics with.",
        rich_help_panel=_TOPICS,
    ),
]
PerTopic = Annotated[
    bool,
    typer.Option(
        "--per-topic",
        help="Show the figures of each topic instead of the summary.",
        rich_help_panel=_TOPICS,
    ),
]


@dataclass(frozen=True)
class TopicFigures:
    """The flags that say what is measured of the topics."""

    coherence: CoherenceNames = ""
    reference: ReferenceName = None
    top_words: TopWords = 10
    labels: LabelColumn = None
    per_topic: PerTopic = False

    def options(self) -> dict[str, Any]:
        """Return what evaluation takes."""
        from lda_app.evaluation.coherence import named

        return {
            "coherence": named(self.coherence.split(",")) if self.coherence else None,
            "reference": self.reference,
            "num_top_words": self.top_words,
            "labels": self.labels,
        }


@dataclass(frozen=True)
class HeldOut:
    """The flags that say how perplexity is measured."""

    protocols: Protocols = ""
    level: IntervalLevel = 0.95
    importance_samples: ImportanceSamples = 100
    left_to_right_particles: Particles = 20
    max_documents: MaxDocuments = 500

    def options(self) -> dict[str, Any]:
        """Return what evaluation takes."""
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
    intrusion: IntrusionFiles = [],  # noqa: B006 - Typer reads it, and nothing is added
    corpus: CorpusOfRun = None,
    seed: Seed = 0,
    as_json: JsonFlag = False,
    output: OutPath = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure a model: held-out perplexity, coherence and quality of topics.

    Perplexity is printed by several protocols, which cannot be compared with each other, each with its
    interval: [bold]elbo[/] (the evidence lower bound, averaged over tokens), [bold]elbo_document_mean[/]
    (averaged over documents), [bold]importance[/] (a tighter bound), [bold]document_completion[/] (half of
    each document is observed, the other half scored) and [bold]left_to_right[/] (an estimate without a
    bound's gap, of some documents). [bold]--calibration[/] asks how far intervals of topic shares can be
    trusted. [bold]--output[/] writes the JSON document to a file, too.

    Topics are measured by the coherence of their top words, their diversity, exclusivity and significance,
    how many of them are used, and, with [bold]--label-column[/], their agreement with labels of documents:
    docs/coherence.md tells what each figure means. They are measured as they were trained, those that
    [bold]lda-app label[/] has merged or hidden like all others.

    A model of another tool is measured by the same figures: [bold]lda-app eval --topic-words topics.csv
    --doc-topics theta.csv --corpus FOLDER[/]; docs/comparing.md tells which files are read.
    [bold]lda-app eval RUN --intrusion answers.json[/] scores what people answered to the report's quiz.
    """
    from lda_app.cli.quality_tables import add_labels
    from lda_app.cli.tables import check_file
    from lda_app.fitted.folder import open_model

    check_file(output, overwrite=overwrite)
    place: dict[str, Any] = {"as_json": as_json, "output": output, "overwrite": overwrite}
    if intrusion:
        answers = scored(intrusion, run, held_out.level)
        _tell(answers, lambda: [intrusion_table(answers)], **place)
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
    _tell(figures, lambda: _laid_out(figures, per_topic=topic_figures.per_topic), **place)


def _tell(
    figures: dict[str, Any],
    laid_out: "Callable[[], list[RenderableType]]",
    *,
    as_json: bool,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Write figures to the file that was asked for, and print them as JSON or laid out."""
    from lda_app.cli.tables import json_text, print_json, print_out, write_out

    if output is not None:
        write_out(json_text(figures), output, overwrite=overwrite)
    if as_json:
        print_json(figures)
    else:
        print_out(*laid_out())


def _laid_out(figures: dict[str, Any], *, per_topic: bool) -> "list[RenderableType]":
    """Lay an evaluation out: its topics one by one, or all figures with what is to be said of them."""
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
    """Measure a model of ours."""
    from lda_app.evaluation.evaluate import evaluate as measure

    return measure(model, counts, **options).to_dict()


def _of_imported(imported: Imported, corpus: Path | None, options: dict[str, Any]) -> dict[str, Any]:
    """Measure a model of another tool."""
    from lda_app.corpus.folder import open_corpus
    from lda_app.evaluation.imported import evaluate_imported

    assert corpus is not None
    return evaluate_imported(imported.open(), open_corpus(corpus), **options).to_dict()


class Line(NamedTuple):
    """A line of the table: a figure, how it was measured, and on what."""

    figure: str
    protocol: str
    value: str
    interval: str = ""
    split: str = ""
    documents: str = ""
    tokens: str = ""


def figures_table(figures: dict[str, Any]) -> "Table":
    """Lay the figures of an evaluation out, a line each."""
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
    """Lay the same out in two columns, for a terminal that the other table does not fit."""
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
    return f"{figures['num_topics']} topics, {figures['num_words']:,} words, seed {figures['seed']}"


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
    """Lay out the agreement with labels; always naming the most frequent one is what accuracy has to beat."""
    figure, told = f"labels, {one_line(labels['column'])}", labels["classification"]
    on = ("", labels["split"], f"{labels['num_documents']:,}")
    lines = [Line(figure, name, f"{labels[name]:.3f}", *on) for name in ("purity", "nmi")]
    if told is None:
        return [*lines, Line(figure, "logistic_regression", "too few")]
    accuracy = f"{told['accuracy']:.3f} ± {told['standard_error']:.3f}"
    on = ("", labels["split"], f"{told['num_documents']:,}")
    return [
        *lines,
        Line(figure, "logistic_regression", accuracy, *on),
        Line(figure, "majority_label", f"{told['majority']:.3f}", *on),
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
    """Lay out the words that no figure counts; where the corpus does not tell, say so."""
    number, share = unknown["num_tokens"], unknown["share"]
    told = ("unknown", "unknown") if number is None else (f"{share:.1%}", f"{number:,}")
    return Line("words left out", "out_of_vocabulary", told[0], split=unknown["split"], tokens=told[1])


def _coherence_line(figure: dict[str, Any]) -> Line:
    value, split = f"{figure['value']:.3f}", figure["reference_split"]
    return Line(_named("coherence", figure), figure["protocol"], value, "", split, *_size(figure))


def _size(figure: dict[str, Any]) -> tuple[str, str]:
    return f"{figure['num_documents']:,}", f"{figure['num_tokens']:,}"
