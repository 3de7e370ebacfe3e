"""Measure everything anew that docs/gradients.md shows, and write its tables and figures.

OMP_WAIT_POLICY=passive python scripts/make_gradients_page.py

The text of the page is written by hand; what stands between ``<!-- NAME -->`` and ``<!-- /NAME -->`` is not.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import benchmark_dirichlet
import numpy as np
import scipy.special
import scipy.stats
import torch
from torch import Tensor

from lda_app.cli.gradients import (
    CHECK_COLUMNS,
    COMPARE_COLUMNS,
    by_problem,
    check_row,
    compare_row,
)
from lda_app.gradients.check import check_families
from lda_app.gradients.estimators import ESTIMATORS, FAMILIES, Estimator, estimators_of
from lda_app.gradients.gamma import log_gamma_slope
from lda_app.gradients.lab import Measurement, measure
from lda_app.gradients.problems import Problem, problems_of
from lda_app.system.charts import dot_chart, heat_map, line_chart

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "gradients.md"
FIGURES = DOCS / "figures"
POINTS = 10_000
SAMPLES, ESTIMATES = 4, 20_000
SHOWN = ("implicit", "rsvi, B = 1", "rsvi, B = 10", "score", "score, leave one out")
NUM_TOPICS, NUM_WORDS = 20, 500

REPRODUCTION = """\
import torch

x, a, total = (torch.tensor([v], dtype=torch.float64) for v in (2.184e-4, 1.0, 31623.8))
print(torch._dirichlet_grad(x, a, total))  # the derivative is 8.34e-5
"""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def figure(name: str, svg: str, alternative: str) -> str:
    """Write a figure and return its link."""
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / f"{name}.svg").write_text(svg, encoding="utf-8")
    return f"![{alternative}](figures/{name}.svg)"


def estimators() -> str:
    """Return the table of estimators, a line a family."""
    rows = []
    for family in FAMILIES:
        members = [row for row in ESTIMATORS if row.family == family]
        names = ["; ".join(row.name for row in members if row.unbiased is kept) for kept in (True, False)]
        rows.append([family, *names])
    return table(("family", "unbiased", "biased"), rows)


def accuracy() -> str:
    """Check every family on a grid."""
    return table(CHECK_COLUMNS, map(check_row, check_families(POINTS)))


def torch_map() -> str:
    """Compare ``torch._dirichlet_grad`` with derivatives of the quantiles of Beta."""
    concentrations, totals = np.geomspace(0.03, 100, 60), np.geomspace(120, 1e6, 60)
    a, total, q = np.meshgrid(concentrations, totals, np.linspace(0.02, 0.98, 25), indexing="xy")
    ratio = torch_ratio(a, total, q)
    worst = np.abs(ratio - 1).max(axis=2)
    worst[(ratio < 0).any(axis=2)] = 100.0
    shades = [
        (0.0, "#e8f1f8", "right to 0.1%"),
        (1e-3, "#f6d98c", "off by 0.1% to 10%"),
        (0.1, "#e69f00", "off by 10% to 100%"),
        (1.0, "#d55e00", "off by more"),
        (50.0, "#000000", "wrong sign"),
    ]
    shares = (float((worst >= least).mean()) for least in (0.1, 50.0))
    svg = heat_map(
        "torch._dirichlet_grad, float64: worst error over quantiles from 0.02 to 0.98",
        ("concentration of the share", "total concentration"),
        (concentrations.tolist(), totals.tolist()),
        worst.tolist(),
        shades,
    )
    link = figure("torch-dirichlet-grad", svg, "Where torch's Dirichlet gradient is wrong")
    sentence = "Of this plane, {:.0%} are off by more than 10%, and {:.0%} have the wrong sign."
    ours = float(np.abs(our_ratio(a, total, q) - 1).max())
    return (
        f"{link}\n\n{sentence.format(*shares)} The app's gradient agrees with the differences to {ours:.1g}."
    )


def torch_ratio(a: np.ndarray, total: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return torch's derivative of a share in its concentration, divided by that of the quantile of Beta."""
    x, exact = quantile_and_slope(a, total, q)
    theirs = torch._dirichlet_grad(*(torch.from_numpy(np.ascontiguousarray(v)) for v in (x, a, total)))
    return theirs.numpy() * (1 - x) / exact


