"""Documents included in the page: topic shares with intervals, metadata, and texts for highlighting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lda_app.corpus.tokenize import Tokenizer
from lda_app.fitted.model import INTERVAL_DRAWS, intervals_of
from lda_app.report.packing import packed_json
from lda_app.report.quiz import topic_questions
from lda_app.system.runtime import progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from lda_app.corpus.doc_term import DocTermMatrix
    from lda_app.corpus.folder import Corpus
    from lda_app.fitted.model import LabelledModel

    Rows = npt.NDArray[np.int64]

LEAST_SHARE = 0.01
"""Smaller topic shares are omitted from the page."""
PARTS_PER = 1000
"""Shares are stored as integers in units of 1 / PARTS_PER."""
ASKED = 20
"""Maximum number of topic intrusion questions."""
LEVEL = 0.9
"""Level of the credible intervals for a document's shares, as in `lda-app transform`."""
_BLOCK = 512
_CHUNK = 200_000  # characters of text per packed chunk


def choose_rows(sizes: Mapping[str, int], wanted: Rows, most: int) -> dict[str, Rows]:
    """Choose the documents to include: all if they fit, else the wanted ones plus others evenly spaced.

    Parameters
    ----------
    sizes
        Split → number of documents.
    wanted
        Rows of the first split to include first.
    most
        Maximum number of documents.

    Returns
    -------
    dict
        Split → row numbers, ascending.

    Examples
    --------
    >>> chosen = choose_rows({"train": 8, "test": 2}, np.array([3]), most=6)
    >>> {split: rows.tolist() for split, rows in chosen.items()}
    {'train': [0, 1, 3, 4, 6], 'test': [0]}
    """
    total = sum(sizes.values())
    if total <= most:
        return {split: np.arange(size) for split, size in sizes.items()}
    first = np.unique(wanted)[:most]
    others = np.setdiff1d(np.arange(total), first)
    evenly = np.floor(np.arange(most - len(first)) * (len(others) / max(1, most - len(first))))
    rows = np.union1d(first, others[evenly.astype(np.int64)])
    ends = np.cumsum([0, *sizes.values()])
    return {
        split: rows[(rows >= start) & (rows < end)] - start
        for split, start, end in zip(sizes, ends[:-1], ends[1:], strict=True)
    }


def pack_documents(
    corpus: Corpus,
    model: LabelledModel,
    chosen: Mapping[str, Rows],
    representative: npt.NDArray[np.int64],
    *,
    seed: int,
) -> dict[str, str]:
    """Pack documents for the page.

    Parameters
    ----------
    corpus
        The corpus that the model was trained on.
    model
        The model.
    chosen
        Split → rows, from :func:`choose_rows`.
    representative
        (G, N) for each topic, the rows of the first split with the largest shares of it.
    seed
        Seed for the topic intrusion questions.

    Returns
    -------
    dict
        ``documents``, deflated JSON; and ``texts``, one line of deflated JSON per chunk of texts.
    """
    frames = {split: corpus.some_documents(split, rows) for split, rows in chosen.items()}
    place = {int(row): number for number, row in enumerate(next(iter(chosen.values())))}
    shares, tokens = _measure_all(corpus, model, chosen)
    texts = [text or "" for frame in frames.values() for text in frame.get("text", [])]
    readable = [document for document in range(len(place)) if texts and texts[document].strip()]
    chunks = list(_chunks(texts))
    content = {
        "ids": [str(name) for frame in frames.values() for name in frame["id"]],
        "splits": [[split, len(frame)] for split, frame in frames.items()],
        "columns": _columns(list(frames.values())),
        "shares": shares,
        "tokens": tokens,
        "chunks": [len(chunk) for chunk in chunks],
        "representative": _representative(model, representative, place, shares),
        "reader": text_reader(corpus, texts),
        "vocabulary": list(corpus.vocabulary.words),
        "questions": topic_questions(shown_shares(shares, model), readable, model.shown, ASKED, seed),
    }
    return {"documents": packed_json(content), "texts": "\n".join(packed_json(chunk) for chunk in chunks)}


def _representative(
    model: LabelledModel,
    rows: npt.NDArray[np.int64],
    place: Mapping[int, int],
    shares: Sequence[Sequence[int]],
) -> dict[int, list[int]]:
    """Map each topic to its representative documents in the page, in descending order of share."""

    def share(document: int, topic: int) -> int:
        packed = shares[document]
        return dict(zip(packed[::4], packed[1::4], strict=True)).get(topic, 0)

    return {
        k: sorted((place[row] for row in own if row in place), key=lambda document: -share(document, code))
        for k, own in zip(model.ids, rows.tolist(), strict=True)
        for code in [_code(model, k)]
    }


