import re

import pytest
import torch
from safetensors.torch import save, save_file

from gnn_nas.errors import UserError
from gnn_nas.tasks.network import CellNetwork, NetworkConfig
from gnn_nas.tasks.network_weights import read_weights, weights_bytes

SMALL = NetworkConfig(stem_channels=6, stacks=2, cells_per_stack=1, classes=3, in_channels=2)


@pytest.fixture
def network(table) -> CellNetwork:
    return CellNetwork(table.cells[:1], SMALL, seed=0)


def test_weights_and_sizes_come_back(network, tmp_path):
    (tmp_path / "a.safetensors").write_bytes(weights_bytes(network))
    tensors, config = read_weights(tmp_path / "a.safetensors")
    assert config == SMALL
    expected = network.state_dict()
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)


def test_a_file_without_sizes_is_read_too(network, tmp_path):
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    tensors, config = read_weights(tmp_path / "a.safetensors")
    assert config is None
    assert tensors.keys() == network.state_dict().keys()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no weights", "is damaged or no file of safetensors"),
        (b"", "is damaged or no file of safetensors"),
        (save({}, {"network": '{"stacks": 0}'}), "have no sizes of a network"),
        (save({}, {"network": "[1]"}), "have no sizes of a network"),
        (save({}, {"network": "{"}), "have no sizes of a network"),
    ],
)
def test_a_bad_file_is_named(tmp_path, content, complaint):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{re.escape(str(path))}.*{complaint}"):
        read_weights(path)


@pytest.mark.parametrize(("name", "reason"), [("none", "No such file"), (".", "Is a directory")])
def test_what_cannot_be_read_is_named(tmp_path, name, reason):
    with pytest.raises(UserError, match=f"cannot read the weights: {reason}"):
        read_weights(tmp_path / name)
