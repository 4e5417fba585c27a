import pytest
import torch
from scipy.stats import kendalltau

from gnn_nas.evaluation.labels import gaussian_ranks
from gnn_nas.experiments import ensemble as ensemble_module
from gnn_nas.experiments.ensemble import PRETRAINED_LR, SCRATCH_LR, PredictorEnsemble
from gnn_nas.experiments.ranker import HEAD_LR, DescriptorReader, GraphReader, Plan, Ranker
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import SHIPPED, load_pretrained
from gnn_nas.models.surrogate import Surrogate
from gnn_nas.spaces.descriptors import standard_descriptors
from gnn_nas.spaces.table import CellTable

ALL = torch.arange(300)


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
        (_, (told,)), *_ = ensemble.parts
        return kendalltau(told().numpy(), noise.numpy()).statistic

    told = torch.cat([descriptors, (4 * noise[:, None]).to(descriptors)], dim=1)
    # What no descriptor says is all in the last column.
    assert order(descriptors, (53, 88)) < 0.4
    assert order(told, (53, 88, 1)) > 0.7


@pytest.fixture
def fits(monkeypatch) -> list[tuple[Ranker, torch.Tensor, torch.Tensor, Plan]]:
    """Rankers in the order in which they are fitted, and what they are given."""
    fits, fit = [], Ranker.fit

    def noted(self, rows, targets, plan, generator):
        fits.append((self, rows, targets, plan))
        return fit(self, rows, targets, plan._replace(epochs=3), generator)

    monkeypatch.setattr(Ranker, "fit", noted)
    return fits


def standardised(scores: torch.Tensor) -> torch.Tensor:
    return (scores.double() - scores.double().mean()) / scores.double().std()


def mean(rankers: list[Ranker]) -> torch.Tensor:
    return sum(standardised(ranker.score(ALL)) for ranker in rankers) / len(rankers)


def process(
    descriptors: torch.Tensor, rows: torch.Tensor, targets: torch.Tensor, max_fitted: int = 400
) -> torch.Tensor:
    surrogate = Surrogate((53, 88), max_fitted)
    surrogate.fit(descriptors[rows], targets)
    return standardised(surrogate.predict(descriptors)[0])


def test_of_few_cells_process_copies_and_trees_are_averaged_by_their_weights(
    few, descriptors, rewards, controller, generator, fits
):
    ensemble = PredictorEnsemble(controller, few, descriptors, members=3)
    rows = torch.arange(40)
    ensemble.fit(rows, rewards[:40], generator)
    targets = gaussian_ranks(rewards[:40])
    assert [plan for *_, plan in fits] == [Plan(60, 0.05)] * 3
    assert all(torch.equal(given, rows) for _, given, *_ in fits)
    assert all(torch.equal(given, targets) for _, _, given, _ in fits)
    assert {ranker.reader.lr for ranker, *_ in fits} == {PRETRAINED_LR}
    *_, (_, (trees,)) = ensemble.parts
    assert kendalltau(trees()[rows].numpy(), targets.numpy()).statistic > 0.99
    expected = (
        0.5 * process(descriptors, rows, targets)
        + 0.25 * mean([ranker for ranker, *_ in fits])
        + 0.25 * standardised(trees())
    )
    torch.testing.assert_close(ensemble.predict_all(), expected, rtol=0, atol=1e-3)


