"""Train, killed again and again; run by `test_bad_input_faults.py` in a process of its own.

Each attempt is a copy of this process, and dies by SIGKILL before a step or a file operation whose number,
counted from its first step, is drawn at random. With a checkpoint after each step, these moments lie in all
parts of writing checkpoints and the model.
"""

import math
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

from lda_app.cli import run
from lda_app.training import train as train_module
from lda_app.training.run import checkpoint_of

KILLS = 10
LONGEST = 36


def command(corpus: str, out: Path, options: list[str]) -> list[str]:
    """Go on where something is there to go on with."""
    if checkpoint_of(out).exists() or out.exists():
        return ["train", "--resume", str(out)]
    return ["train", corpus, "--out", str(out), *options]


def attempt(arguments: list[str], moment: int | None) -> int:
    """Run in a copy of this process, which is killed at a moment if there is one; return its exit code."""
    child = os.fork()
    if child == 0:
        if moment is not None:
            die_at(moment)
        os._exit(run(arguments))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_at(moment: int) -> None:
    """From the first step on, count steps and file operations, and die before the one of this number."""
    count, begun = 0, False

    def tick() -> None:
        nonlocal count
        count += begun
        if count == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def at_file_operation(event: str, _: object) -> None:
        if event == "open" or event.startswith(("os.", "fcntl.")):
            tick()

    real = train_module.train_step

    def step(*arguments: object, **more: object) -> float:
        nonlocal begun
        tick()
        loss = real(*arguments, **more)  # type: ignore[arg-type]
        begun = True
        return loss

    train_module.train_step = step
    sys.addaudithook(at_file_operation)


def main() -> None:
    """Print a line for each attempt: its exit code and what lies there afterwards."""
    corpus, out, *options = sys.argv[1:]
    folder = Path(out).parent
    with tempfile.TemporaryDirectory() as scratch:  # load once what each copy would have to load
        run(["train", corpus, "--out", f"{scratch}/run", *options])
    train_module._SECONDS_BETWEEN_CHECKPOINTS = 0.0
    train_module._MOST_TIME_FOR_CHECKPOINTS = math.inf
    moments = random.Random(0).sample(range(1, LONGEST), KILLS)
    for moment in [*moments, None]:
        code = attempt(command(corpus, Path(out), options), moment)
        there = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        print(code, *there, flush=True)


if __name__ == "__main__":
    main()
