"""The device that is not there finds the defects that it is for, and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import Function

from tests.helpers.absent_device import Elsewhere, Mixed

DEFECTS = {
    "arange": lambda x: x + torch.arange(3),
    "zeros": lambda x: torch.cat([x, torch.zeros(3)]),
    "index": lambda x: torch.arange(3)[x.long() // 3],
    "mask": lambda x: torch.where(torch.ones(3, dtype=torch.bool), x, 0),
    "in place": lambda x: torch.zeros(3).add_(x),
    "generator": lambda x: torch.randn(3, generator=torch.Generator(), device=x.device),
    "numpy": lambda x: x.numpy(),
    "module": lambda x: torch.nn.Linear(3, 3)(x),
    "backward": lambda x: Wrong.apply(x.requires_grad_()).sum().backward(),
}
SOUND = {
    "arange": lambda x: x + torch.arange(3, device=x.device),
    "like": lambda x: torch.cat([x, torch.zeros_like(x), x.new_ones(2), x.new_tensor([1.0])]),
    "number": lambda x: x * torch.tensor(2.0),
    "moved": lambda x: x + torch.tensor([1.0, 2.0, 3.0]).to(x),
    "generator": lambda x: torch.randn(
        3, generator=torch.Generator(x.device).manual_seed(0), device=x.device
    ),
    "module": lambda x: torch.nn.Linear(3, 3).to(x.device)(x),
    "one hot": lambda x: torch.nn.functional.one_hot(x.long(), 8),
    "gradient": lambda x: torch.autograd.grad(x.requires_grad_().square().sum(), x)[0],
}


class Wrong(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * torch.arange(3)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_tensor_made_without_a_device_is_found(name):
    with Elsewhere() as there:
        x = torch.tensor([1.0, 5.0, 7.0]).to(there.device)
        with pytest.raises((Mixed, TypeError)):
            DEFECTS[name](x)


@pytest.mark.parametrize("name", SOUND)
def test_what_stays_on_its_device_is_let_through(name):
    with Elsewhere() as there:
        found = SOUND[name](torch.tensor([1.0, 5.0, 7.0], device="cuda"))
        assert found.device == there.device
        assert found.cpu().device.type == "cpu"


def test_values_and_the_cpu_stay_what_they_are():
    made = torch.Generator
    with Elsewhere():
        x = torch.arange(4, device="cuda")
        assert x[x > 1].tolist() == [2, 3]
        assert (torch.arange(4) + torch.ones(4)).device.type == "cpu"
    assert torch.Generator is made
    assert torch.arange(3).device.type == "cpu"
