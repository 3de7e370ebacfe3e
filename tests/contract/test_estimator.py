"""The estimator keeps scikit-learn's contract, and the names of its LatentDirichletAllocation."""

import inspect
import io
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn import decomposition
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from lda_app import LatentDirichletAllocation
from lda_app.training import schedule
from tests.conftest import SUBJECTS

QUICK = {"n_components": 3, "max_iter": 10, "batch_size": 10, "random_state": 0}
# For what compares trainings with each other, whatever they have learned.
BRIEF = QUICK | {"max_iter": 2}


@parametrize_with_checks([LatentDirichletAllocation(), LatentDirichletAllocation(max_iter=2, batch_size=10)])
def test_scikit_learn_checks(estimator, check, monkeypatch):
    """Two batches an epoch are enough: no check asks what has been learned."""
    monkeypatch.setattr(schedule, "_FEWEST_BATCHES", 2)
    check(estimator)


@pytest.fixture(scope="module")
def counts(tiny_texts):
    return CountVectorizer().fit_transform(tiny_texts)


@pytest.fixture(scope="module")
def fitted(counts):
    return LatentDirichletAllocation(**QUICK).fit(counts)


@pytest.fixture(scope="module")
def briefly(counts):
    return LatentDirichletAllocation(**BRIEF).fit(counts)


def topics_of_subjects(shares):
    """Return the largest topic of each subject's documents, which must be the same for nearly all of them."""
    topics = shares.argmax(axis=1).reshape(-1, 3)
    largest = [np.bincount(column, minlength=3) for column in topics.T]
    assert min(column.max() for column in largest) >= 0.9 * len(topics)
    return [int(column.argmax()) for column in largest]


def test_planted_subjects_are_found(fitted, counts):
    assert sorted(topics_of_subjects(fitted.transform(counts))) == [0, 1, 2]


def test_planted_subjects_are_found_in_weights(tiny_texts):
    weights = TfidfVectorizer().fit_transform(tiny_texts)
    shares = LatentDirichletAllocation(**QUICK).fit_transform(weights)
    assert sorted(topics_of_subjects(shares)) == [0, 1, 2]


def test_planted_subjects_are_found_by_parts(counts):
    lda = LatentDirichletAllocation(**QUICK)
    for _ in range(10):
        for start in range(0, 60, 20):
            lda.partial_fit(counts[start : start + 20])
    assert sorted(topics_of_subjects(lda.transform(counts))) == [0, 1, 2]
    assert lda.n_batch_iter_ == 60


def test_whole_weights_are_counts(briefly, counts):
    doubled = LatentDirichletAllocation(**BRIEF).fit(counts.astype(np.float32))
    np.testing.assert_array_equal(doubled.components_, briefly.components_)


def test_all_of_scikit_learns_parameters_are_accepted():
    theirs = inspect.signature(decomposition.LatentDirichletAllocation).parameters
    assert theirs.keys() <= inspect.signature(LatentDirichletAllocation).parameters.keys()


def test_attributes_of_scikit_learns_are_there(fitted, counts):
    theirs = decomposition.LatentDirichletAllocation(n_components=3, max_iter=1).fit(counts)
    own = {name for name in vars(theirs) if name.endswith("_") and name != "random_state_"}
    assert all(np.shape(getattr(fitted, name)) in (np.shape(getattr(theirs, name)), (3,)) for name in own)


def test_components_are_pseudocounts_of_a_dirichlet(fitted, counts):
    assert fitted.components_.sum() == pytest.approx(counts.sum() + fitted.components_.size * 0.05, rel=0.1)
    drawn = np.random.default_rng(0).dirichlet(fitted.components_[0], size=20_000)
    expected = np.exp(np.log(np.maximum(drawn, 1e-300)).mean(axis=0))
    large = fitted.components_[0] > 1
    np.testing.assert_allclose(fitted.exp_dirichlet_component_[0][large], expected[large], rtol=0.02)


