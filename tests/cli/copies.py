"""Copies of a process in which all that is heavy is loaded; `begin_copies` of the tests runs this.

It first trains on the corpus that it is given, in a moment, so that the compiled loops are loaded, too. Then
a line of stdin is a JSON list, what to do and arguments, and is answered by a line of JSON.

``["begin", folder, size, what, …]`` makes copies that do one of the following, and answers their ids. The
copy of rank r reads ``r.in`` of the folder, and writes to ``r.out`` and ``r.err``.

- ``lda-app, …``: be ``lda-app`` with these arguments.
- ``script, path, …``: be a Python script with these arguments.
- ``torchrun, …``: be ``torchrun`` with these arguments.
- ``together, event, rank, step, …``: train together by these arguments of ``lda-app``, and let an event
  (``nothing``, ``SIGTERM``, ``SIGKILL``) happen to a rank before a step.
- ``talk``: talk as processes do that train together.

``["wait", id, seconds]`` answers the exit code of a copy, or null if it has not ended by then.
"""

import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed

from lda_app.__main__ import main
from lda_app.cli import run
from lda_app.errors import ProcessGroupError
from lda_app.system import distributed
from lda_app.system.distributed import Group, joined
from lda_app.training import run as _  # noqa: F401 - to be loaded once
from lda_app.training import train as train_module

TIMEOUT = timedelta(seconds=2)
SECONDS_BETWEEN_LOOKS = 0.01


def begin(folder: Path, size: int, what: str, arguments: list[str]) -> list[int]:
    """Make copies of this process; return their ids. In a copy, do what is to be done, and end."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    children = []
    for rank in range(size):
        if child := os.fork():
            children.append(child)
            continue
        for number, (name, mode) in enumerate({"in": "r", "out": "a", "err": "a"}.items()):
            with (folder / f"{rank}.{name}").open(mode) as file:
                os.dup2(file.fileno(), number)
        if what == "lda-app":
            sys.argv[1:] = arguments
            main()  # ends by SystemExit, so that the interpreter is taken down as after any command
        elif what == "script":
            sys.argv[:] = arguments
            runpy.run_path(arguments[0], run_name="__main__")
            sys.exit()
        elif what == "torchrun":
            torchrun(arguments)
        else:
            place = {"RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            os.environ |= {name: str(value) for name, value in place.items()}
            code = talk(rank) if what == "talk" else together(rank, *arguments)
            sys.stderr.flush()
            os._exit(code)
    return children


def wait(child: int, seconds: float) -> int | None:
    """Return the exit code of a copy, or None if it has not ended in time."""
    give_up = time.monotonic() + seconds
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > give_up:
            return None
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return os.waitstatus_to_exitcode(ended[1])


def torchrun(arguments: list[str]) -> None:
    """Be torchrun."""
    from torch.distributed.run import main as launch

    launch(arguments)
    sys.exit()


def together(rank: int, event: str, to_rank: str, step: str, *arguments: str) -> int:
    """Run a command, and let something happen to a process before a step."""
    if event != "nothing" and rank == int(to_rank):
        before_step(int(step), lambda: os.kill(os.getpid(), signal.Signals[event]))
    return run(arguments)


def before_step(number: int, action: Callable[[], None]) -> None:
    """Do something before a step."""
    real = train_module.train_step

    def step(*arguments: object, **more: object) -> float:
        if arguments[-1] == number:
            action()
        return real(*arguments, **more)  # type: ignore[arg-type]

    train_module.train_step = step


def talk(rank: int) -> int:
    """Do what processes do while they train, until the other falls silent; print what came of it."""
    distributed._SECONDS_BETWEEN_BEATS = 0.2
    with joined(TIMEOUT) as group:
        try:
            say_all(group, rank)
        except ProcessGroupError as error:
            print("gone", error, file=sys.stderr)
            return error.exit_code
    return 0


def say_all(group: Group, rank: int) -> None:
    """Print the outcome of each way to talk."""

    def say(*words: object) -> None:
        print(*words, file=sys.stderr)

    if group.is_rank_zero:
        group.broadcast(lambda: b"what to do")
    else:
        say("told", group.receive().decode())
    say("work", group.rank_zero_first(work_longer_than_the_timeout).decode())
    say("largest", *group.all_reduce_max(rank, -rank))
    say("union", *group.union(torch.tensor([[1, 4, 9], [0, 4]][rank])).tolist())
    weights, counts = torch.full((2, 2), 1.5 + rank), torch.tensor([1.0, rank])
    group.all_reduce_sum([weights, counts])
    say("sum", *weights.flatten().tolist(), *counts.tolist())
    numbers = torch.randn(100_003, generator=torch.Generator().manual_seed(rank))
    group.all_reduce_sum([numbers])
    group.require_same({"numbers": numbers})
    numbers[rank] += 1
    try:
        group.require_same({"numbers": numbers})
    except ProcessGroupError as error:
        say("different", error)
    if rank == 1:
        time.sleep(TIMEOUT.seconds + 1)
    group.all_reduce_max(0)


def work_longer_than_the_timeout() -> bytes:
    """Take half a second more."""
    time.sleep(TIMEOUT.seconds + 0.5)
    return b"done"


def serve() -> None:
    """Answer the lines of stdin; in the end, kill what is left."""
    left: set[int] = set()
    for line in sys.stdin:
        match json.loads(line):
            case ["begin", folder, size, what, *arguments]:
                answer = begin(Path(folder), size, what, arguments)
                left |= {*answer}
            case ["wait", child, seconds]:
                answer = wait(child, seconds)
                left -= set() if answer is None else {child}
        print(json.dumps(answer), flush=True)
    for child in left:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def warm_up(corpus: str) -> None:
    """Train once, and say nothing of it."""
    with tempfile.TemporaryDirectory() as scratch:
        code = run(
            ["train", corpus, "--out", f"{scratch}/run", "--num-topics", "3", "--epochs", "1", "--quiet"]
        )
        if code:
            sys.exit(code)


if __name__ == "__main__":
    warm_up(sys.argv[1])
    serve()
    os._exit(0)  # at once: all that was loaded is left to the system
