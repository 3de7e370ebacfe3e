"""Regression of shares on covariates, where the shares are known."""

import numpy as np
import pandas as pd
import pytest
import torch

from lda_app.analysis import effects
from lda_app.analysis.design import make_design
from lda_app.analysis.effects import regress
from lda_app.config import TrainConfig
from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.fitted.folder import untrained
from lda_app.fitted.labels import Labels

N, K = 80, 3


@pytest.fixture
def model(fitted):
    with torch.random.fork_rng():
        lda = untrained(TrainConfig(num_topics=K), num_documents=N, num_words=4)
    return fitted(lda).labelled()


@pytest.fixture
def documents():
    return DocTermMatrix.from_scipy(np.ones((N, 4), dtype=int))


@pytest.fixture
def design():
    party = np.where(np.arange(N) % 3, "left", "right")
    return make_design("~ party + year", pd.DataFrame({"party": party, "year": [str(i) for i in range(N)]}))


@pytest.fixture
def known(monkeypatch, design):
    """Let the draws be one and the same θ, whose spread differs between documents."""
    generator = np.random.default_rng(1)
    theta = generator.dirichlet([2.0, 3.0, 5.0], N)
    theta[::2] = (theta[::2] + 1 / K) / 2

    def draws(model, doc_term, means, *, num_draws, **_):
        rows = np.arange(N)
        means.fit(iter([(rows, theta)]))
        for part in (rows[:30], rows[30:]):
            yield part, np.repeat(theta[part, None], num_draws, axis=1)

    monkeypatch.setattr(effects, "composed_draws", draws)
    return theta


def test_coefficients_are_those_of_least_squares(model, documents, design, known):
    table = regress(model, documents, design, num_draws=4).table(0.95)
    matrix = design.basis @ design.triangle
    expected, *_ = np.linalg.lstsq(matrix, known, rcond=None)
    np.testing.assert_allclose(table["estimate"], expected.T.ravel())
    assert table["coefficient"].tolist() == ["Intercept", "party[T.right]", "year"] * K


def test_standard_errors_are_hc2(model, documents, design, known):
    found = regress(model, documents, design, num_draws=4)
    matrix = design.basis @ design.triangle
    bread = np.linalg.inv(matrix.T @ matrix)
    residual = known - matrix @ bread @ matrix.T @ known
    leverage = np.einsum("np,pq,nq->n", matrix, bread, matrix)
    for topic in range(K):
        weights = residual[:, topic] ** 2 / (1 - leverage)
        covariance = bread @ (matrix.T * weights) @ matrix @ bread
        errors = found.table(0.95).query("topic == @topic")["standard_error"]
        np.testing.assert_allclose(errors, np.sqrt(np.diag(covariance)), rtol=1e-8)


def test_a_group_of_its_own_has_the_standard_error_of_its_mean(model, documents, design, known):
    party = design.covariates[["party"]].astype(object)
    found = regress(model, documents, make_design("~ 0 + party", party), num_draws=4).table(0.95)
    left = known[(party["party"] == "left").to_numpy()]
    row = found.query("topic == 1").iloc[0]
    assert row["estimate"] == pytest.approx(left[:, 1].mean())
    assert row["standard_error"] == pytest.approx(left[:, 1].std(ddof=1) / np.sqrt(len(left)))


def test_effects_of_shares_that_sum_to_one_cancel(model, documents, design, known):
    table = regress(model, documents, design, num_draws=4).table(0.95)
    sums = table.groupby("coefficient")["estimate"].sum()
    assert sums.to_dict() == pytest.approx({"Intercept": 1, "party[T.right]": 0, "year": 0}, abs=1e-9)


def test_merged_topics_are_regressed_as_one(model, documents, design, known):
    one = model.trained.labelled(Labels(K).merged(0, [2]))
    whole = regress(model, documents, design, num_draws=4).table(0.95)
    merged = regress(one, documents, design, num_draws=4).table(0.95)
    parts = whole.set_index(["topic", "coefficient"])["estimate"]
    found = merged.query("topic == 0").set_index("coefficient")["estimate"]
    np.testing.assert_allclose(found, parts.loc[0] + parts.loc[2])


def test_predictions_lie_on_the_line(model, documents, design, known):
    found = regress(model, documents, design, num_draws=4)
    line = found.predictions("year", 0.95, num_points=5).query("topic == 0")
    slope = found.table(0.95).query("topic == 0 and coefficient == 'year'")["estimate"].iloc[0]
    np.testing.assert_allclose(np.diff(line["share"]), slope * np.diff(line["value"].astype(float)))
    assert (line["standard_error"].iloc[[0, -1]] > line["standard_error"].iloc[2]).all()
