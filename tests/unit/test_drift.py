"""The prevalence of topics before and after new text."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from lda_app.analysis.drift import mean_shares, topic_drift
from lda_app.corpus.doc_term import DocTermMatrix

CONCENTRATION = st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=2)


@given(CONCENTRATION, st.integers(1, 200))
@example([29.053417176804214, 0.0314295424250305], 3)
def test_documents_that_are_alike_have_a_mean_of_no_variance(concentration, number):
    documents = DocTermMatrix.from_scipy(np.ones((number, 1), dtype=int))
    shares = mean_shares(documents, lambda block: np.tile(concentration, (block.num_documents, 1)))
    assert (shares.variance >= 0).all()
    np.testing.assert_allclose(shares.variance, 0, atol=1e-15)
    drift = topic_drift(np.eye(2), np.eye(2), ["moon", "goal"], shares, shares)
    assert all(np.isfinite([topic.lower, topic.upper]).all() and not topic.drifted for topic in drift)
