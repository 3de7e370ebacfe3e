"""DocTermMatrix: what counts are accepted, rows, and the memory-mapped files."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from lda_app.corpus.doc_term import DocTermMatrix, DocTermWriter

DENSE = hnp.arrays(
    np.int64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.integers(0, 3) | st.integers(0, 2**31 - 1),
)


@settings(deadline=None)
@given(DENSE)
def test_scipy_there_and_back(dense):
    matrix = DocTermMatrix.from_scipy(sparse.csr_array(dense))
    assert np.array_equal(matrix.to_scipy().toarray(), dense)
    assert matrix.shape == dense.shape
    assert matrix.num_tokens == dense.sum()
    assert np.array_equal(matrix.lengths(), dense.sum(axis=1))
    assert (matrix.counts > 0).all()


@settings(deadline=None)
@given(DENSE)
def test_saved_and_opened_is_the_same(dense):
    matrix = DocTermMatrix.from_scipy(dense)
    with tempfile.TemporaryDirectory() as folder:
        matrix.save(Path(folder))
        again = DocTermMatrix.open(Path(folder), matrix.num_words)
        for name in ("indptr", "indices", "counts"):
            assert np.array_equal(getattr(again, name), getattr(matrix, name))
            assert getattr(again, name).dtype == getattr(matrix, name).dtype
        assert again.shape == matrix.shape


@settings(deadline=None)
@given(DENSE, st.data())
def test_rows_are_scipys_rows(dense, data):
    index = data.draw(st.lists(st.integers(0, len(dense) - 1), max_size=8))
    chosen = DocTermMatrix.from_scipy(dense).rows(index)
    assert chosen.shape == (len(index), dense.shape[1])
    assert np.array_equal(chosen.to_scipy().toarray(), dense[np.array(index, dtype=int)])


@settings(deadline=None)
@given(DENSE, st.integers(1, 8))
def test_blocks_are_all_rows_in_order(dense, size):
    blocks = list(DocTermMatrix.from_scipy(dense).blocks(size))
    assert all(block.num_documents == size for block in blocks[:-1])
    assert np.array_equal(np.vstack([block.to_scipy().toarray() for block in blocks]), dense)


@pytest.mark.parametrize("index", [[-1], [2], [0, 5]])
def test_rows_beyond_the_matrix(index):
    with pytest.raises(IndexError, match="matrix with 2 rows"):
        DocTermMatrix.from_scipy(np.ones((2, 2), dtype=int)).rows(index)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1, "negative"),
        (0.5, "a fraction"),
        (np.nan, "not finite"),
        (np.inf, "not finite"),
        (2.0**31, "above"),
    ],
)
def test_a_bad_count_is_named_by_row_and_column(value, message):
    dense = np.zeros((3, 4))
    dense[0, 0] = 1
    dense[1, 2] = value
    with pytest.raises(ValueError, match=f"row 1, column 2.*{message}"):
        DocTermMatrix.from_scipy(sparse.csr_array(dense))


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float32])
def test_entry_types_that_count(dtype):
    assert DocTermMatrix.from_scipy(np.eye(3).astype(dtype)).num_tokens == 3


@pytest.mark.parametrize("dtype", [complex, object, "U1"])
def test_entry_types_that_do_not_count(dtype):
    with pytest.raises(TypeError, match="whole numbers"):
        DocTermMatrix.from_scipy(np.eye(3, dtype=int).astype(dtype))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_no_rows_or_no_columns(shape):
    with pytest.raises(ValueError, match="needs rows and columns"):
        DocTermMatrix.from_scipy(sparse.csr_array(shape, dtype=int))


def test_unsorted_duplicate_and_64_bit_indices_are_summed():
    parts = (np.array([1, 2, 3]), np.array([2, 0, 2], dtype=np.int64), np.array([0, 3], dtype=np.int64))
    matrix = DocTermMatrix.from_scipy(sparse.csr_array(parts, shape=(1, 3)))
    assert (matrix.indices.tolist(), matrix.counts.tolist()) == ([0, 2], [2, 4])
    assert (matrix.indices.dtype, matrix.indptr.dtype) == (np.int32, np.int64)


def test_the_source_matrix_is_left_alone():
    source = sparse.csr_array((np.array([1, 2]), np.array([1, 0]), np.array([0, 2])), shape=(1, 2))
    DocTermMatrix.from_scipy(source)
    assert source.indices.tolist() == [1, 0]


def test_written_in_pieces_is_the_same_file_as_numpys(tmp_path):
    matrix = DocTermMatrix.from_scipy(np.arange(12).reshape(4, 3))
    with DocTermWriter(tmp_path / "pieces") as writer:
        for row in range(4):
            writer.append(matrix.rows([row]))
    np.save(tmp_path / "counts.npy", matrix.counts)
    assert (tmp_path / "pieces" / "counts.npy").read_bytes() == (tmp_path / "counts.npy").read_bytes()


def test_files_that_disagree(tmp_path):
    DocTermMatrix.from_scipy(np.eye(3, dtype=int)).save(tmp_path)
    np.save(tmp_path / "counts.npy", np.ones(2, dtype=np.int32))
    with pytest.raises(ValueError, match="indptr declares 3"):
        DocTermMatrix.open(tmp_path, num_words=3)
    np.save(tmp_path / "counts.npy", np.ones(3))
    with pytest.raises(ValueError, match="expected a 1-dimensional array of int32"):
        DocTermMatrix.open(tmp_path, num_words=3)


def test_weights_are_kept_as_they_are(tmp_path):
    parts = np.array([0.25, 0.5, 1e-60, 2.0]), np.array([1, 1, 0, 0]), np.array([0, 3, 4])
    matrix = DocTermMatrix.from_scipy(sparse.csr_array(parts, shape=(2, 2)), weights=True)
    assert matrix.has_weights
    assert matrix.counts.tolist() == [0.75, 2.0]
    assert (matrix.lengths().tolist(), matrix.num_tokens) == ([0.75, 2.0], 3)
    assert matrix.rows([1]).lengths().tolist() == [2.0]
    with pytest.raises(ValueError, match="not weights"):
        matrix.save(tmp_path)


def test_whole_weights_are_counts():
    matrix = DocTermMatrix.from_scipy([[1.0, 0.0], [2.0, 3.0]], weights=True)
    assert not matrix.has_weights
    assert matrix.counts.dtype == np.int32
