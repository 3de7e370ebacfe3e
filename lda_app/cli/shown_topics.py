"""The topics that a command shows, with their labels and without hidden ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.model import LabelledModel

NAME_WORDS = 4
"""Number of words shown in place of a topic's missing name."""

ChosenTopics = Annotated[
    str | None,
    typer.Option(
        "--topics",
        metavar="TOPIC,…",
        help="Topics to show, by number.",
        show_default="all that are not hidden",
    ),
]


def choose(model: ModelDir, chosen: str | None) -> LabelledModel:
    """Return a model with the topics chosen by ``--topics``, or all that are not hidden.

    Raises
    ------
    ConfigError
        If a chosen topic does not exist or is merged into another, or all topics are hidden.
    """
    labelled = model.labelled()
    if chosen is None:
        labelled.require_shown()
        return labelled
    topics = topics_of("--topics", chosen)
    try:
        return labelled.only(topics)
    except ConfigError as error:
        raise ConfigError(f"--topics {chosen}: {error}") from None


def topics_of(option: str, given: str) -> list[int]:
    """Parse topic numbers separated by commas.

    Raises
    ------
    ConfigError
        If one is not a number, or is repeated.

    Examples
    --------
    >>> topics_of("--topics", "3, 7")
    [3, 7]
    """
    try:
        topics = [int(part) for part in given.split(",")]
    except ValueError:
        raise ConfigError(
            f"{option} must be topic numbers separated by commas, such as 3,7; got {given!r}"
        ) from None
    if len(set(topics)) < len(topics):
        raise ConfigError(f"{option} repeats a topic: {given}")
    return topics
