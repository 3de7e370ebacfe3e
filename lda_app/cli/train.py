"""``lda-app train``: learn the topics of a corpus, or go on with a run that was interrupted."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lda_app.cli.corpus import (
    KeepCase,
    Language,
    MaxDf,
    MaxVocab,
    MinDf,
    Normalize,
    StopWordList,
    is_corpus,
    preprocess_options,
    resolve_corpus,
)
from lda_app.cli.options import (
    Delimiter,
    Encoding,
    EncodingErrors,
    IdColumn,
    InputFormat,
    Overwrite,
    Pattern,
    SkipBadLines,
    TextColumn,
)
from lda_app.config import TrainConfig, resolve_config
from lda_app.errors import ConfigError, FolderError
from lda_app.runtime import log
from lda_app.storage import check_replaceable, folder_lock

if TYPE_CHECKING:
    from lda_app.corpus.folder import Corpus

# What decides on the counts; it has no say where they were made before.
_COUNTING = (
    *("text_column", "id_column", "input_format", "delimiter", "pattern", "encoding", "encoding_errors"),
    *("skip_bad_lines", "language", "stop_words", "normalize", "keep_case", "min_df", "max_df", "max_vocab"),
)
_MODEL = "The model"
_TRAINING = "The training"


def _option(flag: str, help_text: str, panel: str, default: object, metavar: str | None = None) -> Any:
    return typer.Option(
        flag, help=help_text, rich_help_panel=panel, show_default=str(default), metavar=metavar
    )


_DEFAULT = TrainConfig()
NumTopics = Annotated[
    int | None, _option("--num-topics", "K, the number of topics.", _MODEL, _DEFAULT.num_topics)
]
TopicUpdate = Annotated[
    Literal["refined", "elbo"] | None,
    _option(
        "--topic-update",
        "How topics and alpha learn: from samples of the guide [bold]refined[/] by local Gibbs sweeps, or "
        "from the [bold]elbo[/] alone.",
        _MODEL,
        _DEFAULT.topic_update,
        "WAY",
    ),
]
Alpha = Annotated[
    float | None, _option("--alpha", "Where the prior of the topic shares starts.", _MODEL, _DEFAULT.alpha)
]
Eta = Annotated[float | None, _option("--eta", "Prior of the words of a topic.", _MODEL, _DEFAULT.eta)]
Unroll = Annotated[
    int | None, _option("--unroll", "Mean-field steps of the encoder.", _MODEL, _DEFAULT.unroll)
]
Hidden = Annotated[
    int | None, _option("--hidden", "Width of the encoder's hidden layer.", _MODEL, _DEFAULT.hidden)
]
Epochs = Annotated[
    int | None,
    _option("--epochs", "Passes over the documents.", _TRAINING, "as many as make 2,000 steps, from 2 to 50"),
]
BatchSize = Annotated[
    int | None,
    _option("--batch-size", "Documents a step.", _TRAINING, "as many as have about 14,000 words"),
]
LearningRate = Annotated[
    float | None,
    _option("--learning-rate", "Adam's rate for the encoder.", _TRAINING, _DEFAULT.learning_rate),
]
ValidationFraction = Annotated[
    float | None,
    _option(
        "--validation-fraction",
        "Share of the training documents, at most 500, held out to choose the best weights.",
        _TRAINING,
        _DEFAULT.validation_fraction,
        "SHARE",
    ),
]
Patience = Annotated[
    int | None,
    _option(
        "--patience",
        "Stop the second half of a run early after so many validations, of 20 a run, without a better one.",
        _TRAINING,
        _DEFAULT.patience,
    ),
]
TrainSeed = Annotated[
    int | None,
    _option(
        "--seed", "Seed of every random choice; the same seed, the same model.", _TRAINING, _DEFAULT.seed
    ),
]
Device = Annotated[
    Literal["auto", "cpu", "cuda"] | None,
    _option(
        "--device", "Where to compute; auto takes CUDA where there is some.", _TRAINING, "auto", "DEVICE"
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A TOML file of options, such as num_topics = 50; flags win over it.",
        show_default=False,
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="RUN",
        help="Go on with a run that was interrupted; it ends as if it had never stopped.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="RUN",
        help="The folder of the model to write; must not exist.",
        show_default=False,
    ),
]
CorpusArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="CORPUS",
        help="A corpus folder, or what [bold]corpus build[/] takes: a name, a file, a folder of texts or "
        "[bold]-[/]. Its counts are then built beside RUN.",
        show_default=False,
    ),
]


def train(
    ctx: typer.Context,
    corpus: CorpusArgument = None,
    *,
    out: Out = None,
    resume: Resume = None,
    config: ConfigFile = None,
    num_topics: NumTopics = None,
    topic_update: TopicUpdate = None,
    alpha: Alpha = None,
    eta: Eta = None,
    unroll: Unroll = None,
    hidden: Hidden = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    validation_fraction: ValidationFraction = None,
    patience: Patience = None,
    seed: TrainSeed = None,
    device: Device = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    input_format: InputFormat = None,
    delimiter: Delimiter = None,
    pattern: Pattern = "*.txt",
    encoding: Encoding = "utf-8",
    encoding_errors: EncodingErrors = "strict",
    skip_bad_lines: SkipBadLines = False,
    language: Language = "en",
    stop_words: StopWordList = "default",
    normalize: Normalize = "none",
    keep_case: KeepCase = False,
    min_df: MinDf = None,
    max_df: MaxDf = None,
    max_vocab: MaxVocab = 10_000,
    overwrite: Overwrite = False,
) -> None:
    """Learn the topics of a corpus.

    Ctrl-C ends the run with a checkpoint; [bold]lda-app train --resume RUN[/] goes on from there. An option
    may come from a flag, from the environment (LDA_APP_TRAIN_NUM_TOPICS=50) or from the file of --config, in
    this order; all are kept in the model's config.json.
    """
    flags = {
        "num_topics": num_topics,
        "topic_update": topic_update,
        "alpha": alpha,
        "eta": eta,
        "unroll": unroll,
        "hidden": hidden,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "validation_fraction": validation_fraction,
        "patience": patience,
        "seed": seed,
        "device": device,
    }
    if resume is not None:
        for flag in _given(ctx, *_COUNTING, "overwrite", "config"):
            raise ConfigError(f"--resume goes on with the run as it was begun; leave out {flag}")
        _go_on(_nameable(resume), corpus, out, flags)
        return
    if corpus is None or out is None:
        raise ConfigError("train needs a CORPUS and --out RUN, or --resume RUN")
    settings = resolve_config(flags, config)
    from lda_app.corpus.sources import SourceOptions

    source_options = SourceOptions(
        format=input_format,
        text_column=text_column,
        id_column=id_column,
        delimiter=delimiter,
        encoding=encoding,
        encoding_errors=encoding_errors,
        skip_bad_lines=skip_bad_lines,
        pattern=pattern,
    )
    words = preprocess_options(
        language=language,
        stop_words=stop_words,
        normalize=normalize,
        keep_case=keep_case,
        min_df=min_df,
        max_df=max_df,
        max_vocab=max_vocab,
    )
    out = _nameable(out)
    with folder_lock(out):
        _require_free(out, overwrite=overwrite)
        if is_corpus(corpus) and (ignored := _given(ctx, *_COUNTING)):
            log.warning("%s has its counts already: no effect of %s", corpus, ", ".join(ignored))
        built_at = out.with_name(f"{out.name}.corpus")
        counts = resolve_corpus(corpus, built_at, source_options, words, seed=settings.seed)
        from lda_app.training.run import train_model

        train_model(counts, settings, out, overwrite=overwrite)
    _report(out)


def _go_on(run: Path, corpus: str | None, out: Path | None, flags: Mapping[str, Any]) -> None:
    """Go on with an interrupted run; a finished one is left alone."""
    from lda_app.model_dir import open_model
    from lda_app.training.run import checkpoint_of, open_run, train_model

    if out is not None and out.resolve() != run.resolve():
        raise ConfigError(f"--resume {run} goes on in its own folder; leave out --out {out}")
    if checkpoint_of(run).exists():
        with folder_lock(run):
            saved = open_run(run)
            _require_same(asdict(saved.config), flags)
            train_model(_same_corpus(run, saved.corpus, corpus), saved.config, run, saved=saved)
        _report(run)
    elif run.exists():
        model = open_model(run)
        _require_same(model.config["training"], flags)
        if corpus is not None:
            _same_corpus(run, model.config["corpus"], corpus)
        log.info("%s is finished: nothing is left to do", run)
    else:
        raise FolderError(
            f"{run}: no run is there; begin one by lda-app train CORPUS --out {shlex.quote(str(run))}"
        )


def _nameable(path: Path) -> Path:
    """Return a path whose last part is a name, for files are put beside it: ``.`` and ``..`` have none."""
    return path if path.name and ".." not in path.parts else path.resolve()


def _given(ctx: typer.Context, *names: str) -> list[str]:
    """Return the flags among some options that stand on the command line."""
    flags = {parameter.name: parameter.opts[0] for parameter in ctx.command.params}
    sources = {name: ctx.get_parameter_source(name) for name in names}
    return [flags[name] for name, source in sources.items() if source and source.name == "COMMANDLINE"]


def _require_same(saved: Mapping[str, Any], flags: Mapping[str, Any]) -> None:
    for name, value in flags.items():
        if value is not None and value != saved[name]:
            flag = "--" + name.replace("_", "-")
            raise ConfigError(
                f"the run has {flag} {saved[name]}, not {value}; leave {flag} out, or begin another run"
            )


def _same_corpus(run: Path, saved: dict[str, str], given: str | None) -> "Corpus":
    """Open the corpus that a run was begun with, where it was or where the user says."""
    from lda_app.corpus.folder import open_corpus

    path = Path(given) if given is not None else run / saved["path"]
    if not path.exists():
        raise FolderError(
            f"{path}: the run's corpus is not there; say where it is: lda-app train CORPUS --resume {run}"
        )
    corpus = open_corpus(path)
    if corpus.fingerprint != saved["fingerprint"]:
        raise ConfigError(
            f"{path}: not the corpus that {run} was begun with: its fingerprint is "
            f"{corpus.fingerprint[:12]}, expected {saved['fingerprint'][:12]}"
        )
    return corpus


def _require_free(out: Path, *, overwrite: bool) -> None:
    """Refuse an output that is taken before the corpus is read."""
    from lda_app.training.run import checkpoint_of

    check_replaceable(out, "model", overwrite=overwrite)
    if checkpoint_of(out).exists() and not overwrite:
        raise ConfigError(
            f"{checkpoint_of(out)}: an unfinished run is there; go on with it by "
            f"lda-app train --resume {shlex.quote(str(out))}, or begin anew with --overwrite"
        )


def _report(out: Path) -> None:
    """Say where the model lies, how good it is, and what to try next."""
    from lda_app.model_dir import open_model

    metrics = open_model(out).metrics
    perplexity = metrics.get("validation_perplexity")
    figure = (
        "" if perplexity is None else f", document_completion perplexity {perplexity['value']:,.1f} held out"
    )
    log.info("Model in %s: best weights of step %d%s", out, metrics["best_step"], figure)
    run = shlex.quote(str(out))
    log.info("Next: lda-app topics %s, lda-app eval %s, lda-app transform %s FILE", run, run, run)
