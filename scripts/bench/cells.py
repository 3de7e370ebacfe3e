"""What is run: a cell is a corpus, a number of topics, a method and a seed."""

from typing import NamedTuple

from bench.corpora import CORPORA
from bench.methods import METHODS

HEADLINE_TOPICS = 50


class Cell(NamedTuple):
    """One training, and what is measured of it."""

    corpus: str
    num_topics: int
    method: str
    seed: int

    def __str__(self) -> str:
        return f"{self.corpus}-k{self.num_topics}-{self.method}-s{self.seed}"

    @property
    def has_curve(self) -> bool:
        """Whether the perplexity is followed during training."""
        return self.num_topics == HEADLINE_TOPICS and self.seed == 0


def quick() -> list[Cell]:
    """20NG-2k with 50 topics and one seed."""
    return [Cell("20ng-2k", HEADLINE_TOPICS, method, 0) for method in METHODS]


def full() -> list[Cell]:
    """All corpora: 50 topics with three seeds, 20 and 100 with one; what matters most comes first."""
    sizes = [(HEADLINE_TOPICS, 0), (20, 0), (100, 0), (HEADLINE_TOPICS, 1), (HEADLINE_TOPICS, 2)]
    return [
        Cell(corpus, num_topics, method, seed)
        for num_topics, seed in sizes
        for corpus in CORPORA
        for method in METHODS
    ]
