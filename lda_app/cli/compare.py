"""``lda-app compare``: other programs on the same counts, evaluated by the same protocol."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.cli.corpus import is_corpus, resolve_corpus
from lda_app.cli.groups import with_groups
from lda_app.cli.options import JsonFlag, Overwrite, Seed
from lda_app.cli.study_options import seeds_from
from lda_app.corpus.options import SourceOptions, WordOptions
from lda_app.errors import ConfigError
from lda_app.system.runtime import log
from lda_app.system.storage import folder_lock

if TYPE_CHECKING:
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir

CorpusArgument = Annotated[
    str,
    typer.Argument(
        metavar="CORPUS",
        help="A corpus folder, or what [bold]corpus build[/] takes: a name, a file, a folder of texts or "
        "[bold]-[/]. The corpus is then built in FOLDER.",
        show_default=False,
    ),
]
NumTopics = Annotated[
    int | None,
    typer.Option(
        "--num-topics", min=2, max=100_000, help="Number of topics (K) for all programs.", show_default="50"
    ),
]
Rivals = Annotated[
    str,
    typer.Option(
        "--with",
        metavar="NAMES",
        help="Programs to compare with, such as sklearn,topica; also presets such as lda-app-fast.",
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        min=0.001,
        help="Stop each training after this time, and evaluate what it has learned so far.",
        show_default="none",
    ),
]
Seeds = Annotated[int, typer.Option("--num-seeds", min=1, help="Trainings of each program, one per seed.")]
Labels = Annotated[
    str | None,
    typer.Option(
        "--label-column",
        metavar="COLUMN",
        help="Column of document labels, to measure purity and NMI of the documents' largest topics.",
        show_default="none",
    ),
]
Run = Annotated[
    Path | None,
    typer.Option(
        "--run",
        metavar="RUN",
        help="Evaluate this lda-app model instead of training one, and save the results in its folder.",
        show_default="none",
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="Folder for the results. An existing folder is resumed.",
        show_default=False,
    ),
]
_DEFAULT_TOPICS = 50


@with_groups(reading=SourceOptions, words=WordOptions)
def compare(
    corpus: CorpusArgument,
    out: Out,
    *,
    num_topics: NumTopics = None,
    rivals: Rivals = "sklearn,gensim,tomotopy,topica,prodlda",
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
    labels: Labels = None,
    run: Run = None,
    reading: SourceOptions,
    words: WordOptions,
    as_json: JsonFlag = False,
    overwrite: Overwrite = False,
) -> None:
    """Compare lda-app with other programs on the same counts and by the same protocol.

    Each training runs in a separate process. Perplexity is measured on test documents, half of each
    observed: [bold]own[/] uses the program's own inference, [bold]ref[/] the same inference for all
    programs. Finished trainings are kept: after Ctrl-C, run the same command again to resume. FOLDER
    contains the table (comparison.md), all results as JSON, and perplexity over time (perplexity.svg). The
    extra [bold]compare[/] installs the other programs; one that is missing is reported and skipped.
    """
    from lda_app.cli.tables import print_json
    from lda_app.studies.compare.comparison import Comparison, require_place, resolve_methods
    from lda_app.studies.compare.running import compare as run_comparison

    methods = resolve_methods([name.strip() for name in rivals.split(",") if name.strip()])
    with folder_lock(out):
        require_place(out)
        counts = _counts(corpus, out, reading, words, seed=seed, overwrite=overwrite)
        model = None if run is None else _model(run, counts)
        comparison = Comparison(
            folder=out,
            corpus=counts,
            num_topics=_agreed_topics(num_topics, model),
            methods=methods,
            seeds=tuple(seeds_from(seed, seeds)),
            time_limit=time_limit,
            label=_checked_label(labels, counts),
            run=run,
        )
        document = run_comparison(comparison, overwrite=overwrite)
    if run is not None:
        _annotate(run, document)
    if as_json:
        print_json(document)
    else:
        _print(document)
    log.info("Wrote %s", ", ".join(str(out / name) for name in ("comparison.md", "comparison.json")))


def _counts(
    corpus: str, out: Path, reading: SourceOptions, words: WordOptions, *, seed: int, overwrite: bool
) -> "Corpus":
    if is_corpus(corpus) and (reading, words) != (SourceOptions(), WordOptions()):
        log.warning(
            "%s already has its word counts; options for reading text and choosing words are ignored", corpus
        )
    return resolve_corpus(corpus, out / "corpus", reading, words, seed=seed, overwrite=overwrite)


def _model(run: Path, corpus: "Corpus") -> "ModelDir":
    from lda_app.cli.run_corpus import corpus_of_run
    from lda_app.fitted.folder import open_model

    model = open_model(run)
    corpus_of_run(model, corpus.path)
    return model


def _agreed_topics(given: int | None, model: "ModelDir | None") -> int:
    if model is None:
        return given or _DEFAULT_TOPICS
    found = len(model.beta)
    if given not in {None, found}:
        raise ConfigError(f"--num-topics {given}, but {model.path} has {found} topics; leave the option out")
    return found


def _checked_label(label: str | None, corpus: "Corpus") -> str | None:
    if label is not None:
        columns = list(corpus.documents("train").columns)
        if label not in columns:
            raise ConfigError(
                f"--label-column: {corpus.path} has no column {label!r}, only {', '.join(columns)}"
            )
    return label


def _annotate(run: Path, document: dict[str, Any]) -> None:
    from lda_app.system.storage import write_annotation

    write_annotation(run, "comparison.json", document)


def _print(document: dict[str, Any]) -> None:
    from lda_app.cli.tables import fits, new_table, print_out
    from lda_app.studies.compare.pages import notes
    from lda_app.studies.compare.table import rows

    titles, lines = rows(document["results"])
    table = new_table(f"{document['corpus']['name']} · {document['num_topics']} topics")
    for title in titles:
        table.add_column(title, justify="left" if title == "method" else "right")
    for line in lines:
        table.add_row(*line)
    if not fits(table):
        table = new_table(f"{document['corpus']['name']} · {document['num_topics']} topics")
        table.add_column("method")
        table.add_column("value", justify="right")
        for line in lines:
            for title, text in zip(titles[1:], line[1:], strict=True):
                table.add_row(f"{line[0]}: {title}", text)
    print_out(table, "", *notes(document))
