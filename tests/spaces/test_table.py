import itertools

import pytest
import torch
from safetensors.torch import load_file, save_file

from gnn_nas.errors import UserError
from gnn_nas.spaces import cache as cache_module
from gnn_nas.spaces import module_hash as module_hash_module
from gnn_nas.spaces import table as table_module
from gnn_nas.spaces.enumeration import isomorphism_hash
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.table import load_table

FILE = "nasbench101-cells-1.safetensors"


@pytest.mark.slow
def test_every_form_is_found_in_the_row_of_its_class(table, forms):
    rows = table.rows_of(forms)
    assert rows.dtype == torch.int64
    # All rows have different hashes (test_enumeration), so an equal hash is the right row.
    hash_of_row = isomorphism_hash(table.cells, 2)
    for part in torch.arange(len(forms)).split(1 << 16):
        assert isomorphism_hash(forms[part], 2).equal(hash_of_row[rows[part]])


def test_canonical_representative_is_the_first_form_seen(table, forms):
    rows = table.rows_of(forms)
    first = torch.full((len(table),), len(forms)).scatter_reduce(
        0, rows, torch.arange(len(forms)), "amin"
    )
    assert table.cells.vertices.equal(forms.vertices[first])
    assert table.cells.edges.equal(forms.edges[first])
    assert table.cells.ops.equal(forms.ops[first])


def test_rows_are_sorted_by_module_hash(table):
    assert len(table) == 423_624
    hashes = [bytes(row) for row in table.module_hash.numpy()]
    assert all(a < b for a, b in itertools.pairwise(hashes))


def test_cells_that_are_invalid_or_need_pruning_have_no_row(table, any_cells, plain):
    rows = table.rows_of(any_cells)
    pruned, valid = prune(any_cells)
    unchanged = torch.tensor(
        [before == after for before, after in zip(plain(any_cells), plain(pruned), strict=True)]
    )
    assert (rows >= 0).equal(valid & unchanged)
    assert 500 < int((rows >= 0).sum()) < 5_000
    # Pruned, every valid one has a row.
    assert bool((table.rows_of(pruned)[valid] >= 0).all())


def test_index_of_reads_data_and_batches(table, forms):
    index = torch.tensor([3, 700_000, 1_293_207])
    batch = forms[index].to_batch()
    expected = table.row_of_form[index].tolist()
    assert table.index_of(batch).tolist() == expected
    assert [table.index_of(cell).tolist() for cell in batch.to_data_list()] == [
        [row] for row in expected
    ]


def test_index_of_names_the_cells_it_refuses(table, any_cells):
    invalid = any_cells[table.rows_of(any_cells) < 0][:1]
    cells = table.cells[torch.tensor([5, 6, 7])]
    cells.edges[1] = invalid.edges[0]
    cells.vertices[1] = invalid.vertices[0]
    with pytest.raises(ValueError, match=r"batch positions \[1\]"):
        table.index_of(cells.to_batch())


def test_hashes_and_rows(table):
    for row in (0, 1, 211_812, 423_623):
        assert table.row_of_hash(table.hash_of(row)) == row
    for unknown in ("0" * 32, "f" * 32, table.hash_of(9)[:-1] + "x", ""):
        with pytest.raises(KeyError, match="no cell of nasbench101"):
            table.row_of_hash(unknown)


def test_to_moves_everything(table):
    moved = table.to("meta")
    assert {moved.cells.vertices.device.type, moved.cells.edges.device.type} == {"meta"}
    assert {moved.cells.ops.device.type, moved.module_hash.device.type} == {"meta"}
    assert {moved.row_of_form.device.type, moved.first_form.device.type} == {"meta"}


@pytest.fixture
def arrays(table):
    """What the cache file of the table holds."""
    return load_file(table_module.cache_folder() / FILE)


@pytest.fixture
def cache(arrays, tmp_path, monkeypatch):
    folder = tmp_path / "new" / "cache"
    monkeypatch.setenv("GNN_NAS_CACHE", str(folder))
    return folder


@pytest.fixture
def builds(arrays, monkeypatch):
    """Counts builds, which give the known arrays at once."""
    calls = []
    monkeypatch.setattr(table_module, "_build", lambda *_: calls.append(1) or arrays)
    return calls


def assert_same_table(first, second):
    assert first.cells.vertices.equal(second.cells.vertices)
    assert first.cells.edges.equal(second.cells.edges)
    assert first.cells.ops.equal(second.cells.ops)
    for name in ("module_hash", "row_of_form", "first_form"):
        assert getattr(first, name).equal(getattr(second, name))


@pytest.mark.slow
def test_the_build_gives_the_known_table(arrays, table, monkeypatch):
    # The MD5s take most of the time and are tested on their own.
    monkeypatch.setattr(
        module_hash_module,
        "module_hash",
        lambda cells: table.module_hash[table.rows_of(cells)].numpy(),
    )
    built = table_module._build(NASBENCH101)
    assert built.keys() == arrays.keys()
    for name, array in arrays.items():
        assert built[name].dtype == array.dtype
        assert built[name].equal(array)


def test_the_table_is_built_once(builds, cache, table):
    assert_same_table(load_table(), table)
    assert [path.name for path in cache.iterdir()] == [FILE]
    assert_same_table(load_table(), table)
    assert len(builds) == 1


def test_an_explicit_folder_comes_before_the_environment(builds, cache, tmp_path):
    load_table(cache=tmp_path / "explicit")
    assert (tmp_path / "explicit" / FILE).exists()
    assert not cache.exists()


def test_without_the_variable_the_users_cache_folder_is_taken(monkeypatch, tmp_path):
    monkeypatch.delenv("GNN_NAS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert table_module.cache_folder() == tmp_path / "gnn_nas"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert table_module.cache_folder() == tmp_path / ".cache" / "gnn_nas"


def flip_a_byte(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:1000],
        lambda content: content[:-1],
        lambda content: b"\0" * len(content),
        flip_a_byte,
    ],
    ids=["empty", "cut early", "cut late", "zeros", "one bit"],
)
def test_a_damaged_file_is_built_anew(builds, cache, table, damage):
    load_table()
    whole = (cache / FILE).read_bytes()
    (cache / FILE).write_bytes(damage(whole))
    assert_same_table(load_table(), table)
    assert len(builds) == 2
    assert (cache / FILE).read_bytes() == whole


def test_a_file_of_other_arrays_is_built_anew(builds, cache, arrays):
    cache.mkdir(parents=True)
    save_file({name: array for name, array in arrays.items() if name != "ops"}, cache / FILE)
    load_table()
    assert load_file(cache / FILE).keys() == arrays.keys()
    assert len(builds) == 1


def test_a_failed_write_leaves_nothing_behind(builds, cache, monkeypatch):
    def fail(arrays, path, metadata):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(cache_module, "save_file", fail)
    with pytest.raises(UserError, match=r"disk full.*GNN_NAS_CACHE"):
        load_table()
    assert list(cache.iterdir()) == []


def test_a_wrong_build_is_not_kept(cache, arrays, monkeypatch):
    wrong = {**arrays, "edges": arrays["edges"].flip(0)}
    monkeypatch.setattr(table_module, "_build", lambda *_: wrong)
    with pytest.raises(RuntimeError, match="wrong table"):
        load_table()
    assert list(cache.iterdir()) == []
