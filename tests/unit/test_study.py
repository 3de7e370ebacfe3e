"""The folder of a study."""

import json

import pytest

from lda_app.config import TrainConfig
from lda_app.corpus.folder import build_corpus
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.errors import ConfigError, FolderError
from lda_app.studies.study import Cell, begin_study, open_study

DEFAULT = TrainConfig()


@pytest.fixture
def corpus(tiny_csv, tmp_path):
    source = open_source(str(tiny_csv), SourceOptions(text_column="text", id_column="id"))
    return build_corpus(source, tmp_path / "corpus", PreprocessOptions(min_df=1), test_fraction=0.3)


@pytest.fixture
def begin(corpus, tmp_path):
    def call(training=DEFAULT, **more):
        return begin_study(tmp_path / "study", corpus, training, **more)

    return call


def test_a_study_is_gone_on_with_by_the_same_settings(begin, corpus):
    study = begin(TrainConfig(num_topics=5, seed=1))
    again = begin(TrainConfig(num_topics=9, seed=2))
    assert open_study(study.path).training.eta == again.training.eta
    assert again.config(Cell(7, 3)) == TrainConfig(num_topics=7, seed=3)
    assert study.open_corpus().fingerprint == corpus.fingerprint


def test_other_settings_are_refused_and_named(begin):
    begin(TrainConfig(eta=0.05))
    with pytest.raises(ConfigError, match=r"has --eta 0\.05, not 0\.1; .*--overwrite"):
        begin(TrainConfig(eta=0.1))


def test_another_corpus_is_refused(begin, corpus, tmp_path):
    study = begin()
    content = json.loads((study.path / "study.json").read_text())
    content["corpus"]["fingerprint"] = "0" * 64
    (study.path / "study.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="was made from another corpus"):
        begin()
    with pytest.raises(FolderError, match="not the corpus"):
        open_study(study.path).open_corpus()


def test_to_begin_anew_drops_what_was_there(begin):
    study = begin()
    study.model_path(Cell(5, 0)).mkdir()
    study.keep_figures(Cell(5, 0), {"figure": 1})
    assert study.figures(Cell(5, 0))["figure"] == 1
    begin(TrainConfig(eta=0.1), overwrite=True)
    assert [path.name for path in study.path.iterdir()] == ["study.json"]
    assert open_study(study.path).training.eta == 0.1


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_others_wrote_is_left_alone(begin, tmp_path, overwrite):
    begin()
    (tmp_path / "study" / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"thesis\.txt was not written by lda-app"):
        begin(overwrite=overwrite)
    (tmp_path / "study" / "study.json").unlink()
    with pytest.raises(ConfigError, match="is not an lda-app study"):
        begin(overwrite=overwrite)
    assert (tmp_path / "study" / "thesis.txt").read_text() == "mine"


def test_figures_without_their_model_do_not_count(begin):
    study = begin()
    study.keep_figures(Cell(5, 0), {"figure": 1})
    assert study.figures(Cell(5, 0)) is None


@pytest.mark.parametrize("text", ["", "[]", '{"schema_version": 1}', '{"schema_version": 1, "training": 3}'])
def test_a_damaged_study_is_no_study(begin, tmp_path, text):
    begin()
    (tmp_path / "study" / "study.json").write_text(text)
    with pytest.raises(FolderError, match=r"study\.json"):
        begin()
