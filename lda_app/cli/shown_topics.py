"""The topics that a command tells of, by the analyst's names, without those that are hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lda_app.errors import ConfigError

if TYPE_CHECKING:
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.model import LabelledModel

NAME_WORDS = 4
"""Words that stand for the name of a topic without one."""

ChosenTopics = Annotated[
    str | None,
    typer.Option(
        "--topics",
        metavar="TOPIC,…",
        help="Topics to tell of, by number.",
        show_default="all that are not hidden",
    ),
]


def choose(model: ModelDir, chosen: str | None) -> LabelledModel:
    """Return a model with the topics that ``--topics`` names, or all that are not hidden.

    Raises
    ------
    ConfigError
        If a chosen topic is not one of the model's that stand for themselves, or all are hidden.
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
