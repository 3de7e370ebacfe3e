"""The topics that a command tells of, by the analyst's names, without those that are hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lda_app.labels import Labels
    from lda_app.model_dir import ModelDir

_WORDS = 4

ChosenTopics = Annotated[
    str | None,
    typer.Option(
        "--topics",
        metavar="TOPIC,…",
        help="Topics to tell of, by number.",
        show_default="all that are not hidden",
    ),
]


@dataclass(frozen=True)
class ShownTopics:
    """Topics by number, and what each is called.

    Parameters
    ----------
    labels
        What the analyst said of the model's topics.
    names
        Of each topic to show, by id: its label, or its top words.
    """

    labels: Labels
    names: Mapping[int, str]

    @classmethod
    def of(cls, model: ModelDir, chosen: str | None) -> ShownTopics:
        """Look up the topics of a model that a user chose, or all that are not hidden.

        Raises
        ------
        ConfigError
            If a chosen topic is not one of the model's that stand for themselves.
        """
        from lda_app.labels import read_labels
        from lda_app.runtime import one_line
        from lda_app.topics import top_words

        labels = read_labels(model.path, len(model.alpha))
        words = [one_line(word) for word in model.vocabulary.words]
        best = top_words(labels.merge_beta(model.alpha, model.beta), _WORDS).tolist()
        names = {
            topic: labels.name(topic) or ", ".join(words[word] for word in top)
            for topic, top in zip(labels.ids, best, strict=True)
        }
        shown = labels.shown if chosen is None else _parsed(chosen, labels.ids)
        return cls(labels, {topic: names[topic] for topic in shown})


def _parsed(text: str, available: tuple[int, ...]) -> tuple[int, ...]:
    """Read numbers of topics, each once."""
    parts = [part.strip() for part in text.split(",")]
    topics = [int(part) for part in parts if part.isdecimal()]
    if len(topics) < len(parts) or not set(topics) <= set(available):
        raise ConfigError(
            f"--topics {text}: expected numbers of topics parted by commas, such as 0,3; the model's are "
            f"{', '.join(map(str, available))}"
        )
    return tuple(dict.fromkeys(topics))
