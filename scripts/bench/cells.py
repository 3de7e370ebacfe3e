"""What is run: a cell is a corpus, a number of topics, a method and a seed."""

from typing import NamedTuple

from bench.corpora import CORPORA
from bench.methods import METHODS

HEADLINE_CORPUS = "20ng-2k"
HEADLINE_TOPICS = 50

_ONCE = frozenset({"lda-app-figurnov"})
"""Methods so slow that the headline's corpus has to do."""
_ONE_SEED = frozenset({"lda-app-elbo", "topica-every-20"})
"""Second settings of a method, run once a corpus."""


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
        """Whether the perplexity is followed during training: our own always, and all on one corpus."""
        ours = METHODS[self.method].is_own
        return self.seed == 0 and (
            ours or (self.corpus, self.num_topics) == (HEADLINE_CORPUS, HEADLINE_TOPICS)
        )


def quick() -> list[Cell]:
    """20NG-2k with 50 topics and one seed."""
    methods = [method for method in METHODS if method not in _ONCE]
    return [Cell(HEADLINE_CORPUS, HEADLINE_TOPICS, method, 0) for method in methods]


def full() -> list[Cell]:
    """All corpora: 50 topics with three seeds, 20 and 100 with one; what matters most comes first."""
    sizes = [(HEADLINE_TOPICS, 0), (20, 0), (100, 0), (HEADLINE_TOPICS, 1), (HEADLINE_TOPICS, 2)]
    cells = [
        Cell(corpus, num_topics, method, seed)
        for num_topics, seed in sizes
        for corpus in CORPORA
        for method in METHODS
        if method not in _ONCE and (method not in _ONE_SEED or (num_topics, seed) == sizes[0])
    ]
    return [*cells, *(Cell(HEADLINE_CORPUS, HEADLINE_TOPICS, method, 0) for method in sorted(_ONCE))]
