"""The documentation tells the truth: pages are current, links lead somewhere, README's commands run."""

import gzip
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from lda_app.training import schedule
from tests.conftest import Finished

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "data" / "README.md"])

TEXTS = [f"the shuttle reached its orbit around the moon on flight {n}" for n in range(12)]
TEXTS += [f"the goalkeeper saved the penalty and the team won match {n}" for n in range(12)]


def marked_blocks(page: str) -> list[str]:
    return re.findall(r"<!-- tested -->\n```sh\n(.*?)```", page, flags=re.DOTALL)


def commands_in_tables(page: str) -> list[str]:
    cells = re.findall(r"^\|.*\| `([^`]*lda-app [^`]*)` \|$", page, flags=re.MULTILINE)
    return [cell.replace(r"\|", "|") for cell in cells]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Be in a folder with texts in several formats."""
    path = tmp_path / "work"
    path.mkdir()
    write_texts(path)
    monkeypatch.chdir(path)
    return path


@pytest.fixture
def shell(tmp_path, folder, monkeypatch):
    """Run a script by a shell in which `lda-app` is this checkout's."""
    program = tmp_path / "bin" / "lda-app"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lda_app "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run(script: str) -> Finished:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def run_line(shell, cli):
    """Run a line as a user would type it; one that a shell has nothing to do with, in this process."""

    def run(line: str) -> Finished:
        program, *arguments = shlex.split(line, comments=True)
        if program != "lda-app" or any(mark in line for mark in "|&;<>()$`*?~"):
            return shell(line)
        return cli(*arguments)

    return run


def write_texts(folder: Path) -> None:
    lines = "\n".join(TEXTS) + "\n"
    table = "text,desk\n" + "".join(f"{text},{text.split()[1]}\n" for text in TEXTS)
    (folder / "news.csv").write_text(table, encoding="utf-8")
    (folder / "new.csv").write_text(table, encoding="utf-8")
    (folder / "news.txt").write_text(lines, encoding="utf-8")
    (folder / "news.txt.gz").write_bytes(gzip.compress(lines.encode()))
    records = "".join(f'{{"text": "{text}"}}\n' for text in TEXTS)
    (folder / "news.jsonl").write_text(records, encoding="utf-8")
    pd.DataFrame({"text": TEXTS}).to_parquet(folder / "news.parquet")
    (folder / "texts").mkdir()
    for number, text in enumerate(TEXTS):
        (folder / "texts" / f"{number}.txt").write_text(text, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("script", marked_blocks(README), ids=lambda script: script.split("\n")[0])
def test_readme_session_runs(run_line, script, monkeypatch):
    """Training is cut short: what it finds is not looked at."""
    monkeypatch.setattr(schedule, "_STEPS_OF_SMALL", 50)
    monkeypatch.setattr(schedule, "_MOST_EPOCHS", 2)
    for line in script.splitlines():
        result = run_line(line)
        assert result.code == 0, result.stderr


@pytest.mark.parametrize("command", commands_in_tables(README))
def test_readme_command_runs(run_line, command):
    result = run_line(command)
    assert result.code == 0, result.stderr


def test_readme_questions_are_answered_by_commands_that_exist():
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|[^|]*\| (`lda-app .*`) \| \[", README, flags=re.MULTILINE)
    assert len(rows) >= 10
    for command in re.findall(r"`lda-app ([^`]*)`", " ".join(rows)):
        name, *words = command.split()
        section = re.search(rf"## `lda-app {name}`(.*?)(?=\n## `|\Z)", page, flags=re.DOTALL)
        assert section, command
        flags = [word for word in words if word.startswith("--")]
        assert all(re.search(rf"{flag}\b", section[1]) for flag in flags), command


def test_readme_has_commands_to_run():
    assert marked_blocks(README)
    assert len(commands_in_tables(README)) >= 5


def test_command_page_is_current():
    make_cli_docs = script("make_cli_docs")
    assert make_cli_docs.PAGE.read_text(encoding="utf-8") == make_cli_docs.page(), "run `make docs`"


def test_pages_name_each_other_by_links():
    plain = re.compile(r"(?<![\w/(\[])docs/[\w-]+\.md")
    named = {page.name: plain.findall(page.read_text(encoding="utf-8")) for page in ROOT.glob("docs/*.md")}
    del named["cli.md"]  # what terminals show
    assert not any(named.values()), named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_architecture_page_is_current():
    page = script("make_architecture").page
    assert page(ARCHITECTURE) == ARCHITECTURE, "run `make docs`"


def script(name):
    """Import a script."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
