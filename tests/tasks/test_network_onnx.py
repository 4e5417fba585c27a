import importlib.util
from pathlib import Path

import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.spaces.conversion import from_matrix
from gnn_nas.spaces.packed import PackedCells, pack
from gnn_nas.tasks import network_onnx
from gnn_nas.tasks.network import CellNetwork, NetworkConfig
from gnn_nas.tasks.network_onnx import require_onnx, save_onnx

# An odd width: cell 3's channels are truncated on their way.
SMALL = NetworkConfig(stem_channels=7, stacks=2, cells_per_stack=1, classes=4, in_channels=2)


def no_interior() -> PackedCells:
    return pack(from_matrix([[0, 1], [0, 0]], ["input", "output"]))


@pytest.mark.parametrize("row", [3, None])
def test_another_runtime_gives_the_same_logits(table, tmp_path, row):
    pytest.importorskip("onnx", reason="the extra gnn-nas[onnx] is not installed")
    pytest.importorskip("onnxscript", reason="the extra gnn-nas[onnx] is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    cell = no_interior() if row is None else table.cells[row : row + 1]
    network = CellNetwork(cell, SMALL, seed=0)
    torch.manual_seed(0)
    for _ in range(5):
        # Statistics that are not those of the beginning.
        network(3 * torch.randn(8, 2, 9, 9) + 1)
    save_onnx(tmp_path / "network.onnx", network, image_size=9)
    assert network.training
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]
    content = (tmp_path / "network.onnx").read_bytes()
    assert str(Path(network_onnx.__file__).parent).encode() not in content
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
    with pytest.raises(UserError, match=r"pip install 'gnn-nas\[onnx\]'"):
        require_onnx(1000)


def test_a_network_too_large_for_one_file_is_refused(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: object())
    require_onnx(2**29 - 1)
    with pytest.raises(UserError, match="536,870,912 parameters are too many"):
        require_onnx(2**29)
