"""``lda-app eval --calibration``: how often intervals of topic shares cover the true value."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lda_app.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from rich.table import Table

    from lda_app.fitted.folder import ModelDir

FILE = "calibration.json"
_PANEL = "Calibration"

Wanted = Annotated[
    bool,
    typer.Option(
        "--calibration",
        help="Check on documents simulated from the model whether intervals of topic shares cover the true "
        f"values. Also writes {FILE} in the run.",
        rich_help_panel=_PANEL,
    ),
]
Documents = Annotated[
    int,
    typer.Option(
        "--calibration-documents",
        min=20,
        max=10**6,
        help="Documents to simulate at each length.",
        rich_help_panel=_PANEL,
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Plot coverage at all levels (.svg).",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class Calibrating:
    """The flags of calibration."""

    calibration: Wanted = False
    calibration_documents: Documents = 1000
    plot: Plot = None

    def require_sense(self, run: Path | None, *, overwrite: bool) -> None:
        """Reject invalid combinations before any work is done.

        Raises
        ------
        ConfigError
            If the model is not an lda-app model, or the plot cannot be drawn.
        """
        from lda_app.cli.tables import check_file

        if self.calibration and run is None:
            raise ConfigError("--calibration needs a RUN: only models of lda-app have these intervals")
        if self.plot is None:
            return
        if not self.calibration:
            raise ConfigError("--plot draws the calibration; give --calibration as well")
        if self.plot.suffix.lower() != ".svg":
            raise ConfigError(f"--plot {self.plot} must end in .svg, the only format supported")
        check_file(self.plot, overwrite=overwrite, flag="--plot")

    def run(
        self,
        model: "ModelDir",
        lengths: "npt.NDArray[np.int64]",
        seed: int,
        confidence: float,
        *,
        overwrite: bool,
    ) -> dict[str, Any]:
        """Calibrate a model on documents of these lengths, and save and plot the result."""
        from lda_app.cli.tables import write_out
        from lda_app.evaluation.calibration import calibrate, document_lengths, draws_rank, guide_rank
        from lda_app.system.storage import write_annotation

        posteriors = {
            "guide": guide_rank(model.posterior),
            "draws": draws_rank(model),
        }
        chosen = document_lengths(lengths, self.calibration_documents, seed)
        found = calibrate(
            posteriors, model.alpha, model.beta, chosen, seed=seed, confidence=confidence
        ).to_dict()
        write_annotation(model.path, FILE, found)
        if self.plot is not None:
            write_out(calibration_chart(found), self.plot, overwrite=overwrite)
        return found


def calibration_table(found: dict[str, Any]) -> "Table":
    """Lay out coverage, one line for each posterior, length and choice of topics."""
    from lda_app.cli.tables import new_table

    levels = [coverage["level"] for coverage in found["parts"][0]["coverage"]]
    table = new_table("Share of intervals that cover the true value, on documents simulated from the model")
    for name, justify in (("posterior", "left"), ("lengths", "right"), ("topics", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name in (*(f"{level:.0%}" for level in levels), "uniform ranks: p"):
        table.add_column(name, justify="right")
    for part in found["parts"]:
        shares = map(_share, part["coverage"])
        table.add_row(part["posterior"], part["lengths"], part["topics"], *shares, _p_value(part))
    return table


def narrow_calibration_table(found: dict[str, Any]) -> "Table":
    """Lay out the same in two columns, for a narrow terminal."""
    from lda_app.cli.tables import new_table

    table = new_table("Share of intervals that cover the true value")
    table.add_column("posterior, lengths, topics")
    table.add_column("share", justify="right", no_wrap=True)
    for part in found["parts"]:
        table.add_row(f"{part['posterior']}, {part['lengths']}, {part['topics']}", "")
        for coverage in part["coverage"]:
            table.add_row(f"  {coverage['level']:.0%}", _share(coverage))
        table.add_row("  uniform ranks: p", _p_value(part))
    return table


def _share(coverage: dict[str, Any]) -> str:
    return f"{100 * coverage['value']:.1f} ± {100 * coverage['margin']:.1f}"


def _p_value(part: dict[str, Any]) -> str:
    return f"{part['p_value']:.2g}"


def calibration_chart(found: dict[str, Any]) -> str:
    """Draw coverage over the level: a chart per posterior and choice of topics, a curve per length."""
    from lda_app.system.charts import line_charts

    kinds = dict.fromkeys((part["posterior"], part["topics"]) for part in found["parts"])
    levels = found["curve_levels"]
    charts = {}
    for posterior, topics in kinds:
        parts = [p for p in found["parts"] if (p["posterior"], p["topics"]) == (posterior, topics)]
        curves = {
            f"lengths: {part['lengths']}": list(zip(levels, part["curve"], strict=True)) for part in parts
        }
        title = f"{posterior}: intervals of {'all topics' if topics == 'all' else 'the largest topic'}"
        charts[title] = {**curves, "ideal": [(0, 0), (1, 1)]}
    return line_charts(charts, "level", "coverage", logarithmic=(False, False))