def test_of_many_cells_networks_of_three_kinds_and_the_process_are_averaged(
    few, descriptors, rewards, controller, generator, fits, monkeypatch
):
    monkeypatch.setattr(ensemble_module, "_MANY", 40)
    monkeypatch.setattr(ensemble_module, "_MANY_FITTED", 10)
    ensemble = PredictorEnsemble(controller, few, descriptors, members=2)
    rows = torch.arange(0, 80, 2)
    ensemble.fit(rows, rewards[rows], generator)
    targets = gaussian_ranks(rewards[rows])
    copies, anew, networks = ([ranker for ranker, *_ in fits[i : i + 2]] for i in (0, 2, 4))
    # In batches of 64 an epoch of 40 cells is one step.
    assert [plan for *_, plan in fits] == [Plan(2000, 0.5)] * 6
    assert all(torch.equal(given, rows) for _, given, *_ in fits)
    assert all(torch.equal(given, targets) for _, _, given, _ in fits)
    assert all(isinstance(ranker.reader, GraphReader) for ranker in copies + anew)
    assert {ranker.reader.lr for ranker in copies + anew} == {HEAD_LR}
    assert all(isinstance(ranker.reader, DescriptorReader) for ranker in networks)
    expected = (
        0.25 * process(descriptors, rows, targets, max_fitted=10)
        + 0.35 * mean(copies)
        + 0.2 * mean(anew)
        + 0.2 * mean(networks)
    )
    torch.testing.assert_close(ensemble.predict_all(), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("count", "epochs"), [(64, 2000), (65, 1000), (100, 1000), (300, 400)])
def test_many_cells_are_seen_in_as_many_steps_however_many_they_are(
    few, descriptors, rewards, controller, generator, fits, monkeypatch, count, epochs
):
    monkeypatch.setattr(ensemble_module, "_MANY", 40)
    ensemble = PredictorEnsemble(controller, few, descriptors, members=1)
    ensemble.fit(ALL[:count], rewards[:count], generator)
    assert {plan.epochs for *_, plan in fits} == {epochs}
    monkeypatch.setattr(ensemble_module, "_MANY_STEPS", 7)
    ensemble.fit(ALL[:count], rewards[:count], generator)
    assert {plan.epochs for *_, plan in fits[3:]} == {10}


def test_some_copies_begin_with_what_the_controller_knows_and_some_with_nothing(
    few, descriptors, rewards, controller, generator, monkeypatch
):
    begun = []
    monkeypatch.setattr(Ranker, "fit", lambda self, *_: begun.append(self.reader) or self)
    monkeypatch.setattr(ensemble_module, "_MANY", 40)
    PredictorEnsemble(controller, few, descriptors).fit(ALL[:40], rewards[:40], generator)
    weights = [reader.controller.encoder.project.weight for reader in begun if reader.groups()]
    known = controller.encoder.project.weight
    assert [torch.equal(weight, known) for weight in weights] == [True] * 2 + [False] * 2
    assert all(weight.shape == known.shape for weight in weights)
    assert len({float(weight.detach().sum()) for weight in weights}) == 3


@pytest.mark.parametrize("many", [1000, 1])
def test_fitting_again_starts_anew_and_the_generator_alone_decides(
    few, descriptors, rewards, controller, fits, monkeypatch, many
):
    monkeypatch.setattr(ensemble_module, "_MANY", many)

    def scores(ensemble: PredictorEnsemble, seed: int) -> torch.Tensor:
        torch.rand(seed + 1)  # the global generator stands elsewhere each time
        ensemble.fit(torch.arange(20), rewards[:20], torch.Generator().manual_seed(seed))
        return ensemble.predict_all()

    used = PredictorEnsemble(controller, few, descriptors, members=1)
    other = scores(used, 1)
    again = scores(used, 0)
    assert torch.equal(scores(PredictorEnsemble(controller, few, descriptors, members=1), 0), again)
    assert not torch.equal(other, again)


@pytest.mark.parametrize("many", [1000, 1])
@pytest.mark.parametrize("count", [2, 65])
def test_few_cells_equal_rewards_and_a_last_batch_of_one_are_no_trouble(
    few, descriptors, rewards, controller, generator, fits, monkeypatch, count, many
):
    monkeypatch.setattr(ensemble_module, "_MANY", many)
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

    _, (_, (copied, *_)), _ = ensemble.parts
    copy_of_shipped = tau(copied())
    assert copy_of_shipped > 0.66
    assert tau(ensemble.predict_all()) > max(0.7, copy_of_shipped)
    untrained = Ranker(
        GraphReader(Controller(open_checkpoint("none").config.model), drawn, PRETRAINED_LR)
    )
    untrained.fit(torch.arange(100), gaussian_ranks(truth[:100]), Plan(60, 0.05), generator)
    assert tau(untrained.score(torch.arange(1100))) < copy_of_shipped - 0.03
