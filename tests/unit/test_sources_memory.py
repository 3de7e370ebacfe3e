"""Texts that a Python program holds in memory."""

import numpy as np
import pandas as pd
import pytest

from lda_app.corpus.sources.memory import MemorySource, list_texts
from lda_app.errors import CorpusError


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, float("nan"), pd.NaT])
def test_a_missing_text_is_an_empty_document(missing):
    assert [document.text for document in list_texts(["a", missing])] == ["a", ""]


def test_ids_are_those_of_a_series_that_names_each_once():
    def ids(index):
        return [document.id for document in list_texts(pd.Series(["a", "b"], index=index))]

    assert ids(["x", "y"]) == ["x", "y"]
    assert ids(["x", "x"]) == ["0", "1"]
    assert ids([7, 3]) == ["7", "3"]


def test_what_no_file_can_hold_is_mended():
    (document,) = MemorySource(["a\0b\ud800"], pd.DataFrame({"note": ["c\0"]}))
    assert (document.text, document.metadata) == ("ab\ufffd", {"note": "c"})


def test_values_of_metadata_become_text_and_missing_ones_nothing():
    table = pd.DataFrame(
        {"n": [1, 2], "x": [0.5, np.nan], "d": pd.to_datetime(["2020-01-01", None]), 3: [True, None]}
    )
    first, second = MemorySource(["a", "b"], table)
    assert first.metadata == {"n": "1", "x": "0.5", "d": "2020-01-01 00:00:00", "3": "True"}
    assert second.metadata == {"n": "2"}


def test_the_description_is_of_the_content_alone():
    same = [MemorySource(["a", "b"]).describe(), MemorySource(iter(["a", "b"])).describe()]
    assert same[0] == same[1]
    assert MemorySource(["ab", ""]).describe() != same[0]


def test_no_text_at_all_is_refused():
    with pytest.raises(CorpusError, match="no document"):
        list(MemorySource([]))
