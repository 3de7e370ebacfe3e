"""``lda-app gradients``: list the gradient estimators, check their accuracy, and compare them."""

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.cli.options import JsonFlag, Overwrite, Seed
from lda_app.cli.run_corpus import CorpusOfRun, corpus_of_run
from lda_app.errors import ConfigError, NumericalError

if TYPE_CHECKING:
    from rich.table import Table

    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.gradients.check import Check
    from lda_app.gradients.lab import Measurement
    from lda_app.gradients.problems import Problem

SCHEMA_VERSION = 1
_DOCUMENTS = 32
_MOST_REFERENCE_SAMPLES = 20_000
_REFERENCE_BLOCKS = 20
_REFERENCE_NUMBERS = 20_000_000  # all samples of the reference are held in memory

Points = Annotated[int, typer.Option("--points", min=16, max=10**6, help="Grid points per family.")]
Family = Annotated[
    str | None,
    typer.Option("--family", metavar="NAME", help="Only this family of distributions.", show_default="all"),
]
ProblemName = Annotated[
    str | None,
    typer.Option("--problem", metavar="NAME", help="Only this problem.", show_default="all"),
]
Samples = Annotated[int, typer.Option("--samples", min=1, max=10_000, help="Samples per estimate.")]
Estimates = Annotated[
    int,
    typer.Option(
        "--estimates", min=2, max=10**7, help="Number of estimates from which to compute mean and variance."
    ),
]
Run = Annotated[
    Path | None,
    typer.Option(
        "--run",
        metavar="RUN",
        help="Compare on documents of this model instead: the gradient of the sampled part of their ELBO.",
        show_default=False,
    ),
]
CsvFile = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE", help="Write the table to a csv file.", show_default=False),
]
Figure = Annotated[
    Path | None,
    typer.Option(
        "--figure", metavar="FILE", help="Draw a chart of the variances (.svg).", show_default=False
    ),
]


def list_estimators(*, as_json: JsonFlag = False) -> None:
    """List the gradient estimators: family, method, and whether unbiased."""
    from lda_app.gradients.estimators import ESTIMATORS

    rows = [{"family": row.family, "estimator": row.name, "unbiased": row.unbiased} for row in ESTIMATORS]
    if as_json:
        _print_json({"estimators": rows})
    else:
        _print_table(("family", "estimator", "unbiased"), ([str(v) for v in row.values()] for row in rows))


def check(*, points: Points = 10_000, as_json: JsonFlag = False) -> None:
    """Check the accuracy of sample derivatives.

    Shows each family's worst relative error on a grid, its location and its bound; the reference for Gamma,
    Dirichlet and Beta has 50 digits. Rows without a bound are shown for comparison. The command fails if an
    error exceeds its bound.
    """
    from lda_app.gradients.check import check_families, gamma_grid
    from lda_app.system.runtime import progress

    with progress("Computing the reference", total=len(gamma_grid(points)), unit="points") as bar:
        checks = list(check_families(points, bar.advance))
    if as_json:
        _print_json({"checks": [asdict(result) | {"passed": result.passed} for result in checks]})
    else:
        _print_table(CHECK_COLUMNS, map(check_row, checks))
    failed = [f"{result.family} {result.what}" for result in checks if not result.passed]
    if failed:
        raise NumericalError(
            f"errors exceed the bound: {', '.join(failed)}; report this with your package versions"
        )


CHECK_COLUMNS = ("family", "derivative", "points", "worst error", "median", "bound", "worst at")


def check_row(result: "Check") -> list[str]:
    """Format a check, one cell per column."""
    return [
        result.family,
        result.what,
        f"{result.num_points:,}",
        f"{result.worst:.1e}",
        f"{result.median:.1e}",
        "" if result.bound is None else f"{result.bound:.0e}",
        result.place,
    ]


def compare(
    *,
    family: Family = None,
    problem: ProblemName = None,
    samples: Samples = 4,
    estimates: Estimates = 20_000,
    seed: Seed = 0,
    run: Run = None,
    corpus: CorpusOfRun = None,
    as_json: JsonFlag = False,
    csv_file: CsvFile = None,
    figure: Figure = None,
    overwrite: Overwrite = False,
) -> None:
    """Compare the bias, variance and speed of the gradient estimators.

    On problems with a known gradient, shows the bias along the gradient as a share of its length, with a 95%
    confidence interval; the variance of an estimate, divided by the gradient's squared length; and the time
    per sample, including the backward pass. With [bold]--run[/], the known gradient is itself the mean of
    many samples.
    """
    from lda_app.cli.tables import check_file, write_out
    from lda_app.models.threads import one_torch_thread
    from lda_app.system.charts import dot_chart

    if figure is not None and figure.suffix.lower() != ".svg":
        raise ConfigError(f"--figure {figure} must end in .svg, the only format supported")
    for flag, file in (("--csv", csv_file), ("--figure", figure)):
        check_file(file, overwrite=overwrite, flag=flag)
    chosen = _chosen(family, problem) if run is None else [_problem_of_run(run, corpus, family, problem)]
    with one_torch_thread():
        results = list(_measured(chosen, samples, estimates, seed))
    if csv_file is not None:
        write_out(_csv(results), csv_file, overwrite=overwrite)
    if figure is not None:
        title = f"Relative variance of an estimate from {samples} sample{'s' * (samples > 1)}"
        write_out(dot_chart(title, by_problem(results)), figure, overwrite=overwrite)
    if as_json:
        _print_json({"seed": seed, "comparisons": [asdict(result) for result in results]})
    else:
        _print_table(COMPARE_COLUMNS, map(compare_row, results))


COMPARE_COLUMNS = ("family", "problem", "estimator", "bias", "variance", "µs per sample")


