"""One training of a comparison, in this process: ``python -m lda_app.studies.compare.worker SPECIFICATION``.

The specification is a JSON object; see :class:`Task`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lda_app.corpus.folder import open_corpus
from lda_app.errors import LdaAppError
from lda_app.studies.compare.clock import Clock
from lda_app.studies.compare.methods import METHODS, Fitted
from lda_app.system.storage import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable

    from lda_app.studies.compare.figures import Figures, Split

TRAINING, MEASURING = "training", "measuring"
_SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True)
class Task:
    """What a worker does.

    Parameters
    ----------
    corpus
        The corpus folder.
    method
        Name of the method.
    num_topics, seed
        What it is trained with.
    result, phase
        The files to write: the result, and meanwhile which phase the work is in.
    follows
        Whether the perplexity is followed during training.
    time_limit
        Seconds of training after which it is stopped; None for no limit.
    label
        The column of the documents' labels, if they have one.
    run
        A model directory to measure in place of a training.
    """

    corpus: str
    method: str
    num_topics: int
    seed: int
    result: str
    phase: str
    follows: bool
    time_limit: float | None = None
    label: str | None = None
    run: str | None = None

    def to_json(self) -> str:
        """Return the specification."""
        return json.dumps(asdict(self))


def work(task: Task) -> None:
    """Train and measure, and write the result."""
    from lda_app.studies.compare.figures import split_of_corpus, window_coherences

    corpus = open_corpus(Path(task.corpus))
    train, test = (split_of_corpus(corpus, name, task.label) for name in ("train", "test"))
    more = partial(window_coherences, corpus=corpus)
    parts = train, test, more
    measured = _trained(task, *parts) if task.run is None else _opened(task.run, *parts)
    write_atomic(Path(task.result), json.dumps(measured, indent=1, allow_nan=False).encode())


def _trained(task: Task, train: Split, test: Split, more: Callable[[Fitted], Figures]) -> dict[str, Any]:
    from lda_app.studies.compare.measuring import measure

    phase = Path(task.phase)
    clock = Clock(
        keeps_snapshots=task.follows,
        time_limit=task.time_limit,
        on_start=lambda: phase.write_text(TRAINING),
    )
    method = METHODS[task.method]
    return measure(
        method,
        train,
        test,
        task.num_topics,
        task.seed,
        clock,
        on_fitted=lambda: phase.write_text(MEASURING),
        more=more,
    )


def _opened(run: str, train: Split, test: Split, more: Callable[[Fitted], Figures]) -> dict[str, Any]:
    """Measure a model that is there; of its training no more is known than its seconds."""
    from lda_app.fitted.folder import open_model
    from lda_app.studies.compare.figures import figures

    model = open_model(Path(run))
    fitted = Fitted(model.alpha, model.beta, model.posterior)
    timing = json.loads((model.path / "timing.json").read_text(encoding="utf-8"))
    return {
        "usage": {"seconds": timing.get("train_seconds")},
        "figures": figures(fitted, train, test) | more(fitted),
        "curve": [],
        "stopped": False,
    }


def main() -> int:
    """Do the task that the one argument specifies; return the exit code."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        work(Task(**json.loads(sys.argv[1])))
    except LdaAppError as error:
        print(error, file=sys.stderr)  # noqa: T201 - into the worker's log, whose last line is shown
        return error.exit_code
    return 0


def _end_with(parent: int) -> None:
    """End this process, and those that it has begun, when the one that began it has been killed."""
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
