"""Plots for papers: top words, prevalence, training curves and topic similarity.

Plotting the same run again gives identical bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lda_app.fitted.topics import top_words
from lda_app.report.layout import topic_distances
from lda_app.system.charts import COLOURS, WIDTH, grid
from lda_app.system.runtime import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lda_app.fitted.inference import FloatArray
    from lda_app.report.shares import GroupMeans

FORMATS = ("svg", "png", "pdf")
_COLOUR, _SECOND_COLOUR = COLOURS[:2]
_COLUMNS = 5  # panels per row
_LONGEST_NAME, _LONGEST_TITLE = 32, 20  # characters of a topic's name, on an axis and above a panel


@dataclass(frozen=True, eq=False)
class Plotted:
    """The topics that a plot shows.

    Parameters
    ----------
    ids
        (G,) topic numbers.
    names
        Each topic's label, or its top words.
    beta
        (G, V) topic-word probabilities.
    words
        Vocabulary of V words.
    """

    ids: tuple[int, ...]
    names: tuple[str, ...]
    beta: FloatArray
    words: tuple[str, ...]

    def title(self, topic: int, longest: int = _LONGEST_NAME) -> str:
        """Return the number and truncated name of the topic at an index."""
        name = one_line(self.names[topic])
        short = name if len(name) <= longest else f"{name[: longest - 1].rstrip()}…"
        return f"{self.ids[topic]} {short}"


def plot_topics(topics: Plotted, num_words: int = 8) -> Figure:
    """Draw the most probable words of each topic as bars on a common scale."""
    best = top_words(topics.beta, num_words)
    figure, axes = _panels(topics, height=0.35 + 0.13 * num_words)
    for axis, probabilities, words in zip(axes, topics.beta, best, strict=True):
        axis.barh([one_line(topics.words[w]) for w in words], probabilities[words], color=_COLOUR)
        axis.invert_yaxis()
    figure.supxlabel("probability of the word in the topic", fontsize=8)
    return figure


def plot_prevalence(topics: Plotted, means: GroupMeans, confidence: float) -> Figure:
    """Draw the mean share of each topic with its interval, in descending order.

    Parameters
    ----------
    topics
        G topics.
    means
        Mean shares of these topics in a single group.
    confidence
        Confidence level of the intervals.
    """
    low, high = means.interval()
    order = np.argsort(means.mean[0], kind="stable")
    share = 100 * means.mean[0, order]
    ends = np.abs(100 * np.stack([low[0, order], high[0, order]]) - share)
    figure, (axis,) = grid(1, 1, height=0.8 + 0.16 * len(order))
    axis.errorbar(share, [topics.title(topic) for topic in order], xerr=ends, fmt="o", ms=3, color=_COLOUR)
    axis.set_xlim(left=0)
    size = f"{int(means.num_documents[0]):,} documents"
    axis.set_xlabel(f"mean share in {size} (%), with {confidence:.0%} intervals")
    axis.margins(y=0.5 / len(order))
    return figure


def plot_by_group(topics: Plotted, means: GroupMeans, names: Sequence[str], column: str) -> Figure:
    """Draw the mean share of each topic in each group of documents, one panel per topic.

    Parameters
    ----------
    topics
        G topics.
    means
        Mean shares of these topics in each group.
    names
        Names of the groups.
    column
        Metadata column that defines the groups.
    """
    low, high = (100 * ends for ends in means.interval())
    share = 100 * means.mean
    figure, axes = _panels(topics, height=0.45 + 0.13 * len(names), sharey=True)
    places = np.arange(len(names))
    for topic, axis in enumerate(axes):
        ends = np.abs(np.stack([low[:, topic], high[:, topic]]) - share[:, topic])
        axis.errorbar(share[:, topic], places, xerr=ends, fmt="o", ms=2.5, color=_COLOUR)
        axis.set_yticks(places, [one_line(name) for name in names], fontsize=6)
        axis.set_xlim(left=0)
    axes[0].invert_yaxis()
    figure.supxlabel(f"mean share by {one_line(column)} (%)", fontsize=8)
    return figure


def plot_training(history: pd.DataFrame) -> Figure:
    """Draw the loss and the held-out perplexity (document completion) over training steps."""
    figure, (loss, held_out) = grid(1, 2, height=2.4, sharex="all")
    loss.plot(history["step"], history["loss"], "o-", ms=3, color=_COLOUR)
    loss.set_ylabel("loss (−ELBO, nats per token)")
    held_out.plot(history["step"], history["validation_perplexity"], "o-", ms=3, color=_SECOND_COLOUR)
    held_out.set_ylabel("held-out perplexity")
    for axis in (loss, held_out):
        axis.set_xlabel("step")
    return figure


def plot_similarity(topics: Plotted) -> Figure:
    """Draw a heat map of topic distances, with similar topics adjacent (average linkage)."""
    distances = topic_distances(topics.beta)
    order = _like_ones_together(distances)
    side = min(WIDTH, 1.6 + 0.16 * len(order))
    figure, (axis,) = grid(1, 1, height=side, width=side + 0.8)
    shown = distances[np.ix_(order, order)]
    np.fill_diagonal(shown, np.nan)  # so that zeros do not use up the colour range
    image = axis.imshow(shown, cmap="cividis", vmax=1)
    names = [topics.title(topic) for topic in order]
    axis.set_yticks(range(len(order)), names, fontsize=6)
    axis.set_xticks(range(len(order)), [str(topics.ids[topic]) for topic in order], fontsize=6, rotation=90)
    bar = figure.colorbar(image, shrink=0.6)
    bar.set_label("Jensen–Shannon distance (√bits)", fontsize=7)
    bar.ax.tick_params(labelsize=6)
    return figure


def _panels(topics: Plotted, *, height: float, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    """Create a panel for each topic, with a shared horizontal axis."""
    number = len(topics.ids)
    rows, columns = math.ceil(number / _COLUMNS), min(_COLUMNS, number)
    figure, axes = grid(rows, columns, height=height, sharex="all", sharey=sharey)
    for topic, axis in enumerate(axes[:number]):
        axis.set_title(topics.title(topic, _LONGEST_TITLE), fontsize=7, loc="left")
        axis.tick_params(labelsize=6, length=2, labelbottom=topic >= number - columns)
    for axis in axes[number:]:
        axis.set_axis_off()
    return figure, axes[:number]


def _like_ones_together(distances: npt.NDArray[np.float64]) -> list[int]:
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    if len(distances) < 3:
        return list(range(len(distances)))
    condensed = squareform(distances, checks=False)
    order: list[int] = leaves_list(optimal_leaf_ordering(linkage(condensed, "average"), condensed)).tolist()
    return order
