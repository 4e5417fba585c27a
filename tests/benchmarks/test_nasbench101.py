from types import SimpleNamespace

import pytest
import torch

from gnn_nas.benchmarks.figures import Figures
from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.errors import UserError
from gnn_nas.spaces.conversion import to_matrix
from tests.helpers import official_writer as writer


@pytest.fixture
def some_rows() -> torch.Tensor:
    return torch.tensor([7, 90, 0, 7, 33])


def of_api(api, table, rows, name, trial=0, epochs=108) -> list[float]:
    return [
        api.computed_statistics[table.hash_of(row)][epochs][trial][name] for row in rows.tolist()
    ]


def test_batched_queries_give_what_the_official_object_holds(
    full, full_official, small_table, some_rows
):
    def expect(name, *which):
        return of_api(full_official, small_table, some_rows, name, *which)

    assert full.test(some_rows).tolist() == expect("final_test_accuracy")
    assert full.test(some_rows, 2, 36).tolist() == expect("final_test_accuracy", 2, 36)
    assert full.validation(some_rows).tolist() == expect("final_validation_accuracy")
    assert full.validation(some_rows, 1, 4).tolist() == expect("final_validation_accuracy", 1, 4)
    assert full.training_seconds(some_rows, 1).tolist() == expect("final_training_time", 1)
    halfway = full.figure("halfway_train_accuracy", some_rows, 2, 12)
    assert halfway.tolist() == expect("halfway_train_accuracy", 2, 12)
    assert {full.test(some_rows).dtype, halfway.dtype} == {torch.float64}
    assert full.value("halfway_train_accuracy", 90, 2, 12) == halfway[1]
    assert full.epochs == (4, 12, 36, 108)
    trials = [expect("final_test_accuracy", trial) for trial in range(3)]
    means = [sum(values) / 3 for values in zip(*trials, strict=True)]
    assert full.mean_test(some_rows).tolist() == pytest.approx(means, abs=1e-15)
    unseen = [sum(values) / 2 for values in zip(*trials[1:], strict=True)]
    assert full.unseen_test(some_rows).tolist() == pytest.approx(unseen, abs=1e-15)
    assert full.parameters(some_rows).tolist() == [
        full_official.fixed_statistics[small_table.hash_of(row)]["trainable_parameters"]
        for row in some_rows.tolist()
    ]


def test_ranks_count_the_cells_that_are_strictly_better(small):
    every = small.all_rows()
    means = small.mean_test(every).tolist()
    expected = [1 + sum(other > mean for other in means) for mean in means]
    assert small.rank(every).tolist() == expected
    assert min(expected) == 1
    assert small.best_test == max(means)


def test_ties_are_ties_whatever_trials_made_them(small_table):
    # The same total of correct answers; as float32 trials their sums differ.
    correct = torch.tensor([[9325, 9218, 9155], [9336, 9207, 9155], [9337, 9207, 9155]])
    trials = (correct / 9984).float().double()
    mean = torch.cat([trials.mean(1), torch.zeros(88, dtype=torch.float64)])
    assert mean[0] != mean[1]
    figures = Figures(torch.zeros(91, dtype=torch.int32), {}, mean, mean)
    benchmark = NASBench101(small_table, figures, "ties")
    assert benchmark.rank(benchmark.all_rows()[:4]).tolist() == [2, 2, 1, 4]


def test_what_nas_bench_101_never_had_is_an_error(small, some_rows):
    for ask, message in (
        (lambda: small.test(some_rows, 3), "no trial 3 in NAS-Bench-101; known are 0, 1, 2"),
        (lambda: small.test(some_rows, -1), "no trial -1"),
        (lambda: small.test(some_rows, 0, 50), "no number of epochs 50 .* 4, 12, 36, 108"),
        (lambda: small.figure("accuracy", some_rows), "no figure 'accuracy' .* final_test_accur"),
        (lambda: small.value("accuracy", 0), "no figure 'accuracy'"),
    ):
        with pytest.raises(ValueError, match=message):
            ask()


