import copy

import pytest
import torch
from scipy.stats import kendalltau

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.evaluation.labels import gaussian_ranks
from gnn_nas.experiments import ensemble as ensemble_module
from gnn_nas.experiments.ensemble import (
    PRETRAINED_LR,
    SCRATCH_LR,
    PredictorEnsemble,
    Ranker,
    ranking_loss,
)
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import SHIPPED, load_pretrained
from gnn_nas.spaces.descriptors import standard_descriptors
from gnn_nas.spaces.table import CellTable

SIZES = ModelConfig(
    encoder=GINConfig(hidden=8, layers=2), embedding=8, decoder_hidden=8, predictor_hidden=16
)


@pytest.fixture(scope="module")
def few(table) -> CellTable:
    """A table of 300 cells of the space; only its cells are ever looked at."""
    rows = torch.arange(0, len(table), len(table) // 300)[:300]
    return CellTable(
        table.cells[rows], table.module_hash[rows], table.row_of_form, table.first_form
    )


@pytest.fixture(scope="module")
def descriptors(few) -> torch.Tensor:
    return standard_descriptors(few)


@pytest.fixture(scope="module")
def rewards(few) -> torch.Tensor:
    cells = few.cells
    convs = ((cells.ops == 0) & cells.has_interior()).sum(1)
    return 0.8 + 0.02 * convs.double() + 0.004 * cells.edge_bits().sum(1)


@pytest.fixture
def controller() -> Controller:
    return Controller(SIZES).eval()


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_the_loss_is_the_mean_over_ordered_pairs():
    scores = torch.randn(6, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([3.0, 1.0, 2.0, 2.0, 5.0, 1.0])
    losses = [
        torch.nn.functional.softplus(scores[j] - scores[i])
        for i in range(6)
        for j in range(6)
        if targets[i] > targets[j]
    ]
    torch.testing.assert_close(ranking_loss(scores, targets), torch.stack(losses).mean())


def test_without_ordered_pairs_the_loss_is_zero_and_has_a_gradient():
    for count in (1, 3):
        scores = torch.randn(count).requires_grad_()
        loss = ranking_loss(scores, torch.ones(count))
        loss.backward()
        assert loss == 0
        assert not scores.grad.any()


def test_a_copy_learns_the_order_and_leaves_the_original(few, rewards, controller, generator):
    before = copy.deepcopy(controller.state_dict())
    rows = torch.arange(0, 300, 2)
    ranker = Ranker(controller)
    ranker.fit(few, rows, rewards[rows], SCRATCH_LR, generator)
    others = torch.arange(1, 300, 2)
    scores = ranker.score(few, others)
    assert kendalltau(scores.numpy(), rewards[others].numpy()).statistic > 0.7
    torch.testing.assert_close(ranker.score(few)[others], scores)
    for name, value in controller.state_dict().items():
        assert torch.equal(value, before[name])
    assert not torch.equal(
        ranker.controller.encoder.project.weight, before["encoder.project.weight"]
    )


def test_a_controller_whose_parameters_are_kept_is_copied_all_the_same(
    few, rewards, controller, generator
):
    controller.requires_grad_(False)
    ranker = Ranker(controller)
    ranker.fit(few, torch.arange(20), rewards[:20], 1e-3, generator)
    assert not torch.equal(
        ranker.controller.encoder.project.weight, controller.encoder.project.weight
    )


@pytest.mark.slow
def test_the_ensemble_orders_cells_it_has_not_seen(
    few, descriptors, rewards, controller, generator
):
    rows = torch.arange(0, 300, 2)
    ensemble = PredictorEnsemble(controller, few, descriptors, lr=SCRATCH_LR)
    ensemble.fit(rows, rewards[rows], generator)
    scores = ensemble.predict_all()
    assert scores.shape == (300,)
    assert scores.dtype == torch.float64
    assert abs(scores.mean()) < 1e-9
    assert kendalltau(scores[1::2].numpy(), rewards[1::2].numpy()).statistic > 0.7


def test_what_is_told_beside_the_descriptors_is_seen_too(
    few, descriptors, rewards, controller, generator
):
    noise = torch.rand(300, generator=generator).double()

    def order(seen: torch.Tensor, blocks: tuple[int, ...]) -> float:
        ensemble = PredictorEnsemble(controller, few, seen, members=1)
        assert ensemble.blocks == blocks
        ensemble.fit(torch.arange(0, 300, 10), noise[::10], generator)
        return kendalltau(ensemble.surrogate.predict_mean(seen).numpy(), noise.numpy()).statistic

    told = torch.cat([descriptors, (4 * noise[:, None]).to(descriptors)], dim=1)
    # What no descriptor says is all in the last column.
    assert order(descriptors, (53, 88)) < 0.4
    assert order(told, (53, 88, 1)) > 0.7


@pytest.mark.parametrize(
    ("many", "weights", "lr"), [(41, (0.5, 0.25, 0.25), 3e-4), (40, (0.3, 0.6, 0.1), 3e-3)]
)
def test_process_copies_and_trees_are_averaged_by_their_weights(
    few, descriptors, rewards, controller, generator, monkeypatch, many, weights, lr
):
    rates, fit = [], Ranker.fit

    def noted(self, *given):
        rates.append(given[3])
        fit(self, *given)

    monkeypatch.setattr(Ranker, "fit", noted)
    monkeypatch.setattr(ensemble_module, "_MANY", many)
    ensemble = PredictorEnsemble(controller, few, descriptors, members=3)
    ensemble.fit(torch.arange(40), rewards[:40], generator)
    assert rates == [lr] * 3

    def standardised(scores: torch.Tensor) -> torch.Tensor:
        return (scores.double() - scores.double().mean()) / scores.double().std()

    process, _ = ensemble.surrogate.predict(descriptors)
    copies = [standardised(ranker.score(few)) for ranker in ensemble.copies]
    trees = standardised(torch.from_numpy(ensemble.trees.predict(descriptors.numpy())))
    parts = standardised(process), sum(copies) / 3, trees
    expected = sum(weight * part for weight, part in zip(weights, parts, strict=True))
    torch.testing.assert_close(ensemble.predict_all(), expected, rtol=0, atol=1e-3)


def test_fitting_again_starts_anew_and_the_generator_alone_decides(
    few, descriptors, rewards, controller
):
    def scores(ensemble: PredictorEnsemble, seed: int) -> torch.Tensor:
        torch.rand(seed + 1)  # the global generator stands elsewhere each time
        ensemble.fit(torch.arange(20), rewards[:20], torch.Generator().manual_seed(seed))
        return ensemble.predict_all()

    used = PredictorEnsemble(controller, few, descriptors, members=1)
    other = scores(used, 1)
    again = scores(used, 0)
    assert torch.equal(scores(PredictorEnsemble(controller, few, descriptors, members=1), 0), again)
    assert not torch.equal(other, again)


def test_the_global_generator_is_left_alone(few, rewards, controller, generator):
    before = torch.get_rng_state()
    Ranker(controller).fit(few, torch.arange(10), rewards[:10], 1e-3, generator)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("count", [2, 65])
def test_few_cells_equal_rewards_and_a_last_batch_of_one_are_no_trouble(
    few, descriptors, rewards, controller, generator, monkeypatch, count
):
    monkeypatch.setattr(ensemble_module, "_EPOCHS", 3)
    ensemble = PredictorEnsemble(controller, few, descriptors)
    for known in (rewards[:count], torch.full((count,), 0.9)):
        ensemble.fit(torch.arange(count), known, generator)
        assert ensemble.predict_all().isfinite().all()


@pytest.mark.slow
def test_a_hundred_cells_tell_the_order_of_others_to_all_and_to_the_shipped_controller_alone(
    table, benchmark, generator
):
    rows = torch.randperm(len(table), generator=generator)[:1100]
    drawn = CellTable(
        table.cells[rows], table.module_hash[rows], table.row_of_form, table.first_form
    )
    truth = benchmark.mean_test(rows)
    ensemble = PredictorEnsemble(load_pretrained(SHIPPED), drawn, standard_descriptors(drawn))
    ensemble.fit(torch.arange(100), truth[:100], generator)

    def tau(scores: torch.Tensor) -> float:
        return kendalltau(scores[100:].numpy(), truth[100:].numpy()).statistic

    copy_of_shipped = tau(ensemble.copies[0].score(drawn))
    assert copy_of_shipped > 0.66
    assert tau(ensemble.predict_all()) > max(0.7, copy_of_shipped)
    untrained = Ranker(Controller(open_checkpoint("none").config.model).eval())
    untrained.fit(drawn, torch.arange(100), gaussian_ranks(truth[:100]), PRETRAINED_LR, generator)
    assert tau(untrained.score(drawn)) < copy_of_shipped - 0.03
