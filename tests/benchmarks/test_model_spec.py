import numpy as np
import pytest

from gnn_nas.benchmarks.model_spec import ModelSpec
from gnn_nas.spaces.conversion import from_spec, to_matrix
from gnn_nas.spaces.nasbench101 import OPS
from gnn_nas.spaces.pruning import prune


def test_prunes_as_batches_are_pruned(unpruned):
    pruned, _ = prune(unpruned)
    connected = pruned.vertices >= 2
    given = unpruned.to_batch().to_data_list()
    specs = [ModelSpec(*to_matrix(cell)) for cell in given]
    assert [spec.valid_spec for spec in specs] == connected.tolist()
    kept = [spec for spec in specs if spec.valid_spec]
    for spec, cell in zip(kept, pruned[connected].to_batch().to_data_list(), strict=True):
        matrix, ops = to_matrix(cell)
        assert np.array_equal(spec.matrix, matrix)
        assert spec.ops == ops
    assert all(spec.matrix is None and spec.ops is None for spec in specs if not spec.valid_spec)


def test_hashes_are_those_of_the_table(table, unpruned):
    _, valid = prune(unpruned)
    for cell in unpruned[valid][:300].to_batch().to_data_list():
        spec = ModelSpec(*to_matrix(cell))
        assert spec.hash_spec(OPS) == table.hash_of(table.index_of(from_spec(spec)).item())


def test_what_was_given_is_kept_apart():
    matrix, ops = np.array([[0, 0, 1], [0, 0, 1], [0, 0, 0]]), ["input", OPS[0], "output"]
    spec = ModelSpec(matrix, ops)
    matrix[:] = 0
    ops.clear()
    assert spec.original_matrix.tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert spec.original_ops == ["input", OPS[0], "output"]
    assert spec.matrix.tolist() == [[0, 1], [0, 0]]
    assert spec.ops == ["input", "output"]
    assert spec.data_format == "channels_last"


@pytest.mark.parametrize(
    ("matrix", "ops", "message"),
    [
        ([[0, 1]], ["input", "output"], "square"),
        ([0, 1], ["input", "output"], "square"),
        ([[0, 1], [0, 0]], ["input"], "length of ops"),
        ([[0, 1], [1, 0]], ["input", "output"], "upper triangular"),
        ([[1, 1], [0, 0]], ["input", "output"], "upper triangular"),
    ],
)
def test_refuses_what_the_official_class_refuses(matrix, ops, message):
    with pytest.raises(ValueError, match=message):
        ModelSpec(matrix, ops)
