"""20 Newsgroups: read from scikit-learn's cache where SCIKIT_LEARN_DATA has it, else a clear line."""

from __future__ import annotations

import os
import urllib.error
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.corpus.sources.newsgroups import CACHE_FILE
from lda_app.errors import CorpusError

DATA = os.environ.get("SCIKIT_LEARN_DATA")


@pytest.mark.skipif(
    not DATA or not Path(DATA, CACHE_FILE).is_file(),
    reason=f"SCIKIT_LEARN_DATA names no folder with {CACHE_FILE}",
)
def test_all_messages_are_there_with_split_and_group() -> None:
    newsgroups = open_source("20newsgroups", SourceOptions())
    documents = list(newsgroups)
    assert Counter(document.split for document in documents) == {"train": 11_314, "test": 7_532}
    assert len({document.metadata["newsgroup"] for document in documents}) == 20
    assert all(document.id.startswith(document.metadata["newsgroup"] + "/") for document in documents)
    assert not any(document.text.startswith("From: ") for document in documents[:100])
    assert list(newsgroups) == documents
    assert newsgroups.describe()["num_documents"] == 18_846


def test_without_data_and_network_one_line_says_how_to_bring_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    monkeypatch.setattr("sklearn.datasets._twenty_newsgroups._download_20newsgroups", unreachable)
    with pytest.raises(CorpusError, match=f"no route to host.*SCIKIT_LEARN_DATA.*{CACHE_FILE}"):
        list(open_source("20newsgroups", SourceOptions()))
    assert not capsys.readouterr().out
