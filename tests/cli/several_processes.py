"""Start pairs of processes that train or talk together; run by `test_several_processes.py`.

For each line of stdin, the arguments of a pair in JSON, two copies of this process are made, so that what is
heavy is loaded once; a line of stdout tells the exit code and stderr of each. The arguments are
``["talk"]``, or what happens (``nothing``, ``SIGTERM``, ``SIGKILL``) to which rank before which step of a
command, and the command.
"""

import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta

import torch
import torch.distributed

from lda_app import distributed
from lda_app.cli import run
from lda_app.distributed import Group, joined
from lda_app.errors import ProcessGroupError
from lda_app.training import run as _  # noqa: F401 - to be loaded once
from lda_app.training import train as train_module

TIMEOUT = timedelta(seconds=2)


def pair(arguments: list[str]) -> list[tuple[int, str]]:
    """Run two copies of this process with the arguments; return exit code and stderr of each."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with tempfile.TemporaryFile("w+") as first, tempfile.TemporaryFile("w+") as second:
        children = [start(rank, port, arguments, file.fileno()) for rank, file in enumerate((first, second))]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        for file in (first, second):
            file.seek(0)
        return list(zip(codes, (first.read(), second.read()), strict=True))


def start(rank: int, port: int, arguments: list[str], stderr: int) -> int:
    """Return the process id of a copy of this process, of a rank."""
    if child := os.fork():
        return child
    os.dup2(stderr, 2)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    code = talk(rank) if arguments == ["talk"] else command(rank, *arguments)
    sys.stderr.flush()
    os._exit(code)


def command(rank: int, event: str, to_rank: str, step: str, *arguments: str) -> int:
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

    if group.is_first:
        group.tell(lambda: b"what to do")
    else:
        say("told", group.told().decode())
    say("work", group.from_first(work_longer_than_the_timeout).decode())
    say("largest", *group.largest(rank, -rank))
    say("union", *group.union(torch.tensor([[1, 4, 9], [0, 4]][rank])).tolist())
    weights, counts = torch.full((2, 2), 1.5 + rank), torch.tensor([1.0, rank])
    group.sum_([weights, counts])
    say("sum", *weights.flatten().tolist(), *counts.tolist())
    numbers = torch.randn(100_003, generator=torch.Generator().manual_seed(rank))
    group.sum_([numbers])
    group.require_same({"numbers": numbers})
    numbers[rank] += 1
    try:
        group.require_same({"numbers": numbers})
    except ProcessGroupError as error:
        say("different", error)
    if rank == 1:
        time.sleep(TIMEOUT.seconds + 1)
    group.largest(0)


def work_longer_than_the_timeout() -> bytes:
    """Take half a second more."""
    time.sleep(TIMEOUT.seconds + 0.5)
    return b"done"


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(pair(json.loads(line))), flush=True)
