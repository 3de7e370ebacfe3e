"""How torch shares the processor with the compiled loops."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Run torch's own operations in one thread, and put the setting back.

    A batch's arrays are so small that torch's threads wait for each other longer than they work, many times
    longer where other programs run; the compiled loops, where the time goes, use all cores by themselves.

    Examples
    --------
    >>> with one_torch_thread():
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
