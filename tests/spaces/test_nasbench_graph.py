"""The space of NAS-Bench-Graph, and its cells as they are published."""

import importlib.util
from itertools import product

import pytest
import torch
from torch import Tensor

from gnn_nas.spaces.checker import check_positives
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.enumeration import isomorphism_hash
from gnn_nas.spaces.nasbench_graph import (
    NASBENCH_GRAPH,
    NUM_CELLS,
    from_links,
    from_text,
    to_links,
    to_text,
)
from gnn_nas.spaces.neighbours import neighbours
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.table import CellTable, load_table
from gnn_nas.spaces.tokens import from_tokens, to_tokens

SKIP = NASBENCH_GRAPH.ops.index("skip")


@pytest.fixture(scope="module")
def cells() -> CellTable:
    return load_table(NASBENCH_GRAPH)


@pytest.fixture(scope="module")
def forms() -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """All 157,464 of links and ops."""
    links = list(product(range(1), range(2), range(3), range(4)))
    ops = list(product(range(9), repeat=4))
    return [each for each in links for _ in ops], ops * len(links)


@pytest.fixture(scope="module")
def rows(cells, forms) -> Tensor:
    """Of all forms, -1 for those of skips alone."""
    pruned, valid = prune(from_links(*forms))
    return torch.where(valid, cells.rows_of(pruned), -1)


def naive_reduction(links: list[int], ops: list[int]) -> tuple | None:
    """What is left when skips move one by one, as nested tuples, and how many moved."""
    source = dict(enumerate(links, 1))
    moved = 0
    for op in range(1, 5):
        if ops[op - 1] != SKIP:
            continue
        beside = [other for other in source if source[other] == source[op] and other != op]
        fed = [other for other in source if source[other] == op]
        if fed or not beside or source[op] == 0:
            moved += 1
            gone = source.pop(op)
            source.update(dict.fromkeys(fed, gone))

    def tree(vertex: int) -> tuple:
        below = sorted(tree(op) for op in source if source[op] == vertex)
        return (ops[vertex - 1] if vertex else -1, *below)

    return (moved, tree(0)) if moved < 4 else None


def test_it_has_26206_cells_of_six_vertices(cells):
    assert len(cells) == NUM_CELLS == 26_206
    assert len(cells.module_hash.unique(dim=0)) == NUM_CELLS
    assert cells.cells.vertices.unique().tolist() == [6]
    assert cells.rows_of(cells.cells).equal(torch.arange(NUM_CELLS))
    without = (cells.cells.ops != SKIP).all(1)
    # Nine shapes of the tree with eight ops, equal parts in one order.
    by_shape = [330, 960, 2080, 2304, 2304, 2304, 4096, 4096, 4096]
    some = cells.cells[without]
    shapes = PackedCells(some.vertices, some.edges, torch.zeros_like(some.ops), NASBENCH_GRAPH)
    _, counts = isomorphism_hash(shapes, 6).unique(return_counts=True)
    assert counts.sort().values.tolist() == by_shape


def test_forms_are_one_cell_exactly_where_plain_loops_reduce_them_to_one(forms, rows):
    found = {}
    for number in range(0, len(rows), 7):
        reduced = naive_reduction(list(forms[0][number]), list(forms[1][number]))
        row = int(rows[number])
        assert (reduced is None) == (row == -1)
        if reduced:
            assert found.setdefault(reduced, row) == row
    assert len(set(found.values())) == len(found)


def test_every_form_has_a_cell_but_skips_alone(forms, rows):
    assert int((rows < 0).sum()) == 24
    assert len(rows.unique()) == 1 + NUM_CELLS
    reduced, valid = prune(from_links(*forms))
    again, still = prune(reduced)
    assert still.equal(valid)
    assert all(
        part.equal(other) for part, other in zip(reduced._parts(), again._parts(), strict=True)
    )


