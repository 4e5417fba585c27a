"""Files of the cache folder, damaged or made up: made anew, and that is said in one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gnn_nas import tensor_file
from gnn_nas.spaces import table as table_module
from gnn_nas.spaces.descriptors import load_standard_descriptors, standard_descriptors
from gnn_nas.spaces.table import CellTable, cache_folder, load_table


@pytest.fixture(scope="module")
def small_table(table) -> CellTable:
    rows = (table.cells.vertices <= 4).nonzero().flatten()
    return CellTable(
        table.cells[rows], table.module_hash[rows], table.row_of_form, table.first_form
    )


@pytest.fixture(scope="module")
def right(small_table) -> Tensor:
    return standard_descriptors(small_table)


@pytest.fixture
def path(small_table, tmp_path) -> Path:
    load_standard_descriptors(small_table, tmp_path)
    (file,) = tmp_path.iterdir()
    return file


@pytest.fixture
def check(small_table, right, path, capsys) -> Callable[[], bool]:
    """Opens the descriptors, which is always right, and says whether it was made anew."""

    def call() -> bool:
        capsys.readouterr()
        assert torch.equal(load_standard_descriptors(small_table, path.parent), right)
        out, err = capsys.readouterr()
        assert (out, err) in (("", ""), ("", f"{path} is damaged: it is made anew\n"))
        assert torch.equal(load_standard_descriptors(small_table, path.parent), right)
        assert capsys.readouterr() == ("", "")
        assert [each.name for each in path.parent.iterdir()] == [path.name]
        return bool(err)

    return call


def test_a_whole_one_is_opened(check):
    assert not check()


@pytest.mark.parametrize("seed", range(80))
def test_a_damaged_descriptors(check, path, damaged, seed):
    path.write_bytes(damaged(path.read_bytes(), seed))
    check()


CHANGES = {
    "zeros": lambda tensors: {"descriptors": tensors["descriptors"] * 0},
    "nan": lambda tensors: {"descriptors": tensors["descriptors"] * float("nan")},
    "reversed": lambda tensors: {"descriptors": tensors["descriptors"].flip(0)},
    "shuffled columns": lambda tensors: {"descriptors": tensors["descriptors"].flip(1)},
    "one number": lambda tensors: {
        "descriptors": tensors["descriptors"].index_fill(0, torch.tensor([3]), 1.5)
    },
    "another name": lambda tensors: {"other": tensors["descriptors"]},
    "two": lambda tensors: {**tensors, "other": torch.zeros(2)},
    "none": lambda tensors: {},
    "float32": lambda tensors: {"descriptors": tensors["descriptors"].float()},
    "bfloat16": lambda tensors: {"descriptors": tensors["descriptors"].bfloat16()},
    "int8": lambda tensors: {"descriptors": tensors["descriptors"].to(torch.int8)},
    "bool": lambda tensors: {"descriptors": tensors["descriptors"].bool()},
    "float8": lambda tensors: {"descriptors": tensors["descriptors"].to(torch.float8_e4m3fn)},
    "complex": lambda tensors: {"descriptors": tensors["descriptors"].to(torch.complex64)},
    "fewer rows": lambda tensors: {"descriptors": tensors["descriptors"][:-1]},
    "fewer columns": lambda tensors: {"descriptors": tensors["descriptors"][:, :-1].contiguous()},
    "flat": lambda tensors: {"descriptors": tensors["descriptors"].flatten()},
    "scalar": lambda tensors: {"descriptors": tensors["descriptors"].sum()},
}
# Others than these would be as good as true, were their checksums to fit.
OF_ANOTHER_FORM = list(CHANGES)[5:]


@pytest.mark.parametrize("change", CHANGES)
def test_another_descriptors(check, path, change):
    with_checksum = tensor_file.metadata(tensors := load_file(path))
    save_file(CHANGES[change](tensors), path, with_checksum)
    assert check()


@pytest.mark.parametrize("change", OF_ANOTHER_FORM)
def test_another_form_whose_checksum_fits(check, path, change):
    path.write_bytes(tensor_file.to_bytes(CHANGES[change](load_file(path))))
    assert check()


def test_one_without_a_checksum_is_made_anew(check, path):
    save_file(load_file(path), path)
    assert check()


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "empty", "text", "loop"])
def test_something_else_in_its_place(check, path, kind):
    path.unlink()
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "/dev/zero":
            path.symlink_to(kind)
        case "loop":
            path.symlink_to(path.name)
        case _:
            path.write_text("" if kind == "empty" else kind)
    assert check() or kind == "loop"


def test_a_folder_in_its_place_is_refused(small_table, path, refusal):
    path.unlink()
    path.mkdir()
    message = refusal(load_standard_descriptors, small_table, path.parent)
    assert "cannot write the cache folder" in message


@pytest.fixture(scope="module")
def arrays(table) -> dict[str, Tensor]:
    return load_file(cache_folder() / "nasbench101-cells-1.safetensors")


@pytest.mark.parametrize("name", ["edges", "module_hash", "row_of_form"])
@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.flip(0),
        lambda a: a * 0,
        lambda a: a[:-1],
        lambda a: a[None],
        lambda a: a.long(),
        lambda a: a.bool(),
        lambda a: a.bfloat16(),
        lambda a: a.to(torch.float8_e5m2),
    ],
)
def test_another_cell_table(arrays, table, tmp_path, monkeypatch, capsys, name, change):
    path = tmp_path / "nasbench101-cells-1.safetensors"
    path.write_bytes(tensor_file.to_bytes({**arrays, name: change(arrays[name]).contiguous()}))
    monkeypatch.setattr(table_module, "_build", lambda *_: arrays)
    assert load_table(cache=tmp_path).cells.edges.equal(table.cells.edges)
    assert capsys.readouterr().err == f"{path} is damaged: it is made anew\n"
    assert load_file(path).keys() == arrays.keys()
