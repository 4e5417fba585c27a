import pytest
import torch

from gnn_nas.spaces.edits import Edits, _choices, draw_edits
from gnn_nas.spaces.packed import PackedCells


def draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def cells(table) -> PackedCells:
    """3,000 cells with an interior, small ones among them."""
    rows = torch.randint(len(table), (2_920,), generator=draw(4))
    small = (table.cells.vertices < 5).nonzero().flatten()
    rows = torch.cat([rows, small])
    return table.cells[rows[table.cells.vertices[rows] > 2]]


@pytest.fixture(scope="module")
def num_edits(cells) -> torch.Tensor:
    return torch.randint(1, 4, (len(cells),), generator=draw(5))


@pytest.fixture(scope="module")
def edits(cells, num_edits) -> Edits:
    return draw_edits(cells, num_edits, draw(6))


def naive_edit(labels: list[int], edges: set[tuple[int, int]], shifts, toggles: int, deleted: int):
    labels = [
        1 + (op - 1 + shift) % 3 if 0 < vertex < len(labels) - 1 else op
        for vertex, (op, shift) in enumerate(zip(labels, [0, *shifts, 0], strict=False))
    ]
    for y in range(len(labels)):
        for x in range(y):
            if toggles >> (x + y * (y - 1) // 2) & 1:
                edges = edges ^ {(x, y)}
    if not deleted:
        return labels, edges
    kept = [vertex for vertex in range(len(labels)) if vertex != deleted]
    return (
        [labels[vertex] for vertex in kept],
        {(kept.index(x), kept.index(y)) for x, y in edges if deleted not in (x, y)},
    )


def test_apply_agrees_with_plain_loops(cells, edits, plain):
    scripts = zip(
        edits.shifts.tolist(), edits.toggles.tolist(), edits.deleted.tolist(), strict=True
    )
    before = plain(cells)
    expected = [naive_edit(*cell, *script) for cell, script in zip(before, scripts, strict=True)]
    found = edits.apply(cells)
    assert plain(found) == expected
    assert plain(cells) == before
    assert int((edits.deleted > 0).sum()) > 50
    assert not bool((found.ops * ~found.has_interior()).any())


def test_no_edits_change_nothing(cells, plain):
    zeros = torch.zeros_like(cells.edges)
    none = Edits(torch.zeros_like(cells.ops), zeros, zeros, zeros == 0)
    assert plain(none.apply(cells)) == plain(cells)


def test_one_cell_is_a_batch_of_one(cells, edits, plain):
    whole = plain(edits.apply(cells))
    for number in [*range(5), *edits.deleted.nonzero().flatten().tolist()[:5]]:
        own = Edits(*(part[number : number + 1] for part in vars(edits).values()))
        assert plain(own.apply(cells[number : number + 1])) == whole[number : number + 1]


def test_scripts_are_distinct_exactly_if_they_have_the_wanted_length(cells, num_edits, edits):
    toggles = (edits.toggles[:, None] & (1 << torch.arange(21)) != 0).sum(1)
    made = (edits.shifts != 0).sum(1) + toggles
    deletions = edits.deleted.nonzero().flatten()
    adjacency = cells.adjacency()[deletions]
    own_edges = adjacency.sum(1) + adjacency.sum(2)
    made[deletions] = 1 + own_edges.gather(1, edits.deleted[deletions, None]).squeeze(1)
    assert edits.distinct.equal(made == num_edits)
    assert 0 < int((~edits.distinct).sum()) < 750


@pytest.mark.parametrize("num_ops", [2, 3, 5, 9])
def test_an_op_moves_on_to_any_other_alike_whatever_else_is_chosen(num_ops):
    draws = torch.randint(1 << 60, (400_000,), generator=draw(15))
    on_op, shift, place = _choices(draws, num_ops)
    others = num_ops - 1
    assert shift.min() == 1
    assert shift.max() == others
    # Chi-square of all combinations with one of four places; five times its deviation is allowed.
    chosen = (on_op * others + shift - 1) * 4 + place % 4
    counts = torch.bincount(chosen, minlength=8 * others).double()
    expected = len(draws) / len(counts)
    freedom = len(counts) - 1
    assert len(counts) == 8 * others
    assert ((counts - expected) ** 2 / expected).sum() < freedom + 5 * (2 * freedom) ** 0.5


def test_of_three_ops_the_choices_are_the_draw_s_bits():
    draws = torch.randint(1 << 60, (1000,), generator=draw(16))
    on_op, shift, place = _choices(draws, 3)
    assert on_op.equal(draws % 2 == 1)
    assert shift.equal(1 + (draws >> 1) % 2)
    assert place.equal(draws >> 2)
