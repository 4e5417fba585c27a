import pytest
import torch
from torch import nn

from gnn_nas.errors import UserError
from gnn_nas.module_weights import load_into


def refuses(message: str):
    # One line, with no dot standing for a newline.
    return pytest.raises(UserError, match=rf"\A[^\n]*{message}[^\n]*\Z")


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (nn.Linear(3, 4), r"weight is \(4, 3\) there, \(2, 3\) here"),
        (nn.Linear(3, 2, bias=False), r"bias is absent there, \(2,\) here"),
        (nn.LSTM(3, 2), r"weight is absent there"),
    ],
)
def test_weights_of_another_architecture_change_nothing(other, difference):
    module = nn.Linear(3, 2)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with refuses(f"there.safetensors holds another architecture .*{difference}.*train it anew"):
        load_into(module, other.state_dict(), "there.safetensors")
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_a_surplus_tensor_is_another_architecture_too():
    module = nn.Linear(3, 2, bias=False)
    with refuses(r"bias is \(2,\) there, absent here"):
        load_into(module, nn.Linear(3, 2).state_dict(), "file")
