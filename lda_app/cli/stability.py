"""``lda-app stability``: which topics are found again with other seeds."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.cli.corpus import is_corpus
from lda_app.cli.groups import with_groups
from lda_app.cli.options import JsonFlag, Overwrite
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run
from lda_app.cli.study_options import Jobs, StudyFolder, counts_of, number_of_jobs, seeds_from
from lda_app.cli.training_options import COUNTING, ConfigFile, given, nameable, training_flags
from lda_app.config import TrainConfig, config_from_dict, resolve_config
from lda_app.corpus.options import SourceOptions, WordOptions
from lda_app.errors import ConfigError
from lda_app.system.runtime import log
from lda_app.system.storage import folder_lock, read_manifest

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lda_app.corpus.folder import Corpus
    from lda_app.evaluation.stability import TopicStability
    from lda_app.fitted.folder import ModelDir

_WORDS = 8

RunOrCorpus = Annotated[
    str,
    typer.Argument(
        metavar="RUN|CORPUS",
        help="A model, to score its topics against models retrained with other seeds; or a corpus, as for "
        "[bold]train[/], to train models with several seeds and score each against the others.",
        show_default=False,
    ),
]
Runs = Annotated[
    int,
    typer.Option("--num-seeds", min=1, max=1000, help="Models to train, one per seed."),
]


@with_groups(training=training_flags(), reading=SourceOptions, words=WordOptions)
def stability(
    ctx: typer.Context,
    source: RunOrCorpus,
    *,
    runs: Runs = 10,
    out: StudyFolder = None,
    jobs: Jobs = None,
    corpus: CorpusOfRun = None,
    config: ConfigFile = None,
    training: Any,
    reading: SourceOptions,
    words: WordOptions,
    as_json: JsonFlag = False,
    overwrite: Overwrite = False,
) -> None:
    """Measure which topics are found again with other random seeds.

    The topics of two models are aligned one to one; a topic counts as found in the other model if its
    match there is similar enough. Each topic's score, such as "found in 9 of 10", is saved in the model's
    folder and shown by [bold]lda-app topics[/]. A RUN is retrained with its own options, in RUN.stability
    unless --out is given. Merged and hidden topics are scored individually. After
    Ctrl-C, run the same command again to resume; nothing is lost.
    """
    from lda_app.cli.tables import print_json, print_out

    if _is_run(source):
        for flag in given(ctx, *COUNTING, *(field.name for field in fields(training)), "config"):
            raise ConfigError(f"a run is retrained with its own options; leave out {flag}")
        place = nameable(out or _beside(Path(source)))
        scores = _of_run(Path(source), corpus, place, runs, number_of_jobs(jobs), overwrite=overwrite)
    else:
        place, settings = _place_for(source, corpus, out, runs), resolve_config(vars(training), config)
        with folder_lock(place):
            counts = counts_of(ctx, source, place, reading, words, overwrite=overwrite)
            scores = _of_corpus(place, counts, settings, runs, number_of_jobs(jobs), overwrite=overwrite)
    if as_json:
        print_json(scores.to_dict())
    else:
        print_out(*_tables(scores))
    log.info("Models saved in %s; lda-app topics %s also shows the scores", place, scores.model.path)


@dataclass(frozen=True)
class _Scores:
    """The topics of a model, scored against other runs.

    Parameters
    ----------
    model
        The model whose topics are scored.
    stability
        The scores.
    resembling
        Share of topics that resemble another topic of their own run.
    runs
        Scores of whole runs, if each was scored against the others.
    """

    model: "ModelDir"
    stability: "TopicStability"
    resembling: float
    runs: tuple[dict[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything in a form that JSON can hold."""
        scores = self.stability.to_dict()
        found = {"run": str(self.model.path), "resembling": self.resembling, "runs": list(self.runs)}
        return {"schema_version": scores["schema_version"], **found, **scores}


