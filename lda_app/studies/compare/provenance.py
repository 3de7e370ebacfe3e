"""What a result depends on besides its corpus and settings: code, versions of packages, the machine."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lda_app
from lda_app.system.runtime import cpu_count

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "lda_app"


def code_hash(*files: Path) -> str:
    """Return a short hash of the content of files, in this order."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def modules_behind(module: str) -> list[Path]:
    """Return the files of this package that a module imports, directly or through others, and its own.

    Imports within functions count, but for those of packages, which put off what is not asked for; those for
    a type checker alone do not.

    Parameters
    ----------
    module
        Full name, such as ``"lda_app.fitted.inference"``.

    Examples
    --------
    >>> [path.name for path in modules_behind("lda_app.config")]
    ['__init__.py', 'config.py', 'errors.py']
    """
    known: dict[str, Path] = {}
    pending = [module]
    while pending:
        name = pending.pop()
        path = None if name in known else _file_of(name)
        if path is not None:
            known[name] = path
            pending += [name.rpartition(".")[0], *_imported(name, path)]
    return sorted(known.values())


def _file_of(name: str) -> Path | None:
    """Return the file of a module of this package; None if the name is none, but something in a module."""
    top, *parts = name.split(".")
    if top != PACKAGE:
        return None
    # By its place, for to ask the import system would import the packages above it.
    path = Path(lda_app.__file__).parent.joinpath(*parts)
    candidates = (path / "__init__.py", path.with_suffix(".py")) if parts else (path / "__init__.py",)
    return next((file for file in candidates if file.is_file()), None)


def _imported(module: str, path: Path) -> Iterator[str]:
    """Yield all names that the code of a module imports."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    pending: list[ast.AST] = [ast.parse(path.read_bytes())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and _is_for_types(node.test):
            pending += node.orelse
        elif isinstance(node, ast.FunctionDef) and path.name == "__init__.py":
            continue
        else:
            pending += ast.iter_child_nodes(node)


def _is_for_types(condition: ast.expr) -> bool:
    return isinstance(condition, ast.Name) and condition.id == "TYPE_CHECKING"


@cache
def machine() -> dict[str, Any]:
    """Name the machine."""
    return {
        "processor": _processor(),
        "cores": cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8").splitlines() if described.exists() else []
    named = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
