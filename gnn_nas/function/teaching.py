"""Controllers that were pretrained to tell one function and are taught to tell another."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gnn_nas.function.told import ToldFunction
from gnn_nas.models.controller import Controller
from gnn_nas.spaces.descriptors import open_descriptors
from gnn_nas.spaces.index import open_index

# Random cells that are taught.
_CELLS = 5000
_RIDGE = 1e-3


@torch.no_grad()
def teach(controller: Controller, function: ToldFunction) -> None:
    """Have a controller tell the same statistics of other networks, say of those of other images.

    What the predictor knows of a cell in its hidden layer stays as it was pretrained, and so does
    all else; the rows of its output layer that tell function are those of ridge regression, from
    what ``function`` tells of random cells. The same controller and function give the same rows.
    """
    index = open_index(controller.space)
    rows = index.draw(_CELLS, torch.Generator().manual_seed(0))
    wanted = function(open_descriptors(index)(index, rows))
    hidden = controller.predictor.hidden(controller.encode_rows(index, rows))
    weights, intercept = ridge(hidden, wanted)
    output: Any = controller.predictor.structure[-1]
    output.weight[-len(function.statistics) :] = weights.T.to(output.weight)
    output.bias[-len(function.statistics) :] = intercept.to(output.bias)


def ridge(inputs: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and intercepts by which ridge regression tells columns of values from inputs.

    Shapes:
        - inputs: ``[N, D]``; values: ``[N, columns]``
        - returns: float64 ``[D, columns]`` and ``[columns]``
    """
    inputs, values = inputs.double(), values.double()
    centre, mean = inputs.mean(0), values.mean(0)
    inputs, penalty = inputs - centre, _RIDGE * torch.eye(inputs.shape[1]).to(inputs)
    weights = torch.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ (values - mean))
    return weights, mean - centre @ weights
