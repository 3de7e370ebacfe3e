"""Annotations of sealed folders: kept, ignored once they are out of date, refused when damaged."""

import pytest

from lda_app.errors import FolderError
from lda_app.system.storage import open_folder, read_annotation, sealed_folder, write_annotation


def seal(path, weights=b"weights"):
    with sealed_folder(path, kind="model", format_version=1, overwrite=True) as staging:
        (staging / "model.safetensors").write_bytes(weights)
        (staging / "timing.json").write_bytes(weights * 2)
    return path


def test_an_annotation_leaves_the_folder_sealed(tmp_path, caplog):
    run = seal(tmp_path / "run")
    write_annotation(run, "labels.json", {"topics": {}})
    open_folder(run, kind="model", format_version=1)
    assert not caplog.records
    assert read_annotation(run, "labels.json")["topics"] == {}


def test_no_annotation_is_none(tmp_path):
    assert read_annotation(seal(tmp_path / "run"), "stability.json") is None


def test_an_annotation_of_another_model_is_ignored_with_a_warning(tmp_path, caplog):
    run, other = seal(tmp_path / "run"), seal(tmp_path / "other", b"others")
    write_annotation(run, "labels.json", {"topics": {}})
    (other / "labels.json").write_bytes((run / "labels.json").read_bytes())
    assert read_annotation(other, "labels.json") is None
    assert "it belongs to a different model" in caplog.text


@pytest.mark.parametrize("content", ["{", "[1]", ""])
def test_a_damaged_annotation_is_refused(tmp_path, content):
    run = seal(tmp_path / "run")
    (run / "labels.json").write_text(content)
    with pytest.raises(FolderError, match=r"labels\.json"):
        read_annotation(run, "labels.json")


def test_an_equal_model_made_elsewhere_and_slower_is_the_same(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for run, circumstances in ((one, b"near"), (two, b"far away")):
        with sealed_folder(run, kind="model", format_version=1, overwrite=False) as staging:
            (staging / "model.safetensors").write_bytes(b"weights")
            for name in ("config.json", "timing.json"):
                (staging / name).write_bytes(circumstances)
    write_annotation(one, "labels.json", {"topics": {"0": {"label": "space"}}})
    (two / "labels.json").write_bytes((one / "labels.json").read_bytes())
    assert read_annotation(two, "labels.json")["topics"] == {"0": {"label": "space"}}
