import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.models.row_sums import RowSums


def naive(values, rows, into, num_sums):
    sums = [torch.zeros_like(values[0]) for _ in range(num_sums)]
    for row, target in zip(rows.tolist(), into.tolist(), strict=True):
        sums[target] = sums[target] + values[row]
    return torch.stack(sums)


@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20),
    st.integers(0, 1000),
)
def test_sums_and_gradients_equal_a_loop(num_rows, num_sums, pairs, seed):
    kept = [(row, into) for row, into in pairs if row < num_rows and into < num_sums]
    rows, into = torch.tensor(kept, dtype=torch.long).view(-1, 2).unbind(1)
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(num_rows, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    outer = torch.randn(num_sums, 3, dtype=torch.float64, generator=generator)
    ours = RowSums(rows, into, num_rows, num_sums)(values)
    theirs = naive(values, rows, into, num_sums)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    (ours_grad,) = torch.autograd.grad((ours * outer).sum(), values)
    expected = naive(outer, into, rows, num_rows)
    torch.testing.assert_close(ours_grad, expected, rtol=0, atol=1e-12)


def test_gradients_that_are_expanded_are_understood():
    values = torch.arange(6.0).view(3, 2).requires_grad_()
    RowSums(torch.tensor([0, 2]), torch.tensor([1, 1]), 3, 2)(values).sum().backward()
    assert values.grad.tolist() == [[1, 1], [0, 0], [1, 1]]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_the_lower_precision_rounds_only_the_sum(dtype):
    values = torch.full((257, 4), 1.0, dtype=dtype)
    values[0] = 256
    # Added one by one in bfloat16, 256 + 1 would stay 256 for ever.
    into = torch.zeros(257, dtype=torch.long)
    sums = RowSums(torch.arange(257), into, 257, 1)(values)
    assert sums.dtype == dtype
    assert sums.tolist() == [[512] * 4]
