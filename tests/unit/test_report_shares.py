"""Prevalence with its interval, by groups of documents, and the groups themselves."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.vocabulary import Vocabulary
from lda_app.fitted.labels import Labels
from lda_app.fitted.model import MeanFieldModel
from lda_app.report.groups import MOST_GROUPS, groupings
from lda_app.report.shares import mean_shares


def constant(concentration):
    """Let inference answer by the row's number, which is the row's only count."""

    def infer(block):
        return concentration[block.counts - 1]

    return infer


def averaged(documents, infer, num_topics, groups, labels=None):
    """Average the shares of topics as they were trained, or as they are labelled."""
    model = MeanFieldModel(np.ones(num_topics), np.eye(num_topics), Vocabulary(("moon",)))
    (found,) = mean_shares(documents, infer, [model.labelled(labels)], groups)
    return found


def numbered(number):
    return DocTermMatrix.from_scipy(sparse.csr_array(np.arange(1, number + 1)[:, None]))


def test_standard_error_is_that_of_shares_drawn_from_the_posterior():
    generator = np.random.default_rng(0)
    concentration = generator.gamma(2.0, size=(400, 3))
    found = averaged(numbered(400), constant(concentration), 3, {}).everywhere
    theta = np.stack([generator.dirichlet(row, 500) for row in concentration])
    expected = theta.std(axis=0).mean(axis=0) / np.sqrt(400)
    np.testing.assert_allclose(found.standard_error[0], expected, rtol=0.02)
    np.testing.assert_allclose(found.mean[0], theta.mean(axis=(0, 1)), atol=0.005)


def test_groups_are_averaged_apart_and_those_without_a_group_left_out():
    concentration = np.array([[3.0, 1.0], [1.0, 3.0], [1.0, 1.0]])
    codes = np.array([1, 1, -1])
    groups = averaged(numbered(3), constant(concentration), 2, {"desk": codes}).groups
    assert groups["desk"].num_documents.tolist() == [0, 2]
    np.testing.assert_allclose(groups["desk"].mean, [[0, 0], [0.5, 0.5]])


def test_empty_documents_count_for_nothing():
    documents = DocTermMatrix.from_scipy([[2], [0]])
    found = averaged(documents, lambda block: np.array([[3.0, 1.0]]), 2, {})
    assert found.everywhere.num_documents.tolist() == [1]
    assert found.token_shares.tolist() == [0.75, 0.25]


def test_covariance_gives_merged_topics_their_own_error():
    concentration = np.random.default_rng(0).gamma(2.0, size=(50, 4))
    apart = averaged(numbered(50), constant(concentration), 4, {})
    merged = averaged(numbered(50), constant(concentration), 4, {}, Labels(4).merged(0, [1]))
    np.testing.assert_allclose(np.diag(apart.covariance), apart.everywhere.standard_error[0] ** 2)
    error = np.sqrt(apart.covariance[:2, :2].sum())
    assert error == pytest.approx(merged.everywhere.standard_error[0, 0])


def test_interval_stays_within_zero_and_one():
    found = averaged(numbered(2), constant(np.array([[1e-3, 1e-3], [1.0, 1e-3]])), 2, {}).everywhere
    low, high = found.interval()
    assert np.all(low >= 0)
    assert np.all(high <= 1)
    assert np.all((low <= found.mean) & (found.mean <= high))


@pytest.mark.parametrize(
    ("values", "names", "time"),
    [
        (["1999", "2001", "2001", "2000"], ("1999", "2000", "2001"), "year"),
        (["2001-02-03", "2001-03-01T10:00:00", "2001-02"], ("2001-02", "2001-03"), "month"),
        (["1950-01", "1999-12", "1999-11"], ("1950", "1999"), "year"),
        (["b", "a", "a", "b", "a", None], ("a", "b"), None),
        (["1", "2", "1", "2"], ("1", "2"), None),
    ],
)
def test_columns_that_group(values, names, time):
    (found,) = groupings(pd.DataFrame({"column": values}, dtype="str"))
    assert (found.names, found.time) == (names, time)
    assert len(found.codes) == len(values)


@pytest.mark.parametrize("values", [list("abcdef"), ["a"] * 6, [None] * 6, ["", " "] * 3, ["2001"] * 6])
def test_columns_that_do_not(values):
    assert groupings(pd.DataFrame({"column": values}, dtype="str")) == []


def test_rare_values_are_left_out_and_counted():
    values = [f"v{i}" for i in range(50) for _ in range(60 - i)]
    (found,) = groupings(pd.DataFrame({"column": values}, dtype="str"))
    assert found.names[0] == "v0"
    assert (len(found.names), found.num_left_out) == (MOST_GROUPS, 10)
    assert (found.codes == -1).sum() == sum(60 - i for i in range(40, 50))
