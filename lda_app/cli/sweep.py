"""``lda-app sweep``: choose the number of topics."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.cli.groups import with_groups
from lda_app.cli.options import JsonFlag, Overwrite
from lda_app.cli.study_options import (
    CorpusOfStudy,
    Jobs,
    StudyFolder,
    counts_of,
    number_of_jobs,
    plus_minus,
    seeds_from,
)
from lda_app.cli.training_options import ConfigFile, nameable, training_flags
from lda_app.config import TrainConfig, resolve_config
from lda_app.corpus.options import SourceOptions, WordOptions
from lda_app.errors import ConfigError
from lda_app.system.runtime import log
from lda_app.system.storage import folder_lock, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from lda_app.corpus.folder import Corpus
    from lda_app.studies.advice import Row
    from lda_app.studies.paired import ValueWithError
    from lda_app.studies.sweep import Sweep

# The choice depends on the held-out documents, so hold out more than for a single training.
_VALIDATION_FRACTION = 0.1
_COLUMNS = ("topics", "perplexity", "above best", "coherence", "exclusivity", "diversity", "found again")

Numbers = Annotated[
    str,
    typer.Option(
        "--num-topics",
        metavar="K,K,…",
        help="Numbers of topics to try, such as 10,20,50,100.",
        show_default=False,
    ),
]
Runs = Annotated[
    int,
    typer.Option(
        "--num-seeds",
        min=1,
        max=1000,
        help="Models per number of topics, with consecutive seeds from --seed.",
    ),
]


@with_groups(training=training_flags("num_topics"), reading=SourceOptions, words=WordOptions)
def sweep(
    ctx: typer.Context,
    corpus: CorpusOfStudy,
    *,
    numbers: Numbers,
    runs: Runs = 3,
    out: StudyFolder = None,
    jobs: Jobs = None,
    config: ConfigFile = None,
    training: Any,
    reading: SourceOptions,
    words: WordOptions,
    as_json: JsonFlag = False,
    overwrite: Overwrite = False,
) -> None:
    """Train models with different numbers of topics, and recommend one.

    The choice is based on document-completion perplexity on held-out training documents (a tenth, at most 500
    per seed, unless [bold]--validation-fraction[/] is set); the test split is not used, so you can still
    evaluate the chosen model on it. Differences are computed document by document. After Ctrl-C, run the
    same command again to resume; nothing is lost. FOLDER contains all models, and the results as sweep.json
    and sweep.svg.
    """
    from lda_app.cli.tables import json_text, print_out, write_out

    if out is None:
        raise ConfigError("sweep needs --out FOLDER to save the models in")
    wanted, place = _parsed(numbers), nameable(out)
    defaults = {"validation_fraction": _VALIDATION_FRACTION}
    settings = resolve_config({"num_topics": wanted[-1], **vars(training)}, config, defaults=defaults)
    with folder_lock(place):
        counts = counts_of(ctx, corpus, place, reading, words, overwrite=overwrite)
        found = _found(place, counts, settings, wanted, runs, number_of_jobs(jobs), overwrite=overwrite)
        document = json_text(found.to_dict())
        write_atomic(place / "sweep.json", document.encode())
        write_atomic(place / "sweep.svg", _figure(found).encode())
    if as_json:
        write_out(document, None, overwrite=False)
    else:
        print_out(*_tables(found))
    log.info("Models saved in %s; chart: %s", out, out / "sweep.svg")


def _found(
    place: "Path",
    counts: "Corpus",
    settings: TrainConfig,
    numbers: list[int],
    runs: int,
    jobs: int,
    *,
    overwrite: bool,
) -> "Sweep":
    """Train all models that are missing, and summarise the results."""
    from lda_app.studies.pool import run_cells
    from lda_app.studies.study import Cell, begin_study
    from lda_app.studies.sweep import require_held_out, summarize

    require_held_out(counts, settings)
    study = begin_study(place, counts, settings, overwrite=overwrite)
    seeds = seeds_from(settings.seed, runs)
    run_cells(study, [Cell(k, seed) for k in numbers for seed in seeds], jobs)
    return summarize(study, numbers, seeds)


def _parsed(text: str) -> list[int]:
    """Parse at least two numbers of topics and sort them.

    Examples
    --------
    >>> _parsed("20, 10,20")
    [10, 20]
    """
    try:
        numbers = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise ConfigError(
            f"--num-topics must be whole numbers separated by commas, such as 10,20,50, got {text!r}"
        ) from None
    for number in numbers:
        resolve_config({"num_topics": number})
    if len(numbers) < 2:
        raise ConfigError(f"--num-topics needs at least two numbers to choose from, got {text!r}")
    return numbers


def _tables(found: "Sweep") -> "list[RenderableType]":
    """Lay out a sweep: one row per number of topics, the legend, and the recommendation."""
    from rich.text import Text

    from lda_app.cli.tables import new_table

    table = new_table()
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    table.add_column("model")
    for row in found.rows:
        table.add_row(*_cells(row))
    return [table, Text(_protocols(found), style="dim"), "", Text(" ".join(found.reasons), style="bold")]


def _cells(row: "Row") -> "list[str]":
    above, error = row.difference.value, row.difference.standard_error
    return [
        str(row.num_topics),
        _shown(row.perplexity, ",.1f"),
        "lowest" if error == 0 else f"{plus_minus(100 * above, 100 * error, '.1f')}%",
        _shown(row.coherence, ".3f"),
        _shown(row.exclusivity, ".3f"),
        _shown(row.diversity, ".3f"),
        _shown(row.found, ".2f"),
        row.most_typical,
    ]


def _shown(estimate: "ValueWithError | None", number_format: str) -> str:
    if estimate is None:
        return ""
    return plus_minus(estimate.value, estimate.standard_error, number_format)


def _protocols(found: "Sweep") -> str:
    """Explain the columns and the data they were measured on."""
    from lda_app.evaluation.exclusivity import FREX_WEIGHT
    from lda_app.evaluation.quality import COHERENCE_WORDS, DIVERSITY_WORDS
    from lda_app.evaluation.stability import FOUND

    return (
        f"seeds {found.seeds[0]} to {found.seeds[-1]}; ± standard errors; perplexity: document_completion on "
        f"{found.num_documents:,} documents, {found.num_tokens:,} tokens held out of the train split; "
        f"coherence: document_npmi of the top {COHERENCE_WORDS} words on the train split; exclusivity: "
        f"frex_{FREX_WEIGHT} of these words; diversity: unique_share of the top {DIVERSITY_WORDS} words; "
        f"found again: share of topics with a similarity of {FOUND} or more to their match in a run with "
        "another seed; model: the run that agrees most with the others"
    )


def _figure(found: "Sweep") -> str:
    """Plot each measure against the number of topics."""
    from lda_app.system.charts import error_charts

    columns: dict[str, list[ValueWithError | None]] = {
        "perplexity (document_completion)": [row.perplexity for row in found.rows],
        "coherence (document_npmi)": [row.coherence for row in found.rows],
        "exclusivity (frex)": [row.exclusivity for row in found.rows],
        "diversity (unique_share)": [row.diversity for row in found.rows],
        "topics found again": [row.found for row in found.rows],
    }
    numbers = [row.num_topics for row in found.rows]
    drawn = {
        name: [
            (k, estimate.value, estimate.standard_error or 0.0)
            for k, estimate in zip(numbers, estimates, strict=True)
            if estimate is not None
        ]
        for name, estimates in columns.items()
    }
    return error_charts("Results by number of topics, with standard errors", "number of topics", drawn)
