"""Sealed folders and atomic files: what the app writes is there as a whole or not at all."""

from lda_app.system.storage.annotations import content_fingerprint, read_annotation, write_annotation
from lda_app.system.storage.copies import copy_folder
from lda_app.system.storage.files import atomic_file, read_json, sha256_of, write_atomic, write_json
from lda_app.system.storage.folders import check_replaceable, open_folder, sealed_folder
from lda_app.system.storage.locks import folder_lock
from lda_app.system.storage.manifest import read_manifest
from lda_app.system.storage.paths import check_writable, explain
from lda_app.system.storage.spreadsheets import spreadsheet_safe

__all__ = [
    "atomic_file",
    "check_replaceable",
    "check_writable",
    "content_fingerprint",
    "copy_folder",
    "explain",
    "folder_lock",
    "open_folder",
    "read_annotation",
    "read_json",
    "read_manifest",
    "sealed_folder",
    "sha256_of",
    "spreadsheet_safe",
    "write_annotation",
    "write_atomic",
    "write_json",
]
