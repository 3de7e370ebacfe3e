"""TopicModel: the command line's work on texts in memory, as pandas tables."""

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lda_app import TopicModel
from lda_app.errors import ConfigError, CorpusError, FolderError
from lda_app.fitted.labels import Labels, write_labels
from tests.conftest import SUBJECTS

QUICK = {"num_topics": 3, "epochs": 6, "batch_size": 8, "validation_fraction": 0.2, "show_progress": False}


@pytest.fixture(scope="module")
def texts(tiny_texts):
    """Sixty texts, one of them missing, one of stop words alone."""
    return [*tiny_texts[:58], None, "of the and"]


@pytest.fixture(scope="module")
def metadata():
    return pd.DataFrame(
        {"year": np.arange(60) + 1960, "desk": [*["space", "sport", "garden"] * 19, *[None] * 3]}
    )


@pytest.fixture(scope="module")
def model(texts, metadata):
    return TopicModel(**QUICK).fit(texts, metadata)


def subject_of(words):
    (subject,) = [name for name, own in SUBJECTS.items() if set(words) <= set(own.split())]
    return subject


def test_topics_are_the_planted_subjects(model):
    words = [row.split(", ")[:6] for row in model.topics.top_words]
    assert sorted(map(subject_of, words)) == sorted(SUBJECTS)
    assert model.topics.prevalence.sum() == pytest.approx(1)
    assert model.topics.prevalence.is_monotonic_decreasing
    assert model.topics.coherence.between(-1, 1).all()


def test_topic_words_are_tidy(model):
    table = model.topic_words
    assert list(table.columns) == ["topic", "word", "probability", "rank"]
    assert table.groupby("topic")["rank"].apply(list).map(lambda ranks: ranks == [*range(1, 25)]).all()
    np.testing.assert_allclose(table.groupby("topic").probability.sum(), 1, rtol=1e-5)
    assert table.groupby("topic").probability.apply(lambda p: p.is_monotonic_decreasing).all()


def test_document_topics_have_intervals(model):
    table = model.document_topics
    assert list(table.columns) == ["document", "topic", "share", "lower", "upper"]
    assert table.document.tolist() == list(np.repeat(np.arange(60), 3))
    assert ((table.lower >= 0) & (table.lower <= table.share) & (table.share <= table.upper)).all()
    np.testing.assert_allclose(table.groupby("document").share.sum(), 1)
    empty = table[table.document == 58]
    full = table[table.document == 0]
    assert (empty.upper - empty.lower).max() > (full.upper - full.lower).max()


def test_every_text_keeps_its_row(model, metadata):
    table = model.documents
    assert len(table) == 60
    assert table.year.tolist() == metadata.year.astype(str).tolist()
    assert table.desk.isna().tolist() == metadata.desk.isna().tolist()
    assert table.known_tokens.tolist() == [12] * 58 + [0, 0]
    assert table.left_out.isna().tolist() == [True] * 58 + [False, False]
    assert table.left_out[58] == "the text is missing or empty"
    assert "stop words" in table.left_out[59]
    assert table.top_topic.isna().tolist() == [False] * 58 + [True, True]
    tops = table.dropna(subset="desk").groupby("desk").top_topic.nunique()
    assert tops.tolist() == [1, 1, 1]


def test_transform_keeps_the_index_and_says_what_is_known(model):
    found = model.transform(pd.Series(["orbit moon zzyzx", None, "puck"], index=["a", "b", "a"]))
    assert found.index.tolist() == ["a", "b", "a"]
    assert found.known_tokens.tolist() == [2, 0, 1]
    assert found.unknown_tokens.tolist() == [1, 0, 0]
    assert found.too_little_known.tolist() == [False, True, False]
    assert found.top_topic.isna().tolist() == [False, True, False]
    np.testing.assert_allclose(found[["topic_0", "topic_1", "topic_2"]].sum(axis=1), 1, atol=1e-5)
    one = model.transform(["orbit moon zzyzx"])
    assert one.iloc[0].tolist() == found.iloc[0].tolist()
    with_ends = model.transform(["orbit moon"], intervals=True, level=0.5)
    assert (with_ends.topic_0_lower <= with_ends.topic_0_upper).all()


def test_transform_takes_an_iterator_and_none_at_all(model):
    assert len(model.transform(iter(["orbit"] * 3))) == 3
    assert len(model.transform([])) == 0


