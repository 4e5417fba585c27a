import re
import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from gnn_nas import files
from gnn_nas.benchmarks import stored
from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.benchmarks.stored import load_figures, save_figures
from gnn_nas.errors import UserError


@pytest.fixture(scope="module")
def path(full, small_table, tmp_path_factory):
    path = tmp_path_factory.mktemp("stored") / "file.safetensors"
    save_figures(path, full._figures, small_table)
    return path


def test_what_is_opened_is_what_was_saved(path, full, small_table):
    opened, saved = load_figures(path, small_table), full._figures
    assert opened.parameters.equal(saved.parameters)
    assert opened.columns.keys() == saved.columns.keys()
    assert len(opened.columns) == 4 * 3 * 8
    for column, values in saved.columns.items():
        assert opened.columns[column].dtype == values.dtype
        assert opened.columns[column].equal(values)
    assert opened.mean_test.equal(saved.mean_test)
    assert opened.unseen_test.equal(saved.unseen_test)


def test_the_library_reads_every_array_in_place(path, full):
    arrays = load_file(path)
    assert len(arrays) == 4 * 3 * 8 + 2
    assert all(array.data_ptr() % array.itemsize == 0 for array in arrays.values())
    assert arrays["trainable_parameters"].equal(full._figures.parameters)


@pytest.fixture(scope="module")
def damaged(path, tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "file.safetensors"


@given(data=st.data())
def test_any_damaged_byte_is_noticed_or_changes_nothing(path, damaged, full, small_table, data):
    content = bytearray(path.read_bytes())
    header = 8 + int.from_bytes(content[:8], "little")
    # Half of the examples in the header, which is a small part of the file.
    position = data.draw(st.integers(0, header - 1) | st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    damaged.write_bytes(content)
    figures, message = None, ""
    try:
        figures = load_figures(damaged, small_table)
    except UserError as error:
        message = str(error)
    if figures is None:
        assert re.search(r"file.safetensors .*(import again|gnn-nas import)", message)
    else:
        # A blank in the header that has become another blank.
        whole = full._figures
        assert figures.parameters.equal(whole.parameters)
        assert figures.columns.keys() == whole.columns.keys()
        assert all(torch.equal(figures.columns[c], whole.columns[c]) for c in whole.columns)


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_at_any_point_is_noticed(path, damaged, small_table, share):
    content = path.read_bytes()
    damaged.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match="is damaged or no NAS-Bench-101 data"):
        load_figures(damaged, small_table)


def test_another_file_of_the_kind_is_refused(damaged, small_table):
    save_file({"weight": torch.zeros(3)}, damaged)
    with pytest.raises(UserError, match="was not made by this version of gnn-nas import"):
        load_figures(damaged, small_table)


def test_a_file_without_an_array_is_refused(path, damaged, small_table):
    arrays = load_file(path)
    del arrays["final_test_accuracy/108/2"]
    save_file(arrays, damaged, {stored._FORMAT: "0" * 8})
    with pytest.raises(UserError, match="its checksum does not fit"):
        load_figures(damaged, small_table)


def test_a_file_about_other_cells_is_refused(path, table):
    with pytest.raises(UserError, match="about other cells"):
        load_figures(path, table)


def test_a_missing_file_is_one_line(tmp_path, small_table):
    for missing in (tmp_path / "absent", tmp_path):
        with pytest.raises(UserError, match=str(missing)):
            load_figures(missing, small_table)


def test_a_failed_write_is_one_line_and_leaves_nothing(full, small_table, tmp_path, monkeypatch):
    def fail(path):
        raise OSError(28, "disk full")

    monkeypatch.setattr(files, "_sync", fail)
    with pytest.raises(UserError, match=r"cannot write .*x: disk full"):
        save_figures(tmp_path / "x", full._figures, small_table)
    assert list(tmp_path.iterdir()) == []


def test_an_open_file_can_be_replaced(path, small_table, full, small, tmp_path):
    mine = tmp_path / "file.safetensors"
    shutil.copy(path, mine)
    before = NASBench101.open(mine, small_table)
    save_figures(mine, small._figures, small_table)
    assert before.epochs == full.epochs
    every = full.all_rows()
    assert before.validation(every, 2, 12).equal(full.validation(every, 2, 12))
    assert NASBench101.open(mine, small_table).epochs == (108,)
