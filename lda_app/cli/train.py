"""``lda-app train``: train a topic model on a corpus, or resume an interrupted run."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.cli.corpus import is_corpus, resolve_corpus
from lda_app.cli.groups import with_groups
from lda_app.cli.options import Overwrite
from lda_app.cli.training_options import COUNTING, ConfigFile, given, nameable, training_flags
from lda_app.config import MODEL, TrainConfig, config_from_dict, read_seed_words, resolve_config
from lda_app.corpus.options import SourceOptions, WordOptions
from lda_app.errors import ConfigError, FolderError
from lda_app.system.runtime import log
from lda_app.system.storage import folder_lock

if TYPE_CHECKING:
    from lda_app.corpus.folder import Corpus
    from lda_app.system.distributed import Group

SeedWords = Annotated[
    Path | None,
    typer.Option(
        "--seed-words",
        metavar="FILE",
        help='A TOML file with seed words for topics: space = \\["orbit", "nasa"]. Seeded topics come first, '
        "in alphabetical order; the others are unconstrained.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
SeedWeight = Annotated[
    float | None,
    typer.Option(
        "--seed-weight",
        help="Prior count of a seed word in its topic, per occurrence of the word in the corpus.",
        rich_help_panel=MODEL,
        show_default=str(TrainConfig.seed_weight),
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="RUN",
        help="Resume an interrupted run; the result is the same as without the interruption.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="RUN",
        help="Output folder for the model; must not exist.",
        show_default=False,
    ),
]
CorpusArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="CORPUS",
        help="A corpus folder, or what [bold]corpus build[/] takes: a name, a file, a folder of texts or "
        "[bold]-[/]. The corpus is then built next to RUN.",
        show_default=False,
    ),
]


@with_groups(training=training_flags(), reading=SourceOptions, words=WordOptions)
def train(
    ctx: typer.Context,
    corpus: CorpusArgument = None,
    *,
    out: Out = None,
    resume: Resume = None,
    config: ConfigFile = None,
    training: Any,
    seed_words: SeedWords = None,
    seed_weight: SeedWeight = None,
    reading: SourceOptions,
    words: WordOptions,
    overwrite: Overwrite = False,
) -> None:
    """Train a topic model on a corpus.

    Ctrl-C saves a checkpoint and stops; [bold]lda-app train --resume RUN[/] continues from there. Options are
    taken from flags, then from environment variables (LDA_APP_TRAIN_NUM_TOPICS=50), then from the --config
    file; all are saved in the model's config.json.
    """
    flags = {
        **vars(training),
        "seed_words": None if seed_words is None else read_seed_words(seed_words),
        "seed_weight": seed_weight,
    }
    if resume is not None:
        for flag in given(ctx, *COUNTING, "overwrite", "config"):
            raise ConfigError(f"--resume continues the run with its original options; leave out {flag}")
        with _first_of_group(nameable(resume)) as group:
            _resume(nameable(resume), corpus, out, flags, group)
        return
    if corpus is None or out is None:
        raise ConfigError("train needs a CORPUS and --out RUN, or --resume RUN")
    settings = resolve_config(flags, config)
    if is_corpus(corpus) and (ignored := given(ctx, *COUNTING)):
        log.warning("%s already has its word counts; ignored: %s", corpus, ", ".join(ignored))
    with _first_of_group(nameable(out)) as group:
        _begin(corpus, nameable(out), settings, reading, words, overwrite=overwrite, group=group)


@contextmanager
def _first_of_group(run: Path) -> Iterator["Group"]:
    """Continue in the first (or only) process; the others follow its instructions and exit here."""
    from lda_app.system.distributed import joined

    with joined() as group:
        if group.is_rank_zero:
            yield group
            return
        from lda_app.training.run import take_part, told_run

        told = told_run(group)
        take_part(_same_corpus(run, told.corpus, None), told, group)
        raise typer.Exit


def _begin(
    corpus: str,
    out: Path,
    settings: TrainConfig,
    reading: SourceOptions,
    words: WordOptions,
    *,
    overwrite: bool,
    group: "Group",
) -> None:
    """Start a new training."""
    from lda_app.training.run import require_free, train_model

    if group.world.world_size > 1 and not is_corpus(corpus):
        raise ConfigError(
            f"training with several processes needs a corpus folder; build one from {corpus} first"
        )
    with folder_lock(out):
        require_free(out, overwrite=overwrite)
        built_at = out.with_name(f"{out.name}.corpus")
        counts = resolve_corpus(corpus, built_at, reading, words, seed=settings.seed, overwrite=overwrite)
        train_model(counts, settings, out, overwrite=overwrite, group=group)
    _report(out)


def _resume(
    run: Path, corpus: str | None, out: Path | None, flags: Mapping[str, Any], group: "Group"
) -> None:
    """Resume an interrupted run; leave a finished one unchanged."""
    from lda_app.fitted.folder import open_model
    from lda_app.training.run import checkpoint_of, open_run, train_model

    if out is not None and out.resolve() != run.resolve():
        raise ConfigError(f"--resume {run} writes to its own folder; leave out --out {out}")
    if checkpoint_of(run).exists():
        with folder_lock(run):
            saved = open_run(run)
            _require_same(asdict(saved.config), flags)
            counts = _same_corpus(run, saved.corpus, corpus)
            train_model(counts, saved.config, run, saved=saved, group=group)
        _report(run)
    elif run.exists():
        model = open_model(run)
        _require_same(asdict(config_from_dict(model.config["training"], str(run))), flags)
        if corpus is not None:
            _same_corpus(run, model.config["corpus"], corpus)
        log.info("%s is already finished; nothing to do", run)
    else:
        raise FolderError(
            f"{run}: no such run; start one with lda-app train CORPUS --out {shlex.quote(str(run))}"
        )


def _require_same(saved: Mapping[str, Any], flags: Mapping[str, Any]) -> None:
    for name, value in flags.items():
        if value is not None and value != saved[name]:
            flag = "--" + name.replace("_", "-")
            raise ConfigError(
                f"the run has {flag} {saved[name]}, not {value}; leave out {flag}, or start a new run"
            )


def _same_corpus(run: Path, saved: dict[str, str], given: str | None) -> "Corpus":
    """Open a run's corpus at its recorded location, or where the user says it is."""
    from lda_app.corpus.folder import open_corpus

    # The run's folder need not exist yet, so the system cannot follow a path through it.
    recorded = Path(os.path.normpath(run.resolve() / saved["path"]))
    path = Path(given) if given is not None else recorded
    if not path.exists():
        raise FolderError(
            f"{path}: the run's corpus was not found; give its location: "
            f"lda-app train CORPUS --resume {shlex.quote(str(run))}"
        )
    corpus = open_corpus(path)
    if corpus.fingerprint != saved["fingerprint"]:
        raise ConfigError(
            f"{path}: not the corpus that {run} was started with: its fingerprint is "
            f"{corpus.fingerprint[:12]}, expected {saved['fingerprint'][:12]}"
        )
    return corpus


def _report(out: Path) -> None:
    """Log where the model is, how good it is, and what to do next."""
    from lda_app.fitted.folder import open_model

    metrics = open_model(out).metrics
    held_out = metrics.get("validation_perplexity")
    log.info("Model saved in %s after %s steps", out, f"{metrics['steps']:,}")
    if held_out is not None:
        log.info(
            "Held-out perplexity, %s: %s (%s documents, %s tokens)",
            held_out["protocol"],
            f"{held_out['value']:,.1f}",
            f"{held_out['num_documents']:,}",
            f"{held_out['num_tokens']:,}",
        )
    run = shlex.quote(str(out))
    log.info("Next: lda-app topics %s, lda-app eval %s, lda-app transform %s FILE", run, run, run)
