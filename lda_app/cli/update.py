"""``lda-app update``: let a model learn from new text, and tell what became of its topics."""

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

    from lda_app.config import TrainConfig
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.labels import Labels
    from lda_app.update.drift import AverageShares, TopicDrift

_WORDS_NAMED = 10
_WORDS_OF_A_TOPIC = 4

Out = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="RUN",
        help="The folder of the new model; RUN stays as it is. Its corpus is built beside it.",
        show_default=False,
    ),
]
Weight = Annotated[
    float,
    typer.Option(
        "--weight",
        min=0.001,
        max=1000.0,
        help="How much what the topics have counted so far counts: 1 as much as the new text does, word for "
        "word; less lets them change faster.",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps", min=1, help="Training steps.", show_default="as train makes for so many documents"
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
    """Let a model learn from new text.

    The topics keep their numbers and their labels, and what they have counted so far; words of the new text
    are added to the vocabulary. Then come a line a topic: how like its words are to what they were, which are
    new among the first 20, and how its prevalence in the new text differs from that in the old. A topic is
    [bold]moved[/] if its words have become those of another. Merged and hidden topics are told one by one.
    """
    from lda_app.config import config_from_dict
    from lda_app.fitted.folder import open_model
    from lda_app.training.run import require_free
    from lda_app.update.learn import topics_to_go_on_with, update_model

    if is_corpus(source):
        raise ConfigError(f"{source} is a corpus folder; give the texts themselves, such as it was built of")
    if out.resolve() == run.resolve():
        raise ConfigError(f"--out {out} is the model to go on from; give the new one another folder")
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
    _tell(_compare(model, open_model(out), new, corpus), as_json=as_json)


def _build(
    model: "ModelDir",
    source: str,
    reading: SourceOptions,
    out: Path,
    config: "TrainConfig",
    *,
    overwrite: bool,
) -> "Corpus":
    """Count the new text as the model's was, with words of its own added."""
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
class _Told:
    """What is to be told of an update."""

    run: Path
    drifts: "list[TopicDrift]"
    labels: "Labels"
    words: list[list[str]]
    """The topics' words, after."""
    new_words: list[str]
    """Words that were added to the vocabulary, the most frequent first."""
    new_tokens: int
    """Tokens of them in the new text."""
    num_documents: int
    num_tokens: int


def _compare(model: "ModelDir", new_model: "ModelDir", new: "Corpus", given: Path | None) -> _Told:
    """Compare a model before and after."""
    import numpy as np

    from lda_app.fitted.topics import leading_words
    from lda_app.runtime import one_line
    from lda_app.update.drift import mean_shares, topic_drift
    from lda_app.update.learn import old_columns

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
    return _Told(
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
    """Average the shares of the old documents by the new model; None if they are not there any more."""
    from lda_app.corpus.counting import relabel
    from lda_app.runtime import log
    from lda_app.update.drift import mean_shares

    if given is None and recorded_place(model) is None:
        log.warning(
            "the corpus %s is not there, so prevalence is not compared; give --corpus",
            model.config["corpus"]["path"],
        )
        return None
    doc_term = corpus_of_run(model, given).split("train")
    widened = relabel(doc_term, columns, len(new_model.vocabulary))
    return mean_shares(widened, new_model.posterior)


def _tell(told: _Told, *, as_json: bool) -> None:
    from lda_app.cli.tables import print_json, print_out
    from lda_app.runtime import log

    if as_json:
        print_json(_document(told))
    else:
        print_out(_table(told))
    named = ", ".join(told.new_words[:_WORDS_NAMED])
    log.info("New text: %s documents, %s tokens", f"{told.num_documents:,}", f"{told.num_tokens:,}")
    log.info(
        "Words new to the vocabulary: %s, %.1f%% of the new tokens%s",
        f"{len(told.new_words):,}",
        100 * told.new_tokens / told.num_tokens,
        f"; {named}{' …' if len(told.new_words) > _WORDS_NAMED else ''}" if named else "",
    )
    moved = [str(drift.topic) for drift in told.drifts if drift.moved]
    log.info("Topics that moved: %s", ", ".join(moved) or "none")
    log.info("Next: lda-app topics %s", shlex.quote(str(told.run)))


def _table(told: _Told) -> Any:
    from lda_app.cli.tables import new_table

    table = new_table()
    for column in ("topic", "similarity", "before", "after", "difference"):
        table.add_column(column, justify="right")
    for column in ("", "words", "gained", "lost"):
        table.add_column(column, overflow="fold")
    for drift in sorted(told.drifts, key=lambda drift: drift.similarity):
        name = told.labels.name(drift.topic) or " ".join(told.words[drift.topic])
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


def _document(told: _Told) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "num_documents": told.num_documents,
        "num_tokens": told.num_tokens,
        "new_words": told.new_words,
        "new_tokens": told.new_tokens,
        "interval": 0.95,
        "topics": [
            {"label": told.labels.name(drift.topic), **drift.to_dict()}
            for drift in sorted(told.drifts, key=lambda drift: drift.topic)
        ],
    }
