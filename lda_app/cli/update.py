"""``lda-app update``: update a model with new text, and show how its topics changed."""

import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.cli.corpus import is_corpus
from lda_app.cli.groups import with_groups
from lda_app.cli.options import JsonFlag, Overwrite, RunFolder, Seed, Source
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run, recorded_place
from lda_app.corpus.options import SourceOptions
from lda_app.errors import ConfigError
from lda_app.fitted.corpus import preprocessor_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lda_app.analysis.drift import AverageShares, TopicDrift
    from lda_app.config import TrainConfig
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.labels import Labels

_WORDS_NAMED = 10
_WORDS_OF_A_TOPIC = 4

Out = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="RUN",
        help="Folder for the new model; RUN is not changed. The new corpus is built next to it.",
        show_default=False,
    ),
]
Weight = Annotated[
    float,
    typer.Option(
        "--weight",
        min=0.001,
        max=1000.0,
        help="Weight of the old text relative to the new: at 1, every word counts the same; lower values let "
        "topics change faster.",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        help="Training steps.",
        show_default="as for train, depending on the number of documents",
    ),
]


@with_groups(reading=SourceOptions)
def update(
    run: RunFolder,
    source: Source,
    *,
    out: Out,
    reading: SourceOptions,
    weight: Weight = 1.0,
    steps: Steps = None,
    seed: Seed = 0,
    corpus: CorpusOfRun = None,
    as_json: JsonFlag = False,
    overwrite: Overwrite = False,
) -> None:
    """Update a model with new text.

    Topics keep their numbers, their labels and their word counts so far; new words are added to the
    vocabulary. The table shows for each topic how similar its words are to before, which of its top 20 words
    are new, and how its prevalence in the new text differs from the old. A topic is marked [bold]moved[/] if
    its words have changed so much that it is effectively a different topic. Merged and hidden topics are
    shown individually.
    """
    from lda_app.config import config_from_dict
    from lda_app.fitted.folder import open_model
    from lda_app.training.run import require_free
    from lda_app.training.update import topics_to_go_on_with, update_model

    if is_corpus(source):
        raise ConfigError(f"{source} is a corpus folder; give the texts themselves")
    if out.resolve() == run.resolve():
        raise ConfigError(f"--out {out} is the model to update; choose another folder for the new one")
    require_free(out, overwrite=overwrite)
    model = open_model(run)
    topics_to_go_on_with(model)
    config = config_from_dict(model.config["training"], str(run))
    config = replace(config, seed=seed, seed_words=None, epochs=None, steps=steps)
    new = _build(model, source, reading, out, config, overwrite=overwrite)
    try:
        update_model(model, new, config, out, weight=weight, overwrite=overwrite)
    except BaseException:
        shutil.rmtree(new.path)
        raise
    _print_results(_compare(model, open_model(out), new, corpus), as_json=as_json)


def _build(
    model: "ModelDir",
    source: str,
    reading: SourceOptions,
    out: Path,
    config: "TrainConfig",
    *,
    overwrite: bool,
) -> "Corpus":
    """Count the new text like the model's own, adding new words to the vocabulary."""
    from lda_app.corpus.folder import build_corpus
    from lda_app.corpus.sources import open_source

    base = preprocessor_of(model)
    return build_corpus(
        open_source(source, reading),
        out.with_name(f"{out.name}.corpus"),
        base.options,
        base=base,
        seed=config.seed,
        overwrite=overwrite,
    )


@dataclass(frozen=True)
class _Result:
    """The result of an update."""

    run: Path
    drifts: "list[TopicDrift]"
    labels: "Labels"
    words: list[list[str]]
    """The topics' top words after the update."""
    new_words: list[str]
    """Words added to the vocabulary, most frequent first."""
    new_tokens: int
    """Number of their tokens in the new text."""
    num_documents: int
    num_tokens: int


