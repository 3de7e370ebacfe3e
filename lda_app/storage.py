"""Sealed folders and atomic files: what the app writes is there as a whole or not at all.

A sealed folder is filled in a hidden staging folder beside its place. On success each file is synced to disk
and its sha256 noted in ``manifest.json``, and only then are the staging folder and the place swapped. Whoever
kills the process, and whenever, finds the old folder or the new one; what the dead process left is swept by
the next one that writes there.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import functools
import hashlib
import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lda_app import __version__
from lda_app.errors import ConfigError, FileSystemError, FolderError
from lda_app.runtime import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANIFEST = "manifest.json"

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_TRACE = re.compile(r"\..+\.(lock|(staging|old)-\d+-[0-9a-f]{8})")
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def explain(error: OSError, place: str | Path | None = None) -> str:
    """Return what the system refused, where, and the way out, in one line.

    Examples
    --------
    >>> explain(OSError(errno.ENOSPC, "No space left on device"), "runs/a")
    'runs/a: No space left on device: free some space or choose another place'
    """
    where = f"{place or error.filename}: " if place or error.filename else ""
    if error.errno in _DISK_FULL:
        advice = ": free some space or choose another place"
    elif error.errno in _FORBIDDEN:
        advice = ": check the permissions or choose another place"
    else:
        advice = ""
    return f"{where}{error.strerror or error}{advice}"


@contextmanager
def sealed_folder(
    path: Path, *, kind: str, format_version: int, overwrite: bool, details: dict[str, Any] | None = None
) -> Iterator[Path]:
    r"""Write a folder that is complete and checksummed, or not there at all.

    Parameters
    ----------
    path
        Where the folder is to be; missing parents are made.
    kind
        What it holds: ``"corpus"`` or ``"model"``.
    format_version
        The version of its format, which `open_folder` compares.
    overwrite
        Replace a folder of the same kind that lda-app wrote; never any other.
    details
        More entries of the manifest; may be filled until the folder is sealed.

    Yields
    ------
    Path
        The staging folder to write into; gone, and nothing else harmed, if the body raises.

    Raises
    ------
    ConfigError
        Where `path` exists and may not be replaced.
    FileSystemError
        Where it cannot be written, or another process is writing it.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "news"
    >>> with sealed_folder(out, kind="corpus", format_version=1, overwrite=False) as staging:
    ...     _ = (staging / "vocabulary.txt").write_text("orbit\n")
    >>> sorted(open_folder(out, kind="corpus", format_version=1)["files"])
    ['vocabulary.txt']
    """
    path = _target(path)
    with folder_lock(path):
        check_replaceable(path, kind, overwrite=overwrite)
        staging = _sibling(path, "staging")
        try:
            with _writing(path, staging):
                staging.mkdir()
                yield staging
            with _writing(path):
                _seal(staging, {**(details or {}), "kind": kind, "format_version": format_version})
                _swap(staging, path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def open_folder(path: Path, *, kind: str, format_version: int, verify: bool = True) -> dict[str, Any]:
    """Check a sealed folder and return its manifest.

    Parameters
    ----------
    path
        The folder.
    kind
        What it has to hold: ``"corpus"`` or ``"model"``.
    format_version
        The version that can be read.
    verify
        Compare the sha256 of each file, too, not only its size.

    Raises
    ------
    FolderError
        Where the folder is missing, unfinished, of another kind or version, or a file is missing or changed.
    """
    path = Path(path)
    if not path.exists() and path.name and any(_leftovers(path)):
        with folder_lock(path):
            pass
    manifest = _read_manifest(path, kind)
    if manifest["kind"] != kind:
        raise FolderError(f"{path} is a {manifest['kind']} folder: a {kind} folder is needed here")
    _check_version(path, manifest, format_version)
    for name, expected in manifest["files"].items():
        _check_file(path, name, expected, verify=verify)
    if foreign := _foreign_files(path, manifest):
        log.warning("%s: not written by lda-app, ignored: %s", path, _some(foreign))
    return manifest


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that appears whole when the body ends, and not at all if it raises.

    Devices and pipes, such as ``/dev/stdout``, are written directly.

    Raises
    ------
    FileSystemError
        Where it cannot be written, or another process is writing it.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "theta.csv"
    >>> with atomic_file(out) as stream:
    ...     _ = stream.write(b"0.5")
    >>> out.read_bytes()
    b'0.5'
    """
    path = Path(path)
    if _is_device(path):
        with _writing(path, path), path.open("ab") as stream:
            yield stream
        return
    path = _target(path)
    with folder_lock(path):
        staging = _sibling(path, "staging")
        try:
            with _writing(path, staging), staging.open("xb") as stream:
                yield stream
            with _writing(path):
                _sync(staging)
                staging.replace(path)
                _sync(path.parent)
        finally:
            staging.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    # /dev/stdout may stand for a regular file, to which the shell has sent the output.
    return path.is_relative_to("/dev") or (path.exists() and not path.is_file())


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file that is the old one or the new one at any moment; see `atomic_file`."""
    with atomic_file(path) as stream:
        stream.write(data)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def spreadsheet_safe(cell: str) -> str:
    """Return a cell of a CSV file so that no spreadsheet runs it as a formula; numbers stay as they are.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("-3.5"), spreadsheet_safe("orbit")
    ("'=1+1", '-3.5', 'orbit')
    """
    if not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


_held: set[Path] = set()


@contextmanager
def folder_lock(path: Path) -> Iterator[None]:
    """Keep other processes from writing `path`, and sweep what dead ones left beside it.

    May be nested in the same process. The lock vanishes with the process, however it ends.

    Raises
    ------
    FileSystemError
        Where another process holds the lock, naming it, or where nothing can be written.
    """
    path = _target(path)
    if path in _held:
        yield
        return
    lock = path.with_name(f".{path.name}.lock")
    missing = [parent for parent in path.parents if not parent.exists()]
    with _writing(path):
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(lock, path)
    _held.add(path)
    try:
        with _writing(path):
            _sweep(path)
        yield
    finally:
        _held.discard(path)
        with suppress(OSError):
            lock.unlink()
            for parent in missing:
                parent.rmdir()  # fails, rightly, where something was written
        os.close(descriptor)


def check_writable(path: Path, needed_bytes: int = 0) -> None:
    """Make sure, before long work, that its result can be written.

    Parameters
    ----------
    path
        The file or folder to be written; need not exist.
    needed_bytes
        How much it will take, if known.

    Raises
    ------
    FileSystemError
        Where the disk is read-only or full, or permission is missing.
    """
    path = _target(path)
    place = next(parent for parent in path.parents if parent.exists())
    probe = _sibling(place / path.name, "staging")
    with _writing(path):
        try:
            with probe.open("xb") as stream:
                stream.write(b"?")
            _sync(probe)
        finally:
            probe.unlink(missing_ok=True)
        free = shutil.disk_usage(place).free
    if free < needed_bytes:
        sizes = f"needs {needed_bytes / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free"
        raise FileSystemError(f"{path} {sizes}: free some space or choose another place")


@contextmanager
def _writing(path: Path, staging: Path | None = None) -> Iterator[None]:
    """Turn errors of the file system into FileSystemError; with `staging`, only those of writing there."""
    try:
        yield
    except OSError as error:
        if staging is not None and not _concerns(error, staging):
            raise
        raise FileSystemError(f"cannot write {explain(error, path)}") from error


def _concerns(error: OSError, staging: Path) -> bool:
    # numpy reports a short write as a bare OSError without a number.
    short_write = type(error) is OSError and error.errno is None
    return short_write or error.errno in _DISK_FULL or str(error.filename).startswith(str(staging))


def _target(path: Path) -> Path:
    """Return the absolute path behind links, so that what they point to is replaced and not they."""
    path = Path(path).resolve()
    if not path.name:
        raise ConfigError(f"{path} cannot be written to: give the path of a file or folder below it")
    return path


def _sibling(path: Path, role: str) -> Path:
    return path.with_name(f".{path.name}.{role}-{os.getpid()}-{secrets.token_hex(4)}")


def _leftovers(path: Path, role: str = "staging|old") -> list[Path]:
    pattern = re.compile(rf"\.{re.escape(path.name)}\.({role})-\d+-[0-9a-f]{{8}}")
    with suppress(OSError):
        return sorted(entry for entry in path.parent.iterdir() if pattern.fullmatch(entry.name))
    return []


def _sweep(path: Path) -> None:
    """Remove what dead processes left; only they can have, for the lock is ours."""
    old = _leftovers(path, "old")
    if old and not path.exists():
        old[0].rename(path)
    for entry in _leftovers(path):
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _acquire(lock: Path, path: Path) -> int:
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            # A record lock and not flock: worker processes, which may outlive this one, do not inherit it.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, lock):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, str(os.getpid()).encode())
                return descriptor
        except (BlockingIOError, PermissionError):
            holder = os.pread(descriptor, 32, 0).decode(errors="replace") or "(unknown)"
            os.close(descriptor)
            raise FileSystemError(
                f"{path} is in use by process {holder}: wait until it ends or choose another place"
            ) from None
        except BaseException:
            lock.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether the open file is the one at `path`, for its last holder may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def check_replaceable(path: Path, kind: str, *, overwrite: bool) -> None:
    """Refuse a place that is taken: by anything, or with `overwrite` by what is no folder of this kind.

    Raises
    ------
    ConfigError
        Where `path` exists and may not be replaced.

    Examples
    --------
    >>> check_replaceable(Path("/"), "model", overwrite=False)
    Traceback (most recent call last):
        ...
    lda_app.errors.ConfigError: / exists: choose another place or replace it with --overwrite
    """
    if not path.exists():
        return
    if not overwrite:
        raise ConfigError(f"{path} exists: choose another place or replace it with --overwrite")
    if path.is_dir() and not any(path.iterdir()):
        return
    try:
        manifest = _read_manifest(path, kind)
    except FolderError:
        raise ConfigError(
            f"{path} exists and was not written by lda-app: choose another place or remove it yourself"
        ) from None
    if manifest["kind"] != kind:
        raise ConfigError(
            f"{path} is a {manifest['kind']} folder: choose another place for the {kind} folder"
        )
    if foreign := _foreign_files(path, manifest):
        raise ConfigError(f"{path} holds files that lda-app did not write: move them away: {_some(foreign)}")


def _seal(staging: Path, header: dict[str, Any]) -> None:
    """Sync all files and folders to disk and write the manifest, last."""
    manifest = staging / MANIFEST
    files = {
        name: {"bytes": (staging / name).stat().st_size, "sha256": sha256_of(staging / name)}
        for name in _file_names(staging)
    }
    content = {**header, "lda_app": __version__, "files": files}
    manifest.write_text(
        json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n",
        encoding="utf-8",
    )
    for entry in (*staging.rglob("*"), staging):
        _sync(entry)


def _swap(staging: Path, path: Path) -> None:
    """Put the staging folder into place; a folder that was there takes the staging folder's name."""
    if not path.exists():
        staging.rename(path)
    elif not _exchange(staging, path):
        aside = _sibling(path, "old")
        path.rename(aside)
        try:
            staging.rename(path)
        except BaseException:
            aside.rename(path)
            raise
        aside.rename(staging)
    _sync(path.parent)


