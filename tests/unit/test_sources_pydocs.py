"""The embedded corpus: documentation strings read without running anything."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lda_app.corpus.sources.docstrings import prose
from lda_app.corpus.sources.pydocs import MIN_WORDS, PACKAGES, PyDocsSource, split_of
from lda_app.errors import CorpusError
from lda_app.system.runtime import FreshProcesses

if TYPE_CHECKING:
    from pathlib import Path

LONG = " ".join(["words about orbits and moons"] * 8)
MODULE = f'''"""Module {LONG}."""
raise SystemExit("documentation is read, not run")

class Moon:
    """Moon {LONG}."""

    def orbit(self):
        """Orbit {LONG}."""
        def inner():
            """Inner {LONG}."""

    def phase(self):
        """Short."""

    @property
    def mass(self): """Mass {LONG}."""

    @mass.setter
    def mass(self, value): """Mass set {LONG}."""

try:
    import rocket
except ImportError:
    async def launch():
        """Launch {LONG}."""

def repeated():
    """Orbit {LONG}."""
'''


@pytest.fixture
def lunar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PyDocsSource:
    """Return the documents of a package that is installed but cannot be imported."""
    package = tmp_path / "lunar"
    (package / "tests").mkdir(parents=True)
    (package / "__init__.py").write_text(MODULE)
    (package / "template.py").write_text(f'"""{LONG}."""\n{{% no python %}}')
    (package / "tests" / "test_moon.py").write_text(f'"""Test {LONG}."""')
    distribution = tmp_path / "lunar_lib-1.2.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: lunar-lib\nVersion: 1.2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return PyDocsSource({"lunar-lib": "lunar", "absent-lib": "absent"})


def test_modules_classes_and_functions_with_enough_words_are_documents(lunar: PyDocsSource) -> None:
    found = [(document.id, document.metadata["kind"], document.text.split()[0]) for document in lunar]
    assert found == [
        ("lunar", "module", "Module"),
        ("lunar.Moon", "class", "Moon"),
        ("lunar.Moon.orbit", "method", "Orbit"),
        ("lunar.Moon.mass", "method", "Mass"),
        ("lunar.Moon.mass#2", "method", "Mass"),
        ("lunar.launch", "function", "Launch"),
    ]
    assert "lunar" not in sys.modules


def test_metadata_and_description_name_package_and_version(lunar: PyDocsSource) -> None:
    document = next(iter(lunar))
    assert document.metadata == {"package": "lunar-lib", "name": "lunar", "kind": "module"}
    assert lunar.describe()["packages"] == {"lunar-lib": "1.2"}
    assert lunar.describe()["num_documents"] == 6


def test_a_package_that_is_not_installed_is_warned_of(lunar: PyDocsSource) -> None:
    assert len(list(lunar)) == 6
    assert lunar.warnings == {"package absent-lib is not installed": 1}
    with pytest.raises(CorpusError, match="no document"):
        list(PyDocsSource({"absent-lib": "absent"}))


def test_the_split_is_by_name_and_one_in_eight_is_for_test() -> None:
    names = [f"package.function_{number}" for number in range(4000)]
    assert 440 < sum(split_of(name) == "test" for name in names) < 560
    assert split_of("numpy.linalg.svd") == split_of("numpy.linalg.svd")


def test_documents_of_a_real_package_do_not_depend_on_the_number_of_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lda_app.corpus.sources.pydocs.WORTH_A_PROCESS", 2)
    alone = PyDocsSource({"joblib": "joblib"}, workers=1)
    together = PyDocsSource({"joblib": "joblib"}, workers=2)
    assert list(alone) == list(together)
    assert alone.describe() == together.describe()
    assert all(len(document.text.split()) >= MIN_WORDS for document in alone)


UNGUARDED = """
from lda_app.corpus.sources import pydocs
pydocs.WORTH_A_PROCESS = 2
print(len(list(pydocs.PyDocsSource({"joblib": "joblib"}, workers=2))))
"""


@pytest.mark.parametrize("by_file", [True, False])
def test_a_script_without_a_guard_is_not_run_by_its_workers(tmp_path: Path, by_file: bool) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    given = [str(script)] if by_file else ["-"]
    done = subprocess.run(
        [sys.executable, *given], input=UNGUARDED, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 50


def test_workers_hear_no_ctrl_c() -> None:
    process = FreshProcesses().Process(target=signal.raise_signal, args=(signal.SIGINT,))
    process.start()
    process.join()
    assert process.exitcode == 0


def test_every_package_of_the_list_is_installed_with_the_app() -> None:
    assert list(PyDocsSource()._versions) == list(PACKAGES)


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Plain text.", "Plain text."),
        ("Before.\n\n>>> f(1)\n2\n\nAfter.", "Before.\n\nAfter."),
        ("Such as::\n\n    f(1)\n\nAfter.", "Such as:\nAfter."),
        ("Before.\n\n.. code-block:: python\n   :linenos:\n\n   f(1)\n\nAfter.", "Before.\n\nAfter."),
        ("Before.\n\n.. math::\n\n   x = 1\n\nAfter.", "Before.\n\nAfter."),
        ("Before.\n\n.. note::\n   Beware.\n\nAfter.", "Before.\n\nBeware.\n\nAfter."),
        ("Before.\n\n.. note:: Beware.", "Before.\n\nBeware."),
        ("Before.\n\n.. versionadded:: 1.2", "Before."),
        ("Before.\n```python\nf(1)\n```\nAfter.", "Before.\n\nAfter."),
        ("Before.\n```python\nAfter.", "Before.\n\nAfter."),
        ("Before.\n\nExamples\n--------\nSee f(1).\n\nNotes\n-----\nAfter.", "Before.\n\nAfter."),
        ("Before.\n\nReferences\n----------\nA. Author (1999).", "Before."),
        ("Before.\n\nExample:\n    f(1)\n\nAfter.", "Before.\n\nAfter."),
        (
            "A :class:`~torch.Tensor`, a :ref:`guide <page>`, ``code`` and *stress*.",
            "A torch.Tensor, a guide , code and stress.",
        ),
        ("Of :math:`x^2` and $y$ at https://example.org/a now [1]_.", "Of and at now ."),
        (":param x: the value\n:type x: int\n:returns: the square", "x the value\n\nthe square"),
        ("NUL \0 and half a pair \ud83d.", "NUL and half a pair ?."),
        ("", ""),
    ],
)
def test_prose_is_what_is_left_of_a_docstring(docstring: str, expected: str) -> None:
    assert prose(docstring) == expected
