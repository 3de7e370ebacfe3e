"""The topics that a command tells of, by the analyst's names, without those that are hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.labels import Labels

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
            If a chosen topic is not one of the model's that stand for themselves, or all are hidden.
        """
        from lda_app.fitted.labels import read_labels
        from lda_app.fitted.topics import leading_words

        labels = read_labels(model.path, len(model.alpha))
        beta = labels.merge_beta(model.alpha, model.beta)
        words = leading_words(beta, model.vocabulary.words, _WORDS)
        names = {
            topic: labels.name(topic) or ", ".join(own) for topic, own in zip(labels.ids, words, strict=True)
        }
        shown = require_shown(labels) if chosen is None else chosen_topics(labels, chosen)
        return cls(labels, {topic: names[topic] for topic in shown})


def require_shown(labels: Labels) -> tuple[int, ...]:
    """Return the topics that are not hidden.

    Raises
    ------
    ConfigError
        If all are.
    """
    if not labels.shown:
        raise ConfigError(
            "all topics are hidden; show some by lda-app label --show, or name them by --topics"
        )
    return labels.shown


def chosen_topics(labels: Labels, given: str) -> list[int]:
    """Read which topics ``--topics`` names.

    Raises
    ------
    ConfigError
        If one is not of the model's, or is merged into another.
    """
    topics = topics_of("--topics", given)
    for topic in topics:
        if topic not in labels.ids:
            raise ConfigError(
                f"--topics {given}: there is no topic {topic} that stands for itself; the model's are "
                f"{', '.join(map(str, labels.ids))}"
            )
    return topics


def topics_of(option: str, given: str) -> list[int]:
    """Read numbers of topics, separated by commas.

    Raises
    ------
    ConfigError
        If one is no number, or there twice.

    Examples
    --------
    >>> topics_of("--topics", "3, 7")
    [3, 7]
    """
    try:
        topics = [int(part) for part in given.split(",")]
    except ValueError:
        raise ConfigError(
            f"{option} must be topics separated by commas, such as 3,7; got {given!r}"
        ) from None
    if len(set(topics)) < len(topics):
        raise ConfigError(f"{option} names a topic twice: {given}")
    return topics
