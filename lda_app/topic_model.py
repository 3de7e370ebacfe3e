"""From raw texts to topics as pandas tables: the command line's features in one Python class."""

from __future__ import annotations

import dataclasses
import difflib
import html
import os
import shutil
import tempfile
import weakref
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
import pandas as pd

from lda_app.analysis import frames
from lda_app.config import RENAMED, TrainConfig, config_from_dict, resolve_config
from lda_app.corpus.folder import build_corpus
from lda_app.corpus.options import WordOptions
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources.memory import MemorySource, list_texts
from lda_app.errors import ConfigError, CorpusError, FolderError, Interrupted
from lda_app.fitted.corpus import corpus_of_run, recorded_place
from lda_app.fitted.folder import open_model
from lda_app.fitted.labels import write_labels
from lda_app.fitted.topics import topic_proportions
from lda_app.fitted.transform import Table, transform
from lda_app.system.runtime import progress_shown
from lda_app.system.storage import check_replaceable, check_writable, copy_folder, write_atomic
from lda_app.training.run import train_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from lda_app.analysis.frames import Overview
    from lda_app.corpus.folder import Corpus
    from lda_app.corpus.preprocess import Preprocessor
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.labels import Labels

_SPLIT = "train"
_NAMING_WORDS, _SHOWN_WORDS = 5, 10
_WORDS_OF_TABLE = 30
_INTERVAL_LEVEL = 0.9
_SNIPPET = 100  # characters shown of a similar document


