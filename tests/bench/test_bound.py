import torch

from bench.bound import left_out
from gnn_nas.experiments.ranker import Plan

PLAN = Plan(lr=3e-3, epochs=20, decay=0.05)


def test_the_best_cell_is_left_out_and_comes_where_its_inputs_put_it():
    inputs = torch.randn(2000, 5, generator=torch.Generator().manual_seed(0))
    truth = inputs[:, 0].double()
    tau, place, count = left_out(inputs, truth, 0, PLAN)
    assert tau > 0.9
    assert place <= 3
    assert 150 < count < 250
    # One that nothing about it foretells.
    truth[inputs[:, 0].abs().argmin()] = 9
    tau, place, count = left_out(inputs, truth, 0, PLAN)
    assert tau > 0.9
    assert 0.35 * count < place < 0.65 * count
