"""Copies of sealed folders, sealed themselves."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from lda_app.system.storage.annotations import read_annotation, write_annotation
from lda_app.system.storage.files import write_json
from lda_app.system.storage.folders import sealed_folder
from lda_app.system.storage.manifest import ANNOTATIONS, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def copy_folder(
    source: Path,
    out: Path,
    kind: str,
    *,
    overwrite: bool,
    changed: Mapping[str, dict[str, Any]] | None = None,
) -> None:
    """Copy a sealed folder with its annotations, which are then about the copy.

    Parameters
    ----------
    source
        The folder, of this kind.
    out
        Where the copy is to be; may be ``source`` itself.
    kind
        What it holds: ``"corpus"`` or ``"model"``.
    overwrite
        Replace a folder of the same kind.
    changed
        JSON files that are to have another content than in the source.

    Raises
    ------
    ConfigError
        Where ``out`` exists and may not be replaced.
    FolderError
        If the source or an annotation cannot be read.
    FileSystemError
        If the copy cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> home = Path(tempfile.mkdtemp())
    >>> with sealed_folder(home / "run", kind="model", format_version=1, overwrite=False) as staging:
    ...     write_json(staging / "config.json", {"corpus": "../news"})
    >>> copy_folder(home / "run", home / "copy", "model", overwrite=False, changed={"config.json": {}})
    >>> (home / "copy" / "config.json").read_text().strip()
    '{}'
    """
    manifest = read_manifest(source, kind)
    annotations = {name: read_annotation(source, name, kind=kind) for name in ANNOTATIONS}
    details = {name: value for name, value in manifest.items() if name not in ("files", "kind", "lda_app")}
    version = details.pop("format_version")
    with sealed_folder(
        out, kind=kind, format_version=version, overwrite=overwrite, details=details
    ) as staging:
        for name in manifest["files"]:
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, staging / name)
        for name, content in (changed or {}).items():
            write_json(staging / name, content)
    for name, found in annotations.items():
        if found is not None:
            write_annotation(out, name, found, kind=kind)
