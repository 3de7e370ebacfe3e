"""``lda-app plot``: figures for papers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lda_app.cli.options import Overwrite, RunFolder
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run
from lda_app.cli.shown_topics import choose
from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.model import LabelledModel
    from lda_app.report.groups import Grouping
    from lda_app.report.plots import Plotted
    from lda_app.report.shares import GroupMeans

_WORDS_OF_A_NAME = 3

What = Annotated[
    Literal["topics", "prevalence", "training", "similarity"],
    typer.Argument(
        help="topics: top words; prevalence: mean topic shares; training: loss and held-out perplexity; "
        "similarity: distances between topics.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", help="The file to write: .svg, .png or .pdf."),
]
NumWords = Annotated[int, typer.Option("--top", min=1, max=50, help="Number of words per topic.")]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="COLUMN",
        help="For prevalence: the metadata column to group documents by.",
        show_default=False,
    ),
]
Some = Annotated[
    str | None,
    typer.Option("--topics", metavar="TOPIC,…", help="The topics to show.", show_default="all"),
]


def plot(
    run: RunFolder,
    what: What,
    *,
    output: Output,
    top: NumWords = 8,
    by: By = None,
    some: Some = None,
    corpus: CorpusOfRun = None,
    overwrite: Overwrite = False,
) -> None:
    """Draw a figure for a paper.

    Topics are shown as named and merged with [bold]lda-app label[/], without hidden ones. Intervals are the
    95% intervals of the report.
    """
    from lda_app.cli.tables import check_file
    from lda_app.fitted.folder import open_model
    from lda_app.report.plots import FORMATS, plot_similarity, plot_topics, plot_training
    from lda_app.system.charts import draw
    from lda_app.system.runtime import log
    from lda_app.system.storage import write_atomic

    check_file(output, overwrite=overwrite)
    kind = output.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ConfigError(f"--output {output}: the suffix must be .svg, .png or .pdf, got {output.suffix!r}")
    if by is not None and what != "prevalence":
        raise ConfigError(f"--by applies only to prevalence, not to {what}")
    model = open_model(run)
    if what == "training":
        figure = plot_training(model.history)
    else:
        shown = choose(model, some)
        topics = _plotted(shown)
        if what == "topics":
            figure = plot_topics(topics, top)
        elif what == "similarity":
            figure = plot_similarity(topics)
        else:
            figure = _prevalence(shown, topics, by, corpus_of_run(model, corpus))
    write_atomic(output, draw(figure, kind))
    log.info("Wrote %s", output)


def _plotted(model: "LabelledModel") -> "Plotted":
    from lda_app.report.plots import Plotted

    names = tuple(model.names(_WORDS_OF_A_NAME).values())
    return Plotted(model.shown, names, model.beta[model.columns], tuple(model.vocabulary.words))


def _prevalence(model: "LabelledModel", topics: "Plotted", by: str | None, corpus: "Corpus") -> "Figure":
    from lda_app.report.data import SPLIT
    from lda_app.report.plots import plot_by_group, plot_prevalence
    from lda_app.report.shares import CONFIDENCE, mean_shares

    group = None if by is None else _grouping(corpus, by)
    codes = {} if group is None else {group.column: group.codes}
    (means,) = mean_shares(corpus.split(SPLIT), model.trained.posterior, [model], codes)
    if group is None:
        return plot_prevalence(topics, _of_topics(means.everywhere, model.columns), CONFIDENCE)
    chosen = _of_topics(means.groups[group.column], model.columns)
    return plot_by_group(topics, chosen, group.names, group.column)


def _grouping(corpus: "Corpus", by: str) -> "Grouping":
    """Group the documents by a metadata column."""
    from lda_app.analysis.covariates import require_column
    from lda_app.report.data import SPLIT
    from lda_app.report.groups import groupings

    metadata = corpus.documents(SPLIT).drop(columns=["id", "text"], errors="ignore")
    require_column(by, list(metadata.columns))
    groups = groupings(metadata[[by]])
    if not groups:
        raise ConfigError(
            f"--by: cannot group by {by!r}: its values are all the same, or nearly all different"
        )
    return groups[0]


def _of_topics(means: "GroupMeans", columns: list[int]) -> "GroupMeans":
    from dataclasses import replace

    return replace(means, mean=means.mean[:, columns], standard_error=means.standard_error[:, columns])
