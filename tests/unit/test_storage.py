"""Sealed folders are whole, checked and never harm what was there."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from lda_app.errors import ConfigError, FileSystemError, FolderError
from lda_app.system.storage import (
    atomic_file,
    check_writable,
    folder_lock,
    open_folder,
    sealed_folder,
    spreadsheet_safe,
    swap,
    write_atomic,
)


def write(
    path: Path, text: str = "old", *, kind: str = "model", version: int = 1, overwrite: bool = False
) -> None:
    with sealed_folder(path, kind=kind, format_version=version, overwrite=overwrite) as staging:
        (staging / "train").mkdir()
        (staging / "train" / "counts").write_text(text)
        (staging / "words").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def read(path: Path) -> str:
    open_folder(path, kind="model", format_version=1)
    return (path / "words").read_text()


@pytest.fixture(params=["exchange", "renames"])
def _swap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "renames":
        monkeypatch.setattr(swap, "_renameat2", lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "run")
    return tmp_path / "run"


def test_manifest_names_each_file(tmp_path: Path) -> None:
    details: dict[str, object] = {"seed": 0}
    with sealed_folder(
        tmp_path / "a" / "run", kind="model", format_version=1, overwrite=False, details=details
    ) as staging:
        (staging / "words").write_text("orbit")
        details["num_topics"] = 5
    manifest = open_folder(tmp_path / "a" / "run", kind="model", format_version=1)
    assert (manifest["kind"], manifest["seed"], manifest["num_topics"]) == ("model", 0, 5)
    assert manifest["files"]["words"]["bytes"] == 5
    assert names(tmp_path / "a") == ["run"]


def test_same_content_gives_the_same_manifest(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name)
    assert (tmp_path / "a/manifest.json").read_bytes() == (tmp_path / "b/manifest.json").read_bytes()


@pytest.mark.usefixtures("_swap")
def test_overwrite_replaces_the_folder(folder: Path) -> None:
    write(folder, "new", overwrite=True)
    assert read(folder) == "new"
    assert names(folder.parent) == ["run"]


def test_a_link_stays_and_its_target_is_replaced(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    write(tmp_path / "link", "new", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert read(folder) == "new"


@pytest.mark.usefixtures("_swap")
def test_an_error_in_the_body_leaves_the_old_folder(folder: Path) -> None:
    with (
        suppress(ZeroDivisionError),
        sealed_folder(folder, kind="model", format_version=1, overwrite=True) as staging,
    ):
        (staging / "words").write_text(str(1 / 0))
    assert read(folder) == "old"
    assert names(folder.parent) == ["run"]


def make_file(path: Path) -> None:
    path.write_text("mine")


def make_foreign(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("mine")


def make_corpus(path: Path) -> None:
    write(path, kind="corpus")


def make_with_notes(path: Path) -> None:
    write(path)
    (path / "notes.txt").write_text("mine")


@pytest.mark.parametrize(
    ("make", "overwrite", "message"),
    [
        (write, False, "already exists: choose another location, or use --overwrite to replace it"),
        (make_file, True, "not written by lda-app"),
        (make_foreign, True, "not written by lda-app"),
        (make_corpus, True, "is a corpus folder"),
        (make_with_notes, True, "notes.txt"),
    ],
)
def test_what_was_there_is_not_harmed(tmp_path: Path, make, overwrite: bool, message: str) -> None:
    make(tmp_path / "run")
    before = sorted(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    with pytest.raises(ConfigError, match=message):
        write(tmp_path / "run", "new", overwrite=overwrite)
    assert sorted(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()) == before


def test_the_root_folder_is_refused() -> None:
    with pytest.raises(ConfigError, match="folder inside it"):
        write(Path("/"))


def test_an_empty_folder_may_be_overwritten(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write(tmp_path / "run", overwrite=True)
    assert read(tmp_path / "run") == "old"


def empty(folder: Path) -> None:
    for file in (folder / "words", folder / "train/counts", folder / "manifest.json"):
        file.unlink()
    (folder / "train").rmdir()


def edit_manifest(**changes: object):
    def damage(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**manifest, **changes}))

    return damage


DAMAGES = {
    "missing": (lambda f: f.rename(f.parent / "elsewhere"), "no such model folder"),
    "empty": (empty, "is empty"),
    "unfinished": (lambda f: (f / "manifest.json").unlink(), "no manifest.json"),
    "torn manifest": (lambda f: (f / "manifest.json").write_text('{"kind": "mo'), "manifest.json is damaged"),
    "no object": (lambda f: (f / "manifest.json").write_text("[]"), "manifest.json is damaged"),
    "binary manifest": (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe"), "manifest.json is damaged"),
    "deep manifest": (lambda f: (f / "manifest.json").write_text("[" * 100_000), "manifest.json is damaged"),
    "wrong files": (edit_manifest(files={"words": 3}), "manifest.json is damaged"),
    "kind": (edit_manifest(kind="corpus"), "is a corpus folder, but a model folder is needed"),
    "newer": (
        edit_manifest(format_version=2, lda_app="9.1"),
        "made by lda-app 9.1: reading it needs at least lda-app 9.1",
    ),
    "older": (edit_manifest(format_version=0), "has format 0"),
    "file missing": (lambda f: (f / "words").unlink(), "words is missing"),
    "truncated": (
        lambda f: (f / "train/counts").write_text("o"),
        r"train/counts has changed since it was written \(1 bytes instead of 3\)",
    ),
    "flipped bit": (lambda f: (f / "words").write_text("olf"), "words has changed since it was written:"),
    "folder for a file": (lambda f: ((f / "words").unlink(), (f / "words").mkdir()), "words is missing"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_is_named(folder: Path, damage, message: str) -> None:
    damage(folder)
    with pytest.raises(FolderError, match=message) as caught:
        read(folder)
    assert caught.value.exit_code == 4


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(FolderError, match="is a file, but a model folder is needed"):
        read(tmp_path / "run")


def test_foreign_files_are_warned_of(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "notes.txt").write_text("mine")
    (folder / ".history.csv.lock").write_text("1")
    read(folder)
    assert caplog.messages == [f"{folder}: ignoring files not written by lda-app: notes.txt"]


def test_without_verify_only_sizes_are_compared(folder: Path) -> None:
    (folder / "words").write_text("olf")
    open_folder(folder, kind="model", format_version=1, verify=False)


def test_a_full_disk_leaves_the_old_folder(folder: Path, full_disk) -> None:
    with full_disk(), pytest.raises(FileSystemError, match=r"run: File too large: free some space") as caught:
        write(folder, "new" * 1000, overwrite=True)
    assert caught.value.exit_code == 5
    assert read(folder) == "old"
    assert names(folder.parent) == ["run"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failing_sync_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FileSystemError, match=os.strerror(code)):
        write(tmp_path / "run")
    with pytest.raises(FileSystemError, match=os.strerror(code)):
        write_atomic(tmp_path / "file", b"new")
    assert names(tmp_path) == []


def test_numpys_short_write_is_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(FileSystemError, match="1000 requested and 0 written"), atomic_file(tmp_path / "a"):
        raise OSError("1000 requested and 0 written")


def test_an_error_of_reading_stays_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a"):
        (tmp_path / "input").read_text()


def test_a_read_only_folder_is_refused(read_only_folder: Path) -> None:
    for attempt in (write, check_writable, lambda path: write_atomic(path, b"")):
        with pytest.raises(FileSystemError, match="run: Permission denied: check the permissions"):
            attempt(read_only_folder / "run")


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for attempt in (write, check_writable):
        with pytest.raises(FileSystemError, match="run: "):
            attempt(tmp_path / "file" / "run")


def test_too_little_space_is_told_before(tmp_path: Path) -> None:
    check_writable(tmp_path / "no" / "such" / "run", needed_bytes=1)
    with pytest.raises(FileSystemError, match=r"needs 1,000,000,000 MB, .* MB are free"):
        check_writable(tmp_path / "run", needed_bytes=10**15)
    assert names(tmp_path) == []


def test_write_atomic_replaces_a_file(tmp_path: Path) -> None:
    for data in (b"old", b"new"):
        write_atomic(tmp_path / "file", data)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert names(tmp_path) == ["file"]


def test_a_torn_file_is_not_put_into_place(tmp_path: Path, full_disk) -> None:
    write_atomic(tmp_path / "file", b"old")
    with full_disk(), pytest.raises(FileSystemError, match="free some space"):
        write_atomic(tmp_path / "file", b"new" * 1000)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_is_written_and_never_replaced() -> None:
    with pytest.raises(FileSystemError, match="No space left on device"):
        write_atomic(Path("/dev/full"), b"new")
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no shared memory on this system")
def test_a_file_in_shared_memory_is_replaced_and_not_added_to() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for text in (b"old", b"new"):
            write_atomic(Path(folder) / "shares.csv", text)
        assert (Path(folder) / "shares.csv").read_bytes() == b"new"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileSystemError, match="Is a directory"):
        write_atomic(tmp_path, b"new")


def test_lock_is_nested_in_a_process_and_named_by_another(tmp_path: Path) -> None:
    place = str(tmp_path / "run")
    imports = "from pathlib import Path; from lda_app.system.storage import folder_lock"
    attempt = f"{imports}\nwith folder_lock(Path({place!r})): pass"
    with folder_lock(tmp_path / "run"), folder_lock(tmp_path / "run"):
        other = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, check=False)
    assert f"FileSystemError: {tmp_path / 'run'} is in use by process {os.getpid()}: wait" in other.stderr
    assert names(tmp_path) == []


def test_traces_of_dead_processes_are_swept(folder: Path) -> None:
    (folder.parent / ".run.staging-1-0123abcd").mkdir()
    (folder.parent / ".run.old-1-0123abcd").mkdir()
    (folder.parent / ".run.lock").write_text("1")
    (folder.parent / ".run.staging-mine").mkdir()
    with folder_lock(folder):
        pass
    assert names(folder.parent) == [".run.staging-mine", "run"]


def test_a_folder_left_aside_is_restored(folder: Path) -> None:
    folder.rename(folder.parent / ".run.old-1-0123abcd")
    assert read(folder) == "old"


@pytest.mark.parametrize("way", ["exchange", "renames"])
@pytest.mark.parametrize("existed", [True, False])
def test_killed_at_any_operation_the_old_or_the_new_is_there(tmp_path: Path, way: str, existed: bool) -> None:
    arguments = [str(Path(__file__).with_name("killed_writing.py")), str(tmp_path), way, str(existed)]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    attempts = [json.loads(line) for line in done.stdout.splitlines()]
    codes, found, left = zip(*attempts, strict=True)
    assert codes == (137,) * (len(codes) - 1) + (0,)
    first = "old" if existed else "none"
    num_before = found.count(first)
    assert found == (first,) * num_before + ("new",) * (len(found) - num_before)
    assert num_before > 10
    assert all(
        names == ([] if state == "none" else ["run"]) for state, names in zip(found, left, strict=True)
    )


@pytest.mark.parametrize("cell", ["=1+1", "+SUM(A1)", "-2+3", "@x", "\tx", "\r=x"])
def test_formulas_are_made_text(cell: str) -> None:
    assert spreadsheet_safe(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["-3.5", "+1e9", "", "a=b", "orbit"])
def test_other_cells_stay(cell: str) -> None:
    assert spreadsheet_safe(cell) == cell
