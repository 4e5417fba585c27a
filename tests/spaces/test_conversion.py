from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gnn_nas.benchmarks.official_api import ModelSpec
from gnn_nas.spaces.conversion import from_matrix, from_spec, to_matrix
from gnn_nas.spaces.packed import pack
from gnn_nas.spaces.pruning import prune

CONV3, CONV1, POOL = "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"
NAMES = ["input", CONV3, CONV1, POOL, "output"]
CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
FULL = np.triu(np.ones((7, 7), dtype=int), 1)


def as_matrix(labels: list[int], edges: set[tuple[int, int]]) -> tuple[np.ndarray, list[str]]:
    matrix = np.zeros((len(labels), len(labels)), dtype=int)
    for x, y in edges:
        matrix[x, y] = 1
    return matrix, [NAMES[label] for label in labels]


def test_cells_survive_the_way_through_a_matrix(any_cells, plain):
    pruned, valid = prune(any_cells)
    cells = pruned[valid][:400]
    for number, cell in enumerate(plain(cells)):
        matrix, ops = as_matrix(*cell)
        data = from_matrix(matrix, ops)
        assert plain(pack(data)) == [cell]
        assert data.x.dtype == torch.float32
        back, names = to_matrix(data)
        assert back.dtype == np.int8
        assert back.tolist() == matrix.tolist()
        assert names == ops
        single, collated = data, cells[number : number + 1].to_batch()[0]
        assert single.x.equal(collated.x)


def test_first_cell_of_the_official_dataset(table):
    matrix, ops = to_matrix(table.cells[:1].to_batch()[0])
    assert ops == ["input", CONV3, POOL, CONV3, CONV3, CONV1, "output"]
    assert table.index_of(from_matrix(matrix, ops)).tolist() == [0]


@pytest.mark.parametrize(
    "matrix", [CHAIN, np.array(CHAIN, dtype=bool), np.array(CHAIN, float), torch.tensor(CHAIN)]
)
def test_lists_arrays_and_tensors_are_matrices(matrix):
    data = from_matrix(matrix, ["input", POOL, "output"])
    assert data.edge_index.tolist() == [[0, 1], [1, 2]]
    assert data.x.argmax(1).tolist() == [0, 3, 4]


@pytest.mark.parametrize(
    ("matrix", "ops", "message"),
    [
        (CHAIN[:2], ["input", POOL, "output"], r"square, got shape \(2, 3\)"),
        ([[0, 1, 0], [0, 0], [0]], ["input", POOL, "output"], "rows of different length"),
        ([0, 1, 0], ["input", POOL, "output"], r"square, got shape \(3,\)"),
        ([[0]], ["input"], "2 to 7 vertices, got 1"),
        (np.triu(np.ones((8, 8)), 1), ["input", *[POOL] * 6, "output"], "vertices, got 8"),
        (np.multiply(CHAIN, 2), ["input", POOL, "output"], "only 0 and 1"),
        (np.transpose(CHAIN), ["input", POOL, "output"], "upper triangular, got an edge 1 -> 0"),
        (CHAIN + np.eye(3), ["input", POOL, "output"], "upper triangular, got an edge 0 -> 0"),
        (CHAIN, ["input", "output"], "2 ops do not fit a matrix of 3 vertices"),
        (CHAIN, ["output", POOL, "input"], "begin with 'input' and end with 'output'"),
        (CHAIN, ["input", POOL, POOL], "end with 'output', got 'input' and 'maxpool3x3'"),
        (CHAIN, ["input", "conv3x3", "output"], "unknown op 'conv3x3' at vertex 1; known are conv"),
        (CHAIN, ["input", "input", "output"], "unknown op 'input' at vertex 1"),
        ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], ["input", POOL, "output"], "no path"),
        (FULL, ["input", *[POOL] * 5, "output"], "at most 9 edges, this one 21 after pruning"),
    ],
)
def test_what_is_no_cell_is_refused_by_name(matrix, ops, message):
    with pytest.raises(ValueError, match=message):
        from_matrix(matrix, ops)


def test_edges_that_pruning_drops_do_not_count():
    """Eleven edges, nine of them into vertices that do not reach the output."""
    matrix = np.zeros((7, 7), dtype=int)
    matrix[0, 1] = matrix[1, 6] = 1
    matrix[0, 2:6] = matrix[1, 2:6] = matrix[2, 3] = 1
    back, ops = to_matrix(from_matrix(matrix, ["input", *[CONV1] * 5, "output"]))
    assert back.tolist() == CHAIN
    assert ops == ["input", CONV1, "output"]


def test_ops_and_number_of_pruned_vertices_may_be_anything(table):
    """As for the official ModelSpec, which looks at nothing before it has pruned."""
    matrix = np.zeros((30, 30), dtype=int)
    matrix[0, 4] = matrix[4, 29] = 1
    matrix[0, 1:4] = matrix[5:20, 29] = matrix[7, 9:12] = 1
    ops = ["input", *(["conv9x9", None, 3, "input", POOL, "output"] * 6)[1:29], "output"]
    cell = from_matrix(matrix, ops)
    assert to_matrix(cell)[0].tolist() == CHAIN
    assert to_matrix(cell)[1] == ["input", POOL, "output"]
    assert table.index_of(cell).equal(table.index_of(from_spec(ModelSpec(matrix, ops))))
    ops[4] = "conv9x9"
    with pytest.raises(ValueError, match="unknown op 'conv9x9' at vertex 4"):
        from_matrix(matrix, ops)


def test_matrices_and_specs_are_pruned(any_cells, plain, table):
    cells = any_cells[prune(any_cells)[1]][:200]
    pruned, _ = prune(cells)
    for unpruned, expected in zip(plain(cells), plain(pruned), strict=True):
        matrix, ops = as_matrix(*unpruned)
        for data in (from_matrix(matrix, ops), from_spec(SimpleNamespace(matrix=matrix, ops=ops))):
            assert plain(pack(data)) == [expected]
        assert len(table.index_of(data)) == 1


def test_specs_without_a_path_are_refused():
    """The official ModelSpec prunes itself and drops the matrix if nothing is left."""
    with pytest.raises(ValueError, match="no path from the input to the output"):
        from_spec(SimpleNamespace(matrix=None, ops=None))
    unpruned = SimpleNamespace(matrix=np.zeros((2, 2)), ops=["input", "output"])
    with pytest.raises(ValueError, match="no path leads"):
        from_spec(unpruned)


@pytest.mark.parametrize("missing", ["matrix", "ops"])
def test_something_else_than_a_spec_fails(missing):
    spec = SimpleNamespace(matrix=CHAIN, ops=["input", POOL, "output"])
    delattr(spec, missing)
    with pytest.raises(AttributeError, match=missing):
        from_spec(spec)
