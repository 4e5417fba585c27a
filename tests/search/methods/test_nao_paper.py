import pytest
import torch

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.models.controller import Controller
from gnn_nas.search.methods.nao_paper import NaoPaper, train_jointly
from gnn_nas.search.observations import Observations
from gnn_nas.search.searcher import Searcher

SIZES = ModelConfig(
    encoder=GINConfig(hidden=16, layers=2), embedding=8, decoder_hidden=16, predictor_hidden=16
)
SETTINGS = {"initial": 20, "seeds": 10, "candidates": 10, "epochs": 2, "steps": 5, "floor": -3.0}


@pytest.mark.slow
def test_joint_training_lowers_both_losses_and_leaves_the_global_generator_alone(table):
    controller = Controller(SIZES)
    rows, targets = torch.arange(0, 640, 10), torch.linspace(0, 1, 64)
    cells, before = table.cells[rows].to_batch(), torch.get_rng_state()

    def error() -> float:
        return (controller.predict(controller.encode(cells)) - targets).square().mean().item()

    first = error()
    settings = NaoPaper.Settings(epochs=60, batch_size=16)
    train_jointly(controller, table, rows, targets, settings, torch.Generator().manual_seed(0))
    assert error() < 0.5 * first
    assert torch.equal(torch.get_rng_state(), before)


def test_a_search_trains_its_controller_and_ends_by_itself(table, make_objective):
    controller = Controller(SIZES)
    weights = controller.encoder.project.weight.clone()
    rewards = make_objective().rewards
    searcher = Searcher(table, controller, "nao-paper", settings={**SETTINGS, "rounds": 2})
    while len(rows := searcher.propose()):
        searcher.tell(rows, rewards[rows])
    assert 20 <= len(searcher.seen.rows) <= 40
    assert not torch.equal(controller.encoder.project.weight, weights)


def test_it_climbs_to_cells_that_are_new_and_distinct(table):
    controller = Controller(SIZES)
    seen = Observations(table)
    seen.hand_out(torch.arange(300_000))
    # A decoder that spells a cell of its own for every embedding.
    codes = torch.randperm(len(table), generator=torch.Generator().manual_seed(0))

    def decode(embeddings):
        number = (embeddings[:, 0] * 1e4).long().abs() % len(table)
        cells = table.cells[codes[number]]
        return cells, torch.ones(len(number), dtype=torch.bool)

    controller.decode = decode
    settings = NaoPaper.Settings(**SETTINGS)
    method = NaoPaper(table, controller, torch.Generator(), settings)
    found = method._climb(torch.arange(1000, 1020), seen)
    assert len(found) == len(found.unique()) > 0
    assert not seen.taken[found].any()