def test_a_given_prior_is_fixed_and_none_is_learned(counts):
    fixed = LatentDirichletAllocation(**BRIEF, doc_topic_prior=0.3, topic_word_prior=0.2).fit(counts)
    assert (fixed.doc_topic_prior_, fixed.topic_word_prior_) == (0.3, 0.2)
    empty = np.zeros((1, counts.shape[1]))
    np.testing.assert_allclose(fixed.transform(empty, normalize=False), 0.3, rtol=1e-6)
    learned = LatentDirichletAllocation(**BRIEF).fit(counts)
    assert learned.doc_topic_prior_.shape == (3,)
    assert np.ptp(learned.doc_topic_prior_) > 0
    np.testing.assert_allclose(
        learned.transform(empty, normalize=False)[0], learned.doc_topic_prior_, rtol=1e-6
    )


def with_wide_indices(matrix):
    wide = sparse.csr_array(matrix, copy=True)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    return wide


@pytest.mark.parametrize(
    "form",
    [
        sparse.csr_matrix,
        sparse.csc_array,
        sparse.coo_array,
        lambda m: m.toarray(),
        lambda m: m.toarray().tolist(),
        lambda m: m.toarray().astype(np.float32),
        lambda m: m.astype(bool).astype(int).multiply(m),
        lambda m: pd.DataFrame(m.toarray()),
        with_wide_indices,
    ],
)
def test_any_form_of_a_matrix_gives_the_same(briefly, counts, form):
    shares = briefly.transform(counts)
    np.testing.assert_allclose(briefly.transform(form(counts)), shares, atol=1e-6)
    again = LatentDirichletAllocation(**BRIEF).fit(form(counts))
    np.testing.assert_array_equal(again.components_, briefly.components_)


def test_unsorted_and_duplicate_indices_are_summed(fitted, counts):
    coo = counts.tocoo()
    row, col, half = (np.tile(array, 2) for array in (coo.row, coo.col, coo.data / 2))
    order = np.lexsort((-col, row))
    indptr = np.concatenate([[0], np.bincount(row, minlength=60).cumsum()])
    unsorted = sparse.csr_array((half[order], col[order], indptr), shape=counts.shape)
    assert not unsorted.has_canonical_format
    np.testing.assert_allclose(fitted.transform(unsorted), fitted.transform(counts), atol=1e-6)


