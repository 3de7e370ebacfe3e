"""The whole state of a run, and its checkpoint: one file that is replaced at once, with no pickle in it."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from lda_app.errors import FolderError
from lda_app.models.lda import LDA
from lda_app.system.storage import atomic_file
from lda_app.training.adam import Adam, Moments
from lda_app.training.step import Optimizers

CHECKPOINT_FORMAT = 2
_PLAIN = ("step", "seconds", "history", "losses")


@dataclass
class RunState:
    """State of a training run; a run resumed from a saved state ends as if it had never stopped."""

    lda: LDA
    optimizers: Optimizers
    step: int = 0
    """Steps done."""
    history: list[dict[str, float | None]] = field(default_factory=list)
    """One row a validation: step, epoch, loss (nats per token), validation perplexity."""
    losses: list[float] = field(default_factory=list)
    """The loss of each step since the last validation."""
    seconds: float = 0.0
    """Training time so far, over all sessions of the run."""


def pack(state: RunState, details: dict[str, Any]) -> bytes:
    """Return the state as one message, which a file or another process may take.

    Parameters
    ----------
    state
        The run.
    details
        Whatever else is needed to go on, such as the configuration and where the corpus lies.
    """
    tensors = _with_prefix("model", state.lda.state_dict())
    for name, optimizer in _named(state.optimizers):
        tensors |= _with_prefix(name, _adam_tensors(optimizer))
    payload = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {
        "format": CHECKPOINT_FORMAT,
        "details": details,
        "state": {name: getattr(state, name) for name in _PLAIN},
    }
    return safetensors.torch.save(payload, metadata={"lda-app": json.dumps(header)})


def unpack(body: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the header and the tensors of what :func:`pack` made."""
    length = int.from_bytes(body[:8], "little")
    header = json.loads(json.loads(body[8 : 8 + length])["__metadata__"]["lda-app"])
    return header, safetensors.torch.load(body)


def save_checkpoint(path: Path, state: RunState, details: dict[str, Any]) -> None:
    """Write the state to one file, which is the old one or the new one at any moment.

    Parameters
    ----------
    path
        The checkpoint.
    state, details
        As :func:`pack` takes them.

    Raises
    ------
    FileSystemError
        If it cannot be written.
    """
    body = pack(state, details)
    with atomic_file(path) as stream:  # the weights may be gigabytes: not copied behind their digest
        stream.write(hashlib.sha256(body).digest())
        stream.write(body)


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a checkpoint's header and tensors.

    Raises
    ------
    FolderError
        If it is missing, damaged, or of another format.
    """
    try:
        with path.open("rb") as stream:
            digest, body = stream.read(hashlib.sha256().digest_size), stream.read()
    except OSError as error:
        raise FolderError(f"{path}: the checkpoint cannot be read: {error.strerror}") from None
    if hashlib.sha256(body).digest() != digest:
        raise FolderError(
            f"{path}: the checkpoint is damaged: its checksum does not match; train again with --overwrite"
        )
    header, tensors = unpack(body)
    if header["format"] != CHECKPOINT_FORMAT:
        raise FolderError(
            f"{path}: the checkpoint has format {header['format']}, this lda-app reads {CHECKPOINT_FORMAT}; "
            "resume with the version that wrote it, or train again with --overwrite"
        )
    return header, tensors


def restore(state: RunState, header: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Put a fresh state where a checkpoint was."""
    for name in _PLAIN:
        setattr(state, name, header["state"][name])
    state.lda.load_state_dict(_without_prefix("model", tensors))
    for name, optimizer in _named(state.optimizers):
        _load_adam(optimizer, _without_prefix(name, tensors))


def _named(optimizers: Optimizers) -> list[tuple[str, Adam]]:
    every = {"encoder": optimizers.encoder, "topics": optimizers.topics, "alpha": optimizers.alpha}
    return [(name, optimizer) for name, optimizer in every.items() if optimizer is not None]


def _with_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def _without_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}/"): t for name, t in tensors.items() if name.startswith(f"{prefix}/")
    }


def _adam_tensors(optimizer: Adam) -> dict[str, Tensor]:
    moments = optimizer.moments()
    return {f"{index}/{name}": value for index, part in moments.items() for name, value in part.items()}


def _load_adam(optimizer: Adam, tensors: dict[str, Tensor]) -> None:
    moments: dict[int, Moments] = {}
    for key, tensor in tensors.items():
        index, name = key.split("/")
        moments.setdefault(int(index), {})[name] = tensor
    optimizer.restore(moments)
