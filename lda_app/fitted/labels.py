"""The analyst's labels: topic names, merged topics and hidden topics.

They are stored in ``labels.json``, separate from the model, which stays as trained. A merged topic has the
number of the topic that others were merged into. Merging is exact: if θ ~ Dirichlet(a), summing some
components gives a Dirichlet again, with the corresponding sum of a.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.errors import ConfigError, FolderError
from lda_app.system.storage import read_annotation, read_json, write_annotation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from lda_app.fitted.inference import FloatArray

FILE = "labels.json"
SCHEMA_VERSION = 1
_LONGEST_LABEL = 200


@dataclass(frozen=True)
class TopicLabel:
    """Label of one topic.

    Parameters
    ----------
    label
        Name of the topic, or None.
    hidden
        Whether to hide the topic.
    merged_into
        Topic that it is merged into, or None.
    """

    label: str | None = None
    hidden: bool = False
    merged_into: int | None = None


@dataclass(frozen=True)
class Labels:
    """Labels of a model's topics.

    Parameters
    ----------
    num_topics
        K, number of topics in the model.
    topics
        Topic → label; a topic without an entry is unlabelled.

    Raises
    ------
    ConfigError
        If a topic does not exist, a label is empty or has line breaks, or merges form a cycle.

    Examples
    --------
    >>> labels = Labels(4).named(3, "space flight").merged(3, [1]).hidden([0])
    >>> labels.ids, labels.shown, labels.name(3), labels.members(3)
    ((0, 2, 3), (2, 3), 'space flight', (1, 3))
    """

    num_topics: int
    topics: Mapping[int, TopicLabel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for topic, entry in self.topics.items():
            self._require_topic(topic)
            if entry.label is not None:
                _require_label(topic, entry.label)
            if entry.merged_into is not None:
                self._require_topic(entry.merged_into)
            self._root(topic)

    @cached_property
    def roots(self) -> npt.NDArray[np.int64]:
        """For each topic of the model, the topic it is shown as, (K,)."""
        return np.array([self._root(topic) for topic in range(self.num_topics)], dtype=np.int64)

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """Topics that are not merged into another, including hidden ones."""
        return tuple(np.unique(self.roots).tolist())

    @property
    def shown(self) -> tuple[int, ...]:
        """Visible topics."""
        return tuple(topic for topic in self.ids if not self.entry(topic).hidden)

    def entry(self, topic: int) -> TopicLabel:
        """Return the label entry of a topic."""
        return self.topics.get(topic, TopicLabel())

    def name(self, topic: int) -> str | None:
        """Return a topic's name, or None."""
        return self.entry(topic).label

    def members(self, topic: int) -> tuple[int, ...]:
        """Return the topics merged into this one, including itself."""
        return tuple(np.flatnonzero(self.roots == topic).tolist())

    def named(self, topic: int, label: str | None) -> Labels:
        """Name a topic, or remove its name with None."""
        return self._with({topic: replace(self.entry(topic), label=label)})

    def hidden(self, topics: Iterable[int], *, hide: bool = True) -> Labels:
        """Hide or unhide topics."""
        return self._with({topic: replace(self.entry(topic), hidden=hide) for topic in topics})

    def merged(self, into: int, topics: Iterable[int]) -> Labels:
        """Merge topics into another."""
        return self._with({topic: replace(self.entry(topic), merged_into=into) for topic in topics})

    def split(self, topics: Iterable[int]) -> Labels:
        """Undo the merges of topics, and of those merged into them."""
        apart = set(topics)
        freed = apart | set(np.flatnonzero(np.isin(self.roots, list(apart))).tolist())
        return self._with({topic: replace(self.entry(topic), merged_into=None) for topic in freed})

    @property
    def shown_columns(self) -> list[int]:
        """Positions of the visible topics in ``ids``."""
        return [column for column, topic in enumerate(self.ids) if not self.entry(topic).hidden]

    def merge_columns(self, values: FloatArray) -> FloatArray:
        """Sum the columns of merged topics: (…, K) to (…, G), in the order of ``ids``.

        Exact for shares, for α, and for the concentration of a Dirichlet.
        """
        if len(self.ids) == self.num_topics:
            return values
        sums = np.zeros((*values.shape[:-1], len(self.ids)), dtype=values.dtype)
        for column, topic in enumerate(self.ids):
            sums[..., column] = values[..., list(self.members(topic))].sum(axis=-1)
        return sums

    def merge_beta(self, alpha: FloatArray, beta: FloatArray) -> FloatArray:
        """Topic-word probabilities (G, V) of the topics after merging.

        A merged topic mixes its parts k with weights α_k / Σ α, the prior mean.
        """
        if len(self.ids) == self.num_topics:
            return beta
        parts = [list(self.members(topic)) for topic in self.ids]
        return np.stack([np.average(beta[part], axis=0, weights=alpha[part]) for part in parts])

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dictionary."""
        entries = {
            str(topic): {"label": e.label, "hidden": e.hidden, "merged_into": e.merged_into}
            for topic, e in sorted(self.topics.items())
            if e != TopicLabel()
        }
        return {"schema_version": SCHEMA_VERSION, "topics": entries}

    def _with(self, changes: Mapping[int, TopicLabel]) -> Labels:
        return Labels(self.num_topics, {**self.topics, **changes})

    def _root(self, topic: int) -> int:
        seen = [topic]
        while (into := self.entry(topic).merged_into) is not None:
            if into in seen:
                raise ConfigError(f"circular merge of topics: {' into '.join(map(str, [*seen, into]))}")
            seen.append(into)
            topic = into
        return topic

    def _require_topic(self, topic: int) -> None:
        if not 0 <= topic < self.num_topics:
            raise ConfigError(f"there is no topic {topic}; the model has topics 0 to {self.num_topics - 1}")


def read_labels(run: Path, num_topics: int) -> Labels:
    """Read a model's labels; empty if there is no ``labels.json``.

    Raises
    ------
    FolderError
        If the file is corrupt.
    """
    content = read_annotation(run, FILE)
    return Labels(num_topics) if content is None else labels_from_dict(content, num_topics, str(run / FILE))


def write_labels(run: Path, labels: Labels) -> None:
    """Save a model's labels.

    Raises
    ------
    FileSystemError
        If the file cannot be written.
    """
    write_annotation(run, FILE, labels.to_dict())


def labels_from_dict(content: Mapping[str, Any], num_topics: int, source: str) -> Labels:
    """Create labels from the content of a ``labels.json``.

    Parameters
    ----------
    content
        Dictionary in the format of :meth:`Labels.to_dict`.
    num_topics
        K, number of topics in the model.
    source
        Origin of the content, for error messages.

    Raises
    ------
    FolderError
        If the content is invalid.

    Examples
    --------
    >>> labels_from_dict({"topics": {"1": {"label": "sport"}}}, 2, "labels.json").name(1)
    'sport'
    """
    try:
        entries = content["topics"]
        topics = {int(topic): _entry(entry) for topic, entry in entries.items()}
        return Labels(num_topics, topics)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FolderError(f"{source}: not a valid label file: {error!r}; fix or remove it") from None
    except ConfigError as error:
        raise FolderError(f"{source}: {error}") from None


def read_labels_file(file: Path, num_topics: int) -> tuple[Labels, str | None]:
    """Read labels from a user's file, such as one downloaded from the report.

    Returns
    -------
    tuple
        The labels, and the fingerprint of their model if the file contains it.

    Raises
    ------
    FolderError
        If the file cannot be read or contains no labels.
    """
    content = read_json(file)
    labels = labels_from_dict(content, num_topics, str(file))
    return labels, content.get("about")


def _entry(entry: Mapping[str, Any]) -> TopicLabel:
    label, hidden, into = entry.get("label"), entry.get("hidden", False), entry.get("merged_into")
    if not (isinstance(label, str | None) and isinstance(hidden, bool) and isinstance(into, int | None)):
        raise TypeError(f"expected label, hidden and merged_into, got {dict(entry)!r}")
    return TopicLabel(label, hidden, into)


def _require_label(topic: int, label: str) -> None:
    if not label.strip() or not label.isprintable() or len(label) > _LONGEST_LABEL:
        raise ConfigError(
            f"the label of topic {topic} must be printable text of 1 to {_LONGEST_LABEL} characters, "
            f"got {label!r}"
        )