@pytest.mark.parametrize(
    ("matrix", "error", "part"),
    [
        ([[np.nan, 1]], ValueError, "contains NaN"),
        ([[np.inf, 1]], ValueError, "infinity"),
        ([[-1, 1]], ValueError, "Negative values in data passed to LatentDirichletAllocation.fit"),
        ([[1j, 1]], ValueError, "Complex data not supported"),
        ([["a", "b"]], ValueError, "Convert your data to numeric values"),
        (np.zeros((0, 2)), ValueError, "0 sample"),
        (np.zeros((2, 0)), ValueError, "0 feature"),
        ([1, 2], ValueError, "Expected 2D array"),
        (np.zeros((3, 2)), ValueError, "no document has a word"),
        ([[2.0**31, 1]], ValueError, "row 0, column 0"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_is_no_matrix_of_counts_is_refused(matrix, error, part, method):
    with pytest.raises(error, match=part.replace("fit", method)):
        getattr(LatentDirichletAllocation(n_components=2, max_iter=1), method)(matrix)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_components": 0},
        {"max_iter": 0},
        {"batch_size": 2.5},
        {"doc_topic_prior": 0.0},
        {"topic_word_prior": -1},
        {"random_state": "zero"},
        {"learning_offset": 0.5},
        {"device": "tpu"},
    ],
)
def test_a_wrong_parameter_is_named(counts, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"The '{name}' parameter of LatentDirichletAllocation"):
        LatentDirichletAllocation(**wrong).fit(counts)


def test_one_document_and_one_topic_work():
    lda = LatentDirichletAllocation(n_components=1, max_iter=2, random_state=0).fit([[3, 0, 1]])
    np.testing.assert_allclose(lda.transform([[1, 1, 1]]), [[1.0]])


def test_scores_are_bounds_by_name(fitted, counts):
    assert fitted.perplexity(counts) == pytest.approx(np.exp(-fitted.score(counts) / counts.sum()))
    assert fitted.bound_ == fitted.perplexity(counts)
    untrained = LatentDirichletAllocation(n_components=3, max_iter=1, batch_size=60, random_state=0)
    assert fitted.score(counts) > untrained.fit(counts).score(counts)
    completed = fitted.perplexity(counts, protocol="document_completion")
    assert 1 < completed < counts.shape[1]
    with pytest.raises(ValueError, match="whole counts"):
        fitted.perplexity(counts * 0.5, protocol="document_completion")
    with pytest.raises(ValueError, match="'elbo' or"):
        fitted.perplexity(counts, protocol="held_out")
    with pytest.raises(ValueError, match="no document has a word"):
        fitted.perplexity(counts[:2] * 0)


def test_a_document_is_answered_by_its_words_alone(fitted, counts):
    shares = fitted.transform(counts)
    one_by_one = np.vstack([fitted.transform(counts[[row]]) for row in range(10)])
    np.testing.assert_array_equal(one_by_one, shares[:10])


def through_joblib(estimator):
    stream = io.BytesIO()
    joblib.dump(estimator, stream)
    stream.seek(0)
    return joblib.load(stream)


@pytest.mark.parametrize("copied", [through_joblib, lambda lda: pickle.loads(pickle.dumps(lda)), deepcopy])
def test_a_copy_is_as_good(fitted, counts, copied):
    np.testing.assert_array_equal(copied(fitted).transform(counts), fitted.transform(counts))


def test_a_clone_is_not_fitted(briefly, counts):
    assert not hasattr(clone(briefly), "components_")
    np.testing.assert_array_equal(clone(briefly).fit(counts).components_, briefly.components_)


def test_a_pickle_goes_on_as_the_original_would(counts):
    lda = LatentDirichletAllocation(**BRIEF).partial_fit(counts[:30])
    restored = pickle.loads(pickle.dumps(lda))
    lda.partial_fit(counts[30:])
    restored.partial_fit(counts[30:])
    np.testing.assert_array_equal(restored.components_, lda.components_)


def test_parts_go_on_with_the_topics_that_there_are(counts):
    lda = LatentDirichletAllocation(**BRIEF, doc_topic_prior=0.3).fit(counts)
    lda.set_params(n_components=5, doc_topic_prior=None).partial_fit(counts)
    assert pickle.loads(pickle.dumps(lda)).transform(counts).shape == (60, 3)
    assert lda.doc_topic_prior_ == 0.3


def test_neither_generator_of_the_process_is_touched(counts):
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    lda = LatentDirichletAllocation(**BRIEF).fit(counts).partial_fit(counts)
    pickle.loads(pickle.dumps(lda)).score(counts)
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


def test_threads_do_not_disturb_each_other(briefly, counts):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: LatentDirichletAllocation(**BRIEF).fit(counts), range(8)))
    assert all((lda.components_ == briefly.components_).all() for lda in found)