def _compare(model: "ModelDir", new_model: "ModelDir", new: "Corpus", given: Path | None) -> _Result:
    """Compare a model before and after."""
    import numpy as np

    from lda_app.analysis.drift import mean_shares, topic_drift
    from lda_app.fitted.topics import leading_words
    from lda_app.system.runtime import one_line
    from lda_app.training.update import old_columns

    words = new.vocabulary.words
    columns = old_columns(model.vocabulary.words, words)
    before = np.zeros((len(model.alpha), len(words)), dtype=np.float32)
    before[:, columns] = model.beta
    doc_term = new.split("train")
    after = mean_shares(doc_term, new_model.posterior)
    old = _old_shares(model, new_model, columns, given)
    frequency = np.bincount(doc_term.indices, weights=doc_term.counts, minlength=len(words))
    frequency[columns] = 0
    order = np.argsort(-frequency, kind="stable")[: len(words) - len(columns)]
    return _Result(
        new_model.path,
        topic_drift(before, new_model.beta, [one_line(word) for word in words], old, after),
        new_model.labels,
        leading_words(new_model.beta, words, _WORDS_OF_A_TOPIC),
        [one_line(words[w]) for w in order],
        int(frequency.sum()),
        after.num_documents,
        doc_term.num_tokens,
    )


def _old_shares(
    model: "ModelDir", new_model: "ModelDir", columns: "npt.NDArray[np.int32]", given: Path | None
) -> "AverageShares | None":
    """Average the new model's shares over the old documents; None if they are no longer available."""
    from lda_app.analysis.drift import mean_shares
    from lda_app.corpus.counting import relabel
    from lda_app.system.runtime import log

    if given is None and recorded_place(model) is None:
        log.warning(
            "corpus %s not found, so prevalence is not compared; use --corpus to give its location",
            model.config["corpus"]["path"],
        )
        return None
    doc_term = corpus_of_run(model, given).split("train")
    widened = relabel(doc_term, columns, len(new_model.vocabulary))
    return mean_shares(widened, new_model.posterior)


def _print_results(result: _Result, *, as_json: bool) -> None:
    from lda_app.cli.tables import print_json, print_out
    from lda_app.system.runtime import log

    if as_json:
        print_json(_document(result))
    else:
        print_out(_table(result))
    named = ", ".join(result.new_words[:_WORDS_NAMED])
    log.info("New text: %s documents, %s tokens", f"{result.num_documents:,}", f"{result.num_tokens:,}")
    log.info(
        "New words in the vocabulary: %s, %.1f%% of the new tokens%s",
        f"{len(result.new_words):,}",
        100 * result.new_tokens / result.num_tokens,
        f"; {named}{' …' if len(result.new_words) > _WORDS_NAMED else ''}" if named else "",
    )
    moved = [str(drift.topic) for drift in result.drifts if drift.moved]
    log.info("Topics that moved: %s", ", ".join(moved) or "none")
    log.info("Next: lda-app topics %s", shlex.quote(str(result.run)))


def _table(result: _Result) -> Any:
    from lda_app.cli.tables import new_table

    table = new_table()
    for column in ("topic", "similarity", "before", "after", "difference"):
        table.add_column(column, justify="right")
    for column in ("", "words", "gained", "lost"):
        table.add_column(column, overflow="fold")
    for drift in sorted(result.drifts, key=lambda drift: drift.similarity):
        name = result.labels.name(drift.topic) or " ".join(result.words[drift.topic])
        remark = "moved" if drift.moved else "drifted" if drift.drifted else ""
        gained, lost = (" ".join(words[:_WORDS_OF_A_TOPIC]) for words in (drift.gained, drift.lost))
        table.add_row(
            str(drift.topic), f"{drift.similarity:.2f}", *_prevalence(drift), remark, name, gained, lost
        )
    return table


def _prevalence(drift: "TopicDrift") -> tuple[str, str, str]:
    after = f"{drift.after:.1%}"
    if drift.before is None or drift.lower is None or drift.upper is None:
        return "", after, ""
    middle, half = (drift.lower + drift.upper) / 2, (drift.upper - drift.lower) / 2
    return f"{drift.before:.1%}", after, f"{100 * middle:+.1f} ± {100 * half:.1f}"


def _document(result: _Result) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "num_documents": result.num_documents,
        "num_tokens": result.num_tokens,
        "new_words": result.new_words,
        "new_tokens": result.new_tokens,
        "interval": 0.95,
        "topics": [
            {"label": result.labels.name(drift.topic), **drift.to_dict()}
            for drift in sorted(result.drifts, key=lambda drift: drift.topic)
        ],
    }
