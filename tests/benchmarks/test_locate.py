from pathlib import Path

import pytest

from gnn_nas.benchmarks.locate import default_path, find_benchmark
from gnn_nas.errors import UserError


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path) -> Path:
    """A user who has set nothing."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_DATA_HOME", "GNN_NAS_BENCHMARK"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def stored(import_rows, rows) -> Path:
    return import_rows(rows)


def test_without_data_one_line_tells_how_to_get_it(small_table):
    message = (
        "no measurements of NAS-Bench-101 are here: download"
        r" https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord \(500 MB\) and run"
        " gnn-nas import nasbench_only108.tfrecord;.* --benchmark PATH or GNN_NAS_BENCHMARK"
    )
    with pytest.raises(UserError, match=message):
        find_benchmark(table=small_table)


def test_the_data_folder_is_the_users(home, monkeypatch, tmp_path):
    file = "gnn_nas/nasbench101.safetensors"
    assert default_path() == home / ".local" / "share" / file
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_path() == tmp_path / "data" / file


def test_a_given_path_comes_before_the_variable_and_that_before_the_folder(
    stored, compact_folder, monkeypatch, small_table
):
    default_path().parent.mkdir(parents=True)
    stored.rename(default_path())
    assert find_benchmark(table=small_table).source == default_path()
    monkeypatch.setenv("GNN_NAS_BENCHMARK", str(compact_folder))
    assert find_benchmark(table=small_table).source == compact_folder
    assert find_benchmark(default_path(), small_table).source == default_path()
    monkeypatch.setenv("GNN_NAS_BENCHMARK", "")
    assert find_benchmark(table=small_table).source == default_path()


def test_a_wrong_path_is_not_replaced_by_another(stored, monkeypatch, small_table, tmp_path):
    default_path().parent.mkdir(parents=True)
    stored.rename(default_path())
    monkeypatch.setenv("GNN_NAS_BENCHMARK", str(tmp_path / "absent"))
    with pytest.raises(UserError, match="absent: cannot read: No such file"):
        find_benchmark(table=small_table)
