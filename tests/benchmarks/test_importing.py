import os
import re
import threading

import pytest
import torch

from gnn_nas.benchmarks import importing
from gnn_nas.benchmarks.importing import import_tfrecord
from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.benchmarks.records import FIGURES
from gnn_nas.errors import UserError
from tests.helpers import official_writer as writer


@pytest.mark.parametrize("kind", ["full", "only108"])
def test_every_measurement_arrives_and_trials_keep_their_order(
    import_rows, rows, full_rows, official, full_official, small_table, kind
):
    given, api = (rows, official) if kind == "only108" else (full_rows, full_official)
    benchmark = NASBench101.open(import_rows(given), small_table)
    assert benchmark.epochs == ((108,) if kind == "only108" else (4, 12, 36, 108))
    every = benchmark.all_rows()
    hashes = [small_table.hash_of(row) for row in every.tolist()]
    for epochs in benchmark.epochs:
        for trial in range(3):
            for name in FIGURES:
                expected = [api.computed_statistics[each][epochs][trial][name] for each in hashes]
                assert benchmark.figure(name, every, trial, epochs).tolist() == expected
    parameters = [api.fixed_statistics[each]["trainable_parameters"] for each in hashes]
    assert benchmark.parameters(every).tolist() == parameters
    assert torch.equal(benchmark.rows_of(hashes), every)


def test_a_file_without_some_rows_says_how_many_it_has(import_rows, rows, full_rows, tmp_path):
    for given, expected, left_out in (
        (rows, 273, 100),
        (full_rows, 1092, 1000),
        (full_rows, 1092, 5),
    ):
        row = given[left_out]
        shown = (
            f"tfrecord is not complete: found {expected - 1:,} rows, expected {expected:,};"
            f" .*, {row.module_hash}, has 2 instead of 3 of {row.epochs} epochs"
        )
        with pytest.raises(UserError, match=shown):
            import_rows(given[:left_out] + given[left_out + 1 :])
    assert os.listdir(tmp_path) == ["official.tfrecord"]


def test_a_file_cut_between_records_is_not_complete(import_rows, rows):
    with pytest.raises(UserError, match="found 200 rows, expected 273"):
        import_rows(rows[:200])
    with pytest.raises(UserError, match="found 0 rows, expected 273"):
        import_rows([])


def test_surplus_rows_are_counted(import_rows, rows):
    for extra in (1, 300):
        shown = f"found {273 + extra} rows, expected 273; .* has {3 + extra} instead of 3"
        with pytest.raises(UserError, match=shown):
            import_rows(rows + extra * [rows[0]])


def test_as_many_rows_as_expected_may_still_be_the_wrong_ones(import_rows, rows):
    with pytest.raises(UserError, match="found 273 rows, expected 273; the first cell that is wr"):
        import_rows([*rows[:-1], rows[0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"module_hash": "0" * 32}, f"no cell of NAS-Bench-101 has its module hash '{'0' * 32}'"),
        ({"module_hash": ""}, "no cell of NAS-Bench-101 has its module hash ''"),
        ({"epochs": 50}, "its budget of 50 epochs is none of NAS-Bench-101"),
        ({"module_hash": None}, "it must begin with a hash and the epochs"),
    ],
)
def test_a_foreign_row_is_named_by_its_offset(import_rows, rows, change, message):
    offset = sum(len(writer.frame(writer.payload(row))) for row in rows[:20])
    rows = [*rows[:20], rows[20]._replace(**change), *rows[21:]]
    shown = f"official.tfrecord: the record at byte {offset} is wrong: .*{re.escape(message)}"
    with pytest.raises(UserError, match=shown):
        import_rows(rows)


def test_a_failed_import_leaves_the_earlier_file_as_it_was(import_rows, rows, tmp_path):
    target = import_rows(rows)
    before = target.read_bytes()
    with pytest.raises(UserError):
        import_rows(rows[1:])
    assert target.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["imported.safetensors", "official.tfrecord"]


def test_an_import_can_be_repeated_and_gives_the_same_file(import_rows, rows, tmp_path):
    first = import_rows(rows).read_bytes()
    assert import_rows(rows).read_bytes() == first


def test_what_a_killed_import_left_is_removed_and_nothing_else(import_rows, rows, tmp_path):
    left, other = f".tmp-{'0' * 16}-imported.safetensors", f".tmp-{'0' * 16}-model.safetensors"
    for name in (left, other):
        (tmp_path / name).write_bytes(b"half")
    import_rows(rows)
    assert set(os.listdir(tmp_path)) == {"official.tfrecord", "imported.safetensors", other}


def test_a_target_that_cannot_be_written_is_one_line_before_anything_is_read(
    small_table, tmp_path, monkeypatch
):
    monkeypatch.delattr(importing, "_collect")
    source = tmp_path / "official.tfrecord"
    with pytest.raises(UserError, match=r"official.tfrecord: no such file"):
        import_tfrecord(source, tmp_path / "new" / "x", small_table)
    source.write_bytes(b"precious")
    for target, message in (
        (tmp_path, "is a folder"),
        (source, "is the file to be imported: give another --out"),
        (source / "x", "cannot write .*official.tfrecord/x"),
    ):
        with pytest.raises(UserError, match=message):
            import_tfrecord(source, target, small_table)
    assert os.listdir(tmp_path) == ["official.tfrecord"]
    assert source.read_bytes() == b"precious"


def test_a_pipe_is_imported_into_a_new_folder(rows, small_table, tmp_path):
    pipe, target = tmp_path / "pipe", tmp_path / "new" / "folder" / "x.safetensors"
    os.mkfifo(pipe)
    thread = threading.Thread(target=writer.write_tfrecord, args=[pipe, rows])
    thread.start()
    assert import_tfrecord(pipe, target, small_table) == 273
    thread.join()
    assert NASBench101.open(target, small_table).epochs == (108,)
