"""Write the tree and the layers of docs/architecture.md from the modules' docstrings and pyproject.toml."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "lda_app"
_NAME_WIDTH = 28


def page(text: str) -> str:
    """Return the page with its tree and its layers as they are now."""
    text = _with_block(text, "lda_app/", "\n".join(tree(PACKAGE)))
    return _with_block(text, "__main__", "\n".join(layers()))


def tree(folder: Path, depth: int = 0) -> Iterator[str]:
    """Yield a line for a package and for each module in it: its name, and the summary of its docstring."""
    yield _line(f"{folder.name}/", folder / "__init__.py", depth)
    entries = sorted(folder.iterdir(), key=lambda path: (path.is_file(), path.name))
    for path in entries:
        if (path / "__init__.py").exists():
            yield from tree(path, depth + 1)
        elif path.suffix == ".py" and path.name != "__init__.py":
            yield _line(path.name, path, depth + 1)
        elif path.name == "assets":
            yield f"{'  ' * (depth + 1)}assets/"


def layers() -> list[str]:
    """Return the layers of the import contract, from high to low."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract, _ = project["tool"]["importlinter"]["contracts"]
    return list(contract["layers"])


def _line(name: str, module: Path, depth: int) -> str:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    summary = " ".join(docstring.partition("\n\n")[0].split()).rstrip(".")
    return f"{'  ' * depth}{name}".ljust(_NAME_WIDTH) + summary.replace("``", "`")


def _with_block(text: str, start: str, content: str) -> str:
    """Replace the block of text that begins with these letters."""
    block = re.compile(rf"```text\n{re.escape(start)}.*?\n```", re.DOTALL)
    return block.sub(lambda _: f"```text\n{content}\n```", text, count=1)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
