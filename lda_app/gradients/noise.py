"""Random numbers inside of compiled loops: one generator a row, uniform and normal numbers from it.

The generator is SplitMix64 (Steele, Lea and Flood 2014): a counter, and a function that scrambles it. Normal
numbers come from the ziggurat of Marsaglia and Tsang (2000): 256 layers of equal area under exp(−x²/2).
"""

import math

import numpy as np
import numpy.typing as npt

from lda_app.system.compiled import kernel

State = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ONE, _ELEVEN, _27, _30, _31, _LAYER_BITS = (np.uint64(n) for n in (1, 11, 27, 30, 31, 255))
_NUM_LAYERS = 256
_TAIL = 3.6541528853610088  # where the tail begins, so that 256 layers close at x = 0


def _ziggurat_edges() -> npt.NDArray[np.float64]:
    """Return the layers' right edges, falling; the first stands for the bottom layer and its tail."""
    area = _TAIL * math.exp(-0.5 * _TAIL**2) + math.sqrt(math.pi / 2) * math.erfc(_TAIL / math.sqrt(2))
    edges = [area * math.exp(0.5 * _TAIL**2), _TAIL]
    while len(edges) < _NUM_LAYERS:
        edges.append(math.sqrt(-2.0 * math.log(area / edges[-1] + math.exp(-0.5 * edges[-1] ** 2))))
    return np.array([*edges, 0.0])


_EDGES = _ziggurat_edges()
_HEIGHTS = np.exp(-0.5 * _EDGES**2)


@kernel
def _mixed(x: np.uint64) -> np.uint64:
    """Scramble 64 bits."""
    x = (x ^ (x >> _30)) * _MIX_1
    x = (x ^ (x >> _27)) * _MIX_2
    return x ^ (x >> _31)


@kernel
def start_row(state: State, seed: np.uint64, row: int) -> None:
    """Set ``state (1,)`` to the generator that belongs to a row."""
    state[0] = _mixed(seed + _mixed(np.uint64(row) * _GOLDEN))


@kernel
def _bits(state: State) -> np.uint64:
    """Draw 64 random bits; ``state`` moves on."""
    state[0] += _GOLDEN
    return _mixed(state[0])


@kernel
def uniform(state: State) -> float:
    """Draw from (0, 1], in steps of 2^-53."""
    return float(((_bits(state) >> _ELEVEN) + _ONE) * 2.0**-53)


@kernel
def normal(state: State) -> float:
    """Draw a standard normal number."""
    while True:
        bits = _bits(state)
        layer = np.int64(bits & _LAYER_BITS)
        x = float((bits >> _ELEVEN) * 2.0**-52 - 1.0) * float(_EDGES[layer])
        if abs(x) < _EDGES[layer + 1]:
            return x
        if layer == 0:
            return math.copysign(_tail(state), x)
        height = _HEIGHTS[layer] + uniform(state) * (_HEIGHTS[layer + 1] - _HEIGHTS[layer])
        if height < math.exp(-0.5 * x * x):
            return x


@kernel
def _tail(state: State) -> float:
    """Draw a normal number beyond the bottom layer, by Marsaglia's method of 1964."""
    while True:
        x = -math.log(uniform(state)) / _TAIL
        if -2.0 * math.log(uniform(state)) > x * x:
            return _TAIL + x
