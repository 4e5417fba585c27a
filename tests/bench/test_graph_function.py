import torch

from bench import graph_function
from bench.embeddings import View


def test_tau_is_of_cells_that_nothing_is_learnt_from():
    inputs = torch.rand(300, 1, generator=torch.Generator().manual_seed(0))
    truth = inputs[:, 0].square()
    view = View("a", inputs, (1,))
    assert min(graph_function._taus(view, truth, 50, range(1000, 1002))) > 0.97
    # What is learnt of cells whose accuracies tell the contrary orders all others contrariwise.
    order = torch.randperm(300, generator=torch.Generator().manual_seed(1000))
    contrary = truth.clone()
    contrary[order[:50]] *= -1
    assert graph_function._taus(view, contrary, 50, range(1000, 1001))[0] < -0.97