def test_seeds(briefly, counts):
    other = LatentDirichletAllocation(**BRIEF | {"random_state": 1}).fit(counts)
    assert (other.components_ != briefly.components_).any()
    drawn = [
        LatentDirichletAllocation(**BRIEF | {"random_state": np.random.RandomState(5)}).fit(counts)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(drawn[0].components_, drawn[1].components_)


def test_pipeline_grid_search_and_frames(tiny_texts):
    pipeline = make_pipeline(CountVectorizer(), LatentDirichletAllocation(**QUICK))
    search = GridSearchCV(pipeline, {"latentdirichletallocation__n_components": [1, 3]}, cv=3)
    search.fit(tiny_texts)
    assert search.best_params_ == {"latentdirichletallocation__n_components": 3}
    lda = search.best_estimator_[-1].set_output(transform="pandas")
    frame = lda.transform(search.best_estimator_[0].transform(tiny_texts))
    assert list(frame.columns) == [f"latentdirichletallocation{k}" for k in range(3)]
    np.testing.assert_allclose(frame.sum(axis=1), 1)


def test_names_of_columns_are_kept_and_compared(counts):
    frame = pd.DataFrame(counts.toarray()).add_prefix("word")
    lda = LatentDirichletAllocation(**BRIEF).fit(frame)
    assert list(lda.feature_names_in_[:2]) == ["word0", "word1"]
    with pytest.raises(ValueError, match="feature names should match"):
        lda.transform(frame.add_suffix("s"))


TOPIC_EXTRACTION = """
from sklearn.feature_extraction.text import CountVectorizer
from {package} import LatentDirichletAllocation


def top_words(texts, n_components, n_top_words):
    vectorizer = CountVectorizer(max_df=0.95, min_df=2, max_features=1000, stop_words="english")
    counts = vectorizer.fit_transform(texts)
    lda = LatentDirichletAllocation(
        n_components=n_components,
        max_iter=5,
        learning_method="online",
        learning_offset=50.0,
        random_state=0,
    )
    lda.fit(counts)
    names = vectorizer.get_feature_names_out()
    found = []
    for topic in lda.components_:
        best = topic.argsort()[: -n_top_words - 1 : -1]
        found.append([names[i] for i in best])
        assert (topic[best] > 0).all()
    assert lda.transform(counts).shape == (len(texts), n_components)
    return found, lda.perplexity(counts), lda.score(counts)
"""


def run_example(package, *arguments):
    namespace = {}
    exec(TOPIC_EXTRACTION.format(package=package), namespace)
    return namespace["top_words"](*arguments)


def test_the_import_alone_changes_in_scikit_learns_example(tiny_texts):
    theirs, their_perplexity, their_score = run_example("sklearn.decomposition", tiny_texts, 3, 5)
    ours, perplexity, score = run_example("lda_app", tiny_texts, 3, 5)
    assert np.shape(ours) == np.shape(theirs) == (3, 5)
    assert all(type(a) is type(b) for a, b in zip(ours[0], theirs[0], strict=True))
    subjects = [set(words.split()) for words in SUBJECTS.values()]
    assert all(any(set(topic) <= subject for subject in subjects) for topic in ours)
    # Theirs also has the divergence of β from its prior in it.
    assert perplexity < their_perplexity
    assert score > their_score


def test_the_example_on_20_newsgroups():
    from sklearn.datasets import fetch_20newsgroups

    try:
        texts, _ = fetch_20newsgroups(
            shuffle=True,
            random_state=1,
            remove=("headers", "footers", "quotes"),
            return_X_y=True,
            download_if_missing=False,
        )
    except OSError:
        pytest.skip("20 Newsgroups is not on this machine")
    topics, perplexity, _ = run_example("lda_app", texts[:2000], 10, 20)
    assert perplexity < 600
    # In all of 26 trainings: ten seeds on each of two processors, and six without compiled loops. Of
    # {"game", "team"} and {"windows", "file"} each was missing in two.
    for some in (["god", "people"], ["game"], ["windows"]):
        assert any(set(some) <= set(topic) for topic in topics), some


def test_importing_the_package_is_quick_and_names_are_listed():
    code = (
        "import sys, lda_app; assert 'LatentDirichletAllocation' in dir(lda_app); "
        "assert not {'torch', 'sklearn', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    import lda_app

    with pytest.raises(AttributeError, match="no attribute 'Lda'"):
        _ = lda_app.Lda