@functools.cache
def _renameat2() -> Callable[..., int] | None:
    """Return Linux's call that swaps two folders in one step, where the C library has it."""
    try:
        call: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    return call


def _exchange(a: Path, b: Path) -> bool:
    """Swap two folders in one step; return False where system or file system cannot."""
    renameat2 = _renameat2()
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.ENOSYS, errno.EINVAL}:
        return False
    raise OSError(code, os.strerror(code), str(b))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file_names(folder: Path) -> list[str]:
    names = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())
    return sorted(name for name in names if name != MANIFEST)


def _foreign_files(path: Path, manifest: dict[str, Any]) -> list[str]:
    """Return the files that the manifest does not name and that are no traces of writing."""
    names = (name for name in _file_names(path) if name not in manifest["files"])
    return [name for name in names if not any(_TRACE.fullmatch(part) for part in Path(name).parts)]


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _read_manifest(path: Path, kind: str) -> dict[str, Any]:
    if not path.exists():
        raise FolderError(f"there is no {kind} folder {path}: check the path")
    if not path.is_dir():
        raise FolderError(f"{path} is a file: a {kind} folder is needed here")
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
    except FileNotFoundError:
        state = (
            "is no lda-app folder, or unfinished: it has no manifest.json"
            if any(path.iterdir())
            else "is empty"
        )
        raise FolderError(f"{path} {state}: a {kind} folder is needed here") from None
    except OSError as error:
        raise FolderError(f"cannot read {explain(error, path / MANIFEST)}") from error
    except (ValueError, RecursionError):
        manifest = None
    if not _is_manifest(manifest):
        raise FolderError(f"{path / MANIFEST} is damaged: make the {kind} folder again")
    return dict(manifest)


