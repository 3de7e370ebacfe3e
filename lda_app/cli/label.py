"""``lda-app label``: name, merge and hide topics without changing the model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lda_app.cli.options import JsonFlag, RunFolder
from lda_app.cli.shown_topics import topics_of
from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from lda_app.analysis.match_labels import Match
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.labels import Labels

_WORDS = 8

Text = Annotated[str | None, typer.Argument(metavar="TEXT", help="New name for --topic.", show_default=False)]
Topic = Annotated[
    int | None, typer.Option("--topic", metavar="TOPIC", help="The topic to name.", show_default=False)
]
Clear = Annotated[bool, typer.Option("--clear", help="Remove the name of --topic.")]
Merge = Annotated[
    str | None,
    typer.Option(
        "--merge",
        metavar="TOPIC,TOPIC,…",
        help="Show these topics as one, merged into the first.",
        show_default=False,
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        metavar="TOPIC,…",
        help="Undo the merging of these topics and of those merged into them.",
        show_default=False,
    ),
]
Hide = Annotated[
    str | None,
    typer.Option("--hide", metavar="TOPIC,…", help="Hide these topics in all output.", show_default=False),
]
Show = Annotated[
    str | None,
    typer.Option("--show", metavar="TOPIC,…", help="Show hidden topics again.", show_default=False),
]
Import = Annotated[
    Path | None,
    typer.Option(
        "--import",
        metavar="FILE",
        help="Import names, merged and hidden topics from a labels.json, such as one saved by the report; "
        "replaces the current labels.",
        show_default=False,
    ),
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="RUN",
        help="Carry labels over from another model to the topics that clearly match, and list the others.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class _Edit:
    """The requested changes."""

    text: str | None
    topic: int | None
    clear: bool
    merge: str | None
    split: str | None
    hide: str | None
    show: str | None

    def apply(self, labels: "Labels") -> "Labels":
        """Apply all changes to the labels: split first, then merge, hide and name."""
        if self.split is not None:
            labels = labels.split(topics_of("--split", self.split))
        if self.merge is not None:
            labels = _merged(labels, topics_of("--merge", self.merge))
        for option, hide in (("hide", True), ("show", False)):
            if (topics := getattr(self, option)) is not None:
                labels = labels.hidden(topics_of(f"--{option}", topics), hide=hide)
        return self._named(labels)

    def _named(self, labels: "Labels") -> "Labels":
        if (self.topic is None) != (self.text is None and not self.clear):
            raise ConfigError('a name and --topic go together: lda-app label RUN --topic 3 "space flight"')
        if self.text is not None and self.clear:
            raise ConfigError("--clear removes the name; leave out either the name or --clear")
        return labels if self.topic is None else labels.named(self.topic, self.text)


def label(
    run: RunFolder,
    text: Text = None,
    *,
    topic: Topic = None,
    clear: Clear = False,
    merge: Merge = None,
    split: Split = None,
    hide: Hide = None,
    show: Show = None,
    from_file: Import = None,
    from_run: From = None,
    as_json: JsonFlag = False,
) -> None:
    """Name, merge or hide topics; without options, show the current labels.

    Labels are saved in the model's folder, in labels.json, and used by all commands. The model itself and its
    topic numbers do not change. A merged topic has the sum of its parts' shares, and the words of their
    mixture.
    """
    from lda_app.fitted.folder import open_model
    from lda_app.fitted.labels import write_labels

    model = open_model(run)
    labels = before = model.labels
    if from_file is not None and from_run is not None:
        raise ConfigError("--import and --from both replace the labels; give only one of them")
    if from_file is not None:
        labels = _imported(model, from_file)
    if from_run is not None:
        labels = _carried(model, from_run)
    labels = _Edit(text, topic, clear, merge, split, hide, show).apply(labels)
    if labels.to_dict() != before.to_dict():
        write_labels(run, labels)
    _print(model, labels, as_json=as_json)


def _imported(model: "ModelDir", file: Path) -> "Labels":
    """Read a label file; reject one that belongs to another model."""
    from lda_app.fitted.labels import read_labels_file
    from lda_app.system.storage import content_fingerprint

    labels, about = read_labels_file(file, len(model.alpha))
    if about is not None and about != content_fingerprint(model.path, "model"):
        raise ConfigError(
            f"--import {file}: these labels belong to a different model than {model.path}; use --from RUN to "
            "carry labels over from their own run"
        )
    return labels


def _carried(model: "ModelDir", run: Path) -> "Labels":
    """Carry labels over from another model, and warn of those that were not."""
    from lda_app.analysis.match_labels import carry_over, match_topics
    from lda_app.fitted.folder import open_model
    from lda_app.system.runtime import log

    old = open_model(run)
    labels = old.labels
    if not labels.topics:
        raise ConfigError(f"--from {run}: this model has no labels to carry over")
    matches = match_topics(old.beta, old.vocabulary.words, model.beta, model.vocabulary.words)
    for match in matches:
        entry = labels.topics.get(match.old)
        if entry is not None and not match.sure:
            log.warning("not carried over: %s", _doubt(match, entry.label))
    return carry_over(labels, matches, len(model.alpha))


def _doubt(match: "Match", label: str | None) -> str:
    """Explain why a topic's label is not carried over."""
    topic = f"topic {match.old}" + (f" ({label})" if label else "")
    if match.new is None:
        return f"{topic}: no topic left to match"
    return (
        f"{topic}: closest to the new topic {match.new} with similarity {match.similarity:.2f}, "
        f"second best {match.second:.2f}"
    )


def _merged(labels: "Labels", topics: list[int]) -> "Labels":
    into, *others = topics
    if not others:
        raise ConfigError(f"--merge needs at least two topics, such as 3,7; got {into}")
    return labels.merged(into, others)


def _print(model: "ModelDir", labels: "Labels", *, as_json: bool) -> None:
    from lda_app.cli.tables import new_table, print_json, print_out

    words = model.labelled(labels).only(labels.ids).words(_WORDS)
    if as_json:
        print_json(labels.to_dict() | {"num_topics": labels.num_topics, "shown": list(labels.shown)})
        return
    table = new_table()
    table.add_column("topic", justify="right")
    for column in ("label", "", "top words"):
        table.add_column(column, overflow="fold")
    for topic in labels.ids:
        table.add_row(str(topic), labels.name(topic) or "", _remark(labels, topic), " ".join(words[topic]))
    print_out(table)


def _remark(labels: "Labels", topic: int) -> str:
    parts = [str(member) for member in labels.members(topic) if member != topic]
    merged = f"merged with {', '.join(parts)}" if parts else ""
    hidden = "hidden" if labels.entry(topic).hidden else ""
    return ", ".join(filter(None, (merged, hidden)))
