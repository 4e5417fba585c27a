import numpy as np
import pytest

from gnn_nas.benchmarks import official_api as api
from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.benchmarks.official_api import ModelSpec
from gnn_nas.errors import UserError
from gnn_nas.spaces.conversion import from_spec, to_matrix
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.pruning import prune
from tests.helpers import official_writer as writer

OPS = NASBENCH101.ops


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


@pytest.fixture
def nasbench(full) -> api.NASBench:
    return api.NASBench(full, seed=0)


def specs_of(official) -> list[ModelSpec]:
    return [
        ModelSpec(fixed["module_adjacency"], fixed["module_operations"])
        for fixed in official.fixed_statistics.values()
    ]


@pytest.mark.parametrize("point", ["halfway", "final"])
def test_a_query_gives_one_of_the_trainings(nasbench, full_official, point):
    drawn = set()
    for spec in specs_of(full_official):
        for epochs in (4, 12, 36, 108):
            data = nasbench.query(spec, epochs, stop_halfway=point == "halfway")
            module_hash = spec.hash_spec(nasbench.config["available_ops"])
            fixed = full_official.fixed_statistics[module_hash]
            assert np.array_equal(data.pop("module_adjacency"), fixed["module_adjacency"])
            assert data.pop("module_operations") == fixed["module_operations"]
            assert data.pop("trainable_parameters") == fixed["trainable_parameters"]
            measured = {f"{point}_{name}": value for name, value in data.items()}
            trainings = [
                {name: value for name, value in training.items() if name.startswith(point)}
                for training in full_official.computed_statistics[module_hash][epochs]
            ]
            assert measured in trainings
            drawn.add(trainings.index(measured))
    assert drawn == {0, 1, 2}


def test_a_seed_gives_the_same_draws(full, official):
    def draws(seed):
        nasbench = api.NASBench(full, seed)
        return [nasbench.query(spec)["test_accuracy"] for spec in specs_of(official)]

    assert draws(0) == draws(0)
    assert draws(0) != draws(1)
    assert draws(None) != draws(None)


def test_counters_add_up_the_cost_of_all_queries(nasbench, official):
    spec = specs_of(official)[3]
    assert nasbench.get_budget_counters() == (0.0, 0)
    seconds = [
        nasbench.query(spec)["training_time"],
        nasbench.query(spec, epochs=36)["training_time"],
        nasbench.query(spec, epochs=108, stop_halfway=True)["training_time"],
    ]
    assert nasbench.get_budget_counters() == (pytest.approx(sum(seconds)), 108 + 36 + 54)
    nasbench.is_valid(spec)
    nasbench.get_metrics_from_spec(spec)
    assert nasbench.get_budget_counters()[1] == 198
    nasbench.reset_budget_counters()
    assert nasbench.get_budget_counters() == (0.0, 0)


def test_all_metrics_of_a_cell(nasbench, full_official):
    assert list(nasbench.hash_iterator()) == sorted(full_official.fixed_statistics)
    for spec, module_hash in zip(
        specs_of(full_official), full_official.fixed_statistics, strict=True
    ):
        expected = full_official.computed_statistics[module_hash]
        for fixed, computed in (
            nasbench.get_metrics_from_spec(spec),
            nasbench.get_metrics_from_hash(module_hash),
        ):
            assert computed == expected
            assert fixed.keys() == full_official.fixed_statistics[module_hash].keys()
        found = nasbench.get_modelspec_by_hash(module_hash)
        assert np.array_equal(found.matrix, spec.matrix)
        assert found.ops == spec.ops
    for ask in (nasbench.get_metrics_from_hash, nasbench.get_modelspec_by_hash):
        with pytest.raises(KeyError):
            ask("0" * 32)


NAMES = ["input", "conv3x3-bn-relu", "output"]
CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("matrix", "ops", "message"),
    [
        ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], NAMES, "no path from the input to the output"),
        (CHAIN, ["input", "conv5x5", "output"], "unknown op 'conv5x5'"),
        (CHAIN, ["output", "conv3x3-bn-relu", "input"], "ops must begin with 'input'"),
        (
            np.eye(8, k=1),
            [NAMES[0], *6 * [NAMES[1]], NAMES[2]],
            "2 to 7 vertices, got 8",
        ),
        (
            np.triu(np.ones((7, 7)), 1),
            [NAMES[0], *5 * [NAMES[1]], NAMES[2]],
            "at most 9 edges",
        ),
    ],
)
def test_a_spec_outside_the_space_is_out_of_domain(nasbench, matrix, ops, message):
    spec = ModelSpec(matrix, ops)
    assert not nasbench.is_valid(spec)
    for ask in (nasbench.query, nasbench.get_metrics_from_spec):
        with pytest.raises(api.OutOfDomainError, match=message):
            ask(spec)
    assert nasbench.get_budget_counters() == (0.0, 0)


def test_a_valid_spec_may_need_pruning(nasbench):
    matrix = [[0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    spec = ModelSpec(matrix, ["input", *2 * ["maxpool3x3"], "output"])
    assert nasbench.is_valid(spec)
    assert nasbench.query(spec)["module_adjacency"].tolist() == [[0, 1], [0, 0]]


def test_epochs_that_the_data_has_not_are_out_of_domain(nasbench, small, official):
    spec = specs_of(official)[0]
    with pytest.raises(
        api.OutOfDomainError, match=r"invalid number of epochs 50.* \[4, 12, 36, 108"
    ):
        nasbench.query(spec, epochs=50)
    with pytest.raises(api.OutOfDomainError, match=r"epochs 36, must be one of \[108\]"):
        api.NASBench(small).query(spec, epochs=36)


def test_what_the_data_lacks_is_the_users_to_mend(compact_folder, small_table, official):
    nasbench = api.NASBench(NASBench101.open(compact_folder, small_table))
    spec = specs_of(official)[0]
    assert nasbench.is_valid(spec)
    for ask in (nasbench.query, nasbench.get_metrics_from_spec):
        with pytest.raises(UserError, match=r"import the official nasbench_\w+.tfrecord"):
            ask(spec)
    assert nasbench.get_budget_counters() == (0.0, 0)


def test_a_path_is_opened(rows, tmp_path):
    writer.write_tfrecord(tmp_path / "nasbench.tfrecord", rows)
    with pytest.raises(UserError, match="must be imported first"):
        api.NASBench(str(tmp_path / "nasbench.tfrecord"))
