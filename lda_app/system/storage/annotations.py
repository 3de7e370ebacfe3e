"""Annotations: what is found or said of a sealed folder later, kept in it but apart from what was sealed.

An annotation is a JSON file such as ``labels.json``. It names the content that it is about; if the folder is
made anew, its old annotations no longer hold, and reading one says so.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from lda_app.system.runtime import log
from lda_app.system.storage.files import read_json, write_atomic
from lda_app.system.storage.manifest import ANNOTATIONS, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

_CIRCUMSTANCES = frozenset({"config.json", "timing.json"})
"""Paths and times, which are not part of what an annotation is about."""


def write_annotation(folder: Path, name: str, content: dict[str, Any], *, kind: str = "model") -> None:
    """Write an annotation of a sealed folder, whole or not at all.

    Parameters
    ----------
    folder
        The sealed folder.
    name
        The file, one of `lda_app.system.storage.manifest.ANNOTATIONS`.
    content
        What JSON can hold; ``about`` is added, the fingerprint of what was sealed.
    kind
        What the folder holds.

    Raises
    ------
    FolderError
        If it is no sealed folder of this kind.
    FileSystemError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lda_app.system.storage import sealed_folder
    >>> run = Path(tempfile.mkdtemp()) / "run"
    >>> with sealed_folder(run, kind="model", format_version=1, overwrite=False) as staging:
    ...     _ = (staging / "model.safetensors").write_bytes(b"weights")
    >>> write_annotation(run, "labels.json", {"labels": {"3": "space flight"}})
    >>> read_annotation(run, "labels.json")["labels"]
    {'3': 'space flight'}
    """
    assert name in ANNOTATIONS
    described = {**content, "about": content_fingerprint(folder, kind)}
    text = json.dumps(described, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_atomic(folder / name, (text + "\n").encode())


def read_annotation(folder: Path, name: str, *, kind: str = "model") -> dict[str, Any] | None:
    """Read an annotation of a sealed folder.

    Returns
    -------
    dict or None
        Its content; None if there is none, or, with a warning, if it is about another content of the folder.

    Raises
    ------
    FolderError
        If the file is no JSON object.
    """
    assert name in ANNOTATIONS
    file = folder / name
    if not file.exists():
        return None
    content = read_json(file, remedy="fix or remove it")
    if content.get("about") != content_fingerprint(folder, kind):
        log.warning("ignoring %s: it belongs to a different model", file)
        return None
    return content


def content_fingerprint(folder: Path, kind: str) -> str:
    """Return the sha256 of what was sealed: equal runs of training have the same, wherever and whenever."""
    files = read_manifest(folder, kind)["files"]
    listed = "".join(
        f"{name} {files[name]['sha256']}\n" for name in sorted(files) if name not in _CIRCUMSTANCES
    )
    return hashlib.sha256(listed.encode()).hexdigest()
