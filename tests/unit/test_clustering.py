"""Agreement with labels: known cases, shuffled labels as a negative control, and what is refused."""

import csv

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from lda_app.corpus.doc_term import DocTermMatrix
from lda_app.corpus.folder import build_corpus
from lda_app.corpus.preprocess import PreprocessOptions
from lda_app.corpus.sources import SourceOptions, open_source
from lda_app.errors import CorpusError
from lda_app.evaluation import clustering
from lda_app.evaluation.clustering import classification, label_agreement, nmi, purity, read_document_labels
from lda_app.fitted import topics

RNG = np.random.default_rng(0)
COUNTS = np.kron(np.eye(3, dtype=int), np.ones((40, 2), dtype=int)) * 5 + RNG.poisson(0.5, (120, 6))
LABELS = np.repeat(np.array(["space", "sport", "garden"], dtype=object), 40)


def infer(block):
    counts = block.to_scipy().toarray()
    return 0.1 + counts[:, ::2] + counts[:, 1::2]


def agreement(labels, counts=COUNTS, **options):
    return label_agreement(DocTermMatrix.from_scipy(counts), infer, labels, "group", **options)


def test_topics_that_are_the_labels_agree_with_them():
    found = agreement(LABELS)
    assert found.purity == found.nmi == 1
    assert (found.num_documents, found.num_labels, found.num_unlabelled) == (120, 3, 0)
    assert found.topic_labels == (("space", 1.0), ("sport", 1.0), ("garden", 1.0))
    classified = found.classification
    assert classified.accuracy == 1
    assert classified.majority == pytest.approx(1 / 3)
    assert (classified.num_documents, classified.num_labels, classified.num_folds) == (120, 3, 5)


def test_negative_control_shuffled_labels_do_not():
    found = agreement(RNG.permutation(LABELS))
    assert found.purity < 0.6
    assert found.nmi < 0.1
    assert abs(found.classification.accuracy - 1 / 3) < 0.2
    assert found.classification.standard_error > 0


def test_documents_without_a_label_or_a_word_are_left_out_and_the_former_counted():
    labels, counts = LABELS.copy(), COUNTS.copy()
    labels[:7] = None
    counts[5:10] = 0
    found = agreement(labels, counts)
    assert found.num_unlabelled == 5
    assert found.num_documents == 120 - 7 - 3


def test_labels_of_too_few_documents_are_not_classified():
    labels = LABELS.copy()
    labels[:3] = "rare"
    found = agreement(labels)
    assert found.num_labels == 4
    assert (found.classification.num_labels, found.classification.num_documents) == (3, 117)
    few = agreement(np.array([*"aabb", *[None] * 116], dtype=object))
    assert few.classification is None
    assert few.num_documents == 4


def test_only_so_many_documents_are_classified_and_the_rest_measured(monkeypatch):
    monkeypatch.setattr(clustering, "MAX_CLASSIFIED", 60)
    monkeypatch.setattr(topics, "_BLOCK", 7)
    found, again, other = (agreement(LABELS, seed=seed) for seed in (0, 0, 1))
    assert found.num_documents == 120
    assert found.classification.num_documents == 60
    assert found == again
    assert other.purity == found.purity


def test_purity_and_nmi_by_their_definitions():
    clusters, labels = RNG.integers(5, size=200), RNG.integers(3, size=200).astype(str)
    by_cluster = [np.unique(labels[clusters == k], return_counts=True)[1].max() for k in range(5)]
    assert purity(clusters, labels) == pytest.approx(sum(by_cluster) / 200)
    assert nmi(clusters, labels) == pytest.approx(normalized_mutual_info_score(labels, clusters))


def test_purity_and_nmi_of_clusters_that_are_labels_or_nothing():
    labels = np.array(["a", "b", "c", "a"])
    clusters = np.array([7, 3, 5, 7])
    assert purity(clusters, labels) == nmi(clusters, labels) == 1
    assert purity(np.zeros(4, dtype=int), labels) == 0.5
    assert nmi(np.zeros(4), labels) == 0


def test_a_topic_that_is_no_document_s_first_has_no_label():
    wide = lambda block: np.hstack([infer(block), np.full((block.num_documents, 1), 0.01)])  # noqa: E731
    found = label_agreement(DocTermMatrix.from_scipy(COUNTS), wide, LABELS, "group")
    assert found.topic_labels[3] is None


def test_the_classifier_is_linear_in_theta():
    angle = RNG.uniform(0, 2 * np.pi, size=400)
    radius = np.repeat([0.5, 1.0], 200)
    circles = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    assert classification(circles, np.repeat(["inner", "outer"], 200)).accuracy < 0.65


@pytest.fixture
def corpus(tmp_path):
    with (tmp_path / "texts.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["text", "group", "number", "same", "blank"])
        rows.writerows(["orbit moon", ["space", "sport", " "][i % 3], i, "x", ""] for i in range(12))
    source = open_source(str(tmp_path / "texts.csv"), SourceOptions(text_column="text"))
    return build_corpus(source, tmp_path / "corpus", PreprocessOptions(min_df=1), test_fraction=0)


def test_labels_are_read_in_the_order_of_the_rows_blanks_as_missing(corpus):
    assert read_document_labels(corpus, "train", "group").tolist() == ["space", "sport", None] * 4


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("gruop", r"no column 'gruop' to take labels from; there are: group, number, same, blank"),
        ("text", r"no column 'text'"),
        ("number", r"'number' is another value in each of the 12 documents of the split 'train'"),
        ("same", r"'same' is 'x' in all documents"),
        ("blank", r"'blank' is blank in all documents"),
    ],
)
def test_columns_that_group_nothing_are_refused(corpus, column, message):
    with pytest.raises(CorpusError, match=message):
        read_document_labels(corpus, "train", column)


def test_labels_of_empty_documents_alone_are_refused():
    labels = np.array(["a", "b", *[None] * 118], dtype=object)
    counts = COUNTS.copy()
    counts[:2] = 0
    with pytest.raises(CorpusError, match="no document has both"):
        agreement(labels, counts)