class TopicModel:
    """Topic model of a collection of texts.

    Parameters
    ----------
    num_topics
        K, number of topics.
    language
        ISO 639-1 code of the texts' language, or ``"auto"`` to detect it.
    seed
        Random seed; the same seed gives the same model.
    preset
        ``"default"`` gives the best topics; ``"fast"`` is nearly as good and takes a third of the time.
    show_progress
        Whether to show progress bars in a terminal or notebook.
    **options
        Any preprocessing option of ``lda-app corpus build`` or training option of ``lda-app train``, with
        underscores in its name: ``normalize="lemma"``, ``keep_case=True``, ``phrases=True``,
        ``stop_words=["the"]``, ``epochs=10`` … Give word lists as lists, or as files
        (:class:`pathlib.Path`).

    Raises
    ------
    ConfigError
        If an option is unknown or invalid.

    Examples
    --------
    >>> texts = ["the rocket reached the moon"] * 15 + ["the team scored a goal"] * 15
    >>> model = TopicModel(num_topics=2, epochs=5, show_progress=False).fit(texts)
    >>> sorted(model.topics.columns)
    ['coherence', 'label', 'prevalence', 'top_words', 'topic']
    >>> model.transform(["a rocket to the moon"])[["known_tokens", "unknown_tokens"]].values.tolist()
    [[2, 0]]
    """

    def __init__(
        self,
        num_topics: int = 20,
        *,
        language: str = "en",
        seed: int = 0,
        preset: str = "default",
        show_progress: bool = True,
        **options: Any,
    ) -> None:
        self.show_progress = show_progress
        given = {"num_topics": num_topics, "language": language, "seed": seed, "preset": preset, **options}
        self.preprocess_options, self.training = _configured(given)
        self._model: ModelDir | None = None
        self._corpus: Corpus | None = None

    @classmethod
    def load(cls, run: str | os.PathLike[str], *, corpus: str | os.PathLike[str] | None = None) -> Self:
        """Open a model that :meth:`save` or ``lda-app train`` wrote.

        Parameters
        ----------
        run
            Model directory.
        corpus
            Corpus folder, if it has moved. Without a corpus, only words and ``transform`` are available.

        Raises
        ------
        FolderError
            If a folder is corrupt, or the corpus is not the model's.
        """
        model = open_model(Path(run))
        there = corpus is not None or recorded_place(model) is not None
        found = corpus_of_run(model, None if corpus is None else Path(corpus)) if there else None
        loaded = cls.__new__(cls)
        loaded.show_progress = True
        loaded.training = config_from_dict(model.config["training"], str(model.path))
        counting = model.preprocessor
        loaded.preprocess_options = PreprocessOptions() if counting is None else counting.options
        loaded._take(model, found)
        return loaded

    def fit(self, texts: Iterable[Any], metadata: pd.DataFrame | None = None) -> Self:
        """Build the vocabulary from texts and learn their topics.

        A missing text (None, NaN), or one without any vocabulary word, is kept in ``documents`` as an empty
        row with the reason.

        Parameters
        ----------
        texts
            The documents. A Series' index is used as document ids if it is unique.
        metadata
            One row per document, in the same order; kept with the model as text.

        Raises
        ------
        CorpusError
            If no words remain, or the metadata has a different number of rows.
        TypeError
            If a text is not a string.
        """
        source = MemorySource(texts, metadata)
        home = Path(tempfile.mkdtemp(prefix="lda-app-"))
        removed_with = weakref.finalize(self, shutil.rmtree, home, ignore_errors=True)
        try:
            with progress_shown(self.show_progress):
                seed = self.training.seed
                corpus = build_corpus(
                    source, _corpus_beside(home / "run"), self.preprocess_options, test_fraction=0, seed=seed
                )
                train_model(corpus, self.training, home / "run")
        except BaseException as error:
            removed_with()
            if isinstance(error, Interrupted):  # its advice on how to resume is for the command line
                raise KeyboardInterrupt from None
            raise
        self._take(open_model(home / "run"), corpus)
        return self

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Save the model directory, and its corpus as ``PATH.corpus``; the command line can read both.

        Raises
        ------
        ConfigError
            If a folder exists and may not be overwritten.
        FileSystemError
            If they cannot be written.
        """
        model, out = self.model, Path(path)
        check_replaceable(out, "model", overwrite=overwrite)
        if self._corpus is not None:
            copy_folder(self._corpus.path, _corpus_beside(out), "corpus", overwrite=overwrite)
        place = os.path.relpath(_corpus_beside(out).resolve(), out.resolve())
        config = model.config | {"corpus": model.config["corpus"] | {"path": place}}
        changed = {"config.json": config} if self._corpus is not None else {}
        copy_folder(model.path, out, "model", overwrite=overwrite, changed=changed)

    def report(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the report of ``lda-app report``: one HTML file that works offline.

        Raises
        ------
        ConfigError
            If the file exists and may not be overwritten.
        """
        from lda_app.report.data import Wanted
        from lda_app.report.page import page_of

        out = Path(path)
        if out.exists() and not overwrite:
            raise ConfigError(f"{out} exists; give overwrite=True to replace it, or another name")
        check_writable(out)
        with progress_shown(self.show_progress):
            page = page_of(self.model, self.corpus, Wanted())
        write_atomic(out, page)

    def label(self, topic: int, text: str | None) -> None:
        """Name a topic, or remove its name with None; saved in the model's folder like ``lda-app label``.

        Raises
        ------
        ConfigError
            If there is no such topic.
        """
        write_labels(self.model.path, self.labels.named(topic, text))
        self._forget()

    @property
    def model(self) -> ModelDir:
        """The trained model.

        Raises
        ------
        ConfigError
            If the model is not fitted.
        """
        if self._model is None:
            raise ConfigError("the model has no topics yet: call fit(texts), or TopicModel.load(run)")
        return self._model

    @property
    def corpus(self) -> Corpus:
        """The corpus that the model was trained on.

        Raises
        ------
        FolderError
            If the corpus is missing.
        """
        return corpus_of_run(self.model, None) if self._corpus is None else self._corpus

    @property
    def labels(self) -> Labels:
        """Topic labels: names, merges and hidden topics."""
        return self.model.labels

    @property
    def num_topics(self) -> int:
        """K, the number of topics as trained."""
        return self.training.num_topics

    @property
    def words(self) -> tuple[str, ...]:
        """The vocabulary."""
        return self.model.vocabulary.words

    @property
    def metrics(self) -> dict[str, Any]:
        """Training metrics, each with its protocol."""
        return self.model.metrics

    @property
    def topics(self) -> pd.DataFrame:
        """One row per topic, most prevalent first: topic, label, prevalence, coherence, top_words."""
        table = frames.topics_frame(self._overview.topics)
        table["top_words"] = [
            ", ".join(word.word for word in topic.words[:_SHOWN_WORDS]) for topic in self._overview.topics
        ]
        return table

    @property
    def topic_words(self) -> pd.DataFrame:
        """The top 30 words of each topic: topic, word, probability, rank."""
        return frames.topic_words_frame(self._overview.topics)

    @cached_property
    def document_topics(self) -> pd.DataFrame:
        """One row per document and topic: document, topic, share, and its 90% interval (lower, upper).

        Computed from draws of the exact posterior; the share is their mean. Slow for many documents.
        """
        with progress_shown(self.show_progress):
            doc_term, ids = self.corpus.split(_SPLIT), self._ids
            parts = list(frames.document_topics(self.model.labelled(), doc_term, ids, _INTERVAL_LEVEL))
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def documents(self) -> pd.DataFrame:
        """One row per document, in the order of the texts, indexed by id.

        For a model from ``lda-app train``, these are the training documents of its corpus.

        The columns are the metadata; ``known_tokens``, the number of tokens in the vocabulary; ``left_out``,
        the reason if a document has none; ``top_topic`` and its ``top_share``.
        """
        stored = self.corpus.documents(_SPLIT)
        known = self.corpus.split(_SPLIT).lengths()
        top, share = self._top_topics()
        added = pd.DataFrame(
            {
                "known_tokens": known,
                "left_out": self._reasons(stored),
                "top_topic": top,
                "top_share": share,
            }
        )
        added.loc[known == 0, ["top_topic", "top_share"]] = pd.NA
        metadata = stored.drop(columns=["id", "text"], errors="ignore")
        while not metadata.columns.intersection(added.columns).empty:
            added = added.add_prefix("lda_")
        return metadata.join(added).set_index(self._ids)

    def _top_topics(self) -> tuple[Any, Any]:
        """Return each document's largest visible topic and its share; NA if all topics are hidden."""
        model = self.model.labelled()
        if not model.columns:
            missing = [pd.NA] * len(self._shares)
            return pd.array(missing, dtype="Int64"), np.full(len(missing), np.nan, dtype=np.float32)
        shares = model.labels.merge_columns(self._shares)[:, model.columns]
        top = np.array(model.shown)[shares.argmax(axis=1)]
        return pd.array(top, dtype="Int64"), shares.max(axis=1)

    def _reasons(self, stored: pd.DataFrame) -> pd.Series:
        """Return the reason why each document without any vocabulary word has none."""
        listed = self.corpus.left_out().query(f"split == '{_SPLIT}'").set_index("row")["reason"]
        reasons = listed.set_axis(listed.index.astype(int)).reindex(range(len(stored)))
        if "text" in stored:
            reasons[reasons.notna() & (stored["text"].str.strip() == "")] = "the text is missing or empty"
        return reasons

    def transform(
        self, texts: Iterable[Any], *, intervals: bool = False, level: float = _INTERVAL_LEVEL
    ) -> pd.DataFrame:
        """Infer the topics of texts, one row per text, like ``lda-app transform``.

        Labels apply: the shares of merged topics are summed, and hidden topics are omitted.

        Parameters
        ----------
        texts
            Texts as for ``fit``; a Series keeps its index.
        intervals
            Whether to add credible intervals: ``topic_0_lower``, ``topic_0_upper`` …
        level
            Level of the intervals.

        Returns
        -------
        pandas.DataFrame
            known_tokens, unknown_tokens, too_little_known (less than a tenth is known), top_topic,
            top_topic_words, topic_0 … topic_{K−1}. A text without any known word has no top topic, and its
            shares are those of the prior.

        Raises
        ------
        ConfigError
            If all topics are hidden.
        FolderError
            If the model was trained on imported counts.
        """
        documents, model = list_texts(texts), self.model.labelled()
        model.require_shown()
        table = Table((), None, None, model.names(_NAMING_WORDS), intervals)
        with progress_shown(self.show_progress):
            chunks = transform(documents, self._counting, model, level if intervals else None)
            rows = [row for chunk in chunks for row in table.rows(chunk)]
        frame = pd.DataFrame(rows, columns=list(table.header), index=_index_of(texts, len(rows)))
        return frame.astype({"top_topic": "Int64", "known_tokens": int, "too_little_known": bool})

    def similar_documents(self, text: str, n: int = 10) -> pd.DataFrame:
        """Return the documents whose topic shares are closest to those of a text.

        Parameters
        ----------
        text
            Any text.
        n
            Number of documents to return.

        Returns
        -------
        pandas.DataFrame
            document, distance, text (its beginning), nearest first. The distance is the Hellinger distance
            between the posterior means of θ, √(1 − Σ_k √(θ_k θ'_k)), from 0 to 1.

        Raises
        ------
        CorpusError
            If the text has no word in the vocabulary.
        """
        counts = self._counting.counts([text])
        if not counts.num_tokens:
            raise CorpusError("none of the words of the text is in the vocabulary, so its topics are unknown")
        (theta,) = topic_proportions(self.model.posterior(counts))
        overlap = np.sqrt(self._shares) @ np.sqrt(theta)
        distance = np.sqrt(np.clip(1 - overlap, 0, 1))
        filled = self.corpus.split(_SPLIT).filled()
        nearest = filled[np.argsort(distance[filled], kind="stable")[:n]]
        found = pd.DataFrame({"document": self._ids[nearest], "distance": distance[nearest]})
        stored = self.corpus.documents(_SPLIT)
        if "text" in stored:
            found["text"] = [_beginning(text) for text in stored["text"].iloc[nearest]]
        return found

    def __repr__(self) -> str:
        if self._model is None:
            return f"TopicModel(num_topics={self.num_topics}), not fitted"
        return f"TopicModel of {self.num_topics} topics, {len(self.words):,} words"

    def _repr_html_(self) -> str:
        """Show the topics as a table in a notebook."""
        title = f"<p><b>{html.escape(repr(self))}</b></p>"
        if self._model is None:
            return title
        shown = self.topics.dropna(axis="columns", how="all")
        formats = {"prevalence": "{:.1%}".format, "coherence": "{:.2f}".format}
        return title + shown.to_html(index=False, formatters=formats, na_rep="")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a TopicModel cannot be pickled: use save(path) and TopicModel.load(path)")

    def _take(self, model: ModelDir, corpus: Corpus | None) -> None:
        self._model, self._corpus = model, corpus
        self._forget()

    def _forget(self) -> None:
        for name in ("_overview", "_shares", "_ids", "document_topics", "documents"):
            self.__dict__.pop(name, None)

    @cached_property
    def _overview(self) -> Overview:
        corpus = self.corpus if self._corpus is not None else None
        with progress_shown(self.show_progress):
            return frames.overview(self.model.labelled(), corpus, num_words=_WORDS_OF_TABLE)

    @cached_property
    def _shares(self) -> npt.NDArray[np.float32]:
        """Posterior mean of θ for each document of the corpus, (D, K)."""
        return topic_proportions(self.model.posterior(self.corpus.split(_SPLIT)))

    @cached_property
    def _ids(self) -> pd.Index[Any]:
        """Ids of the corpus's documents; integers if the ids are the row numbers."""
        ids = self.corpus.ids(_SPLIT)
        numbered = all(key == str(row) for row, key in enumerate(ids))
        return pd.RangeIndex(len(ids), name="document") if numbered else pd.Index(ids, name="document")

    @property
    def _counting(self) -> Preprocessor:
        if self.model.preprocessor is None:
            raise FolderError(
                f"{self.model.path}: trained on imported counts, so it does not know how raw text is counted"
            )
        return self.model.preprocessor


