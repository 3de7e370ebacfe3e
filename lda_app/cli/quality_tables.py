"""The per-topic results of an evaluation as a table, and the notes below its summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from lda_app.cli.tables import new_table
from lda_app.system.runtime import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from lda_app.fitted.labels import Labels

_LISTED = 10  # topics or pairs that a note names
_WORDS = 3  # top words that identify a topic


def add_labels(figures: dict[str, Any], labels: Labels) -> None:
    """Add each topic's label to the results: ``name``, ``hidden``, ``merged_into``."""
    for topic in figures["topics"]:
        entry = labels.entry(topic["id"])
        topic |= {"name": entry.label, "hidden": entry.hidden, "merged_into": entry.merged_into}


def topics_table(figures: dict[str, Any]) -> list[RenderableType]:
    """Lay out the results by topic, most prevalent first, with a legend."""
    topics = sorted(figures["topics"], key=lambda topic: -topic["prevalence"])
    measures = list(topics[0]["coherence"])
    table = new_table()
    for name in ("topic", "share", *measures, "exclusivity", "uniform", "vacuous", "background", "like"):
        table.add_column(name, justify="right", overflow="fold")
    if figures["labels"]:
        table.add_column("label", overflow="fold")
    if named := any(topic.get("name") for topic in topics):
        table.add_column("name", overflow="fold")
    table.add_column("top words", overflow="ellipsis", no_wrap=True)
    for topic in topics:
        coherence = (f"{topic['coherence'][name]:.3f}" for name in measures)
        divergences = (f"{topic[f'kl_{name}']:.2f}" for name in ("uniform", "vacuous", "background"))
        like = ", ".join(map(str, topic["duplicate_of"]))
        label = [_label(topic["label"])] if figures["labels"] else []
        name = [topic["name"] or ""] if named else []
        table.add_row(
            str(topic["id"]), _share(topic), *coherence, f"{topic['exclusivity']:.3f}", *divergences, like,
            *label, *name, " ".join(map(one_line, topic["top_words"][:_WORDS])),
        )  # fmt: skip
    return [table, Text(_legend(figures), style="dim"), *notes(figures)]


def notes(figures: dict[str, Any]) -> list[RenderableType]:
    r"""List dead and duplicate topics, and what could not be measured.

    Examples
    --------
    >>> figures = {
    ...     "live_topics": {"dead": [3]},
    ...     "duplicate_topics": {"pairs": [{"topic": 0, "other": 2, "shared_words": 6}]},
    ...     "topics": [{"unseen_words": {"c_v": 0}}],
    ...     "coherence_left_out": None,
    ...     "labels": None,
    ... }
    >>> print(*notes(figures), sep="\n")
    dead topics: 3
    duplicate topics: 0 and 2 (6 words)
    """
    pairs = [
        f"{pair['topic']} and {pair['other']} ({pair['shared_words']} words)"
        for pair in figures["duplicate_topics"]["pairs"]
    ]
    unseen = max(sum(topic["unseen_words"].values()) for topic in figures["topics"])
    said = [
        _listing("dead topics", [str(topic) for topic in figures["live_topics"]["dead"]]),
        _listing("duplicate topics", pairs),
        _as_trained(figures["topics"]),
        "top words that do not occur in the reference get the lowest score: see unseen_words in --json"
        if unseen
        else "",
        figures["coherence_left_out"] or "",
        _unlabelled(figures["labels"]),
    ]
    return [Text(line, style="dim") for line in said if line]


def _as_trained(topics: Sequence[dict[str, Any]]) -> str:
    """Note that hidden and merged topics are evaluated too."""
    hidden = [str(topic["id"]) for topic in topics if topic.get("hidden")]
    merged = [f"{t['id']} into {t['merged_into']}" for t in topics if t.get("merged_into") is not None]
    parts = [_listing("hidden", hidden), _listing("merged", merged)]
    said = "; ".join(filter(None, parts))
    return f"topics are evaluated as trained, including those that are {said}" if said else ""


def _listing(what: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more; --json lists all" if len(names) > _LISTED else ""
    return f"{what}: {', '.join(names[:_LISTED])}{more}" if names else ""


def _unlabelled(labels: dict[str, Any] | None) -> str:
    if not labels or not labels["num_unlabelled"]:
        return ""
    return (
        f"left out: {labels['num_unlabelled']:,} documents without a label in {one_line(labels['column'])!r}"
    )


def _share(topic: dict[str, Any]) -> str:
    return f"{topic['prevalence']:.1%}" + (" dead" if topic["dead"] else "")


def _label(label: dict[str, Any] | None) -> str:
    return "" if label is None else f"{one_line(label['label'])} {label['share']:.0%}"


def _legend(figures: dict[str, Any]) -> str:
    first, split = figures["coherence"][0], figures["split"]
    words, reference = first["num_top_words"], one_line(first["reference_split"])
    label = "; label: the most frequent label of its documents" if figures["labels"] else ""
    return (
        f"coherence: of the top {words} words, in {reference}; exclusivity: their mean FREX; uniform, "
        f"vacuous, background: distance in nats from an uninformative topic; like: topics that share half of "
        f"the top words; share, background: on the {split} split{label}"
    )
