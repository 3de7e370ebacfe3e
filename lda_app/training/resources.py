"""What the machine has for a run: a device to compute on, and memory."""

import os
from collections.abc import Iterator
from pathlib import Path

import torch

from lda_app.config import TrainConfig
from lda_app.errors import ConfigError
from lda_app.system.distributed import World
from lda_app.system.runtime import log

# In float32 the topics, what they are made of, and what a checkpoint is put together in (measured).
_BYTES_A_WEIGHT = 16
# A new checkpoint beside the one that it replaces.
_BYTES_A_WEIGHT_ON_DISK = 8
# A weight that Adam moves has two moments beside it.
_WITH_MOMENTS = 3


def choose_device(config: TrainConfig, world: World) -> torch.device:
    """Return where to compute: on a GPU of CUDA, one for each process, or on the processor.

    Raises
    ------
    ConfigError
        If CUDA is asked for, and there is none, or not enough for the processes.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if config.device == "cpu" or (config.device == "auto" and not gpus):
        if config.device == "auto" and torch.backends.mps.is_available():
            log.info("training on the processor: torch cannot draw Gamma samples on Apple's GPU (MPS)")
        return torch.device("cpu")
    if not gpus:
        raise ConfigError("device is cuda, but torch finds no CUDA device; use --device cpu or auto")
    if world.local_world_size > gpus:
        raise ConfigError(
            f"{world.local_world_size} processes on this machine, but CUDA devices: {gpus}; start one "
            "process a device, or use --device cpu"
        )
    return torch.device("cuda", world.local_rank)


def num_weights(config: TrainConfig, num_words: int) -> int:
    """Count the numbers that a run keeps for its words: topics, an mlp's first layer, and Adam's moments.

    Examples
    --------
    >>> num_weights(TrainConfig(num_topics=50), 2_000)
    100000
    """
    topics = config.num_topics * (_WITH_MOMENTS if config.beta_optimizer == "adam" else 1)
    network = config.hidden * _WITH_MOMENTS if config.encoder == "mlp" else 0
    return num_words * (topics + network)


def bytes_on_disk(config: TrainConfig, num_words: int) -> int:
    """Return what a checkpoint and the model take, about."""
    return num_weights(config, num_words) * _BYTES_A_WEIGHT_ON_DISK


def require_memory(config: TrainConfig, num_words: int, world: World) -> None:
    """Refuse topics that the memory cannot hold, before anything is written.

    Raises
    ------
    ConfigError
        If the processes of this machine need more than there is.
    """
    needed = num_weights(config, num_words) * _BYTES_A_WEIGHT * world.local_world_size
    there = memory_limit()
    if needed > there:
        each = f" in {world.local_world_size} processes" if world.local_world_size > 1 else ""
        raise ConfigError(
            f"--num-topics {config.num_topics} with {num_words:,} words needs {needed / 1e9:,.3g} GB{each}, "
            f"{there / 1e9:,.3g} GB of memory may be used here; use fewer topics or a smaller --max-vocab"
        )


def memory_limit(root: Path = Path("/")) -> int:
    """Return how much memory processes may use here, in bytes: all, or what a container or a job is given.

    Parameters
    ----------
    root
        Where ``proc`` and ``sys`` are.

    Examples
    --------
    >>> memory_limit() > 0
    True
    """
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([installed, *_group_limits(root)])


def _group_limits(root: Path) -> Iterator[int]:
    """Yield the limits, in bytes, of the control groups that this process is in, of version 1 or 2."""
    for file in _limit_files(root):
        try:
            limit = file.read_text(encoding="ascii").strip()
        except OSError:
            continue  # no such group can be seen from within a container
        if limit.isdigit():  # version 2 writes max where there is no limit, version 1 a huge number
            yield int(limit)


def _limit_files(root: Path) -> Iterator[Path]:
    try:
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return  # not Linux
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        folder, name = ("memory", "memory.limit_in_bytes") if controllers else ("", "memory.max")
        group = Path(path.lstrip("/"))
        for part in (group, *group.parents):  # a limit of any group above holds, too
            yield root / "sys/fs/cgroup" / folder / part / name
