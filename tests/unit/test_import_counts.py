"""Counts made elsewhere: four formats read alike, and what is refused is named by line."""

import gzip
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import io as scipy_io
from scipy import sparse

from lda_app.corpus.import_counts import CountFiles, import_counts, read_counts
from lda_app.errors import ConfigError, CorpusError

COUNTS = sparse.csr_array(np.array([[2, 0, 1], [0, 0, 0], [0, 3, 0]]))
WORDS = ["moon", "orbit", "apogee"]


def as_npz(path, counts):
    sparse.save_npz(path, counts)


def as_lda_c(path, counts):
    rows = (counts[[row]] for row in range(counts.shape[0]))
    pairs = ([f"{word}:{n}" for word, n in zip(row.indices, row.data, strict=True)] for row in rows)
    path.write_text("".join(f"{' '.join([str(len(row)), *row])}\n" for row in pairs))


def as_uci(path, counts):
    coo = counts.tocoo()
    triples = zip(*coo.coords, coo.data, strict=True)
    lines = [*counts.shape, coo.nnz, *(f"{row + 1} {word + 1} {n}" for row, word, n in triples)]
    path.write_text("".join(f"{line}\n" for line in lines))


def as_matrix_market(path, counts):
    scipy_io.mmwrite(path, counts.tocoo())


WRITERS = {
    "counts.npz": as_npz,
    "counts.ldac": as_lda_c,
    "docword.counts.txt": as_uci,
    "counts.mtx": as_matrix_market,
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return tmp_path


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_is_recognised_by_its_content(folder, name):
    WRITERS[name](folder / name, COUNTS)
    assert np.array_equal(read_counts(folder / name, 3).to_scipy().toarray(), COUNTS.toarray())


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "counts.npz"])
def test_text_formats_may_be_gzipped(folder, name):
    WRITERS[name](folder / name, COUNTS)
    zipped = folder / f"{name}.gz"
    zipped.write_bytes(gzip.compress((folder / name).read_bytes()))
    assert np.array_equal(read_counts(zipped, 3).to_scipy().toarray(), COUNTS.toarray())
    zipped.write_bytes(zipped.read_bytes()[:-12])
    with pytest.raises(CorpusError, match=r"cannot read the counts|Compressed file ended"):
        read_counts(zipped, 3)


@settings(deadline=None, max_examples=20)
@given(
    hnp.arrays(np.int64, st.tuples(st.integers(3, 5), st.just(3)), elements=st.integers(0, 3)),
    st.sampled_from(sorted(WRITERS)),
)
def test_written_and_read_is_the_same(tmp_path_factory, dense, name):
    path = tmp_path_factory.mktemp("counts") / name
    WRITERS[name](path, sparse.csr_array(dense))
    formats = {"counts.npz": "npz", "counts.ldac": "lda-c", "counts.mtx": "matrix-market"}
    assert np.array_equal(read_counts(path, 3, formats.get(name, "uci")).to_scipy().toarray(), dense)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_npz_of_any_layout_with_64_bit_indices(folder, kind):
    matrix = COUNTS.tocsr()
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    sparse.save_npz(folder / "counts.npz", matrix.asformat(kind))
    assert read_counts(folder / "counts.npz", 3).num_tokens == 6


def test_a_corpus_of_train_and_test_files_with_labels(folder):
    as_npz(folder / "train.npz", COUNTS)
    as_lda_c(folder / "test.ldac", COUNTS[[2]])
    (folder / "labels.txt").write_text("a\nb\nc\n")
    (folder / "test_labels.txt").write_text("=d\n")
    files = CountFiles(
        folder / "train.npz", folder / "vocab.txt", folder / "test.ldac",
        folder / "labels.txt", folder / "test_labels.txt",
    )  # fmt: skip
    corpus = import_counts(files, folder / "corpus")
    assert corpus.vocabulary.words == tuple(WORDS)
    assert corpus.preprocessor is None
    assert corpus.documents("train").to_dict("list") == {
        "id": ["train-1", "train-2", "train-3"], "label": ["a", "b", "c"],
    }  # fmt: skip
    assert corpus.documents("test").to_dict("list") == {"id": ["test-1"], "label": ["=d"]}
    assert np.array_equal(corpus.split("train").to_scipy().toarray(), COUNTS.toarray())
    assert corpus.left_out().to_numpy().tolist() == [["train", "1", "train-2", "all counts are 0"]]
    assert str(folder) not in json.dumps(corpus.manifest)