def _is_manifest(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("kind"), str)
        and isinstance(value.get("format_version"), int)
        and isinstance(value.get("lda_app"), str)
        and isinstance(value.get("files"), dict)
        and all(
            isinstance(entry, dict)
            and isinstance(entry.get("bytes"), int)
            and isinstance(entry.get("sha256"), str)
            for entry in value["files"].values()
        )
    )


def _check_version(path: Path, manifest: dict[str, Any], readable: int) -> None:
    found, maker = manifest["format_version"], manifest["lda_app"]
    made = f"{path} has format {found}, made by lda-app {maker}"
    if found > readable:
        raise FolderError(f"{made}: it needs at least lda-app {maker}, this is {__version__}")
    if found < readable:
        raise FolderError(f"{made}: this lda-app reads format {readable}, make the folder again")


def _check_file(path: Path, name: str, expected: dict[str, Any], *, verify: bool) -> None:
    file = path / name
    try:
        if not file.is_file():
            raise FolderError(f"{file} is missing: restore it or make the {path.name} folder again")
        size = file.stat().st_size
        intact = size == expected["bytes"] and (not verify or sha256_of(file) == expected["sha256"])
    except OSError as error:
        raise FolderError(f"cannot read {explain(error, file)}") from error
    if not intact:
        state = "changed" if size == expected["bytes"] else f"of {size} bytes instead of {expected['bytes']}"
        raise FolderError(f"{file} is {state} since it was written: restore it or make the folder again")
