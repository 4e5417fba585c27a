from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from gnn_nas.spaces.distance import edit_distance

# Fig. 1a of the paper: share of 10,000 uniform random pairs at distance 1 to 6 and beyond.
PAPER_SHARES = (0.0002, 0.0001, 0.0024, 0.0073, 0.0291, 0.0798, 0.8811)
ROWS = st.integers(0, 423_623)
NULL = None


def naive_distance(first: Data, second: Data) -> int:
    """Minimum over all ways to pair the interiors, padded with null vertices, by plain loops."""
    (ops, edges), (other_ops, other_edges) = padded(first), padded(second)
    best = None
    for pairing in permutations(range(1, 6)):
        pairing = (0, *pairing, 6)
        cost = sum(ops[i] != other_ops[pairing[i]] for i in range(7))
        moved = {(pairing[i], pairing[j]) for i, j in edges}
        cost += len(moved ^ other_edges)
        best = cost if best is None else min(best, cost)
    return best


def padded(cell: Data) -> tuple[list, set]:
    labels = cell.x.argmax(1).tolist()
    last = len(labels) - 1
    ops = [*labels[:-1], *[NULL] * (6 - last), labels[-1]]
    edges = {tuple(6 if v == last else v for v in edge) for edge in cell.edge_index.T.tolist()}
    return ops, edges


def distances(table, first: list[int], second: list[int]) -> list[int]:
    cells = table.cells
    return edit_distance(cells[torch.tensor(first)], cells[torch.tensor(second)]).tolist()


def test_shares_of_the_paper(table):
    count = 10_000
    rows = torch.randint(len(table), (2, count), generator=torch.Generator().manual_seed(0))
    measured = edit_distance(table.cells[rows[0]], table.cells[rows[1]])
    assert measured.dtype == torch.int64
    shares = torch.bincount(measured.clamp(max=7), minlength=8)[1:] / count
    for share, paper in zip(shares.tolist(), PAPER_SHARES, strict=True):
        pooled = (share + paper) / 2
        # Both are samples of 10,000.
        assert abs(share - paper) <= 3 * (2 * pooled * (1 - pooled) / count) ** 0.5


def test_agrees_with_plain_loops(table, small_rows):
    generator = torch.Generator().manual_seed(1)
    rows = torch.randint(len(table), (2, 150), generator=generator)
    # Few uniform draws are small cells or close to each other.
    small = small_rows[torch.randint(len(small_rows), (2, 150), generator=generator)]
    rows = torch.cat([rows, small], dim=1)
    first, second = table.cells[rows[0]], table.cells[rows[1]]
    expected = [
        naive_distance(a, b)
        for a, b in zip(
            first.to_batch().to_data_list(), second.to_batch().to_data_list(), strict=True
        )
    ]
    assert edit_distance(first, second).tolist() == expected


@settings(derandomize=True)
@given(st.data())
def test_is_a_metric_on_isomorphism_classes(table, small_rows, data):
    row = st.one_of(ROWS, st.sampled_from(small_rows.tolist()))
    a, b, c = (data.draw(row) for _ in range(3))
    ab, ba, bc, ac, aa = distances(table, [a, b, b, a, a], [b, a, c, c, a])
    assert ab == ba
    assert ac <= ab + bc
    assert aa == 0
    assert (ab == 0) == (a == b)


def test_no_two_small_cells_are_at_distance_zero(table, small_rows):
    first, second = torch.combinations(small_rows).T
    assert edit_distance(table.cells[first], table.cells[second]).min() == 1


def test_isomorphic_forms_are_at_distance_zero(forms, table):
    index = torch.randint(len(forms), (20_000,), generator=torch.Generator().manual_seed(2))
    canonical = table.cells[table.row_of_form[index].long()]
    assert int((canonical.edges != forms.edges[index]).sum()) > 5_000
    assert edit_distance(forms[index], canonical).max() == 0


def test_known_pairs(table):
    # From input -> output to input -> op -> output: a vertex and two edges come, an edge goes.
    edge_only = (table.cells.vertices == 2).nonzero().item()
    chains = ((table.cells.vertices == 3) & (table.cells.edges == 0b101)).nonzero().flatten()
    assert len(chains) == 3
    assert distances(table, [edge_only] * 3, chains.tolist()) == [4, 4, 4]
    assert distances(table, chains.tolist(), chains.roll(1).tolist()) == [1, 1, 1]


def test_work_is_split_without_seams(table, monkeypatch):
    rows = torch.randint(len(table), (2, 50), generator=torch.Generator().manual_seed(3))
    first, second = table.cells[rows[0]], table.cells[rows[1]]
    whole = edit_distance(first, second)
    monkeypatch.setattr("gnn_nas.spaces.distance._CHUNK", 7)
    assert edit_distance(first, second).equal(whole)


def test_batches_of_different_length_are_refused(table):
    with pytest.raises(ValueError, match="cannot pair 1 cells with 2"):
        edit_distance(table.cells[:1], table.cells[:2])