def _configured(given: dict[str, Any]) -> tuple[PreprocessOptions, TrainConfig]:
    """Split the options into preprocessing and training options."""
    known = {kind: [field.name for field in dataclasses.fields(kind)] for kind in (WordOptions, TrainConfig)}
    names = sorted(name for fields in known.values() for name in fields)
    for name in given:
        if name in RENAMED:
            raise ConfigError(f"the option {name!r} is now called {RENAMED[name]!r}")
        if name not in names:
            nearest = difflib.get_close_matches(name, names, n=1, cutoff=0)
            raise ConfigError(f"unknown option {name!r}; did you mean {nearest[0]!r}?")
    words, training = ({name: given[name] for name in fields if name in given} for fields in known.values())
    return WordOptions(**words).preprocess(), resolve_config(training)


def _index_of(texts: Any, size: int) -> pd.Index[Any]:
    return texts.index if isinstance(texts, pd.Series) else pd.RangeIndex(size)


def _beginning(text: str) -> str:
    text = " ".join(text[: 10 * _SNIPPET].split())
    return text if len(text) <= _SNIPPET else f"{text[: _SNIPPET - 1].rstrip()}…"


def _corpus_beside(run: Path) -> Path:
    """Return the folder where ``lda-app train`` stores the corpus that it builds for a run."""
    return run.with_name(f"{run.name}.corpus")