def _of_run(
    run: Path, given_corpus: Path | None, place: Path, runs: int, jobs: int, *, overwrite: bool
) -> _Scores:
    """Retrain a run with other seeds, and score its topics against them."""
    from lda_app.evaluation.stability import resembling
    from lda_app.fitted.folder import open_model
    from lda_app.studies.pool import run_cells
    from lda_app.studies.seeds import score_run
    from lda_app.studies.study import Cell, begin_study

    model = open_model(run)
    training = config_from_dict(model.config["training"], str(run))
    counts = corpus_of_run(model, given_corpus)
    cells = [Cell(training.num_topics, seed) for seed in seeds_from(training.seed + 1, runs)]
    with folder_lock(place):
        study = begin_study(place, counts, training, overwrite=overwrite)
        run_cells(study, cells, jobs)
    return _Scores(model, score_run(model, study, cells), resembling([model.beta]))


def _of_corpus(
    place: Path, counts: "Corpus", settings: TrainConfig, runs: int, jobs: int, *, overwrite: bool
) -> _Scores:
    """Train models with several seeds, score them against each other, and return the most typical one."""
    from lda_app.fitted.folder import open_model
    from lda_app.studies.pool import run_cells
    from lda_app.studies.seeds import score_each_other
    from lda_app.studies.study import Cell, begin_study

    study = begin_study(place, counts, settings, overwrite=overwrite)
    cells = [Cell(settings.num_topics, seed) for seed in seeds_from(settings.seed, runs)]
    run_cells(study, cells, jobs)
    agreed = score_each_other(study, cells)
    of_runs = [agreed.of_run(number) for number in range(runs)]
    described = tuple(
        {"name": cell.name, "mean_similarity": scores.similarity, "found_share": scores.found_share}
        for cell, scores in zip(cells, of_runs, strict=True)
    )
    typical = agreed.most_typical
    model = open_model(study.model_path(cells[typical]))
    return _Scores(model, of_runs[typical], agreed.resembling, described)


def _place_for(source: str, corpus: Path | None, out: Path | None, runs: int) -> Path:
    """Return the folder of a study of a corpus; reject options that do not apply to one."""
    if corpus is not None:
        raise ConfigError(f"--corpus applies only to a run, and {source} is not a run; leave it out")
    if out is None:
        raise ConfigError("stability of a corpus needs --out FOLDER to save the models in")
    if runs < 2:
        raise ConfigError(
            "--num-seeds must be at least 2: the models of a corpus are scored against each other"
        )
    return nameable(out)


def _is_run(source: str) -> bool:
    return is_corpus(source) and read_manifest(Path(source), "model")["kind"] == "model"


def _beside(run: Path) -> Path:
    run = nameable(run)
    return run.with_name(f"{run.name}.stability")


def _tables(scores: _Scores) -> "list[RenderableType]":
    """Lay out the scores, most stable topics first, with an explanation."""
    import numpy as np
    from rich.text import Text

    from lda_app.cli.tables import new_table
    from lda_app.evaluation.stability import FOUND
    from lda_app.fitted.topics import leading_words

    stability = scores.stability
    table = new_table(str(scores.model.path))
    labels = scores.model.labels
    names = ["" if (name := labels.name(topic)) is None else name for topic in range(labels.num_topics)]
    for column in ("topic", "found in", "similarity"):
        table.add_column(column, justify="right")
    if any(names):
        table.add_column("label", overflow="fold")
    table.add_column("top words")
    words = leading_words(scores.model.beta, scores.model.vocabulary.words, _WORDS)
    for topic in np.lexsort((-stability.mean_similarity, -stability.found_in)).tolist():
        table.add_row(
            str(topic),
            f"{stability.found_in[topic]} of {stability.num_runs}",
            f"{stability.mean_similarity[topic]:.2f}",
            *([names[topic]] if any(names) else []),
            " ".join(words[topic]),
        )
    summary = (
        f"On average, {stability.found_share:.0%} of the topics are found again with another seed; mean "
        f"similarity {stability.similarity:.2f}."
    )
    protocol = (
        f"found: similarity (Bhattacharyya coefficient over all words) to the matched topic is {FOUND} or "
        "higher, topics matched one to one; share of topics that similar to another topic of their own run: "
        f"{scores.resembling:.1%}"
    )
    return [table, Text(summary, style="bold"), Text(protocol, style="dim")]
