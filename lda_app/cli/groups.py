"""Groups of options shared by commands, each declared once as a dataclass whose fields are flags.

Fields are annotated for Typer, or with the library's own :class:`lda_app.config.Described`.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from inspect import Parameter
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from lda_app.config import Described

Command = Callable[..., None]


def with_groups(**groups: type) -> Callable[[Command], Command]:
    """Add groups of flags to a command, which receives an instance of each group.

    Parameters
    ----------
    groups
        Name of the command's parameter to a dataclass whose fields are annotated like Typer parameters.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Size:
    ...     width: int = 1
    ...     height: int = 2
    >>> @with_groups(size=Size)
    ... def paint(colour: str, *, size: Size) -> None:
    ...     print(colour, size.width * size.height)
    >>> inspect.signature(paint)
    <Signature (colour: str, *, width: int = 1, height: int = 2) -> None>
    >>> paint(colour="red", width=5)
    red 10
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def gathered(**values: Any) -> None:
            for name, group in groups.items():
                flags = [field.name for field in fields(group) if field.name in values]
                values[name] = group(**{flag: values.pop(flag) for flag in flags})
            command(**values)

        signature = inspect.signature(command)
        parameters = [flag for p in signature.parameters.values() for flag in _spread(p, groups)]
        gathered.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        gathered.__annotations__ = {p.name: p.annotation for p in parameters}
        return gathered

    return decorate


def _spread(parameter: Parameter, groups: dict[str, type]) -> list[Parameter]:
    """Return the parameter itself, or one keyword per field if it is a group."""
    if parameter.name not in groups:
        return [parameter]
    group = groups[parameter.name]
    hints = get_type_hints(group, include_extras=True)
    return [_keyword(field, hints[field.name]) for field in fields(group)]


def _keyword(field: "Field[Any]", hint: Any) -> Parameter:
    default = Parameter.empty if field.default is MISSING else field.default
    if (described := description_of(hint)) is not None:
        if get_origin(described.flag) is list:
            default = None
        hint = flag(field.name, get_args(hint)[0], described)
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def description_of(hint: Any) -> Described | None:
    """Return the library's description of a field, or None."""
    found = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((part for part in found if isinstance(part, Described)), None)


def flag(name: str, value_type: Any, described: Described, *, default: str | None = None) -> Any:
    """Return the Typer annotation of a flag.

    Parameters
    ----------
    name
        The field's name; the flag has hyphens instead of underscores.
    value_type, described
        The field's type and description.
    default
        The default that the help shows if the description has none.
    """
    shown = described.default if described.default is not None else default
    is_frequency = value_type == int | float | None
    option = typer.Option(
        "--" + name.replace("_", "-"),
        help=described.text,
        rich_help_panel=described.part,
        show_default=True if shown is None else shown or False,
        metavar=described.metavar,
        min=described.least,
        max=described.most,
        parser=_number if is_frequency else None,
    )
    kind = described.flag or (float | None if is_frequency else value_type)
    return Annotated[kind if get_origin(described.flag) is None else kind | None, option]


def _number(text: str | float) -> int | float:
    """Parse a number of documents, ``5``, or a fraction of them, ``0.5``."""
    try:
        return int(text) if isinstance(text, str) else text
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither a number of documents nor a fraction such as 0.5"
        ) from None
