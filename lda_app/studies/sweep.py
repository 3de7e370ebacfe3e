"""How many topics there should be: figures of each number of topics K, and what follows from them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.errors import ConfigError
from lda_app.evaluation.exclusivity import FREX_WEIGHT
from lda_app.evaluation.stability import DISTANCE, THRESHOLD, agreement
from lda_app.studies.advice import Row, advise
from lda_app.studies.paired import CONFIDENCE, Scores, ValueWithError, compare_perplexities
from lda_app.studies.study import Cell
from lda_app.training.data import divide

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lda_app.config import TrainConfig
    from lda_app.corpus.folder import Corpus
    from lda_app.evaluation.stability import Agreement
    from lda_app.studies.study import Study

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Sweep:
    """What a sweep came to.

    Parameters
    ----------
    rows
        One a number of topics, rising.
    seeds
        Seeds of the runs of each number of topics.
    num_documents, num_tokens
        Held out, over all seeds, and scored.
    recommended
        The number of topics to take.
    reasons
        Why, and how sure that is, in sentences.
    """

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    num_documents: int
    num_tokens: int
    recommended: int
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it, each figure with its protocol."""
        return {
            "schema_version": SCHEMA_VERSION,
            "seeds": list(self.seeds),
            "protocols": {
                "perplexity": {
                    "protocol": "document_completion",
                    "documents": "held out of the training split, different ones for each seed",
                    "num_documents": self.num_documents,
                    "num_tokens": self.num_tokens,
                },
                "difference": {"protocol": "share_above_the_best", "confidence": CONFIDENCE},
                "coherence": {"protocol": "document_npmi", "reference_split": "train"},
                "exclusivity": {"protocol": f"frex_{FREX_WEIGHT}"},
                "diversity": {"protocol": "unique_share"},
                "stability": {"distance": DISTANCE, "threshold": THRESHOLD},
            },
            "rows": [asdict(row) for row in self.rows],
            "recommended": self.recommended,
            "reasons": list(self.reasons),
        }


def summarize(study: Study, numbers: Sequence[int], seeds: Sequence[int]) -> Sweep:
    """Put together what was measured of the finished cells of a study.

    Parameters
    ----------
    study
        All cells of ``numbers`` and ``seeds`` are finished in it.
    numbers
        The numbers of topics, at least two, rising.
    seeds
        Seeds of the runs of each number of topics.

    """
    figures = {Cell(k, s): study.figures(Cell(k, s)) or {} for k in numbers for s in seeds}
    scores = _scores(figures, numbers, seeds)
    compared = compare_perplexities(scores, seed=study.training.seed)
    rows = []
    for place, k in enumerate(numbers):
        cells = [Cell(k, seed) for seed in seeds]
        of_cells = [figures[cell] for cell in cells]
        agreed = agreement([study.beta(cell) for cell in cells])
        similarity, found = _stability(agreed)
        rows.append(
            Row(
                num_topics=k,
                most_typical=cells[agreed.most_typical].name,
                perplexity=compared.estimates[place],
                difference=compared.differences[place],
                coherence=_over_runs([figure["coherence"]["value"] for figure in of_cells]),
                exclusivity=_over_runs([figure["exclusivity"]["value"] for figure in of_cells]),
                diversity=_over_runs([figure["diversity"]["value"] for figure in of_cells]),
                similarity=similarity,
                found=found,
                train_seconds=float(np.mean([figure["train_seconds"] for figure in of_cells])),
            )
        )
    recommended, reasons = advise(rows, len(seeds))
    return Sweep(
        rows=tuple(rows),
        seeds=tuple(seeds),
        num_documents=sum(map(len, scores.num_tokens)),
        num_tokens=int(sum(tokens.sum() for tokens in scores.num_tokens)),
        recommended=recommended,
        reasons=reasons,
    )


def require_held_out(corpus: Corpus, training: TrainConfig) -> None:
    """Refuse a sweep that would have no documents to compare on, before it has trained anything.

    Raises
    ------
    ConfigError
        If trainings hold out too few.
    """
    if divide(corpus.split("train"), training).validation is None:
        raise ConfigError(
            "too few held-out documents to compare numbers of topics: raise --validation-fraction, or "
            "use more documents"
        )


def _scores(figures: dict[Cell, dict[str, Any]], numbers: Sequence[int], seeds: Sequence[int]) -> Scores:
    """Gather the score of each held-out document."""
    completions = {cell: figure["completion"] for cell, figure in figures.items()}
    return Scores(
        tuple(np.array([completions[Cell(k, s)]["log_likelihood"] for k in numbers]) for s in seeds),
        tuple(np.array(completions[Cell(numbers[0], s)]["num_tokens"], dtype=float) for s in seeds),
    )


def _over_runs(values: Sequence[float]) -> ValueWithError:
    """Mean over runs, with its standard error."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else None
    return ValueWithError(float(np.mean(values)), error)


def _stability(agreed: Agreement) -> tuple[ValueWithError | None, ValueWithError | None]:
    """Mean similarity of aligned topics, and the share found, over all pairs of runs."""
    if len(agreed.pairs) < 2:
        return None, None
    return _over_pairs(agreed.pairs), _over_pairs(agreed.found)


def _over_pairs(values: npt.NDArray[np.float64]) -> ValueWithError:
    """Mean over pairs of runs (S, S); its standard error by the jackknife over runs, for pairs share runs.

    Examples
    --------
    >>> _over_pairs(np.array([[1.0, 0.7], [0.7, 1.0]]))
    ValueWithError(value=0.7, standard_error=None)
    """
    num_runs = len(values)
    mean = _off_diagonal_mean(values)
    if num_runs < 3:
        return ValueWithError(mean, None)
    without = [
        _off_diagonal_mean(np.delete(np.delete(values, run, axis=0), run, axis=1)) for run in range(num_runs)
    ]
    return ValueWithError(mean, math.sqrt((num_runs - 1) * float(np.var(without))))


def _off_diagonal_mean(values: npt.NDArray[np.float64]) -> float:
    return float(values[~np.eye(len(values), dtype=bool)].mean())
