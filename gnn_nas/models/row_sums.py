"""Sums of rows of a matrix by an index: the one sparse operation of the encoder."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag


class RowSums:
    """``result[i]`` is the sum of ``values[rows[j]]`` over all ``j`` with ``into[j] == i``.

    Sorted by ``into`` once, it serves any number of matrices. Forward and backward pass both are
    sums over bags, which never write the gathered rows down: a fifth of the time of
    ``index_select`` and ``index_add``. A double backward pass is an error.

    Args:
        rows: int64 ``[M]``; into: int64 ``[M]``
        num_rows: rows of the matrices; num_sums: rows of the results.
    """

    def __init__(self, rows: Tensor, into: Tensor, num_rows: int, num_sums: int) -> None:
        self.index = rows, into
        self.num_rows, self.num_sums = num_rows, num_sums
        order = into.argsort(stable=True)
        self.rows = rows.index_select(0, order)
        counts = into.new_zeros(num_sums + 1).scatter_add_(0, into + 1, torch.ones_like(into))
        self.offsets = counts.cumsum(0)

    def __call__(self, values: Tensor) -> Tensor:
        """Sum rows of ``[num_rows, columns]`` to ``[num_sums, columns]``; sums over none are 0."""
        return _Sum.apply(values, self)

    @cached_property
    def transposed(self) -> RowSums:
        """What carries gradients of the results back to the values."""
        rows, into = self.index
        return RowSums(into, rows, self.num_sums, self.num_rows)

    def compute(self, values: Tensor) -> Tensor:
        """The sums, without a backward pass."""
        return embedding_bag(self.rows, values, self.offsets, mode="sum", include_last_offset=True)


class _Sum(Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, sums: RowSums) -> Tensor:
        ctx.sums = sums
        return sums.compute(values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return ctx.sums.transposed.compute(grad.contiguous()), None
