"""The rows "paths" and "faults" of the bad-input contract: unusable inputs and outputs."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lda_app.system.storage import folder_lock, open_folder

FEW = ("--min-df", 1, "--max-df", 1.0)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def make_empty(path: Path) -> None:
    path.write_bytes(gzip.compress(b"", mtime=0) if path.suffix == ".gz" else b"")


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "notes.md").write_text("the shuttle reached its orbit")


def make_below_file(path: Path) -> None:
    path.parent.write_text("a file")


INPUTS = {
    "missing": ("news.csv", lambda path: None, (), "news.csv"),
    "missing, gzipped": ("news.csv.gz", lambda path: None, (), "news.csv.gz"),
    "below a file": ("notes.txt/news.csv", make_below_file, (), "news.csv"),
    "empty csv": ("news.csv", make_empty, (), "news.csv"),
    "empty tsv": ("news.tsv", make_empty, (), "news.tsv"),
    "empty json lines": ("news.jsonl", make_empty, (), "news.jsonl"),
    "empty text": ("news.txt", make_empty, (), "news.txt"),
    "empty, gzipped": ("news.txt.gz", make_empty, (), "news.txt.gz"),
    "folder without matching files": ("news", make_folder, ("--pattern", "*.text"), "*.text"),
    "empty folder": ("news", Path.mkdir, (), "*.txt"),
    "folder where a file is needed": ("news", make_folder, ("--format", "csv"), "news"),
    "file where a folder is needed": (
        "news.txt",
        lambda p: p.write_text("x"),
        ("--format", "folder"),
        "news.txt",
    ),
}


@pytest.mark.parametrize(("name", "make", "options", "part"), INPUTS.values(), ids=INPUTS)
def test_input_that_cannot_be_read(
    assert_refused, cli, tmp_path: Path, name: str, make, options, part: str
) -> None:
    make(tmp_path / name)
    assert_refused(cli("corpus", "build", tmp_path / name, "--out", tmp_path / "out", *options), 3, part)
    assert not any(entry.name.startswith((".", "out")) for entry in tmp_path.iterdir())


@pytest.mark.parametrize("redirection", ["</dev/null", "<&-"], ids=["empty", "closed"])
def test_standard_input_without_text(tmp_path: Path, redirection: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m lda_app corpus build - --out "$OUT" {redirection}'],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OUT": str(tmp_path / "out")},
    )
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "standard input" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def build(cli, tiny_csv: Path):
    def call(out: Path, *options: object, source: Path = tiny_csv):
        return cli("corpus", "build", source, "--out", out, *FEW, *options)

    return call


def test_an_output_that_exists_is_replaced_on_demand_only(assert_refused, build, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(out).code == 0
    before = contents(out)
    assert_refused(build(out), 2, str(out), "--overwrite")
    assert contents(out) == before
    assert build(out, "--overwrite").code == 0
    assert contents(out) == before


def test_an_output_that_is_not_ours_is_never_replaced(assert_refused, build, tmp_path: Path) -> None:
    out = tmp_path / "thesis"
    make_folder(out)
    for options in ((), ("--overwrite",)):
        assert_refused(build(out, *options), 2, str(out))
    assert_refused(build(out / "notes.md", "--overwrite"), 2, "notes.md")
    assert contents(out) == {str(out / "notes.md"): b"the shuttle reached its orbit"}


def test_a_full_disk(assert_refused, build, full_disk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(out).code == 0
    before = contents(out)
    with full_disk(300):
        done = build(out, "--overwrite")
    assert_refused(done, 5, str(out), "free some space")
    assert contents(out) == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "tiny.csv"]


def test_a_read_only_folder(
    assert_refused, build, tmp_path: Path, tiny_csv: Path, request: pytest.FixtureRequest
) -> None:
    assert build(tmp_path / "out").code == 0  # imports what the other user may not be able to read
    text = tiny_csv.read_text()
    read_only: Path = request.getfixturevalue("read_only_folder")
    source = read_only.parent / "tiny.csv"
    source.write_text(text)
    assert_refused(build(read_only / "out", source=source), 5, str(read_only / "out"), "Permission denied")
    assert list(read_only.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ("report", "--output", "out.html"),
        ("eval", "--output", "out.json"),
        ("topics", "--output", "out.txt"),
        ("plot", "topics", "--output", "out.svg"),
        ("prevalence", "--by", "party", "--plot", "out.svg"),
        ("effects", "--formula", "~ party", "--output", "out.csv"),
        ("export", "--to", "csv", "--output", "out.csv"),
    ],
    ids=lambda command: command[0],
)
def test_a_read_only_folder_is_refused_before_work(
    assert_refused, cli, tmp_path: Path, request: pytest.FixtureRequest, command: tuple[str, ...]
) -> None:
    name, *options, file = command
    cli(name, tmp_path / "missing", *options, tmp_path / file)  # imports as above
    read_only: Path = request.getfixturevalue("read_only_folder")
    done = cli(name, read_only.parent / "missing", *options, read_only / file)
    assert_refused(done, 5, str(read_only / file), "Permission denied")


def test_two_runs_into_one_folder(assert_refused, build, cli_process, tiny_csv: Path, tmp_path: Path) -> None:
    with folder_lock(tmp_path / "out"):
        done = cli_process("corpus", "build", tiny_csv, "--out", tmp_path / "out", *FEW)
    assert_refused(done, 5, f"in use by process {os.getpid()}")


def test_what_a_killed_run_left_is_swept(build, tmp_path: Path) -> None:
    (tmp_path / ".out.staging-1-0123abcd").mkdir()
    (tmp_path / ".out.lock").write_text("1")
    assert build(tmp_path / "out").code == 0
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "tiny.csv"]
    open_folder(tmp_path / "out", kind="corpus", format_version=1)


def cut(run: Path) -> None:
    shutil.rmtree(run)


def unfinished(run: Path) -> None:
    (run / "manifest.json").unlink()


def torn(run: Path) -> None:
    (run / "manifest.json").write_text('{"kind"')


FOLDERS = {
    "missing": (cut, "no such"),
    "unfinished": (unfinished, "manifest.json"),
    "damaged": (torn, "manifest.json"),
    "of another kind": (lambda run: None, "is a corpus folder"),
}
COMMANDS = {
    "eval": ["eval", "RUN"],
    "topics": ["topics", "RUN"],
    "transform": ["transform", "RUN", "CSV"],
}


@pytest.mark.parametrize(("damage", "part"), FOLDERS.values(), ids=FOLDERS)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_folder_that_is_no_model(
    assert_refused, cli, build, tmp_path: Path, tiny_csv: Path, command, damage, part: str
) -> None:
    assert build(tmp_path / "run").code == 0
    damage(tmp_path / "run")
    places = {"RUN": tmp_path / "run", "CSV": tiny_csv}
    assert_refused(cli(*(places.get(word, word) for word in command)), 4, str(tmp_path / "run"), part)