def test_similar_documents_are_of_the_same_subject(model, texts):
    found = model.similar_documents("rocket launch telescope", n=5)
    assert list(found.columns) == ["document", "distance", "text"]
    assert found.distance.between(0, 1).all()
    assert found.distance.is_monotonic_increasing
    assert (found.document % 3 == 0).all()
    assert all(texts[r].startswith(t.rstrip("…")) for r, t in zip(found.document, found.text, strict=True))
    assert len(model.similar_documents("rocket", n=1000)) == 58
    with pytest.raises(CorpusError, match="none of the words"):
        model.similar_documents("zzyzx")


def test_saved_and_loaded_it_says_the_same(cli, model, tmp_path):
    model.save(tmp_path / "run")
    again = TopicModel.load(tmp_path / "run")
    for name in ("topics", "topic_words", "documents", "document_topics"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(model, name))
    pd.testing.assert_frame_equal(again.transform(["orbit"]), model.transform(["orbit"]))
    assert again.training == model.training
    shown = json.loads(cli("topics", tmp_path / "run", "--format", "json").stdout)["topics"]
    assert [topic["id"] for topic in shown] == model.topics.topic.tolist()
    np.testing.assert_allclose([topic["coherence"] for topic in shown], model.topics.coherence)


def test_it_is_the_model_of_the_command_line(cli, tmp_path, tiny_texts):
    table = pd.DataFrame({"id": range(60), "text": tiny_texts})
    table.to_csv(tmp_path / "texts.csv", index=False)
    columns = ("--text-column", "text", "--id-column", "id", "--test-fraction", "0")
    assert cli("corpus", "build", tmp_path / "texts.csv", "--out", tmp_path / "corpus", *columns).code == 0
    flags = ("--num-topics", "3", "--epochs", "6", "--batch-size", "8", "--validation-fraction", "0.2")
    assert cli("train", tmp_path / "corpus", "--out", tmp_path / "run", *flags).code == 0
    ours = TopicModel(**QUICK).fit(tiny_texts)
    theirs = TopicModel.load(tmp_path / "run")
    np.testing.assert_array_equal(ours.model.beta, theirs.model.beta)


def test_saving_over_itself_and_elsewhere(model, tmp_path):
    model.save(tmp_path / "run")
    loaded = TopicModel.load(tmp_path / "run")
    loaded.label(0, "first")
    loaded.save(tmp_path / "run", overwrite=True)
    loaded.save(tmp_path / "deep" / "copy")
    for run in (tmp_path / "run", tmp_path / "deep" / "copy"):
        again = TopicModel.load(run)
        assert again.topics.set_index("topic").label[0] == "first"
        assert len(again.documents) == 60
    with pytest.raises(ConfigError, match="exists"):
        model.save(tmp_path / "run")


def test_merged_and_hidden_topics_are_the_same_everywhere(model, texts, tmp_path):
    model.save(tmp_path / "run")
    before = model.transform(texts[:3], intervals=True)
    write_labels(tmp_path / "run", Labels(3).named(0, "both").merged(0, [1]).hidden([2]))
    shown = TopicModel.load(tmp_path / "run")
    after = shown.transform(texts[:3], intervals=True)
    assert [name for name in after if name.startswith("topic_")] == [
        "topic_0",
        "topic_0_lower",
        "topic_0_upper",
    ]
    np.testing.assert_allclose(after.topic_0, before.topic_0 + before.topic_1, atol=1e-5)
    np.testing.assert_allclose(shown.transform(texts[:3]).topic_0, after.topic_0, atol=0.1)
    assert (after.topic_0.between(after.topic_0_lower, after.topic_0_upper)).all()
    assert after.top_topic_words.tolist() == ["both"] * 3
    assert shown.documents.top_topic.dropna().unique().tolist() == [0]
    write_labels(tmp_path / "run", Labels(3).hidden([0, 1, 2]))
    nothing = TopicModel.load(tmp_path / "run")
    assert nothing.documents.top_topic.isna().all()
    with pytest.raises(ConfigError, match="all topics are hidden"):
        nothing.transform(texts[:3])


def test_labels_are_shown(texts, tmp_path):
    model = TopicModel(**QUICK).fit(texts)
    assert model.topics.label.isna().all()
    model.label(1, "one")
    assert model.topics.set_index("topic").label.dropna().to_dict() == {1: "one"}
    model.label(1, None)
    assert model.topics.label.isna().all()
    with pytest.raises(ConfigError, match="no topic 7"):
        model.label(7, "seven")


def test_the_report_is_the_command_lines(cli, model, tmp_path):
    model.report(tmp_path / "report.html")
    assert "<title>" in (tmp_path / "report.html").read_text()
    with pytest.raises(ConfigError, match="exists"):
        model.report(tmp_path / "report.html")
    model.save(tmp_path / "run")
    assert cli("report", tmp_path / "run", "--output", tmp_path / "cli.html").code == 0
    assert (tmp_path / "cli.html").stat().st_size == pytest.approx(
        (tmp_path / "report.html").stat().st_size, rel=0.01
    )


