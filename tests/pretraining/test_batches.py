import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn_nas.pretraining.batches import BatchSampler, TrainingBatch, held_out_cells
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.table import CellTable


def sampler(
    table: CellTable, anchors: int = 8, positives: int = 7, share: float = 0.01, seed: int = 0
) -> BatchSampler:
    generator = torch.Generator().manual_seed(seed)
    return BatchSampler(table, held_out_cells(table, share), anchors, positives, generator)


def same(one: TrainingBatch, other: TrainingBatch) -> bool:
    return (
        torch.equal(one.rows, other.rows)
        and torch.equal(one.cells.x, other.cells.x)
        and torch.equal(one.cells.edge_index, other.cells.edge_index)
    )


@settings(max_examples=25)
@given(anchors=st.integers(1, 40), positives=st.integers(1, 9), seed=st.integers(0, 2**32 - 1))
def test_a_batch_is_anchors_and_their_positives(table, anchors, positives, seed):
    batch = sampler(table, anchors, positives, seed=seed).draw()
    size = anchors * (1 + positives)
    assert batch.cells.num_graphs == len(batch.rows) == len(batch.labels) == size
    assert torch.equal(table.index_of(batch.cells), batch.rows)
    assert batch.labels[:anchors].tolist() == list(range(anchors))
    assert torch.bincount(batch.labels).tolist() == [1 + positives] * anchors

    anchor_of_sample = batch.rows[:anchors][batch.labels]
    distances = edit_distance(table.cells[batch.rows], table.cells[anchor_of_sample])
    assert (distances[:anchors] == 0).all()
    assert distances[anchors:].min() >= 1
    assert distances[anchors:].max() <= 3


def test_all_three_distances_are_drawn(table):
    batch = sampler(table, anchors=500).draw()
    anchor_of_sample = batch.rows[:500][batch.labels]
    distances = edit_distance(table.cells[batch.rows], table.cells[anchor_of_sample])[500:]
    shares = torch.bincount(distances, minlength=4)[1:] / len(distances)
    assert shares.sum() == pytest.approx(1)
    # Some scripts of two and three edits have a shorter way, never a longer one.
    assert 0.3 < shares[0] < 0.45
    assert shares[1:].min() > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.01, 0.5])
def test_held_out_cells_are_in_no_batch(table, share):
    held_out = held_out_cells(table, share)
    batches = sampler(table, anchors=512, share=share)
    for _ in range(5):
        assert not held_out[batches.draw().rows].any()
    open_batches = sampler(table, anchors=512, share=0.0)
    assert held_out[open_batches.draw().rows].any()


def test_a_pass_takes_every_candidate_once_but_for_the_rest(table):
    batches = sampler(table, anchors=16)
    candidates = batches.candidates = batches.candidates[:100]
    orders = []
    for _ in range(4):
        seen = torch.cat([batches.draw().rows[:16] for _ in range(6)])
        assert len(seen.unique()) == 96
        assert torch.isin(seen, candidates).all()
        orders.append(seen)
    assert not torch.equal(orders[0], orders[1])
    # Another four are left out each time.
    assert len(torch.cat(orders).unique()) == 100


def test_every_training_cell_with_an_interior_is_a_candidate(table):
    edge_only = (table.cells.vertices == 2).nonzero().item()
    everything = sampler(table, share=0.0).candidates
    assert len(everything.unique()) == 423_623
    assert not (everything == edge_only).any()
    held_out = held_out_cells(table, 0.01)
    candidates = sampler(table).candidates
    assert torch.equal(candidates, everything[~held_out[everything]])


def test_duplicates_are_counted_as_by_hand(table):
    # Anchors of three and four vertices have few neighbours, so that duplicates abound.
    small = (table.cells.vertices <= 4) & (table.cells.vertices > 2)
    batches = sampler(table, anchors=16, positives=7)
    batches.order = small.nonzero().flatten()
    counted, by_hand = 0, 0
    for _ in range(5):
        batch = batches.draw()
        counted += batch.duplicates.item()
        for rows in batch.rows[16:].view(16, 7).tolist():
            by_hand += len(rows) - len(set(rows))
    assert counted == by_hand > 50


def test_the_seed_decides(table):
    first, again, other = sampler(table), sampler(table), sampler(table, seed=1)
    for _ in range(3):
        batch = first.draw()
        assert same(batch, again.draw())
        assert not same(batch, other.draw())


@pytest.mark.parametrize("drawn", [0, 1, 15, 16, 17, 19])
def test_a_restored_sampler_draws_the_same_batches(table, drawn):
    original, restored = sampler(table), sampler(table, seed=9)
    # A pass of 21 batches, so that it ends among those that are compared.
    original.candidates = restored.candidates = original.candidates[:170]
    for _ in range(drawn):
        original.draw()
    # The noise on the embeddings is drawn from the same generator.
    torch.rand(3, generator=original.generator)
    restored.load_state_dict(original.state_dict())
    for _ in range(8):
        assert same(original.draw(), restored.draw())
        noise = [torch.rand(1, generator=each.generator) for each in (original, restored)]
        assert torch.equal(*noise)


def test_a_state_does_not_change_when_drawing_goes_on(table):
    batches = sampler(table)
    batches.draw()
    state = batches.state_dict()
    expected = batches.draw()
    batches.draw()
    batches.load_state_dict(state)
    assert same(batches.draw(), expected)


def test_one_cell_in_a_hundred_is_held_out(table):
    marked = held_out_cells(table, 0.01)
    assert marked.dtype == torch.bool
    assert marked.shape == (423_624,)
    # Within three standard deviations of a fair draw.
    assert abs(int(marked.sum()) - 4236) < 195


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
def test_the_hash_as_a_number_decides_what_is_held_out(table, share):
    marked = held_out_cells(table, share)
    for row in torch.randint(len(table), (500,)).tolist():
        assert marked[row].item() == (int(table.hash_of(row)[:8], 16) < share * 2**32)


def test_a_larger_share_holds_out_the_same_cells_and_more(table):
    smaller, larger = held_out_cells(table, 0.01), held_out_cells(table, 0.02)
    assert larger[smaller].all()
    assert larger.sum() > smaller.sum()


def test_it_is_the_same_whatever_the_random_state(table):
    torch.manual_seed(1)
    first = held_out_cells(table, 0.01)
    torch.manual_seed(2)
    assert torch.equal(first, held_out_cells(table, 0.01))
    assert not held_out_cells(table, 0.0).any()


def test_every_size_of_cell_is_held_out_in_proportion(table):
    marked = held_out_cells(table, 0.01)
    for vertices in (5, 6, 7):
        own = table.cells.vertices == vertices
        expected = 0.01 * int(own.sum())
        assert abs(int(marked[own].sum()) - expected) < 4 * expected**0.5
