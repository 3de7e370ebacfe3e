"""Serve the page with the run's current labels, and save edited labels to the run."""

from __future__ import annotations

import json
from threading import Lock
from typing import TYPE_CHECKING, Any

from lda_app.fitted.labels import labels_from_dict, read_labels, write_labels
from lda_app.report.packing import as_json
from lda_app.report.page import assemble
from lda_app.system.storage import content_fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lda_app.fitted.folder import ModelDir

_AS_TRAINED = {"label": None, "hidden": False, "merged_into": None}


class ConflictError(Exception):
    """The run's labels or model have changed since the page was loaded."""


class LabelEditor:
    """Serves the page and saves labels.

    Parameters
    ----------
    model
        Model of the run.
    data
        The page's data, from `lda_app.report.data.report_parts`.
    token
        Secret token that the page sends with its requests.
    """

    def __init__(self, model: ModelDir, data: str, token: str) -> None:
        self._run, self._num_topics = model.path, len(model.beta)
        self._content: dict[str, Any] = {**json.loads(data), "carried": True, "token": token}
        self._title = f"{self._content['corpus']['name']}: {self._num_topics} topics"
        self._writing = Lock()

    def page(self) -> str:
        """Return the page with the run's current labels."""
        said = read_labels(self._run, self._num_topics).to_dict()["topics"]
        topics = [
            {**topic, **_AS_TRAINED, **said.get(str(topic["id"]), {})} for topic in self._content["topics"]
        ]
        return assemble({"data": as_json({**self._content, "topics": topics})}, self._title, served=True)

    def save(self, given: Mapping[str, Any]) -> None:
        """Write labels to the run.

        Parameters
        ----------
        given
            ``labels``, in the format of ``labels.json``; and ``instead_of``, the labels they replace, so that
            concurrent edits are not overwritten silently.

        Raises
        ------
        FolderError
            If the labels are not valid for the model.
        FileSystemError
            If the labels cannot be written.
        ConflictError
            If the run's labels or model have changed in the meantime.
        """
        new = labels_from_dict(_object(given, "labels"), self._num_topics, "labels")
        known = labels_from_dict(_object(given, "instead_of"), self._num_topics, "instead_of")
        with self._writing:
            if content_fingerprint(self._run, "model") != self._content["about"]:
                raise ConflictError("the run now contains a different model: restart lda-app serve")
            if read_labels(self._run, self._num_topics).to_dict() != known.to_dict():
                raise ConflictError("the labels were changed elsewhere: reload the page to get them")
            write_labels(self._run, new)


def _object(given: Any, name: str) -> Mapping[str, Any]:
    value = given.get(name) if isinstance(given, dict) else None
    return value if isinstance(value, dict) else {}
