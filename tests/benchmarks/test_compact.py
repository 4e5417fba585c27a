import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.errors import UserError

MAIN, BESIDE = "nasbench101_108epochs.npz", "validation_subset.npz"


def same(given: torch.Tensor, expected: np.ndarray) -> bool:
    return given.dtype == torch.float64 and np.allclose(given.numpy(), expected, rtol=1e-12)


def test_counts_become_accuracies(compact_folder, compact_arrays, validation_arrays, small_table):
    first = compact_arrays["test_correct_trial0"].astype(int)
    total = compact_arrays["test_correct_sum3"].astype(int)
    for path in (compact_folder, compact_folder / MAIN):
        benchmark = NASBench101.open(path, small_table)
        every = benchmark.all_rows()
        assert benchmark.epochs == (4, 12, 36, 108)
        assert same(benchmark.test(every), first / 9984)
        assert same(benchmark.mean_test(every), total / 29952)
        assert same(benchmark.unseen_test(every), (total - first) / (2 * 9984))
        parameters = compact_arrays["trainable_parameters"].tolist()
        assert benchmark.parameters(every).tolist() == parameters
        known = torch.arange(10, 30)
        for budget, epochs in enumerate(benchmark.epochs):
            expected = validation_arrays["validation_correct"][:, budget] / 9984
            assert same(benchmark.validation(known, epochs=epochs), expected)
        expected = validation_arrays["training_seconds_108"].astype(float)
        assert same(benchmark.training_seconds(known), expected)


def test_without_the_second_file_only_its_figures_are_absent(compact_folder, small_table):
    (compact_folder / BESIDE).unlink()
    benchmark = NASBench101.open(compact_folder, small_table)
    assert benchmark.epochs == (108,)
    assert len(benchmark.test(benchmark.all_rows())) == 91
    with pytest.raises(UserError, match=r"lacks final_validation_accuracy of trial 0 at 108 epo"):
        benchmark.validation(torch.tensor([10]))


def test_what_is_absent_is_one_line_that_says_who_has_it(compact_folder, small_table):
    benchmark = NASBench101.open(compact_folder, small_table)
    rows = torch.tensor([11, 9, 12, 30])
    smaller = "import the official nasbench_only108.tfrecord, which has it, by gnn-nas import"
    for ask, message in (
        (
            lambda: benchmark.test(rows, 1),
            f"lacks final_test_accuracy of trial 1 at 108 .*{smaller}",
        ),
        (
            lambda: benchmark.validation(rows),
            f"108 epochs for 2 of the cells, first for row 9: {smaller}",
        ),
        (lambda: benchmark.validation(rows, 0, 12), "for row 9: .*nasbench_full.tfrecord, which"),
        (lambda: benchmark.training_seconds(rows, 0, 4), "lacks final_training_time.* at 4 .*full"),
        (lambda: benchmark.figure("halfway_test_accuracy", rows), f"lacks halfway_.*{smaller}"),
        (lambda: benchmark.value("final_validation_accuracy", 9), f"first for row 9: {smaller}"),
        (lambda: benchmark.value("final_test_accuracy", 11, 2), f"of trial 2 at .*{smaller}"),
    ):
        with pytest.raises(UserError, match=message):
            ask()
    partly = benchmark.figure("final_validation_accuracy", rows, absent_as_nan=True)
    assert partly.isnan().tolist() == [False, True, False, True]
    assert benchmark.figure("final_test_accuracy", rows, 1, absent_as_nan=True).isnan().all()


@pytest.mark.parametrize("name", [MAIN, BESIDE])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: b"PK",
        lambda content: content[:200] + b"\0" * 40 + content[240:],
    ],
)
def test_a_damaged_file_is_one_line(compact_folder, small_table, name, damage):
    path = compact_folder / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=f"{name} is damaged or no NAS-Bench-101 data"):
        NASBench101.open(compact_folder, small_table)


@given(data=st.data())
def test_a_damaged_byte_is_noticed_or_harmless(compact_arrays, small_table, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("compact") / MAIN
    np.savez_compressed(path, **compact_arrays)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(2, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        benchmark = NASBench101.open(path, small_table)
    except UserError:
        return
    # Some bytes, such as those of a date, mean nothing here.
    expected = compact_arrays["test_correct_sum3"] / 29952
    assert same(benchmark.mean_test(benchmark.all_rows()), expected)


@pytest.mark.parametrize("name", [MAIN, BESIDE])
def test_other_arrays_are_one_line(
    compact_folder, compact_arrays, validation_arrays, small_table, name
):
    arrays = compact_arrays if name == MAIN else validation_arrays
    for key, array in arrays.items():
        for change in (
            {},
            {key: array[:-1]},
            {key: array.astype(np.int16)},
            {key: array[..., None]},
            {key: array[0]},
            {key: array.astype(object)},
        ):
            others = {other: values for other, values in arrays.items() if other != key}
            np.savez(compact_folder / name, **others, **change)
            with pytest.raises(UserError, match=f"{name} is "):
                NASBench101.open(compact_folder, small_table)


@pytest.mark.parametrize("name", [MAIN, BESIDE])
def test_a_file_about_other_cells_is_one_line(
    compact_folder, compact_arrays, validation_arrays, small_table, name
):
    arrays = dict(compact_arrays if name == MAIN else validation_arrays)
    arrays["module_hash"] = arrays["module_hash"] ^ 1
    np.savez(compact_folder / name, **arrays)
    with pytest.raises(UserError, match=f"{name} is about other cells"):
        NASBench101.open(compact_folder, small_table)


def test_other_budgets_are_one_line(compact_folder, validation_arrays, small_table):
    np.savez(compact_folder / BESIDE, **{**validation_arrays, "epochs": np.array([108, 36, 12, 4])})
    with pytest.raises(UserError, match=rf"{BESIDE} is .*its epochs are \[108, 36, 12, 4\]"):
        NASBench101.open(compact_folder, small_table)
