"""How far a saved model's answers, and the ends of trainings, differ between processors."""

import shutil
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from processors import run
from processors.imitations import Imitation

NATIVE = Imitation("this processor", "this processor as it is")
NATIVE_SEEDS, SEEDS, EMULATED_SEEDS = 10, 3, 1
HEADER = "| | θ | β | loss | perplexity |\n|---|---:|---:|---:|---:|"

ENDS = ("losses", "perplexities")
Arrays = dict[str, np.ndarray]


def measure(imitations: Sequence[Imitation], folder: Path) -> None:
    """Print a table of the largest differences from this processor, and one of other seeds for comparison."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    native = figures(NATIVE, folder, NATIVE_SEEDS)
    print(HEADER)
    for imitation in imitations:
        obstacle = imitation.obstacle() or imitation.prepare() or "; ".join(run.disobeyed(imitation))
        seeds = EMULATED_SEEDS if imitation.emulated else SEEDS
        cells = [obstacle, "", "", ""] if obstacle else differences(figures(imitation, folder, seeds), native)
        print(f"| {imitation.name} | {' | '.join(cells)} |", flush=True)
    print(f"| another seed, here | | | {' | '.join(between_seeds(native))} |")


def figures(imitation: Imitation, folder: Path, seeds: int) -> Arrays:
    """Compute the figures under an imitation, in a process of its own."""
    out = folder / f"{imitation.name}.npz"
    script = str(Path(__file__).with_name("figures.py"))
    done = run.start(
        imitation, script, str(folder), str(out), f"--seeds={seeds}", capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{imitation.name}: {done.stderr}")
    with np.load(out) as arrays:
        return dict(arrays)


def differences(other: Arrays, native: Arrays) -> list[str]:
    """Return the largest differences: of shares and probabilities, and in percent of the ends of training."""
    shares = [f"{np.abs(other[name] - native[name]).max():.1e}" for name in ("theta", "beta")]
    ends = [np.abs(other[name] / native[name][: len(other[name])] - 1).max() for name in ENDS]
    return [*shares, *(f"{end:.3%}" for end in ends)]


def between_seeds(native: Arrays) -> list[str]:
    """Return the mean differences of losses and perplexities between two seeds, in percent."""
    return [
        f"{np.mean([abs(one / other - 1) for one, other in combinations(native[name], 2)]):.3%}"
        for name in ENDS
    ]
