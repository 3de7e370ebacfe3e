"""Start the command line: ``lda-app`` or ``python -m lda_app``."""

import gc
import logging
import os
import sys

from lda_app.cli import run


def main() -> None:
    """Run the command that the arguments name and end the process with its exit code."""
    # What is imported stays: looking for garbage among it takes a sixth of the time until a command begins.
    gc.set_threshold(10_000)
    code = run()
    if os.environ.get("WORLD_SIZE", "1") != "1":
        _end_at_once(code)
    sys.exit(code)


def _end_at_once(code: int) -> None:
    """End one of several processes without taking the interpreter down.

    Threads that torch keeps for talking to the others may ask for it meanwhile, which aborts the process one
    time in ten; torchrun then kills the other processes, which may still be writing.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
