"""What is known of the topics before they learn: words that some of them are to be about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from lda_app.errors import ConfigError
from lda_app.system.runtime import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lda_app.config import TrainConfig
    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus

_WORDS_NAMED = 5


@dataclass(frozen=True, eq=False)
class TopicPrior:
    """Counts that topics have of words beyond the symmetric prior η.

    Parameters
    ----------
    words
        (S,) distinct words.
    counts
        (S, K) tokens of them that each topic is taken to have written already.
    """

    words: npt.NDArray[np.int64]
    counts: npt.NDArray[np.float32]

    def on(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """Return words and counts as tensors."""
        return torch.from_numpy(self.words).to(device), torch.from_numpy(self.counts).to(device)

    def words_of(self, topic: int) -> npt.NDArray[np.int64]:
        """Return the words of which a topic has counts."""
        words: npt.NDArray[np.int64] = self.words[self.counts[:, topic] > 0]
        return words


def seed_prior(config: TrainConfig, corpus: Corpus, doc_term: DocTermMatrix) -> TopicPrior | None:
    """Return the prior that seed words make; None without any.

    A word counts in its topic ``seed_weight`` times as often as the corpus has it: a rare word needs few
    tokens to be claimed, a frequent one many.

    Parameters
    ----------
    config
        With seeds.
    corpus
        Whose vocabulary they are looked up in, and whose preprocessing they go through.
    doc_term
        Counts (D, V) of the training documents.

    Raises
    ------
    ConfigError
        If none of a topic's words is in the vocabulary.
    """
    if config.seed_words is None:
        return None
    topics = [_known(name, config.seed_words[name], corpus) for name in sorted(config.seed_words)]
    distinct = np.unique(np.concatenate(topics))
    frequency = np.bincount(doc_term.indices, weights=doc_term.counts, minlength=doc_term.num_words)
    counts = np.zeros((len(distinct), config.num_topics), dtype=np.float32)
    for topic, words in enumerate(topics):
        counts[np.searchsorted(distinct, words), topic] = config.seed_weight * frequency[words]
    return TopicPrior(distinct, counts)


def _known(name: str, words: Sequence[str], corpus: Corpus) -> npt.NDArray[np.int64]:
    """Look a topic's words up; warn of those that are not there."""
    found = {word: list(_ids(word, corpus)) for word in words}
    unknown = [word for word, ids in found.items() if not ids]
    listed = ", ".join(unknown[:_WORDS_NAMED]) + (" …" if len(unknown) > _WORDS_NAMED else "")
    if len(unknown) == len(found):
        raise ConfigError(
            f"--seed-words: no word of {name!r} is in the vocabulary of {corpus.path}: {listed}; give "
            "others, or build the corpus with --keep-words"
        )
    if unknown:
        log.warning("seeds of %r that are not in the vocabulary: %s", name, listed)
    return np.unique([word for ids in found.values() for word in ids]).astype(np.int64)


def _ids(word: str, corpus: Corpus) -> Iterator[int]:
    """Yield the columns of a seed word: as it is written, or as the preprocessing makes it."""
    index = corpus.vocabulary.index
    if word in index:
        yield index[word]
    elif corpus.preprocessor is not None:
        yield from corpus.preprocessor.count(word)[0].tolist()
