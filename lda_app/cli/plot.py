"""``lda-app plot``: figures for papers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lda_app.cli.options import Overwrite, RunFolder
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run
from lda_app.cli.shown_topics import chosen_topics, require_shown
from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.labels import Labels
    from lda_app.report.groups import Grouping
    from lda_app.report.plots import Plotted
    from lda_app.report.shares import GroupMeans

_WORDS_OF_A_NAME = 3

What = Annotated[
    Literal["topics", "prevalence", "training", "similarity"],
    typer.Argument(
        help="Words of each topic; mean shares of the topics; loss and held-out perplexity; distances of the "
        "topics.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", help="The file to write: .svg, .png or .pdf."),
]
NumWords = Annotated[int, typer.Option("--top", min=1, max=50, help="Words of each topic.")]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="COLUMN",
        help="With prevalence: in each group of documents that a column of metadata makes.",
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

    Topics are as [bold]lda-app label[/] has named and merged them, without those that it hides. Intervals are
    those of the report, at 95%. The extra [bold]plot[/] of the installation is needed.
    """
    from lda_app.cli.tables import check_file
    from lda_app.fitted.folder import open_model
    from lda_app.fitted.labels import read_labels
    from lda_app.report.plots import FORMATS, draw, plot_similarity, plot_topics, plot_training
    from lda_app.runtime import log
    from lda_app.storage import write_atomic

    check_file(output, overwrite=overwrite)
    kind = output.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ConfigError(f"--output {output}: the suffix must be .svg, .png or .pdf, got {output.suffix!r}")
    if by is not None and what != "prevalence":
        raise ConfigError(f"--by goes with prevalence, not with {what}")
    model = open_model(run)
    if what == "training":
        figure = plot_training(model.history)
    else:
        labels = read_labels(run, len(model.alpha))
        columns = _columns(labels, some)
        topics = _plotted(model, labels, columns)
        if what == "topics":
            figure = plot_topics(topics, top)
        elif what == "similarity":
            figure = plot_similarity(topics)
        else:
            figure = _prevalence(model, labels, columns, topics, by, corpus)
    write_atomic(output, draw(figure, kind))
    log.info("written: %s", output)


def _columns(labels: "Labels", some: str | None) -> list[int]:
    """Return where the topics to show stand among those that stand for themselves."""
    if some is None:
        require_shown(labels)
        return labels.shown_columns
    return [labels.ids.index(topic) for topic in chosen_topics(labels, some)]


def _plotted(model: "ModelDir", labels: "Labels", columns: list[int]) -> "Plotted":
    from lda_app.fitted.topics import leading_words
    from lda_app.report.plots import Plotted

    beta = labels.merge_beta(model.alpha, model.beta)[columns]
    words = tuple(model.vocabulary.words)
    ids = tuple(labels.ids[column] for column in columns)
    best = zip(ids, leading_words(beta, words, _WORDS_OF_A_NAME), strict=True)
    names = tuple(labels.name(topic) or " ".join(own) for topic, own in best)
    return Plotted(ids, names, beta, words)


def _prevalence(
    model: "ModelDir",
    labels: "Labels",
    columns: list[int],
    topics: "Plotted",
    by: str | None,
    place: Path | None,
) -> "Figure":
    from functools import partial

    from lda_app.fitted.inference import concentration
    from lda_app.report.data import SPLIT
    from lda_app.report.plots import plot_by_group, plot_prevalence
    from lda_app.report.shares import CONFIDENCE, mean_shares

    corpus = corpus_of_run(model, place)
    group = None if by is None else _grouping(corpus, by)
    infer = labels.merge_inference(partial(concentration, model.lda))
    codes = {} if group is None else {group.column: group.codes}
    means = mean_shares(corpus.split(SPLIT), infer, len(labels.ids), codes)
    if group is None:
        return plot_prevalence(topics, _of_topics(means.everywhere, columns), CONFIDENCE)
    chosen = _of_topics(means.groups[group.column], columns)
    return plot_by_group(topics, chosen, group.names, group.column)


def _grouping(corpus: "Corpus", by: str) -> "Grouping":
    """Make the groups of a column of metadata."""
    from lda_app.report.data import SPLIT
    from lda_app.report.groups import groupings
    from lda_app.uncertainty.covariates import require_column

    metadata = corpus.documents(SPLIT).drop(columns=["id", "text"], errors="ignore")
    require_column(by, list(metadata.columns))
    groups = groupings(metadata[[by]])
    if not groups:
        raise ConfigError(f"--by: the values of {by!r} make no groups: all are one, or nearly all differ")
    return groups[0]


def _of_topics(means: "GroupMeans", columns: list[int]) -> "GroupMeans":
    from dataclasses import replace

    return replace(means, mean=means.mean[:, columns], standard_error=means.standard_error[:, columns])