def test_a_notebook_shows_the_topics(model):
    assert "not fitted" in TopicModel()._repr_html_()
    page = model._repr_html_()
    assert page.count("<tr") == 4
    assert "label" not in page
    hostile = TopicModel(**QUICK | {"num_topics": 2}, keep_words=["<b>"], min_length=1)
    assert "<b>TopicModel" in hostile.fit(["a<b>c moon orbit", "goal puck"] * 6)._repr_html_()


def test_options_are_those_of_the_command_line():
    model = TopicModel(7, language="de", normalize="stem", stop_words=["und"], min_df=2, alpha=0.1)
    assert model.training.num_topics == 7
    assert model.training.alpha == 0.1
    tokenizer = model.preprocess_options.tokenizer
    assert (tokenizer.language, tokenizer.normalize, tokenizer.stop_words) == ("de", "stem", ("und",))
    assert TopicModel(preset="fast").training.effort < 1


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"num_topics": 0}, "num-topics"),
        ({"alhpa": 0.1}, "unknown option 'alhpa'; did you mean 'alpha'"),
        ({"language": "xx"}, "language"),
        ({"preset": "slow"}, "preset"),
        ({"min_df": -1}, "min-df"),
    ],
)
def test_wrong_options_are_refused_at_once(options, part):
    with pytest.raises(ConfigError, match=part):
        TopicModel(**options)


@pytest.mark.parametrize(
    ("wrong", "error", "part"),
    [
        ("one text", TypeError, "put it in a list"),
        (pd.DataFrame({"text": ["a"]}), TypeError, "one of its columns"),
        ([1, 2], TypeError, "text 0 must be a string, got int"),
        ([], CorpusError, "no document"),
        ([None, np.nan, pd.NA], CorpusError, "no words left"),
    ],
)
def test_what_are_no_texts_is_refused(wrong, error, part):
    with pytest.raises(error, match=part):
        TopicModel(**QUICK).fit(wrong)


def test_metadata_must_fit(tiny_texts):
    with pytest.raises(CorpusError, match="60 texts, but 2 rows"):
        TopicModel(**QUICK).fit(tiny_texts, pd.DataFrame({"year": [1, 2]}))
    twice = pd.DataFrame([[1, 2]] * 60, columns=["year", "year"])
    with pytest.raises(CorpusError, match="same name"):
        TopicModel(**QUICK).fit(tiny_texts, twice)


def test_names_that_the_app_uses_are_kept_apart(tiny_texts):
    own = pd.DataFrame({"id": range(60), "text": "x", "top_topic": "mine", "label": "l"})
    model = TopicModel(**QUICK).fit(pd.Series(tiny_texts, index=[f"d{i}" for i in range(60)]), own)
    assert model.documents.top_topic.tolist() == ["mine"] * 60
    assert model.documents.lda_top_topic.notna().all()
    assert model.documents.index[3] == "d3"


def test_without_topics_it_says_what_to_do():
    for name in ("topics", "documents", "document_topics", "topic_words", "words"):
        with pytest.raises(ConfigError, match=r"call fit\(texts\)"):
            getattr(TopicModel(), name)


def test_a_model_without_its_corpus_still_knows_words(model, tmp_path):
    model.save(tmp_path / "run")
    (tmp_path / "run.corpus").rename(tmp_path / "elsewhere")
    alone = TopicModel.load(tmp_path / "run")
    assert alone.topics.prevalence.isna().all()
    assert len(alone.transform(["orbit"])) == 1
    with pytest.raises(FolderError, match="was not found"):
        _ = alone.documents
    found = TopicModel.load(tmp_path / "run", corpus=tmp_path / "elsewhere")
    assert len(found.documents) == 60


def test_it_is_not_pickled(model):
    with pytest.raises(TypeError, match="save"):
        pickle.dumps(model)


def test_temporary_folders_go_with_the_model(texts):
    model = TopicModel(**QUICK).fit(texts)
    home = Path(model.model.path).parent
    assert home.exists()
    del model
    assert not home.exists()
    with pytest.raises(CorpusError):
        TopicModel(**QUICK).fit(["of the"])


def test_a_failed_fit_leaves_the_model_as_it_was(texts):
    model = TopicModel(**QUICK).fit(texts)
    before = model.topics
    with pytest.raises(CorpusError):
        model.fit(["of the"])
    pd.testing.assert_frame_equal(model.topics, before)
