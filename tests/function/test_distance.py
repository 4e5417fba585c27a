import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.function.distance import FunctionSampler, description_points
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.table import CellTable, load_table

BLOCKS = (4, 2, 3)


@pytest.fixture(scope="module")
def table() -> CellTable:
    return load_table(NASBENCH201)


@pytest.fixture(scope="module")
def described(table) -> torch.Tensor:
    return torch.randn(len(table), 9, generator=torch.Generator().manual_seed(0)).half()


def sampler(table, described, share: float, forbidden=None) -> FunctionSampler:
    edits = PositiveSampler(table, forbidden)
    return FunctionSampler(edits, lambda _, rows: described[rows], BLOCKS, share)


def naive_distance(one: torch.Tensor, other: torch.Tensor) -> float:
    squares = [(a - b) ** 2 for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    first, second, function = squares[:4], squares[4:6], squares[6:]
    return (sum(function) / 3 + sum(first) / 4 / 4 + sum(second) / 2 / 4) ** 0.5


def test_points_are_as_far_apart_as_descriptions(described):
    points = description_points(described[:20], BLOCKS)
    for i in range(20):
        for j in range(20):
            expected = naive_distance(described[i].float(), described[j].float())
            assert (points[i] - points[j]).norm().item() == pytest.approx(expected, abs=1e-4)


def test_positives_are_the_nearest_of_the_pool(table, described, monkeypatch):
    generator = torch.Generator().manual_seed(1)
    pool = torch.randperm(len(table), generator=generator)[:300]
    monkeypatch.setattr(CellTable, "draw", lambda *_: pool)
    forbidden = torch.zeros(len(table), dtype=torch.bool)
    forbidden[pool[:50]] = True
    anchors = torch.cat([pool[100:104], torch.tensor([5])])
    positives = sampler(table, described, 1.0, forbidden).sample(anchors, 3, generator)
    allowed = pool[50:].tolist()
    for anchor, rows in zip(anchors.tolist(), positives.rows.view(-1, 3).tolist(), strict=True):
        others = sorted(
            (naive_distance(described[anchor].float(), described[row].float()), row)
            for row in allowed
            if row != anchor
        )
        assert rows == [row for _, row in others[:3]]


def test_cells_are_those_of_the_rows(table, described):
    generator = torch.Generator().manual_seed(2)
    positives = sampler(table, described, 1.0).sample(torch.arange(8), 2, generator)
    assert torch.equal(table.index_of(positives.cells), positives.rows)


def test_half_of_them_can_be_by_edits(table, described):
    generator = torch.Generator().manual_seed(3)
    anchors = torch.arange(200, 232)
    rows = sampler(table, described, 0.5).sample(anchors, 7, generator).rows.view(32, 7)
    ops = table.cells.ops
    edits = (ops[rows] != ops[anchors][:, None]).sum(2)
    # The space allows one edit, and hardly anything is so near by what was drawn above.
    assert (edits[:, 4:] == 1).all()
    assert (edits[:, :4] == 1).float().mean() < 0.1


def test_what_is_drawn_follows_from_the_generator(table, described):
    drawn = [
        sampler(table, described, 0.5).sample(
            torch.arange(16), 4, torch.Generator().manual_seed(seed)
        )
        for seed in (4, 4, 5)
    ]
    assert torch.equal(drawn[0].rows, drawn[1].rows)
    assert not torch.equal(drawn[0].rows, drawn[2].rows)


def test_a_space_of_too_few_cells_is_refused(table, described, monkeypatch):
    monkeypatch.setattr(CellTable, "draw", lambda *_: torch.arange(7))
    with pytest.raises(UserError, match=r"has only 7 cells .* set data.positives to fewer"):
        sampler(table, described, 1.0).sample(torch.arange(3), 7, torch.Generator())