def test_without_a_test_file_some_documents_are_put_aside(folder):
    as_npz(folder / "counts.npz", sparse.csr_array(np.ones((60, 3), dtype=int)))
    files = CountFiles(folder / "counts.npz", folder / "vocab.txt")
    corpus = import_counts(files, folder / "corpus", test_fraction=0.3)
    sizes = [corpus.split(name).num_documents for name in ("train", "test")]
    assert sum(sizes) == 60
    assert sizes[1] > 5
    assert import_counts(files, folder / "all", test_fraction=0).splits == ("train",)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.ldac", "1 0:1\n2 0:1\n", "line 2 declares 2 words but has 1"),
        ("a.ldac", "1 0:1\n1 3:1\n", "line 2: word 3, but the vocabulary has 3 words"),
        ("a.ldac", "1 0:1.5\n", "line 1: expected 'N word:count"),
        ("a.ldac", "1 0:1\n1 0:-2\n", "row 1, column 0 is -2, negative"),
        ("a.uci", "2\n4\n1\n1 1 1\n", "line 2 declares 4 words, but the vocabulary has 3"),
        ("a.uci", "2\n3\n2\n1 1 1\n", "line 3 declares 2 entries, but there are 1; is the file truncated"),
        ("a.uci", "2\n3\n1\n", "there are 0"),
        ("a.uci", "2\n3\n1\n1 x 1\n", "line 4: expected 'document word count'"),
        ("a.uci", "2\n3\n1\n1 1 1.5\n", "line 4: expected"),
        ("a.uci", "2\n3\n2\n1 1 1\n1 2\n", "line 5: expected"),
        ("a.uci", "2\n3\n1\n3 1 1\n", r"line 4: document 3 is not in 1 … 2"),
        ("a.uci", "2\n3\n1\n1 0 1\n", r"line 4: word 0 is not in 1 … 3"),
        ("a.mtx", "%%MatrixMarket matrix array real general\n1 1\n1\n", "save it in coordinate format"),
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n1 3 1\n1 1 0.5\n", "0.5, a fraction"),
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n3 1 1\n1 1 1\n", "1 columns, but the voc"),
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\nnonsense\n", "a.mtx: "),
        ("a.npz", "PK nonsense", "a.npz: "),
        ("a.txt", "", "empty"),
    ],
)
def test_a_bad_file_is_named_with_its_line(folder, name, content, message):
    (folder / name).write_text(content)
    with pytest.raises(CorpusError, match=message) as caught:
        read_counts(folder / name, 3)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [(-1.0, "negative"), (0.5, "a fraction"), (np.nan, "not finite"), (np.inf, "finite")],
)
def test_npz_of_what_is_no_count(folder, value, message):
    sparse.save_npz(folder / "a.npz", sparse.csr_array([[1.0, 0.0, 0.0], [0.0, 0.0, value]]))
    with pytest.raises(CorpusError, match=f"row 1, column 2.*{message}"):
        read_counts(folder / "a.npz", 3)


def test_npz_never_runs_a_pickle(folder, monkeypatch):
    monkeypatch.setattr("pickle.load", lambda *_: pytest.fail("unpickled"))
    np.savez(
        folder / "a.npz", data=np.array([object()], dtype=object), format=np.array(["csr"], dtype=object)
    )
    with pytest.raises(CorpusError, match=r"a\.npz"):
        read_counts(folder / "a.npz", 3)


def test_npz_with_indices_beyond_the_matrix(folder):
    arrays = {"indices": np.array([9]), "indptr": np.array([0, 1]), "data": np.array([1])}
    np.savez(folder / "a.npz", format=np.array(b"csr"), shape=np.array([1, 3]), **arrays)
    with pytest.raises(CorpusError, match=r"a\.npz: "):
        read_counts(folder / "a.npz", 3)


def test_a_zip_file_that_holds_no_matrix(folder):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("../x", "y")
    (folder / "a.npz").write_bytes(buffer.getvalue())
    with pytest.raises(CorpusError, match=r"a\.npz"):
        read_counts(folder / "a.npz", 3)


def test_a_missing_file(folder):
    with pytest.raises(CorpusError, match="cannot read the counts: No such file"):
        read_counts(folder / "none.npz", 3)


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ({"train_labels": "two.txt"}, CorpusError, "2 labels for 3 documents"),
        ({"train_labels": "none.txt"}, CorpusError, "cannot read the labels"),
        ({"vocabulary": "two.txt"}, CorpusError, "3 columns, but the vocabulary has 2 words"),
        ({"vocabulary": "twice.txt"}, CorpusError, "line 2 repeats the word"),
        ({"train": "zero.npz"}, CorpusError, "no words left"),
        ({"train": "strange.bin"}, ConfigError, "unknown format; set --format to one of"),
        ({"test_labels": "two.txt"}, ConfigError, "--test-labels needs --test"),
        ({"format": "csv"}, ConfigError, "--format must be one of npz"),
    ],
)
def test_files_that_disagree(folder, files, error, message):
    as_npz(folder / "counts.npz", COUNTS)
    as_npz(folder / "zero.npz", sparse.csr_array((2, 3), dtype=int))
    (folder / "two.txt").write_text("a\nb\n")
    (folder / "twice.txt").write_text("a\na\n")
    (folder / "strange.bin").write_text("hello")
    paths = {name: file if name == "format" else folder / file for name, file in files.items()}
    with pytest.raises(error, match=message):
        import_counts(
            CountFiles(**{"train": folder / "counts.npz", "vocabulary": folder / "vocab.txt", **paths}),
            folder / "corpus",
        )
    assert not (folder / "corpus").exists()
