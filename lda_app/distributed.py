"""Several processes train one model: each computes on a part of every batch, and all add up what they found.

``torchrun`` starts the processes and tells each its rank by the environment. They stay equal to the bit: the
same sum, on the same weights, makes the same step. The first of them, of rank 0, alone reads what is to be
done and writes what comes of it; while it is at that, the others hear from it every second. So however long
that takes, a process that has died is noticed within :data:`TIMEOUT`.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import torch

from lda_app.errors import ConfigError, ProcessGroupError
from lda_app.runtime import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

TIMEOUT = timedelta(seconds=45)
_SECONDS_BETWEEN_BEATS = 1.0
# What the first sends in place of a message's length.
_STILL_AT_WORK, _NO_MESSAGE = -1, -2


class Place(NamedTuple):
    """Where a process stands among those that train together."""

    rank: int = 0
    """From 0; the process of rank 0 is the first."""
    size: int = 1
    """All processes."""
    local_rank: int = 0
    """From 0, among those on the same machine."""
    local_size: int = 1
    """The processes on the same machine."""


class Group:
    """The processes that train together; this class is a process alone, which has nobody to talk to.

    Examples
    --------
    >>> group = Group()
    >>> group.is_first, group.largest(4, 7), group.from_first(lambda: b"done")
    (True, (4, 7), b'done')
    """

    place = Place()

    @property
    def is_first(self) -> bool:
        """Whether this process reads what is to be done, writes and reports."""
        return self.place.rank == 0

    def part(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the part of a batch's documents that is this process's, as many as another's or one more."""
        rank, size, *_ = self.place
        return rows[len(rows) * rank // size : len(rows) * (rank + 1) // size]

    def union(self, ids: Tensor) -> Tensor:
        """Return the ids (n,) that any process has, ascending and distinct; those given are, too."""
        return ids

    def sum_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, the same bits on all of them."""

    def largest(self, *numbers: int) -> tuple[int, ...]:
        """Return the largest that any process has, for each number."""
        return numbers

    def tell(self, message: Callable[[], bytes]) -> None:
        """Tell the other processes, who have been waiting since they joined, what to do."""

    def told(self) -> bytes:
        """Wait until the first process tells what to do; the first itself has nobody to ask."""
        raise NotImplementedError

    def from_first(self, work: Callable[[], bytes]) -> bytes:
        """Let the first process alone do something, and return to all what it has come to."""
        return work()

    def hold(self) -> None:
        """Let the others, who wait to be told, wait until the first process leaves; then they end.

        Torchrun ends all processes when one goes wrong, so none is to go while the first still writes.
        """

    def require_same(self, weights: Mapping[str, Tensor]) -> None:
        """Check that weights are the same on all processes, to the bit.

        Raises
        ------
        ProcessGroupError
            If they are not.
        """


ALONE = Group()


class _Processes(Group):
    """Processes that talk by torch: over gloo for tensors on the processor, over NCCL for those on GPUs.

    Each method raises ProcessGroupError if a process has ended, or does not answer in time.
    """

    def __init__(self, place: Place, timeout: timedelta) -> None:
        import torch.distributed

        self.place = place
        self._torch = torch.distributed
        self._timeout = timeout
        gpus = torch.cuda.device_count() if torch.distributed.is_nccl_available() else 0
        if gpus:
            torch.cuda.set_device(place.local_rank % gpus)
        with self._explained():
            self._torch.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=timeout)
        self._beats: _Beats | None = None
        if self.is_first:
            self.hold()

    def union(self, ids: Tensor) -> Tensor:
        padded = ids[-1:].repeat(*self.largest(len(ids)))
        padded[: len(ids)] = ids
        gathered = [torch.empty_like(padded) for _ in range(self.place.size)]
        with self._explained():
            self._torch.all_gather(gathered, padded)
        every: Tensor = torch.unique(torch.cat(gathered))
        return every

    def sum_(self, tensors: Sequence[Tensor]) -> None:
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with self._explained():
            self._torch.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def largest(self, *numbers: int) -> tuple[int, ...]:
        values = torch.tensor(numbers)
        with self._explained():
            self._torch.all_reduce(values, self._torch.ReduceOp.MAX)
        return tuple(values.tolist())

    def tell(self, message: Callable[[], bytes]) -> None:
        told = message()
        self._end_beats()
        self._broadcast(torch.tensor(len(told)))
        if told:
            self._broadcast(torch.frombuffer(bytearray(told), dtype=torch.uint8))

    def told(self) -> bytes:
        length = torch.tensor(_STILL_AT_WORK)
        while length == _STILL_AT_WORK:
            self._broadcast(length)
        if length == _NO_MESSAGE:
            raise SystemExit(0)  # the first has ended, and has said why
        message = torch.empty(int(length), dtype=torch.uint8)
        if length:
            self._broadcast(message)
        return message.numpy().tobytes()

    def from_first(self, work: Callable[[], bytes]) -> bytes:
        if not self.is_first:
            return self.told()
        self.hold()
        message = work()
        self.tell(lambda: message)
        return message

    def hold(self) -> None:
        if self._beats is None:
            self._beats = _Beats(self._beat)

    def require_same(self, weights: Mapping[str, Tensor]) -> None:
        digest = hashlib.sha256()
        for tensor in weights.values():
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        number = int.from_bytes(digest.digest()[:7], "big")
        if self.largest(number, -number) != (number, -number):
            raise ProcessGroupError(
                f"{self._name()}: the weights are not the same on all processes; run them on machines of one "
                "kind, with the same versions"
            )

    def leave(self) -> None:
        """Part from the others; those who wait for a message end, too."""
        with suppress(ProcessGroupError):
            if self._beats is not None:
                self._end_beats()
                self._broadcast(torch.tensor(_NO_MESSAGE))
        self._torch.destroy_process_group()

    def _beat(self) -> None:
        self._broadcast(torch.tensor(_STILL_AT_WORK))

    def _end_beats(self) -> None:
        beats, self._beats = self._beats, None
        if beats is not None:
            beats.end()

    def _broadcast(self, tensor: Tensor) -> None:
        with self._explained():
            self._torch.broadcast(tensor, src=0)

    def _name(self) -> str:
        return f"process {self.place.rank} of {self.place.size}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise ConfigError(f"{error}; start the processes by torchrun") from error
        except RuntimeError as error:
            reason = str(error).splitlines()[0].rsplit("] ", 1)[-1]
            raise ProcessGroupError(
                f"{self._name()}: another one ended, or did not answer for {self._timeout.seconds} s; go on "
                f"from the last checkpoint by --resume, with any number of processes ({reason})"
            ) from error


class _Beats:
    """Tells the others every second, from a thread of its own, that the first process is still at work."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._ended = threading.Event()
        self._error: ProcessGroupError | None = None
        self._thread = threading.Thread(target=self._run, name="beats", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop; raise what went wrong meanwhile."""
        self._ended.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._ended.wait(_SECONDS_BETWEEN_BEATS):
                self._beat()
        except ProcessGroupError as error:
            self._error = error


@contextmanager
def joined(timeout: timedelta = TIMEOUT) -> Iterator[Group]:
    """Join the processes that torchrun started beside this one; without torchrun, be alone.

    Of several processes, the first alone reports what is no error. Until it tells the others what to do,
    they wait.

    Parameters
    ----------
    timeout
        How long to wait for an answer.

    Raises
    ------
    ConfigError
        If the environment names a place that there is not.
    ProcessGroupError
        If the processes do not find each other.

    Examples
    --------
    >>> with joined() as group:
    ...     group.place
    Place(rank=0, size=1, local_rank=0, local_size=1)
    """
    place = place_of(os.environ)
    if place.size == 1:
        yield ALONE
        return
    if place.rank > 0 and not log.isEnabledFor(logging.DEBUG):
        log.setLevel(logging.ERROR)
    group = _Processes(place, timeout)
    try:
        yield group
    finally:
        group.leave()


def place_of(environment: Mapping[str, str]) -> Place:
    """Read where a process stands from the variables that torchrun sets.

    Raises
    ------
    ConfigError
        If one is not a number, or the rank is not one of the processes.

    Examples
    --------
    >>> place_of({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"})
    Place(rank=3, size=4, local_rank=1, local_size=2)
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    if not {"RANK", "WORLD_SIZE"} <= environment.keys():
        return Place()
    values = [environment.get(name, default) for name, default in zip(names, Place(), strict=True)]
    try:
        place = Place(*map(int, values))
    except ValueError:
        place = Place(-1)
    if not (0 <= place.rank < place.size and 0 <= place.local_rank < place.local_size):
        said = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        raise ConfigError(f"the environment has {said}: no place among processes; start them by torchrun")
    return place
