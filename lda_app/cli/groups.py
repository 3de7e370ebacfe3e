"""Groups of options that commands share, each written once: a dataclass whose fields are flags."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from inspect import Parameter
from typing import Any

Command = Callable[..., None]


def with_groups(**groups: type) -> Callable[[Command], Command]:
    """Give a command the flags of some groups; it gets an instance of each group.

    Parameters
    ----------
    groups
        Parameter of the command to a dataclass, whose fields are annotated as Typer wants its parameters.

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
    """Return the parameter itself, or a keyword for each field if it is a group."""
    if parameter.name not in groups:
        return [parameter]
    return [
        Parameter(field.name, Parameter.KEYWORD_ONLY, default=_default(field), annotation=field.type)
        for field in fields(groups[parameter.name])
    ]


def _default(field: "Field[Any]") -> Any:
    return Parameter.empty if field.default is MISSING else field.default
