"""Another tool's topics over a corpus's vocabulary, with a count of what either side lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.errors import CorpusError

if TYPE_CHECKING:
    import numpy.typing as npt

    from lda_app.corpus.vocabulary import Vocabulary
    from lda_app.interchange.model import ImportedModel

_SOME = 5


@dataclass(frozen=True, eq=False)
class Aligned:
    """A model's topics in the columns of a corpus.

    Parameters
    ----------
    beta
        (K, V) probabilities over the corpus's words, each row summing to 1; 0 for unknown words.
    is_known
        (V,) whether the model gives a word of the corpus a probability in any topic.
    unknown_words
        Words of the corpus that the model does not know; their tokens cannot be scored.
    foreign_words
        Words of the model that the corpus does not have.
    foreign_mass
        (K,) probability of those words in each topic, taken out; what is left is scaled to sum to 1, as the
        corpus's tokens are all words of the corpus.
    """

    beta: npt.NDArray[np.float64]
    is_known: npt.NDArray[np.bool_]
    unknown_words: tuple[str, ...]
    foreign_words: tuple[str, ...]
    foreign_mass: npt.NDArray[np.float64]

    def describe(self) -> dict[str, Any]:
        """Return what either side lacks, as JSON can hold it."""
        return {
            "unknown_words": len(self.unknown_words),
            "unknown_words_examples": list(self.unknown_words[:_SOME]),
            "foreign_words": len(self.foreign_words),
            "foreign_words_examples": list(self.foreign_words[:_SOME]),
            "foreign_mass_mean": float(self.foreign_mass.mean()),
            "foreign_mass_largest": float(self.foreign_mass.max()),
        }


def align(model: ImportedModel, vocabulary: Vocabulary) -> Aligned:
    """Put a model's topics into the order of a corpus's words.

    Raises
    ------
    CorpusError
        If they share fewer than two words, or a topic has none of the corpus's words.

    Examples
    --------
    >>> from lda_app.corpus.vocabulary import Vocabulary
    >>> from lda_app.interchange.model import ImportedModel
    >>> model = ImportedModel.of("mine", [[2, 1, 1], [0, 4, 0]], ["moon", "orbit", "goal"])
    >>> aligned = align(model, Vocabulary(("orbit", "puck", "moon")))
    >>> aligned.beta.round(2).tolist()
    [[0.33, 0.0, 0.67], [1.0, 0.0, 0.0]]
    >>> aligned.unknown_words, aligned.foreign_words, aligned.foreign_mass.tolist()
    (('puck',), ('goal',), [0.25, 0.0])
    """
    ours, theirs = vocabulary.index, model.vocabulary.words
    shared = [(ours[word], column) for column, word in enumerate(theirs) if word in ours]
    if len(shared) < 2:
        raise CorpusError(
            f"{model.name}: the corpus has {len(shared)} of its {len(theirs):,} words; were both made from "
            f"the same text? The model's words begin with {', '.join(theirs[:_SOME])}; the corpus's with "
            f"{', '.join(vocabulary.words[:_SOME])}"
        )
    beta = np.zeros((model.num_topics, len(vocabulary)))
    columns, sources = (list(side) for side in zip(*shared, strict=True))
    beta[:, columns] = model.beta[:, sources]
    mass = beta.sum(axis=1)
    if not mass.all():
        raise CorpusError(f"{model.name}: topic {int(np.argmin(mass))} contains none of the corpus's words")
    is_known = np.asarray(beta.any(axis=0))
    return Aligned(
        beta=beta / mass[:, None],
        is_known=is_known,
        unknown_words=tuple(
            word for word, known in zip(vocabulary.words, is_known, strict=True) if not known
        ),
        foreign_words=tuple(word for word in theirs if word not in ours),
        foreign_mass=np.maximum(0.0, 1 - mass),
    )