def our_ratio(a: np.ndarray, total: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the same of the app's derivative; it depends on Σ z, too, and is averaged over it."""
    x, exact = quantile_and_slope(a, total, q)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    mean = np.zeros_like(x)
    for node, weight in zip(nodes, weights, strict=True):
        z = total + 8 * np.sqrt(total) * node
        density = np.exp((total - 1) * np.log(z) - z - scipy.special.gammaln(total))
        slope = log_gamma_slope(*(torch.from_numpy(np.ascontiguousarray(v)) for v in (a, np.log(x * z))))
        mean += weight * 8 * np.sqrt(total) * density * slope.numpy()
    return x * (1 - x) * mean / exact


def quantile_and_slope(a: np.ndarray, total: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return quantiles of Beta(a, total − a), and their central differences in a."""
    b, step = total - a, 1e-4 * a
    above, below = (scipy.special.betaincinv(a + sign * step, b, q) for sign in (1, -1))
    return scipy.special.betaincinv(a, b, q), (above - below) / (2 * step)


def reproduction() -> str:
    """Run the reproduction, and ours beside it."""
    x, a, total = (torch.tensor([v], dtype=torch.float64) for v in (2.184e-4, 1.0, 31623.8))
    theirs = float(torch._dirichlet_grad(x, a, total))
    exact = theirs / float(torch_ratio(*(np.array([v]) for v in (1.0, 31623.8, _quantile())))[0])
    return (
        f"```python\n{REPRODUCTION}```\n\n"
        f"It prints {theirs:.3g} with torch {torch.__version__.split('+')[0]}; the quantile of "
        f"Beta(1, 31622.8) moves by {exact:.3g}."
    )


def _quantile() -> float:
    return float(scipy.special.betainc(1.0, 31622.8, 2.184e-4))


def comparison() -> str:
    """Measure every estimator on every problem."""
    results = [
        measured(row, problem)
        for family in FAMILIES
        for problem in problems_of(family)
        for row in estimators_of(family)
    ]
    chosen = [result for result in results if result.family in {"gamma", "dirichlet", "categorical"}]
    svg = dot_chart(f"Relative variance of an estimate of {SAMPLES} samples", by_problem(chosen))
    link = figure("gradient-variance", svg, "Variance of the estimators")
    return f"{link}\n\n{table(COMPARE_COLUMNS, map(compare_row, results))}"


def measured(row: Estimator, problem: Problem) -> Measurement:
    """Measure with the page's settings."""
    return measure(row, problem, num_samples=SAMPLES, num_estimates=ESTIMATES, seed=0)


def curves(problem_at: Callable[[float], Problem], places: Sequence[float], estimates: int) -> dict:
    """Return the relative variance of the Dirichlet's estimators on a row of problems."""
    series: dict[str, list[tuple[float, float]]] = {name: [] for name in SHOWN}
    for place in places:
        problem = problem_at(place)
        exact = problem.gradient()
        for row in estimators_of("dirichlet"):
            if row.name in series:
                result = measure(
                    row, problem, num_samples=SAMPLES, num_estimates=estimates, seed=1, exact=exact
                )
                series[row.name].append((place, result.relative_variance))
    return series


def by_concentration() -> str:
    """Draw the variance on a KL divergence over the concentration."""
    series = curves(kl_problem, [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0], ESTIMATES)
    title = "Gradient of KL(Dirichlet(c, …, c) ‖ Dirichlet(1, …, 1)), 10 shares"
    svg = line_chart(title, "c", "relative variance", series)
    return figure("variance-by-concentration", svg, "Variance over the concentration")


def kl_problem(c: float) -> Problem:
    """Return KL(Dirichlet(c) ‖ Dirichlet(1)), 10 shares, slightly uneven: nowhere is its gradient 0."""
    concentration = c * torch.linspace(0.8, 1.25, 10, dtype=torch.float64)

    def mean_log(d: Tensor) -> Tensor:
        return torch.digamma(d) - torch.digamma(d.sum(-1, keepdim=True))

    return Problem(
        "dirichlet",
        f"kl at {c}",
        (concentration,),
        lambda theta: ((concentration - 1) * torch.log(theta)).sum(-1),
        lambda d: ((concentration - 1) * mean_log(d)).sum(-1),
    )


def by_length() -> str:
    """Draw the variance on the likelihood of a document over its length."""
    lengths = [3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]
    series = curves(document_problem, lengths, ESTIMATES // 10)
    title = f"Gradient of E[log p(w|θ, β)] of a document, {NUM_TOPICS} topics"
    svg = line_chart(title, "words", "relative variance", series)
    link = figure("variance-by-length", svg, "Variance over the length of a document")
    ends = {name: line[-2][1] for name, line in series.items()}
    ratios = [ends[name] / ends["implicit"] for name in ("rsvi, B = 1", "score", "score, leave one out")]
    sentence = (
        "At 300 words, the variance of RSVI with B = 1 is about 10^{:.0f} times that of the implicit one, "
        "of the score function 10^{:.0f} times, with the leave-one-out baseline 10^{:.0f} times."
    )
    return f"{link}\n\n{sentence.format(*np.log10(ratios))}"


def document_problem(length: float) -> Problem:
    """Return E[log p(w|θ, β)] of a document that was drawn from LDA, at 0.05 plus its topic counts.

    The expectation is the mean of many implicit samples.
    """
    generator = np.random.default_rng(0)
    beta = generator.dirichlet(np.full(NUM_WORDS, 0.1), size=NUM_TOPICS)
    counts = generator.multinomial(int(length), generator.dirichlet(np.full(NUM_TOPICS, 0.1)))
    words = np.concatenate(
        [generator.choice(NUM_WORDS, size=n, p=beta[k]) for k, n in enumerate(counts) if n]
    )
    rows = torch.from_numpy(beta[:, words])

    def log_likelihood(theta: Tensor) -> Tensor:
        return torch.log(theta @ rows).sum(-1)

    def expectation(c: Tensor) -> Tensor:
        implicit, random = estimators_of("dirichlet")[0], torch.Generator().manual_seed(9)
        return implicit.surrogate(log_likelihood, (c,), ESTIMATES, random)

    concentration = torch.from_numpy(0.05 + counts)
    return Problem("dirichlet", f"{length:g} words", (concentration,), log_likelihood, expectation)


def speed() -> str:
    """Time the sampler against torch's."""
    torch.manual_seed(0)
    rows = []
    for documents, topics in benchmark_dirichlet.SIZES:
        concentration = benchmark_dirichlet.trained_concentrations(documents, topics)
        theirs, ours = benchmark_dirichlet.compare(concentration, torch.randn(documents, topics))
        rows.append([f"{documents:,} × {topics}", f"{theirs:.2f}", f"{ours:.2f}", f"{theirs / ours:.1f}"])
    return table(("documents × topics", "torch", "app", "torch / app"), rows)


SECTIONS = (
    estimators,
    speed,
    accuracy,
    torch_map,
    reproduction,
    comparison,
    by_concentration,
    by_length,
)


def main() -> None:
    """Write each section into the page."""
    for section in SECTIONS:
        began = time.perf_counter()
        name = section.__name__.replace("_", "-")
        write(name, section())
        print(f"{name}: {time.perf_counter() - began:.0f} s")


def write(name: str, content: str) -> None:
    """Put a section between its marks."""
    page = PAGE.read_text(encoding="utf-8")
    marks = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if any(page.count(mark) != 1 for mark in marks):
        raise SystemExit(f"{PAGE}: expected one pair of marks {' '.join(marks)}")
    before, rest = page.split(marks[0])
    _, after = rest.split(marks[1])
    PAGE.write_text(f"{before}{marks[0]}{content}\n{marks[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
