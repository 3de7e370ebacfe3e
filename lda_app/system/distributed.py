"""Data-parallel training: each process computes on a shard of the batch, and the sums are shared.

``torchrun`` starts the processes and passes each its rank by the environment. Their weights stay identical to
the bit, because every process takes the same step from the same sums. Rank 0 alone reads the input and writes
the output. While it does, it sends the others a heartbeat every second, so that a process that has died is
noticed within :data:`TIMEOUT`, however long rank 0 takes.
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
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

TIMEOUT = timedelta(seconds=45)
_HEARTBEAT_SECONDS = 1.0
# Sent by rank 0 in place of the length of a message.
_HEARTBEAT, _GOODBYE = -1, -2


class World(NamedTuple):
    """The processes that train together, and which of them this is."""

    rank: int = 0
    """Number of this process, from 0."""
    world_size: int = 1
    """Number of processes."""
    local_rank: int = 0
    """Number of this process on its machine, from 0."""
    local_world_size: int = 1
    """Number of processes on this machine."""


class Group:
    """The processes that train together; this class is the group of a single process.

    Examples
    --------
    >>> group = Group()
    >>> group.is_rank_zero, group.all_reduce_max(4, 7), group.rank_zero_first(lambda: b"done")
    (True, (4, 7), b'done')
    """

    world = World()

    @property
    def is_rank_zero(self) -> bool:
        """Whether this process reads the input, writes the output and reports progress."""
        return self.world.rank == 0

    def shard(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return this process's share of a batch; shards differ in size by one document at most."""
        rank, size, *_ = self.world
        return rows[len(rows) * rank // size : len(rows) * (rank + 1) // size]

    def union(self, ids: Tensor) -> Tensor:
        """Return the ids (n,) that any process has; both they and those given are ascending and distinct."""
        return ids

    def all_reduce_sum(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, identical to the bit on all of them."""

    def all_reduce_max(self, *numbers: int) -> tuple[int, ...]:
        """Return the maximum over the processes of each number."""
        return numbers

    def broadcast(self, message: Callable[[], bytes]) -> None:
        """Send a message from rank 0 to the other processes, which wait in :meth:`receive`."""

    def receive(self) -> bytes:
        """Wait for the next message of rank 0; not for rank 0 itself."""
        raise NotImplementedError

    def rank_zero_first(self, work: Callable[[], bytes]) -> bytes:
        """Do some work on rank 0 while the others wait, and return its result on all processes."""
        return work()

    def barrier(self) -> None:
        """Keep the other processes, which wait in :meth:`receive`, alive until rank 0 leaves.

        Torchrun ends all processes when one fails, so none may exit while rank 0 still writes.
        """

    def require_same(self, weights: Mapping[str, Tensor]) -> None:
        """Check that weights are the same on all processes, to the bit.

        Raises
        ------
        ProcessGroupError
            If they are not.
        """


SINGLE_PROCESS = Group()


class _ProcessGroup(Group):
    """A process group of torch: gloo for tensors on the CPU, NCCL for tensors on GPUs.

    Each method raises ProcessGroupError if a process has ended or does not answer in time.
    """

    def __init__(self, world: World, timeout: timedelta) -> None:
        import torch.distributed

        self.world = world
        self._torch = torch.distributed
        self._timeout = timeout
        gpus = torch.cuda.device_count() if torch.distributed.is_nccl_available() else 0
        if gpus:
            torch.cuda.set_device(world.local_rank % gpus)
        with self._explained():
            self._torch.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=timeout)
        self._heartbeat: _Heartbeat | None = None
        if self.is_rank_zero:
            self.barrier()

    def union(self, ids: Tensor) -> Tensor:
        padded = ids[-1:].repeat(*self.all_reduce_max(len(ids)))
        padded[: len(ids)] = ids
        gathered = [torch.empty_like(padded) for _ in range(self.world.world_size)]
        with self._explained():
            self._torch.all_gather(gathered, padded)
        every: Tensor = torch.unique(torch.cat(gathered))
        return every

    def all_reduce_sum(self, tensors: Sequence[Tensor]) -> None:
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with self._explained():
            self._torch.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def all_reduce_max(self, *numbers: int) -> tuple[int, ...]:
        values = torch.tensor(numbers)
        with self._explained():
            self._torch.all_reduce(values, self._torch.ReduceOp.MAX)
        return tuple(values.tolist())

    def broadcast(self, message: Callable[[], bytes]) -> None:
        content = message()
        self._stop_heartbeat()
        self._broadcast(torch.tensor(len(content)))
        if content:
            self._broadcast(torch.frombuffer(bytearray(content), dtype=torch.uint8))

    def receive(self) -> bytes:
        length = torch.tensor(_HEARTBEAT)
        while length == _HEARTBEAT:
            self._broadcast(length)
        if length == _GOODBYE:
            raise SystemExit(0)  # rank 0 has ended, and has said why
        message = torch.empty(int(length), dtype=torch.uint8)
        if length:
            self._broadcast(message)
        return message.numpy().tobytes()

    def rank_zero_first(self, work: Callable[[], bytes]) -> bytes:
        if not self.is_rank_zero:
            return self.receive()
        self.barrier()
        result = work()
        self.broadcast(lambda: result)
        return result

    def barrier(self) -> None:
        if self._heartbeat is None:
            self._heartbeat = _Heartbeat(lambda: self._broadcast(torch.tensor(_HEARTBEAT)))

    def require_same(self, weights: Mapping[str, Tensor]) -> None:
        digest = hashlib.sha256()
        for tensor in weights.values():
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        number = int.from_bytes(digest.digest()[:7], "big")
        if self.all_reduce_max(number, -number) != (number, -number):
            raise ProcessGroupError(
                f"{self._name()}: the weights are not the same on all processes; run them on machines of one "
                "kind, with the same versions"
            )

    def leave(self) -> None:
        """Leave the group; processes that wait for a message end."""
        with suppress(ProcessGroupError):
            if self._heartbeat is not None:
                self._stop_heartbeat()
                self._broadcast(torch.tensor(_GOODBYE))
        self._torch.destroy_process_group()

    def _stop_heartbeat(self) -> None:
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None:
            heartbeat.stop()

    def _broadcast(self, tensor: Tensor) -> None:
        with self._explained():
            self._torch.broadcast(tensor, src=0)

    def _name(self) -> str:
        return f"process {self.world.rank} of {self.world.world_size}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise ConfigError(f"{error}; start the processes with torchrun") from error
        except RuntimeError as error:
            reason = str(error).splitlines()[0].rsplit("] ", 1)[-1]
            raise ProcessGroupError(
                f"{self._name()}: another one ended, or did not answer for {self._timeout.seconds} s; "
                f"resume from the last checkpoint with --resume, on any number of processes ({reason})"
            ) from error


class _Heartbeat:
    """A thread of rank 0 that sends the other processes a sign of life every second."""

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._stopped = threading.Event()
        self._error: ProcessGroupError | None = None
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and raise the error that ended the thread, if there was one."""
        self._stopped.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stopped.wait(_HEARTBEAT_SECONDS):
                self._send()
        except ProcessGroupError as error:
            self._error = error


@contextmanager
def joined(timeout: timedelta = TIMEOUT) -> Iterator[Group]:
    """Join the processes that torchrun started; without torchrun, the group is this process alone.

    Ranks above 0 report errors only, and wait for the first message of rank 0.

    Parameters
    ----------
    timeout
        How long to wait for another process.

    Raises
    ------
    ConfigError
        If the environment has a rank that the group does not.
    ProcessGroupError
        If the processes cannot connect.

    Examples
    --------
    >>> with joined() as group:
    ...     group.world
    World(rank=0, world_size=1, local_rank=0, local_world_size=1)
    """
    world = world_of(os.environ)
    if world.world_size == 1:
        yield SINGLE_PROCESS
        return
    if world.rank > 0 and not log.isEnabledFor(logging.DEBUG):
        log.setLevel(logging.ERROR)
    group = _ProcessGroup(world, timeout)
    try:
        yield group
    finally:
        group.leave()


def world_of(environment: Mapping[str, str]) -> World:
    """Read the rank and the number of processes from the variables that torchrun sets.

    Raises
    ------
    ConfigError
        If one is not a number, or the rank is not one of the processes.

    Examples
    --------
    >>> world_of({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"})
    World(rank=3, world_size=4, local_rank=1, local_world_size=2)
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    if not {"RANK", "WORLD_SIZE"} <= environment.keys():
        return World()
    values = [environment.get(name, default) for name, default in zip(names, World(), strict=True)]
    try:
        world = World(*map(int, values))
    except ValueError:
        world = World(-1)
    if not (0 <= world.rank < world.world_size and 0 <= world.local_rank < world.local_world_size):
        said = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        raise ConfigError(f"the environment has {said}, which is no rank; start the processes with torchrun")
    return world
