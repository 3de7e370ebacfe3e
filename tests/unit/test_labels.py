"""What the analyst says of topics: named, merged, hidden; read and written; refused when wrong."""

import numpy as np
import pytest

from lda_app.errors import ConfigError, FolderError
from lda_app.fitted.labels import Labels, labels_from_dict, read_labels_file


def test_without_entries_all_topics_are_as_trained():
    labels = Labels(3)
    beta = np.eye(3)
    assert labels.ids == labels.shown == (0, 1, 2)
    assert labels.merge_beta(np.ones(3), beta) is beta


def test_merging_a_merged_topic_takes_its_parts_along():
    labels = Labels(5).merged(1, [0]).merged(4, [1])
    assert labels.members(4) == (0, 1, 4)
    assert labels.ids == (2, 3, 4)
    assert labels.split([4]).ids == (0, 1, 2, 3, 4)
    assert labels.split([1]).members(4) == (4,)


def test_a_circle_is_refused():
    with pytest.raises(ConfigError, match="circular merge of topics: 0 into 1 into 0"):
        Labels(2).merged(1, [0]).merged(0, [1])


@pytest.mark.parametrize("topic", [-1, 3])
def test_a_topic_that_is_not_there_is_refused(topic):
    with pytest.raises(ConfigError, match="0 to 2"):
        Labels(3).named(topic, "space")


@pytest.mark.parametrize("label", ["", "  ", "a\nb", "\x1b[31m", "x" * 201])
def test_a_label_is_printable_text(label):
    with pytest.raises(ConfigError, match="printable"):
        Labels(3).named(0, label)


def test_shares_of_merged_topics_add_up_and_their_words_mix_by_the_prior():
    labels = Labels(3).merged(2, [0])
    alpha = np.array([1.0, 5.0, 3.0])
    beta = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    assert labels.merge_columns(np.array([[0.2, 0.3, 0.5]])).tolist() == [[0.3, 0.7]]
    assert labels.merge_beta(alpha, beta).tolist() == [[0.5, 0.5], [0.25, 0.75]]


def test_labels_survive_json():
    labels = Labels(4).named(1, "=space").hidden([0]).merged(3, [2])
    assert labels_from_dict(labels.to_dict(), 4, "labels.json") == labels


def test_entries_that_say_nothing_are_not_kept():
    labels = Labels(4).named(1, "space").named(1, None).hidden([2]).hidden([2], hide=False)
    assert labels.to_dict()["topics"] == {}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"topics": []},
        {"topics": {"x": {}}},
        {"topics": {"0": []}},
        {"topics": {"0": {"label": 3}}},
        {"topics": {"0": {"hidden": "no"}}},
        {"topics": {"9": {"label": "too far"}}},
        {"topics": {"0": {"merged_into": 1}, "1": {"merged_into": 0}}},
    ],
)
def test_damaged_labels_are_refused(content):
    with pytest.raises(FolderError, match=r"labels\.json"):
        labels_from_dict(content, 2, "labels.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_file_that_is_no_json_object_is_refused(tmp_path, text):
    file = tmp_path / "labels.json"
    file.write_text(text)
    with pytest.raises(FolderError, match=r"labels\.json"):
        read_labels_file(file, 2)
