"""Trainings of other seeds, and how often they find the topics of a run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lda_app.evaluation.stability import agreement, topic_stability, write_stability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lda_app.evaluation.stability import Agreement, TopicStability
    from lda_app.fitted.folder import ModelDir
    from lda_app.studies.study import Cell, Study


def score_run(model: ModelDir, study: Study, cells: Sequence[Cell]) -> TopicStability:
    """Score the topics of a run by the finished cells of a study, and write that into the run's folder.

    Parameters
    ----------
    model
        The run.
    study, cells
        Trainings of other seeds, at least one, which are otherwise the same.
    """
    scored = topic_stability(model.beta, [study.beta(cell) for cell in cells])
    write_stability(model.path, scored)
    return scored


def score_each_other(study: Study, cells: Sequence[Cell]) -> Agreement:
    """Score the topics of each finished cell by the others, and write that into the folder of each.

    Parameters
    ----------
    study, cells
        Trainings that differ in their seed alone, at least two.
    """
    agreed = agreement([study.beta(cell) for cell in cells])
    for place, cell in enumerate(cells):
        write_stability(study.model_path(cell), agreed.of_run(place))
    return agreed
