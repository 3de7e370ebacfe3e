"""Serve the documents of a corpus to the page, reading them from disk on demand."""

from __future__ import annotations

import base64
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.fitted.topics import top_columns
from lda_app.report.documents import ASKED, LEAST_SHARE, document_shares, shown_shares, text_reader
from lda_app.report.packing import quantized_logs
from lda_app.report.quiz import topic_questions
from lda_app.report.serve.index import index_documents
from lda_app.report.serve.search import Query, QuestionError, members_of, search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.folder import ModelDir
    from lda_app.fitted.inference import FloatArray
    from lda_app.report.serve.index import DocumentIndex

MOST_ROWS = 200
"""Maximum number of documents per listing."""
REPRESENTATIVE = 10
_LOOKED_AT = 500  # documents to consider for the questions


def open_library(model: ModelDir, corpus: Corpus) -> Library:
    """Index the documents of a corpus with a model that was trained on it."""
    return Library(corpus, index_documents(corpus, model.posterior), model)


class Library:
    """Answers the page's requests about documents.

    Documents are numbered consecutively across the splits of the corpus.

    Parameters
    ----------
    corpus
        Corpus that the model was trained on.
    index
        Index of its documents.
    model
        Model that draws document shares, one thread at a time, using its folder's current labels.
    """

    def __init__(self, corpus: Corpus, index: DocumentIndex, model: ModelDir) -> None:
        self._corpus, self._index, self._model = corpus, index, model
        levels, self._lowest, self._highest = quantized_logs(np.asarray(model.beta, dtype=np.float64))
        self._levels = np.frombuffer(levels, dtype=np.uint8).reshape(model.beta.shape)
        self._measuring = Lock()

    def about(self) -> dict[str, Any]:
        """Return the number of documents, and the columns and values to filter by."""
        columns = [{"name": column.name, "values": column.values} for column in self._index.columns]
        return {"size": self._index.num_documents, "columns": columns}

    def search(self, query: Query, cursor: int) -> dict[str, Any]:
        """Find documents starting at a row."""
        found = search(self._corpus, self._index, self._model.labels, query, cursor)
        return {"rows": found.rows, "shares": found.shares, "cursor": found.cursor}

    def listed(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Summarize documents: ids, and largest shares from the index."""
        self._require(rows)
        if len(rows) > MOST_ROWS:
            raise QuestionError(f"at most {MOST_ROWS} documents can be listed at a time")
        ids, labels = self._ids(rows), self._model.labels
        return [
            {"row": row, "id": ids[row], "shares": _largest(labels.merge_columns(shares), labels.ids)}
            for row, shares in zip(rows, self._index.of_documents(rows), strict=True)
        ]

    def document(self, row: int) -> dict[str, Any]:
        """Describe a document: topic shares with intervals, and metadata."""
        split, own = self._place(row)
        record = self._corpus.some_documents(split, np.array([own])).iloc[0]
        counts = self._corpus.split(split).rows(np.array([own]))
        with self._measuring:
            (packed,) = document_shares(self._model.labelled(), counts)
        metadata = record.drop(["id", "text"], errors="ignore").dropna()
        return {
            "row": row,
            "id": record["id"],
            "split": split,
            "tokens": counts.num_tokens,
            "metadata": [[name, value] for name, value in metadata.items()],
            "shares": packed,
        }

    def text(self, row: int) -> dict[str, Any]:
        """Return a document's text and what the page needs to highlight a topic's words in it.

        Returns
        -------
        dict
            ``text``, or None if it was not stored; ``reader``, from `lda_app.report.documents.text_reader`,
            over the document's ``vocabulary``; ``levels``, its words' β by topic, on a logarithmic scale from
            ``lowest`` to ``highest``.
        """
        split, own = self._place(row)
        text = self._corpus.some_documents(split, np.array([own])).get("text", [None])[0]
        ids = np.unique(self._corpus.split(split).rows(np.array([own])).indices)
        place = {int(word): number for number, word in enumerate(ids)}
        reader = text_reader(self._corpus, [text or ""])
        known = {form: [place[w] for w in words if w in place] for form, words in reader["forms"].items()}
        vocabulary = self._corpus.vocabulary.words
        return {
            "text": text,
            "reader": {**reader, "forms": known},
            "vocabulary": [vocabulary[word] for word in ids],
            "levels": base64.b64encode(self._levels[:, ids].tobytes()).decode(),
            "lowest": self._lowest,
            "highest": self._highest,
        }

    def representative(self, topic: int) -> list[int]:
        """Return the training documents with the largest shares of a topic, in descending order."""
        members = members_of(self._index, self._model.labels, topic)
        shares = np.sum([self._index.tables[0].of_topic(k) for k in members], axis=0)
        shares[self._corpus.split(self._index.splits[0]).lengths() == 0] = -1
        best: list[int] = top_columns(shares[None], min(REPRESENTATIVE, len(shares)))[0].tolist()
        return [row for row in best if shares[row] >= 0]

    def questions(self) -> list[dict[str, Any]]:
        """Return topic intrusion questions: a document, three of its topics and one intruder."""
        doc_term = self._corpus.split(self._index.splits[0])
        evenly = np.linspace(0, doc_term.num_documents, _LOOKED_AT, endpoint=False)
        rows = np.unique(evenly.astype(np.int64))
        model = self._model.labelled()
        with self._measuring:
            packed = document_shares(model, doc_term.rows(rows))
        asked = topic_questions(shown_shares(packed, model), range(len(rows)), model.shown, ASKED, seed=0)
        return [{**question, "document": int(rows[question["document"]])} for question in asked]

    def _place(self, row: int) -> tuple[str, int]:
        self._require([row])
        return self._index.place(row)

    def _require(self, rows: Sequence[int]) -> None:
        for row in rows:
            if not 0 <= row < self._index.num_documents:
                raise QuestionError(f"there is no document {row}")

    def _ids(self, rows: Sequence[int]) -> dict[int, str]:
        """Read the ids of documents."""
        ids: dict[int, str] = {}
        places = [(row, *self._index.place(row)) for row in sorted(set(rows))]
        for split in self._index.splits:
            here = [(row, own) for row, of, own in places if of == split]
            frame = self._corpus.some_documents(
                split, np.array([own for _, own in here], dtype=np.int64), ["id"]
            )
            ids |= zip((row for row, _ in here), frame["id"], strict=True)
        return ids


def _largest(shares: FloatArray, topics: Sequence[int]) -> list[dict[str, Any]]:
    order = np.argsort(-shares, kind="stable")
    kept = order[shares[order] >= LEAST_SHARE]
    return [{"topic": topics[column], "share": round(float(shares[column]), 3)} for column in kept]
