"""The training options, shared by all commands that train: a flag for each field of the configuration."""

from dataclasses import field as dataclass_field
from dataclasses import fields, make_dataclass
from pathlib import Path
from typing import Annotated, get_args, get_type_hints

import typer

from lda_app.cli.groups import description_of, flag
from lda_app.config import TrainConfig
from lda_app.corpus.options import SourceOptions, WordOptions

# Options that affect word counting; they do not apply to a corpus that is already counted.
COUNTING = [field.name for field in (*fields(SourceOptions), *fields(WordOptions))]


def training_flags(*without: str) -> type:
    """Make a group with a flag for each described field of the configuration; unset flags are None.

    Parameters
    ----------
    without
        Fields that the command sets in another way.

    Examples
    --------
    >>> [field.name for field in fields(training_flags("num_topics"))][:2]
    ['preset', 'topic_update']
    """
    hints = get_type_hints(TrainConfig, include_extras=True)
    flags = []
    for field in fields(TrainConfig):
        described = description_of(hints[field.name])
        if field.name not in without and described is not None:
            value_type = get_args(hints[field.name])[0] | None
            annotation = flag(field.name, value_type, described, default=str(field.default))
            flags.append((field.name, annotation, dataclass_field(default=None)))
    return make_dataclass("TrainingFlags", flags, frozen=True)


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A TOML file with options, such as num_topics = 50; flags override it.",
        show_default=False,
    ),
]


def given(ctx: typer.Context, *names: str) -> list[str]:
    """Return the flags of those options that are given on the command line."""
    flags = {parameter.name: parameter.opts[0] for parameter in ctx.command.params}
    sources = {name: ctx.get_parameter_source(name) for name in names}
    return [flags[name] for name, source in sources.items() if source and source.name == "COMMANDLINE"]


def nameable(path: Path) -> Path:
    """Return a path that ends in a name (not ``.`` or ``..``), because files are put next to it."""
    return path if path.name and ".." not in path.parts else path.resolve()
