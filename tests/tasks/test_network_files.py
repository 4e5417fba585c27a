import importlib.util
import re
import runpy
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from gnn_nas.errors import UserError
from gnn_nas.spaces.conversion import from_matrix
from gnn_nas.spaces.packed import PackedCells, pack
from gnn_nas.tasks import network_files
from gnn_nas.tasks.network import CellNetwork, NetworkConfig
from gnn_nas.tasks.network_files import (
    network_source,
    read_weights,
    require_onnx,
    save_onnx,
    weights_bytes,
)

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


def test_the_module_builds_the_same_network_with_and_without_weights(table, tmp_path):
    path = tmp_path / "network.py"
    images = torch.randn(2, 2, 8, 8)
    for row in (0, 1000, *(table.cells.vertices <= 3).nonzero().flatten().tolist()):
        cell = table.cells[row : row + 1]
        network = CellNetwork(cell, SMALL, seed=1).eval()
        path.write_text(network_source(cell, SMALL, table.hash_of(row)))
        build = runpy.run_path(str(path))["build"]
        torch.manual_seed(1)
        assert torch.equal(build().eval()(images), network(images))
        save_file(network.state_dict(), tmp_path / "w.safetensors")
        assert torch.equal(build(tmp_path / "w.safetensors").eval()(images), network(images))
        path.write_text(network_source(cell, SMALL, table.hash_of(row), "w.safetensors"))
        build = runpy.run_path(str(path))["build"]
        assert torch.equal(build().eval()(images), network(images))


def test_the_module_is_written_as_ours_are(table, tmp_path):
    for row, weights in ((0, None), (7, "weights.safetensors")):
        text = network_source(table.cells[row : row + 1], SMALL, table.hash_of(row), weights)
        path = tmp_path / f"network_{row}.py"
        path.write_text(text)
        assert max(map(len, text.splitlines())) <= 100
        compile(text, str(path), "exec")
    assert "    stem_channels=6,\n" in text
    assert f"The network of cell {table.hash_of(7)}." in text


# An odd width: cell 3's channels are truncated on their way.
ODD = NetworkConfig(stem_channels=7, stacks=2, cells_per_stack=1, classes=4, in_channels=2)


def no_interior() -> PackedCells:
    return pack(from_matrix([[0, 1], [0, 0]], ["input", "output"]))


@pytest.mark.slow
@pytest.mark.parametrize("row", [3, None])
def test_another_runtime_gives_the_same_logits(table, tmp_path, row):
    pytest.importorskip("onnx", reason="the extra gnn-nas[onnx] is not installed")
    pytest.importorskip("onnxscript", reason="the extra gnn-nas[onnx] is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    cell = no_interior() if row is None else table.cells[row : row + 1]
    network = CellNetwork(cell, ODD, seed=0)
    torch.manual_seed(0)
    for _ in range(5):
        # Statistics that are not those of the beginning.
        network(3 * torch.randn(8, 2, 9, 9) + 1)
    save_onnx(tmp_path / "network.onnx", network, image_size=9)
    assert network.training
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]
    content = (tmp_path / "network.onnx").read_bytes()
    assert str(Path(network_files.__file__).parent).encode() not in content
    assert b"site-packages" not in content
    session = runtime.InferenceSession(
        tmp_path / "network.onnx", providers=["CPUExecutionProvider"]
    )
    network.eval()
    for batch in (1, 2, 5):
        images = torch.randn(batch, 2, 9, 9)
        (logits,) = session.run(["logits"], {"images": images.numpy()})
        torch.testing.assert_close(torch.from_numpy(logits), network(images).detach())


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(UserError, match=r"-m pip install onnx onnxscript$"):
        require_onnx(1000)


def test_a_network_too_large_for_one_file_is_refused(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: object())
    require_onnx(2**29 - 1)
    with pytest.raises(UserError, match="536,870,912 parameters are too many"):
        require_onnx(2**29)
