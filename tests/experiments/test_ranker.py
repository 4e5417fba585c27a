import copy

import pytest
import torch
from scipy.stats import kendalltau

from gnn_nas.experiments.ranker import (
    DescriptorReader,
    GraphReader,
    Plan,
    Ranker,
    ranking_loss,
    steps_per_epoch,
)

ALL = torch.arange(300)
LR, PLAN = 1e-3, Plan(epochs=60, decay=0.05)


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
    ranker = Ranker(reader := GraphReader(controller, few, LR))
    ranker.fit(rows, rewards[rows], PLAN, generator)
    others = torch.arange(1, 300, 2)
    scores = ranker.score(others)
    assert kendalltau(scores.numpy(), rewards[others].numpy()).statistic > 0.7
    for name, value in controller.state_dict().items():
        assert torch.equal(value, before[name])
    assert not torch.equal(
        reader.controller.encoder.project.weight, before["encoder.project.weight"]
    )


def test_a_controller_whose_parameters_are_kept_is_copied_all_the_same(
    few, rewards, controller, generator
):
    controller.requires_grad_(False)
    ranker = Ranker(reader := GraphReader(controller, few, LR))
    ranker.fit(torch.arange(20), rewards[:20], PLAN, generator)
    assert not torch.equal(
        reader.controller.encoder.project.weight, controller.encoder.project.weight
    )


def test_a_graph_is_read_as_its_controller_tells_it(few, controller):
    rows = torch.tensor([5, 2, 299])
    embeddings = controller.encode(few.cells[rows].to_batch())
    told = controller.predictor.predict_descriptors(embeddings)
    reader = GraphReader(controller, few, LR)
    torch.testing.assert_close(reader.read(rows), told)
    assert reader.make_head()(told).shape == (3, 1)


def test_a_head_on_descriptors_orders_cells_too_and_leaves_them(
    few, descriptors, rewards, generator
):
    rows, kept = torch.arange(0, 300, 2), descriptors.half()  # as they are in their file
    before = kept.clone()
    ranker = Ranker(DescriptorReader(kept))
    ranker.fit(rows, rewards[rows], PLAN, generator)
    scores = ranker.score(torch.arange(1, 300, 2))
    assert kendalltau(scores.numpy(), rewards[1::2].numpy()).statistic > 0.7
    assert torch.equal(kept, before)


def test_parts_of_many_rows_are_scored_as_the_whole(
    few, rewards, controller, generator, monkeypatch
):
    ranker = Ranker(GraphReader(controller, few, LR))
    ranker.fit(torch.arange(20), rewards[:20], PLAN._replace(epochs=2), generator)
    whole = ranker.score(ALL)
    monkeypatch.setattr("gnn_nas.experiments.ranker._CHUNK", 7)
    torch.testing.assert_close(ranker.score(ALL), whole)


@pytest.mark.parametrize("decay", [0.0, 5.0])
def test_weights_decay_as_the_plan_says(few, rewards, controller, generator, decay):
    ranker = Ranker(reader := GraphReader(controller, few, LR))
    ranker.fit(torch.arange(64), rewards[:64], Plan(60, decay), generator)
    start = controller.encoder.project.weight.norm()
    assert (reader.controller.encoder.project.weight.norm() < 0.95 * start) == (decay > 0)


def test_the_global_generator_is_left_alone(few, rewards, controller, generator):
    before = torch.get_rng_state()
    Ranker(GraphReader(controller, few, LR)).fit(torch.arange(10), rewards[:10], PLAN, generator)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("count", "epochs"), [(2, 1), (64, 10), (100, 5), (300, 1)])
def test_a_plan_may_have_few_steps(few, rewards, controller, generator, count, epochs):
    assert steps_per_epoch(ALL[:count]) == len(ALL[:count].split(64))
    ranker = Ranker(GraphReader(controller, few, LR))
    ranker.fit(ALL[:count], rewards[:count], Plan(epochs, 0.05), generator)
    assert ranker.score(ALL).isfinite().all()


def test_a_reader_learns_as_fast_as_it_is_told(few, rewards, controller, generator):
    def moved(lr: float) -> float:
        ranker = Ranker(reader := GraphReader(controller, few, lr))
        ranker.fit(ALL[:20], rewards[:20], PLAN, generator)
        weight, before = (each.encoder.project.weight for each in (reader.controller, controller))
        return float((weight - before).detach().norm())

    assert moved(1e-2) > 3 * moved(1e-3) > 9 * moved(1e-5)
