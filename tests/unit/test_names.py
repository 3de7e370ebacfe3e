"""Names and prose are what a newcomer would expect: no name stands for two things, no phrase is archaic."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lda_app"
TEXTS = [
    *PACKAGE.rglob("*.py"),
    *PACKAGE.rglob("*.js"),
    *ROOT.glob("docs/*.md"),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
]
ARCHAIC = re.compile(
    r"tells of|goes on|gone on with|go on with|\bso many\b|lies elsewhere|what came of|for want of|of its own"
)
BEGINS_WITH_OF = re.compile(r"^ +\*{0,2}[\w, ]+\n +Of (?!course)", re.MULTILINE)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_is_of_today(path):
    text = path.read_text(encoding="utf-8")
    assert ARCHAIC.findall(text) == []
    assert path.suffix != ".py" or BEGINS_WITH_OF.findall(text) == []


def glossary():
    rows = re.findall(r"^\| ([^|]+?) \|", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    return [row for row in rows if not row.startswith(("Our word", "---"))]


def test_the_words_of_the_glossary_are_in_use():
    """Each of our words is in the help, the docstrings or the pages, so the glossary does not go stale."""
    used = "\n".join(path.read_text(encoding="utf-8") for path in TEXTS if path.name != "glossary.md").lower()
    words = [re.sub(r"[`()].*", "", row).strip().lower() for row in glossary()]
    assert len(words) > 25
    assert [word for word in words if word.removeprefix("protocol ") not in used] == []


def test_no_two_public_classes_share_a_name():
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py"))
    names = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert [name for name, times in names.items() if times > 1 and not name.startswith("_")] == []
