"""The embedded corpus: documentation strings of the Python packages installed with the app.

Their source files are parsed with `ast`; nothing is imported or executed. The list of packages is fixed, and
all of them are installed with the app on every platform: the corpus depends on their pinned versions alone.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gc
import hashlib
import importlib.metadata
import importlib.util
import re
import signal
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lda_app.corpus.documents import Document
from lda_app.corpus.sources.base import BaseSource
from lda_app.corpus.sources.docstrings import prose
from lda_app.system.runtime import FreshProcesses, cpu_count, progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Distribution → package.
PACKAGES = {
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-learn": "sklearn",
    "pandas": "pandas",
    "networkx": "networkx",
    "sympy": "sympy",
    "nltk": "nltk",
    "pyro-ppl": "pyro",
    "numba": "numba",
    "pyarrow": "pyarrow",
    "mpmath": "mpmath",
    "fsspec": "fsspec",
    "joblib": "joblib",
    "jinja2": "jinja2",
    "rich": "rich",
    "typer": "typer",
}
SKIPPED_FOLDERS = frozenset({"test", "tests", "testing", "_testing", "_vendor"})
MIN_WORDS = 30
WORTH_A_PROCESS = 200  # files: parsing them takes as long as a process takes to start
TEST_SHARE = 0.125

_LETTERS = re.compile(r"[^\W\d_]+")
_LONG_STRING = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'', re.DOTALL)


class Docstring(NamedTuple):
    """What is said of a module, class or function, without markup and code."""

    name: str
    kind: str
    text: str
    line: int


class PyDocsSource(BaseSource):
    """One document a documented module, class or function, with package, qualified name and kind.

    Parameters
    ----------
    packages
        Distribution → package. One that is not installed is passed over with a warning.
    workers
        Processes that parse; None takes all cores. The documents do not depend on it.

    Notes
    -----
    Texts of fewer than 30 words and repeated texts are left out. A document is in the test split, one in
    eight, by a hash of its name: the same name is always in the same split.
    """

    def __init__(self, packages: dict[str, str] | None = None, workers: int | None = None) -> None:
        super().__init__("pydocs")
        self.columns = ("id", "package", "name", "kind", "text")
        self.packages = PACKAGES if packages is None else packages
        self.workers = workers or cpu_count()

    def _read(self) -> Iterator[Document]:
        for distribution in self.packages:
            if distribution not in self._versions:
                self.warnings[f"package {distribution} is not installed"] += 1
        yield from self._documents

    def describe(self) -> dict[str, Any]:
        """Name the packages with their versions, the number of documents, and one hash of all texts."""
        digest = hashlib.sha256()
        for document in self._documents:
            digest.update(f"{document.id}\t{document.text}\0".encode())
        return {
            "kind": self.name,
            "packages": self._versions,
            "num_documents": len(self._documents),
            "sha256": digest.hexdigest(),
        }

    @functools.cached_property
    def _versions(self) -> dict[str, str]:
        versions = {}
        for distribution, package in self.packages.items():
            if importlib.util.find_spec(package) is not None:
                with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                    versions[distribution] = importlib.metadata.version(distribution)
        return versions

    @functools.cached_property
    def _documents(self) -> list[Document]:
        files = [
            (distribution, module, path)
            for distribution in self._versions
            for module, path in module_files(self.packages[distribution])
        ]
        parsed = self._parsed([(module, path) for _, module, path in files])
        found = (
            (file[0], docstring) for file, found in zip(files, parsed, strict=True) for docstring in found
        )
        return list(_documents(found))

    def _parsed(self, files: list[tuple[str, Path]]) -> list[list[Docstring]]:
        """Parse all files, in order."""
        parsed = []
        with progress("Reading packages", total=len(files), unit="files") as bar:
            for found in self._map(files):
                parsed.append(found)
                bar.advance()
        return parsed

    def _map(self, files: list[tuple[str, Path]]) -> Iterator[list[Docstring]]:
        if self.workers == 1 or len(files) < WORTH_A_PROCESS:
            yield from map(docstrings, files)
            return
        # Not fork: the process may have threads of torch or numba by now, whose locks a fork would copy.
        with ProcessPoolExecutor(
            self.workers, mp_context=FreshProcesses(), initializer=_start_worker
        ) as pool:
            yield from pool.map(docstrings, files, chunksize=32)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends the others
    gc.disable()  # syntax trees have no cycles, and looking for some is a third of the parser's time


def _documents(found: Iterable[tuple[str, Docstring]]) -> Iterator[Document]:
    texts: set[str] = set()
    names: dict[str, int] = {}
    for distribution, (name, kind, text, line) in found:
        if text in texts:
            continue
        texts.add(text)
        names[name] = names.get(name, 0) + 1
        key = name if names[name] == 1 else f"{name}#{names[name]}"
        metadata = {"package": distribution, "name": name, "kind": kind}
        yield Document(key, text, split_of(name), metadata, place=f"{name} (line {line})")


def split_of(name: str) -> str:
    """Return ``"test"`` for one name in eight, by its hash, else ``"train"``.

    Examples
    --------
    >>> split_of("numpy.linalg.svd") == split_of("numpy.linalg.svd")
    True
    """
    digest = hashlib.sha256(name.encode()).digest()
    return "test" if int.from_bytes(digest[:8]) < TEST_SHARE * 2**64 else "train"


def module_files(package: str) -> Iterator[tuple[str, Path]]:
    """Yield name and path of each module of an installed package, sorted by name, tests left out.

    Examples
    --------
    >>> next(module_files("lda_app"))[0]
    'lda_app'
    """
    spec = importlib.util.find_spec(package)  # of a top-level package: nothing is imported
    assert spec is not None
    assert spec.submodule_search_locations is not None
    root = Path(spec.submodule_search_locations[0])
    modules = []
    for path in root.rglob("*.py"):
        parts = (package, *path.relative_to(root).with_suffix("").parts)
        if SKIPPED_FOLDERS.isdisjoint(parts):
            modules.append((parts[:-1] if parts[-1] == "__init__" else parts, path))
    yield from ((".".join(parts), path) for parts, path in sorted(modules))


def docstrings(module_file: tuple[str, Path]) -> list[Docstring]:
    """Return the documentation of a module and of its classes and functions, in the order of the file.

    A file that is no Python, such as a template, has none.
    """
    module, path = module_file
    source = path.read_text(encoding="utf-8", errors="replace")
    if not any(len((a or b).split()) >= MIN_WORDS for a, b in _LONG_STRING.findall(source)):
        return []  # parsing is what takes the time
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in others' code
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    found = []
    for name, kind, node in _documented(tree, module):
        text = prose(ast.get_docstring(node, clean=False) or "")
        if len(_LETTERS.findall(text)) >= MIN_WORDS:
            found.append(Docstring(name, kind, text, getattr(node, "lineno", 1)))
    return found


Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _documented(tree: ast.Module, module: str) -> Iterator[tuple[str, str, Documented]]:
    yield module, "module", tree
    yield from _members(tree, module, "function")


def _members(node: ast.AST, name: str, kind: str) -> Iterator[tuple[str, str, Documented]]:
    """Yield classes and functions below `node`, behind an ``if`` or ``try`` too, but none in a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield f"{name}.{child.name}", "class", child
            yield from _members(child, f"{name}.{child.name}", "method")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}.{child.name}", kind, child
        elif isinstance(child, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from _members(child, name, kind)