def test_budgets_of_the_full_file_are_named_where_they_are_missing(small, some_rows):
    assert small.epochs == (108,)
    with pytest.raises(UserError, match=r"lacks .* at 36 epochs: import .* nasbench_full.tfrecord"):
        small.validation(some_rows, epochs=36)


def test_rows_that_are_none_are_refused(small):
    for ask in (small.mean_test, small.unseen_test, small.test, small.parameters, small.rank):
        with pytest.raises(IndexError, match="row -1 is none of 91 cells"):
            ask(torch.tensor([3, -1]))


def test_rows_of_takes_cells_in_any_form(small, small_table):
    expected = torch.tensor([50, 3])
    batch = small_table.cells[expected].to_batch()
    pairs = map(to_matrix, batch.to_data_list())
    specs = [SimpleNamespace(matrix=matrix, ops=ops) for matrix, ops in pairs]
    hashes = [small_table.hash_of(row) for row in expected.tolist()]
    for cells in (batch, specs, hashes, expected):
        assert small.rows_of(cells).equal(expected)
    assert small.row_of_spec(specs[0]) == 50


@pytest.mark.parametrize("spoil", ["missing", "unknown", "epochs"])
def test_an_official_object_of_other_cells_is_one_line(loaded, rows, small_table, spoil):
    api = loaded(rows)
    first = next(iter(api.computed_statistics))
    match spoil:
        case "missing":
            del api.computed_statistics[first]
            message = f"official NASBench object is not complete: found 270 rows.* {first}, has 0"
        case "unknown":
            api.computed_statistics["0" * 32] = api.computed_statistics.pop(first)
            api.fixed_statistics["0" * 32] = api.fixed_statistics[first]
            message = "a training is wrong: no cell of NAS-Bench-101 has its module hash '000"
        case "epochs":
            api.computed_statistics[first][50] = api.computed_statistics[first][108]
            message = "a training is wrong: its budget of 50 epochs"
    with pytest.raises(UserError, match=message):
        NASBench101.from_official(api, small_table)


def test_a_folder_may_hold_an_imported_file(import_rows, rows, small_table, compact_folder):
    target = import_rows(rows)
    target.rename(target.with_name("nasbench101.safetensors"))
    opened = NASBench101.open(compact_folder, small_table)
    assert len(opened.test(opened.all_rows(), 2)) == 91
    assert repr(opened) == f"NASBench101('{compact_folder}', epochs=(108,))"


def test_what_is_no_data_is_one_line(rows, small_table, tmp_path):
    path = tmp_path / "official.tfrecord"
    writer.write_tfrecord(path, rows)
    for given, message in (
        (path, "must be imported first: run gnn-nas import .*official.tfrecord"),
        (tmp_path, "the folder has neither nasbench101.safetensors nor nasbench101_108epochs.npz"),
        (tmp_path / "absent", "absent: cannot read: No such file"),
    ):
        with pytest.raises(UserError, match=message):
            NASBench101.open(given, small_table)
    for content in (b"", b"\0", b"# words", b"x" * 1000):
        path.write_bytes(content)
        with pytest.raises(UserError, match="damaged or no NAS-Bench-101 data"):
            NASBench101.open(path, small_table)


def test_real_measurements(benchmark, table):
    every = benchmark.all_rows()
    means = benchmark.mean_test(every).sort(descending=True).values
    assert round(means[0].item(), 7) == 0.9431757 == round(benchmark.best_test, 7)
    assert round(means[1].item(), 7) == 0.9423411
    assert round(benchmark.test(every).max().item(), 7) == 0.9466146
    assert table.hash_of(0) == "00005c142e6f48ac74fdcf73e3439874"
    assert benchmark.parameters(every[:1]).tolist() == [8_555_530]
    # A perfect search by the first trial.
    best = benchmark.test(every).argmax()[None]
    assert round(benchmark.mean_test(best).item(), 4) == 0.9409
    assert benchmark.rank(best).tolist() == [17]
    assert round(benchmark.unseen_test(best).item(), 4) == 0.9380
