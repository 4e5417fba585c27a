import runpy

import torch
from safetensors.torch import save_file

from gnn_nas.tasks.network import CellNetwork, NetworkConfig
from gnn_nas.tasks.network_source import network_source

SMALL = NetworkConfig(stem_channels=6, stacks=2, cells_per_stack=1, classes=3, in_channels=2)


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
