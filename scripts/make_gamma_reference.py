"""Compute ∂ log z/∂a of Gamma samples to 50 digits, write the table that tests read, or check a finer grid.

    python scripts/make_gamma_reference.py tests/data/gamma_gradient.txt
    python scripts/make_gamma_reference.py --check 10000

The reference knows nothing of the app's formulas: it is a central difference of P(a, z), taken in 120 digits.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import mpmath as mp
import numpy as np
import torch
from scipy.special import gammainccinv, gammaincinv, gammaln

from lda_app.gradients.gamma import log_gamma_slope
from lda_app.gradients.special import slope_in_torch

QUANTILES = (1e-6, 1e-4, 1e-2, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 0.9999, 1 - 1e-5, 1 - 1e-6)


def log_quantile(a: float, q: float) -> float:
    """Return log z with P(a, z) ≈ q; exact to rounding is not needed, a point near the quantile will do."""
    log_z = (math.log(q) + float(gammaln(1 + a))) / a
    if log_z < -30:
        return log_z
    return math.log(gammaincinv(a, q) if q < 0.5 else gammainccinv(a, 1 - q))


def reference(a: float, log_z: float) -> mp.mpf:
    """Return −(∂P/∂a) / (z p), of which ∂P/∂a is a central difference with a step of 1e-35."""
    shape, y, step = mp.mpf(a), mp.mpf(log_z), mp.mpf(10) ** -35
    z = mp.exp(y)

    def lower(s: mp.mpf) -> mp.mpf:
        return mp.exp(s * y - z - mp.loggamma(s + 1)) * mp.hyp1f1(1, s + 1, z, maxterms=10**7)

    slope = (lower(shape + step) - lower(shape - step)) / (2 * step)
    return -slope / mp.exp(shape * y - z - mp.loggamma(shape))


def table() -> Iterator[tuple[float, float]]:
    """Yield the points (a, log z) of the table in tests/data."""
    grid = [*np.geomspace(1e-4, 1e5, 46), 1.0, 3.0, 5.999, 6.0, 11.999, 12.0]
    for a in sorted(float(f"{value:.6g}") for value in grid):
        for q in QUANTILES:
            yield a, float(f"{log_quantile(a, q):.9g}")


def finer_grid(num_points: int) -> Iterator[tuple[float, float]]:
    """Yield at least ``num_points`` points, evenly spaced in log a and in the logit of the quantile."""
    size = math.ceil(math.sqrt(num_points))
    for a in np.geomspace(1e-4, 1e5, size):
        for logit in np.linspace(-math.log(1e6), math.log(1e6), size):
            yield float(a), log_quantile(float(a), 1 / (1 + math.exp(-logit)))


def exact(points: list[tuple[float, float]]) -> torch.Tensor:
    """Return the reference at each point, rounded to float64."""
    return torch.tensor([float(reference(*point)) for point in points], dtype=torch.float64)


def check(num_points: int) -> None:
    """Print the worst relative error of each implementation, and where."""
    points = list(finer_grid(num_points))
    print(f"{len(points)} points, a from 1e-4 to 1e5, quantiles from 1e-6 to 1 - 1e-6")
    a, log_z = (torch.tensor(column, dtype=torch.float64) for column in zip(*points, strict=True))
    single = a.float(), log_z.float()
    wanted = exact(points)
    wanted_single = exact(list(zip(single[0].tolist(), single[1].tolist(), strict=True)))
    report("float64", log_gamma_slope(a, log_z) / wanted, a, log_z)
    report("float64, torch alone", slope_in_torch(a, log_z) / wanted, a, log_z)
    report("float32", log_gamma_slope(*single) / wanted_single, a, log_z)
    z = torch.exp(log_z)
    ratio = torch._standard_gamma_grad(a, z) / z / wanted
    report("torch._standard_gamma_grad", torch.where(z > 1e-300, ratio, 1.0), a, log_z)


def report(name: str, ratio: torch.Tensor, a: torch.Tensor, log_z: torch.Tensor) -> None:
    """Print the ratio that is farthest from one."""
    error = (ratio - 1).abs()
    worst = int(error.argmax())
    median = float(error.median())
    place = f"a = {a[worst]:.6g}, log z = {log_z[worst]:.9g}"
    print(f"{name:28} worst {error[worst]:.1e} at {place}; median {median:.1e}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", help="write the table here")
    parser.add_argument("--check", type=int, metavar="POINTS", help="print the worst errors on this many")
    options = parser.parse_args()
    mp.mp.dps = 120
    if options.out:
        lines = (f"{a!r} {y!r} {mp.nstr(reference(a, y), 20)}\n" for a, y in table())
        header = "# a, log z, d log z / d a at a fixed quantile\n"
        options.out.write_text(header + "".join(lines), encoding="utf-8")
    if options.check:
        check(options.check)


if __name__ == "__main__":
    main()
