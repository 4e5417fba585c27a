import pytest
import torch

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.models.controller import Controller
from gnn_nas.search.guided import EmbeddedCells, spread
from gnn_nas.search.searcher import Searcher

SIZES = ModelConfig(
    encoder=GINConfig(hidden=4, layers=1), embedding=4, decoder_hidden=4, predictor_hidden=4
)


def test_embeddings_are_the_controllers_and_computed_once(table):
    controller = Controller(SIZES)
    cells = EmbeddedCells(controller, table)
    rows = torch.tensor([5, 3, 5, 400_000])
    torch.testing.assert_close(cells.meet(rows), controller.encode_rows(table, rows))
    assert cells.met.tolist() == [3, 5, 400_000]
    encoded = []
    encode_rows = controller.encode_rows
    controller.encode_rows = lambda t, r: encoded.extend(r.tolist()) or encode_rows(t, r)
    cells.meet(torch.tensor([3, 7, 7, 5]))
    assert encoded == [7]


@torch.no_grad()
def test_descriptors_are_what_the_predictor_says(table):
    controller = Controller(SIZES)
    rows = torch.tensor([1, 2])
    expected = controller.predictor.predict_descriptors(controller.encode_rows(table, rows))
    torch.testing.assert_close(EmbeddedCells(controller, table).descriptors(rows), expected)


def test_the_first_cells_are_those_of_most_told_synflow(table):
    controller = Controller(SIZES, statistics=["snip", "synflow", "readout"])
    first = Searcher(table, controller, seed=3, settings={"initial": 4, "warm_up": 6}).propose()
    drawn = Searcher(table, Controller(SIZES), seed=3, settings={"initial": 24}).propose()
    flow = controller.tell_function(table, drawn)[:, 1]
    assert first.tolist() == drawn[flow.argsort(descending=True)[:4]].tolist()


@pytest.mark.parametrize("method", ["nao", "embeddings", "descriptors"])
def test_cells_of_which_no_synflow_is_told_begin_at_random(table, method):
    told = ["synflow"] if method != "nao" else ["snip"]
    controller = Controller(SIZES, statistics=told)
    first = Searcher(table, controller, method, seed=3, settings={"initial": 4}).propose()
    drawn = Searcher(table, method="random", seed=3).propose(4)
    assert first.tolist() == drawn.tolist()


def test_another_goes_on_from_the_state_with_the_embeddings_themselves(table):
    first, second = (EmbeddedCells(Controller(SIZES, seed), table) for seed in range(2))
    rows, others = torch.tensor([5, 3, 400_000]), torch.tensor([7, 3])
    embeddings = first.meet(rows)
    second.meet(others)
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.meet(rows), embeddings)
    assert torch.equal(second.met, first.met)


def test_the_order_stays_and_the_upper_end_is_stretched():
    rewards = torch.tensor([0.1, 0.5, 0.9, 0.93, 0.94], dtype=torch.float64)
    gaps = spread(rewards).diff()
    assert (gaps > 0).all()
    assert gaps[-1] / 0.01 > gaps[0] / 0.4


def test_neither_unit_nor_origin_matter():
    rewards = torch.rand(20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values, others = spread(rewards), spread(3 * rewards - 7)
    torch.testing.assert_close(values.diff(), others.diff())


@pytest.mark.parametrize("reward", [0.0, 1.0, -20_000.0, 1e9, 1e30])
def test_equal_rewards_give_finite_values(reward):
    assert spread(torch.full((5,), reward, dtype=torch.float64)).isfinite().all()