def test_they_have_the_keys_that_the_package_gives(forms, rows):
    if importlib.util.find_spec("nas_bench_graph") is None:
        pytest.skip("nas-bench-graph is not installed")
    from nas_bench_graph.architecture import Arch, gnn_list

    assert tuple(gnn_list) == NASBENCH_GRAPH.ops
    keys = {}
    for links, ops, row in zip(*forms, rows.tolist(), strict=True):
        key = Arch(list(links), [gnn_list[op] for op in ops]).valid_hash()
        assert (key == 88888) == (row == -1)
        assert keys.setdefault(row, key) == key
    assert len(set(keys.values())) == NUM_CELLS + 1


@pytest.mark.slow
def test_positives_are_one_edit_away_and_reduced(cells):
    generator = torch.Generator().manual_seed(0)
    anchors = torch.randint(len(cells), (2000,), generator=generator)
    positives = PositiveSampler(cells).sample(anchors, 3, generator)
    assert cells.index_of(positives.cells).equal(positives.rows)
    origins = cells.cells[anchors.repeat_interleave(3)]
    found = cells.cells[positives.rows]
    assert edit_distance(origins, found).unique().tolist() == [1]
    # A move of a source leaves the ops as they are, up to their order.
    moved = (origins.ops.sort().values == found.ops.sort().values).all(1).float().mean()
    assert 0.2 < moved < 0.6
    assert check_positives(PositiveSampler(cells), anchors[:2], 7, generator).violations == []


def test_most_random_cells_are_further_apart_than_positives(cells):
    first, second = torch.randint(len(cells), (2, 5000), generator=torch.Generator().manual_seed(0))
    distance = edit_distance(cells.cells[first], cells.cells[second])
    assert (distance > 2 * NASBENCH_GRAPH.max_edits).float().mean() > 0.97


def test_neighbours_are_other_ops_and_other_sources(cells):
    row = cells.rows_of(from_text("gcn~0 gin~1 fc~0 gat~0"))
    _, found = neighbours(cells, row)
    texts = {to_text(cells.cells[other : other + 1]) for other in found.tolist()}
    assert len(found) == len(texts)

    def is_there(text: str) -> bool:
        return bool((found == cells.rows_of(from_text(text))).any())

    assert is_there("gcn~0 sage~1 fc~0 gat~0")
    assert is_there("gcn~0 gin~1 fc~1 gat~0")
    # A source that the numbering puts behind.
    assert is_there("fc~0 gcn~1 gin~2 gat~0")
    # A skip that is moved: the rest keeps its place.
    assert is_there("skip~0 gin~1 fc~1 gat~1")
    assert not is_there("gcn~0 sage~1 sage~0 gat~0")


def test_all_cells_survive_tokens_and_graphs(cells):
    parsed, valid = from_tokens(to_tokens(cells.cells), NASBENCH_GRAPH)
    assert bool(valid.all())
    assert cells.rows_of(parsed).equal(torch.arange(len(cells)))
    assert cells.index_of(cells.cells.to_batch()).equal(torch.arange(len(cells)))


def test_text_is_read_and_written():
    text = "gcn~0 gin~1 skip~2 fc~2"
    cell = from_text(text)
    assert to_links(cell).tolist() == [[0, 1, 2, 2]]
    assert to_text(cell) == text
    # A skip amid others is moved before them.
    assert to_text(from_text("gcn~0 skip~1 gin~2 fc~2")) == "skip~0 gcn~1 gin~2 fc~2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no cell of NAS-Bench-Graph"),
        ("gcn~0 gin~1 fc~2", "no cell of NAS-Bench-Graph"),
        ("gcn~0 gin~1 fc~2 mlp~0", "unknown op 'mlp'; known are gat, gcn"),
        ("gcn~0 gin~2 fc~2 fc~0", "gin~2: the source of op 2 is none before"),
        ("gcn~0 gin fc~2 fc~0", "gin~: the source of op 2 is none before"),
        ("skip~0 skip~0 skip~2 skip~0", "nothing but skips is no cell"),
    ],
)
def test_what_is_no_cell_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        from_text(text)
