import pytest
import torch
from scipy.stats import spearmanr

from gnn_nas.evaluation import locality as module
from gnn_nas.evaluation.locality import locality
from gnn_nas.spaces.checker import networkx_distance
from gnn_nas.spaces.distance import edit_distance


@pytest.fixture
def rows(table):
    anchors = (table.cells.vertices > 2).nonzero().flatten()
    picked = torch.randperm(len(anchors), generator=torch.Generator().manual_seed(0))[:60]
    return anchors[picked]


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(2)


@pytest.fixture
def pairs(monkeypatch):
    """The pairs that were measured: cells, cells, distances."""
    seen = []

    def recording(first, second):
        seen.append((first, second, edit_distance(first, second)))
        return seen[-1][2]

    monkeypatch.setattr(module, "edit_distance", recording)
    return seen


def test_equals_scipy_on_pairs_taken_one_by_one(table, controller, rows, pairs):
    figures = locality(controller, table, rows, generator())
    ((first, second, distances),) = pairs
    assert len(first) == 180
    cosines = []
    with torch.no_grad():
        for i in range(len(first)):
            one = controller.encode(first[i : i + 1].to_batch())[0].double()
            other = controller.encode(second[i : i + 1].to_batch())[0].double()
            cosines.append(1 - (one @ other).item())
    expected = spearmanr(distances.tolist(), cosines).statistic
    assert figures["edit_distance_spearman"] == pytest.approx(expected, abs=2e-3)
    assert locality(controller, table, rows, generator()) == figures


def test_near_farther_and_far_pairs_are_measured(table, controller, rows, pairs):
    locality(controller, table, rows, generator())
    ((first, second, distances),) = pairs
    near, farther, far = distances.split(60)
    assert 1 <= near.min() <= near.max() <= 3
    assert 3 < farther.max() <= 6
    assert far.float().mean() > 7
    for i in (0, 1, 2, 60, 61, 62):
        one, other = (part[i : i + 1].to_batch()[0] for part in (first, second))
        assert networkx_distance(one, other, upper_bound=6) == distances[i]
    assert torch.equal(table.rows_of(first), rows.repeat(3))


def test_an_encoder_of_edit_distance_itself_scores_one(table, controller, rows, monkeypatch):
    """Cosine distances that rise with the distances, whatever the cells."""
    monkeypatch.setattr(module, "edit_distance", lambda first, second: torch.arange(180) // 20)
    angles = torch.arange(180) // 20 * 0.1

    def encode_rows(table, asked):
        encode_rows.calls += 1
        if encode_rows.calls % 2:
            return torch.tensor([[1.0, 0.0]]).expand(180, 2)
        return torch.stack([angles.cos(), angles.sin()], dim=1)

    encode_rows.calls = 0
    monkeypatch.setattr(controller, "encode_rows", encode_rows)
    figures = locality(controller, table, rows, generator())
    assert figures == {"edit_distance_spearman": pytest.approx(1.0)}


def test_cells_of_three_vertices_lead_nowhere_wrong(table, controller, pairs):
    """Their positives include the one cell that has none itself, which is not led on from."""
    chains = (table.cells.vertices == 3).nonzero().flatten()
    for seed in range(20):
        locality(controller, table, chains, torch.Generator().manual_seed(seed))
    near = torch.cat([second[: len(chains)].vertices for _, second, _ in pairs])
    onward = torch.cat([distance[len(chains) : 2 * len(chains)] for *_, distance in pairs])
    from_chain = onward[near == 2]
    assert len(from_chain) > 0
    assert ((from_chain >= 1) & (from_chain <= 3)).all()