def _code(model: LabelledModel, topic: int) -> int:
    """Return a topic's code in packed shares: its number k, or −1 − k if others are merged into it."""
    return topic if len(model.labels.members(topic)) == 1 else -1 - topic


def _measure_all(
    corpus: Corpus, model: LabelledModel, chosen: Mapping[str, Rows]
) -> tuple[list[list[int]], list[int]]:
    """Return the shares (see :func:`document_shares`) and token count of each document."""
    shares, tokens = [], []
    with progress("Drawing shares", sum(map(len, chosen.values())), "documents") as bar:
        for split, rows in chosen.items():
            doc_term = corpus.split(split)
            for start in range(0, len(rows), _BLOCK):
                block = doc_term.rows(rows[start : start + _BLOCK])
                shares += document_shares(model, block)
                tokens += block.lengths().tolist()
                bar.advance(block.num_documents)
    return shares, tokens


def document_shares(model: LabelledModel, doc_term: DocTermMatrix) -> list[list[int]]:
    """Estimate each document's largest shares with credible intervals, in descending order.

    Merges can be undone and added on the page. So the result has the share of every topic as trained, with
    its number k, and the total share of each merged topic, with −1 − k.

    Returns
    -------
    list of list of int
        For each document, repeated topic, share, lower and upper end; shares in units of 1 / `PARTS_PER`.

    Examples
    --------
    >>> from lda_app.corpus.doc_term import DocTermMatrix
    >>> from lda_app.corpus.vocabulary import Vocabulary
    >>> from lda_app.fitted.labels import Labels
    >>> from lda_app.fitted.model import MeanFieldModel
    >>> model = MeanFieldModel(np.full(3, 0.01), np.eye(3), Vocabulary(("moon", "orbit", "goal")))
    >>> moon_and_goal = DocTermMatrix.from_scipy([[500, 0, 500]])
    >>> (packed,) = document_shares(model.labelled(Labels(3).merged(0, [1])), moon_and_goal)
    >>> sorted(packed[::4]), [round(share, -2) for share in packed[1::4]]
    ([-1, 0, 2], [500, 500, 500])
    """
    merged = [k for k in model.ids if _code(model, k) < 0]
    columns = [model.ids.index(k) for k in merged]
    codes = np.array([*range(len(model.trained.alpha)), *(-1 - k for k in merged)])
    drawn = (
        np.concatenate([draws, model.merge(draws)[..., columns]], axis=-1)
        for draws in model.trained.draws(doc_term, INTERVAL_DRAWS)
    )
    measured = intervals_of(drawn, (doc_term.num_documents, len(codes)), LEVEL)
    stacked = np.stack([measured.mean, measured.lower, measured.upper], axis=2)
    parts = np.rint(stacked * PARTS_PER).astype(np.int64)
    result = []
    for means, triples in zip(measured.mean, parts, strict=True):
        kept = np.flatnonzero(means >= LEAST_SHARE)
        order = kept[np.argsort(-means[kept], kind="stable")]
        result.append(np.column_stack([codes[order], triples[order]]).ravel().tolist())
    return result


def shown_shares(packed: Sequence[Sequence[int]], model: LabelledModel) -> list[dict[int, int]]:
    """Return each document's shares of the visible topics by topic number, given `document_shares` output."""
    numbers = {_code(model, k): k for k in model.shown}
    return [
        {numbers[code]: share for code, share in zip(row[::4], row[1::4], strict=True) if code in numbers}
        for row in packed
    ]


def _columns(frames: list[pd.DataFrame]) -> list[dict[str, Any]]:
    """Encode each metadata column as its distinct values and each document's index into them."""
    import pandas as pd

    table = pd.concat([frame.drop(columns=["id", "text"], errors="ignore") for frame in frames])
    columns = []
    for name in table:
        codes, values = pd.factorize(table[name], sort=True)
        columns.append({"name": str(name), "values": [str(v) for v in values], "codes": codes.tolist()})
    return columns


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text)
        if size > _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def text_reader(corpus: Corpus, texts: Sequence[str]) -> dict[str, Any]:
    """Return how the page maps a text to the vocabulary, including forms that are not vocabulary words."""
    if corpus.preprocessor is None:
        return {"lowercase": True, "forms": {}}
    options = corpus.preprocessor.options.tokenizer
    tokenizer, index = Tokenizer(options), corpus.vocabulary.index
    forms = {form for text in texts for found in tokenizer.forms(text) for form in found}
    meanings = {}
    for form in sorted(forms - index.keys()):
        known = [index[word] for word in tokenizer.read(form) or () if word in index]
        if known:
            meanings[form] = known
    return {"lowercase": options.lowercase, "forms": meanings}
