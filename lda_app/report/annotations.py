"""Results stored with the model by other commands: stability, calibration and program comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lda_app.errors import FolderError
from lda_app.evaluation.stability import read_stability
from lda_app.studies.compare.pages import notes
from lda_app.studies.compare.table import rows
from lda_app.system.storage import read_annotation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Content = dict[str, Any]


def found_later(run: Path, num_topics: int) -> dict[str, Content | None]:
    """Read the results that were added to a model.

    Parameters
    ----------
    run
        Folder of the model.
    num_topics
        K, number of topics.

    Returns
    -------
    dict
        ``stability``, ``calibration`` and ``comparison``; None for each that is missing.

    Raises
    ------
    FolderError
        If a file is corrupt.
    """
    stability = read_stability(run, num_topics)
    return {
        "stability": None if stability is None else stability.to_dict(),
        "calibration": _read(run, "calibration.json", _calibration),
        "comparison": _read(run, "comparison.json", _comparison),
    }


def _read(run: Path, name: str, lay_out: Callable[[Content], Content]) -> Content | None:
    content = read_annotation(run, name)
    try:
        return None if content is None else lay_out(content)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise FolderError(f"{run / name}: cannot be read: {error!r}; delete it or compute it again") from None


def _calibration(document: Content) -> Content:
    """Lay out coverage as `lda-app eval --calibration` does."""
    parts = document["parts"]
    levels = [f"{coverage['level']:.0%}" for coverage in parts[0]["coverage"]]
    lines = [
        [
            part["posterior"],
            part["lengths"],
            part["topics"],
            *(f"{100 * c['value']:.1f} ± {100 * c['margin']:.1f}" for c in part["coverage"]),
            f"{part['p_value']:.2g}",
        ]
        for part in parts
    ]
    return {"titles": ["posterior", "lengths", "topics", *levels, "p"], "rows": lines}


def _comparison(document: Content) -> Content:
    """Lay out a comparison as `lda-app compare` does."""
    titles, lines = rows(document["results"])
    return {"titles": titles, "rows": lines, "notes": notes(document)}