def compare_row(result: "Measurement") -> list[str]:
    """Format a measurement, one cell per column."""
    return [
        result.family,
        result.problem,
        result.estimator,
        f"{result.bias:+.3f} ± {result.bias_error:.3f}",
        f"{result.relative_variance:.3g}",
        f"{1e6 * result.seconds:.3g}",
    ]


def by_problem(results: "Iterable[Measurement]") -> dict[str, list[tuple[str, float]]]:
    """Group variances by problem, for a chart."""
    groups: dict[str, list[tuple[str, float]]] = {}
    for result in results:
        heading = f"{result.family}: {result.problem}"
        groups.setdefault(heading, []).append((result.estimator, result.relative_variance))
    return groups


def _chosen(family: str | None, name: str | None) -> "list[Problem]":
    """Return all problems, or those of a family, or the one with a name."""
    from lda_app.gradients.problems import PROBLEMS

    _require_choice("--family", family, [problem.family for problem in PROBLEMS])
    within = [problem for problem in PROBLEMS if family in {None, problem.family}]
    _require_choice("--problem", name, [problem.name for problem in within])
    return [problem for problem in within if name in {None, problem.name}]


def _require_choice(flag: str, value: str | None, choices: list[str]) -> None:
    if value is not None and value not in choices:
        raise ConfigError(f"{flag} must be one of {', '.join(dict.fromkeys(choices))}; got {value!r}")


def _measured(problems: "list[Problem]", samples: int, estimates: int, seed: int) -> "Iterable[Measurement]":
    from lda_app.gradients.estimators import estimators_of
    from lda_app.gradients.lab import measure
    from lda_app.system.runtime import progress

    pairs = [(row, problem) for problem in problems for row in estimators_of(problem.family)]
    exact = {id(problem): problem.gradient() for problem in problems}
    with progress("Measuring", total=len(pairs), unit="estimators") as bar:
        for row, problem in pairs:
            yield measure(
                row,
                problem,
                num_samples=samples,
                num_estimates=estimates,
                seed=seed,
                exact=exact[id(problem)],
            )
            bar.advance()


def _problem_of_run(run: Path, corpus: Path | None, family: str | None, name: str | None) -> "Problem":
    from lda_app.fitted.folder import open_model

    if name is not None or family not in {None, "dirichlet"}:
        raise ConfigError(
            "--run has a single problem, in the dirichlet family; leave out --problem and --family"
        )
    model = open_model(run)
    return likelihood_problem(model, corpus_of_run(model, corpus))


def likelihood_problem(model: "ModelDir", corpus: "Corpus") -> "Problem":
    """Return E_q[log p(w|θ, β)] of some training documents, the sampled part of the ELBO, with the model's q.

    Its gradient has no closed form; the reference is the mean of many implicit samples.
    """
    import functools

    import numpy as np
    import torch

    from lda_app.corpus.batches import Batch, make_batch
    from lda_app.gradients.estimators import estimators_of
    from lda_app.gradients.problems import Problem
    from lda_app.models.likelihood import mixture_log_likelihood

    doc_term = corpus.split("train")
    batch = make_batch(doc_term, np.flatnonzero(doc_term.lengths())[:_DOCUMENTS])
    with torch.inference_mode():
        concentration = model.lda.posterior(batch).double()
    beta = model.lda.topics.rows(batch.words).double()

    @functools.cache
    def repeated(times: int) -> Batch:
        starts = batch.indptr[-1] * torch.arange(times)
        indptr = torch.cat([batch.indptr[:1], (starts[:, None] + batch.indptr[1:]).flatten()])
        columns, counts = batch.columns.repeat(times), batch.counts.repeat(times).double()
        return Batch(batch.rows.repeat(times), indptr, columns, counts, batch.words)

    def log_likelihood(theta: torch.Tensor) -> torch.Tensor:
        rows = theta.reshape(-1, theta.shape[-1])
        values = mixture_log_likelihood(rows, beta, repeated(len(rows) // batch.num_documents))
        return values.reshape(theta.shape[:-1])

    def expectation(c: torch.Tensor) -> torch.Tensor:
        implicit, generator = estimators_of("dirichlet")[0], torch.Generator().manual_seed(2**32)
        samples = min(_MOST_REFERENCE_SAMPLES, _REFERENCE_NUMBERS // c.numel())
        size = max(1, samples // _REFERENCE_BLOCKS)
        blocks = range(_REFERENCE_BLOCKS)
        parts = [implicit.surrogate(log_likelihood, (c,), size, generator) for _ in blocks]
        return torch.stack(parts).mean(0)

    name = f"log likelihood of {batch.num_documents} documents"
    return Problem("dirichlet", name, (concentration.clone(),), log_likelihood, expectation)


def _csv(results: "list[Measurement]") -> str:
    text = io.StringIO()
    rows = csv.DictWriter(text, asdict(results[0]), lineterminator="\n")
    rows.writeheader()
    rows.writerows(asdict(result) for result in results)
    return text.getvalue()


def _print_json(content: dict[str, Any]) -> None:
    from lda_app.cli.tables import print_json

    print_json({"schema_version": SCHEMA_VERSION, **content})


def _print_table(columns: tuple[str, ...], rows: Iterable[list[str]]) -> None:
    from lda_app.cli.tables import print_out

    print_out(_table(columns, rows))


def _table(columns: tuple[str, ...], rows: Iterable[list[str]]) -> "Table":
    from lda_app.cli.tables import new_table

    table = new_table()
    for column in columns:
        right = column in {"points", "worst error", "median", "bound", "bias", "variance", "µs per sample"}
        table.add_column(column, justify="right" if right else "left")
    for row in rows:
        table.add_row(*row)
    return table
