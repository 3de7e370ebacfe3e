"""What other commands have left with the model is shown, or refused in words."""

import json

import pytest

from lda_app.errors import FolderError
from lda_app.report.annotations import found_later
from lda_app.system.storage import sealed_folder, write_annotation

STABILITY = {"num_runs": 9, "topics": [{"id": k, "found_in": 9 - k, "mean_similarity": 0.8} for k in (0, 1)]}
COVERAGE = [{"level": 0.8, "value": 0.79, "margin": 0.02}]
CALIBRATION = {
    "parts": [
        {"posterior": "draws", "lengths": "50", "topics": "all", "coverage": COVERAGE, "p_value": 0.3217},
    ]
}


@pytest.fixture
def run(tmp_path):
    """Make a sealed folder that stands for a model's."""
    path = tmp_path / "run"
    with sealed_folder(path, kind="model", format_version=1, overwrite=False) as staging:
        (staging / "model.safetensors").write_bytes(b"weights")
    return path


def test_nothing_is_found_where_nothing_was_added(run):
    assert found_later(run, 2) == {"stability": None, "calibration": None, "comparison": None}


def test_stability_is_read_for_all_topics(run):
    write_annotation(run, "stability.json", STABILITY)
    assert [topic["found_in"] for topic in found_later(run, 2)["stability"]["topics"]] == [9, 8]


def test_calibration_is_laid_out_as_the_command_prints_it(run):
    write_annotation(run, "calibration.json", CALIBRATION)
    table = found_later(run, 2)["calibration"]
    assert table["titles"] == ["posterior", "lengths", "topics", "80%", "p"]
    assert table["rows"] == [["draws", "50", "all", "79.0 ± 2.0", "0.32"]]


@pytest.mark.parametrize("name", ["stability", "calibration", "comparison"])
@pytest.mark.parametrize("content", [{}, {"topics": 3, "parts": [], "results": [1]}, {"parts": [{}]}])
def test_a_damaged_file_is_named(run, name, content):
    write_annotation(run, f"{name}.json", content)
    with pytest.raises(FolderError, match=name):
        found_later(run, 2)


def test_what_is_about_another_model_is_passed_over(run):
    write_annotation(run, "calibration.json", CALIBRATION)
    file = run / "calibration.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "about": "another"}))
    assert found_later(run, 2)["calibration"] is None
