import pytest
import torch

from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.packed import pack
from gnn_nas.spaces.positives import PositiveSampler, _choices, _propose


def draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def anchors(table, small_rows):
    """1,000 cells, 90 of them small ones; all but input -> output."""
    drawn = torch.randint(len(table), (910,), generator=draw(0))
    return torch.cat([drawn, small_rows[table.cells.vertices[small_rows] > 2]])


@pytest.fixture(scope="module")
def positives(table, anchors):
    return PositiveSampler(table).sample(anchors, 7, draw(1))


def test_positives_are_valid_without_pruning_and_not_the_anchor(table, anchors, positives):
    # index_of refuses what is invalid or would have to be pruned.
    assert table.index_of(positives.cells).equal(positives.rows)
    assert not bool((positives.rows == anchors.repeat_interleave(7)).any())


def test_distance_from_the_anchor(table, anchors, positives):
    cells = table.cells
    distance = edit_distance(cells[anchors.repeat_interleave(7)], cells[positives.rows])
    assert bool((distance >= 1).all())
    assert bool((distance <= positives.num_edits).all())
    assert positives.num_edits.unique().tolist() == [1, 2, 3]
    # Edits seldom cancel out or have a shorter way.
    assert float((distance == positives.num_edits).float().mean()) > 0.95


def test_distance_between_positives(table, positives):
    first, second = torch.combinations(torch.arange(7)).T
    rows = positives.rows.view(-1, 7)
    distance = edit_distance(
        table.cells[rows[:, first].flatten()], table.cells[rows[:, second].flatten()]
    )
    assert distance.max() == 6


def test_shares_of_the_number_of_edits(table):
    """Chi-square with two degrees of freedom; a share of .34 instead of .333 would give 20."""
    anchors = torch.randint(len(table), (20_000,), generator=draw(2))
    anchors = anchors[table.cells.vertices[anchors] == 7]
    counts = torch.bincount(PositiveSampler(table).sample(anchors, 6, draw(3)).num_edits)[1:]
    expected = counts.sum() / 3
    assert counts.sum() > 90_000
    assert float(((counts - expected) ** 2 / expected).sum()) < 9.2  # 1 % level


def test_all_kinds_of_edits_occur(table, anchors, positives):
    before = table.cells.vertices[anchors.repeat_interleave(7)]
    after = table.cells.vertices[positives.rows]
    deleted = before - after
    assert deleted.unique().tolist() == [0, 1]
    assert bool((positives.num_edits[deleted == 1] == 3).all())
    cells = pack(positives.cells)
    same_size = deleted == 0
    old = table.cells[anchors.repeat_interleave(7)[same_size]]
    ops = (cells.ops[same_size] != old.ops).sum(1)
    edges = (cells.edges[same_size] ^ old.edges)[:, None].bitwise_and(1 << torch.arange(21)) != 0
    assert (ops + edges.sum(1)).equal(positives.num_edits[same_size])
    assert ops.unique().tolist() == edges.sum(1).unique().tolist() == [0, 1, 2, 3]


def test_preview_is_what_apply_does(table):
    rows = torch.randint(len(table), (3_000,), generator=draw(4))
    cells = table.cells[rows[table.cells.vertices[rows] > 2]]
    num_edits = torch.randint(1, 4, (len(cells),), generator=draw(5))
    edits = _propose(cells, num_edits, draw(6))
    assert int((edits.deleted > 0).sum()) > 50
    previewed, applied = edits.preview(cells), pack(edits.apply(cells.to_batch()))
    assert previewed.vertices.equal(applied.vertices)
    assert previewed.edges.equal(applied.edges)
    assert previewed.ops.equal(applied.ops)


def test_proposals_are_distinct_exactly_if_they_have_the_wanted_length(table):
    cells = table.cells[torch.arange(1, 2_000)]
    num_edits = torch.arange(len(cells)) % 3 + 1
    edits = _propose(cells, num_edits, draw(7))
    toggles = (edits.toggles[:, None] & (1 << torch.arange(21)) != 0).sum(1)
    made = (edits.shifts != 0).sum(1) + toggles
    deletions = edits.deleted.nonzero().flatten()
    adjacency = cells.adjacency()[deletions]
    own_edges = adjacency.sum(1) + adjacency.sum(2)
    made[deletions] = 1 + own_edges.gather(1, edits.deleted[deletions, None]).squeeze(1)
    assert edits.distinct.equal(made == num_edits)
    assert 0 < int((~edits.distinct).sum()) < 500


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


def test_forbidden_rows_are_never_drawn(table, anchors):
    forbidden = torch.rand(len(table), generator=draw(8)) < 0.7
    free = PositiveSampler(table).sample(anchors, 7, draw(9))
    kept = PositiveSampler(table, forbidden).sample(anchors, 7, draw(9))
    assert int(forbidden[free.rows].sum()) > 3_000
    assert not bool(forbidden[kept.rows].any())
    assert table.index_of(kept.cells).equal(kept.rows)


def test_small_cells_come_to_an_end(table, small_rows):
    rows = small_rows[table.cells.vertices[small_rows] == 3]
    assert len(rows) == 6
    positives = PositiveSampler(table).sample(rows, 50, draw(10))
    distance = edit_distance(table.cells[rows.repeat_interleave(50)], table.cells[positives.rows])
    assert bool(((distance >= 1) & (distance <= positives.num_edits)).all())


def test_same_seed_same_positives(table, anchors, positives):
    again = PositiveSampler(table).sample(anchors, 7, draw(1))
    assert again.rows.equal(positives.rows)
    assert again.num_edits.equal(positives.num_edits)
    assert again.cells.x.equal(positives.cells.x)
    assert again.cells.edge_index.equal(positives.cells.edge_index)
    other = PositiveSampler(table).sample(anchors, 7, draw(11))
    assert not other.rows.equal(positives.rows)


def test_a_cell_without_interior_is_refused(table):
    smallest = (table.cells.vertices == 2).nonzero().flatten()
    rows = torch.cat([torch.tensor([5]), smallest])
    with pytest.raises(ValueError, match="no positives"):
        PositiveSampler(table).sample(rows, 7, draw(12))


def test_an_anchor_amid_forbidden_cells_is_reported(table):
    sampler = PositiveSampler(table, torch.ones(len(table), dtype=torch.bool))
    with pytest.raises(ValueError, match=r"no positive found for rows \[5\]"):
        sampler.sample(torch.tensor([5]), 7, draw(13))


@pytest.mark.parametrize(("anchors", "count"), [([], 7), ([5, 6], 0)])
def test_nothing_asked_for_gives_nothing(table, anchors, count):
    anchors = torch.tensor(anchors, dtype=torch.long)
    positives = PositiveSampler(table).sample(anchors, count, draw(14))
    assert len(positives.rows) == positives.cells.num_graphs == len(positives.num_edits) == 0
