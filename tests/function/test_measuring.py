"""Many networks in processes: the same figures however many there are and whatever is killed."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gnn_nas import tensor_file
from gnn_nas.config import FunctionConfig, MeasuringConfig
from gnn_nas.errors import UserError
from gnn_nas.function import STATISTICS, measuring
from gnn_nas.function.measuring import measure_function
from gnn_nas.function.probes import open_probes
from gnn_nas.function.statistics import measure_cell
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import load_table
from gnn_nas.tasks.network_size import NetworkConfig
from tests.helpers.own_module import write_module

CONFIG = MeasuringConfig(cells=60, images="noise", seeds=2)
MODULE = """
from torch import nn

def tanh(channels):
    return nn.Tanh()

def halved(channels):
    return nn.MaxPool2d(2)
"""


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache folder but for tables and compiled code, which take long."""
    load_table(NASBENCH201)
    from gnn_nas.user_folders import cache_folder

    folder = tmp_path / "cache"
    folder.mkdir()
    for path in (*cache_folder().glob("*-cells-*.safetensors"), cache_folder() / "numba"):
        (folder / path.name).symlink_to(path)
    monkeypatch.setenv("GNN_NAS_CACHE", str(folder))
    return folder


def files(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name.startswith("function"))


@pytest.fixture
def own_space(tmp_path, monkeypatch) -> CellSpace:
    write_module(monkeypatch, tmp_path, "measured_ops", MODULE)
    modules = ("measured_ops:tanh", "gnn_nas.tasks.ops:conv1x1")
    return CellSpace("mine", ("tanh", "conv"), (0.0, 1.0), 4, 5, modules=modules)


@pytest.mark.slow
def test_values_are_means_over_seeds_of_the_cells_drawn(cache):
    measured = measure_function(NASBENCH201, CONFIG, jobs=1)
    table = load_table(NASBENCH201)
    rows = table.draw(60, torch.Generator().manual_seed(0))
    assert torch.equal(table.rows_of(measured.cells), rows)
    assert measured.values.dtype == torch.double
    assert measured.values.shape == (60, len(STATISTICS))
    sizes = NetworkConfig(stem_channels=8, stacks=2, cells_per_stack=1, classes=10, in_channels=1)
    for row in (0, 57):
        cell = measured.cells[row : row + 1]
        by_hand = measure_cell(cell, open_probes("noise"), sizes, range(2))
        by_hand = torch.tensor(by_hand, dtype=torch.double)
        assert torch.allclose(measured.by_seed[:, row], by_hand, rtol=1e-4, atol=1e-4)
        assert torch.allclose(measured.values[row], by_hand.mean(0), rtol=1e-4, atol=1e-4)
    # Once for all calls: the second does not measure.
    (name,) = files(cache)
    written = (cache / name).stat().st_mtime_ns
    again = measure_function(NASBENCH201, CONFIG)
    assert torch.equal(again.values, measured.values)
    assert (cache / name).stat().st_mtime_ns == written


@pytest.mark.slow
def test_figures_do_not_depend_on_the_number_of_processes(cache):
    one = measure_function(NASBENCH201, CONFIG, jobs=1)
    for name in files(cache):
        (cache / name).unlink()
    two = measure_function(NASBENCH201, CONFIG, jobs=2)
    assert torch.equal(one.by_seed, two.by_seed)


@pytest.mark.slow
def test_a_killed_call_is_gone_on_with_from_the_parts_it_has_left(cache):
    command = [sys.executable, "-P", "-m", "gnn_nas", "function", "--space", "nasbench201"]
    options = ["--cells", "150", "--images", "noise", "--jobs", "1"]
    config = MeasuringConfig(cells=150, images="noise", seeds=1)
    call = subprocess.Popen([*command, *options], start_new_session=True)
    deadline = time.monotonic() + 120
    while not (found := list(cache.glob("function-*.parts/0.safetensors"))):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(call.pid, signal.SIGKILL)
    call.wait()
    assert not list(cache.glob("function-*.safetensors"))
    # What is measured is not measured again, as other figures in its place tell.
    part = load_file(found[0])
    part["by_seed"] += 1000
    save_file(part, found[0], tensor_file.metadata(part))
    values = measure_function(NASBENCH201, config, jobs=1).values
    assert values[:50].min() > 500
    assert values[50:].max() < 500
    assert len(files(cache)) == 1


@pytest.mark.slow
def test_a_damaged_part_is_measured_again(cache, capfd):
    measured = measure_function(NASBENCH201, CONFIG, jobs=1)
    (name,) = files(cache)
    path = cache / name
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert torch.equal(measure_function(NASBENCH201, CONFIG, jobs=1).values, measured.values)
    assert f"{path} is damaged: it is made anew" in capfd.readouterr().err


@pytest.mark.slow
def test_a_small_space_of_ones_own_is_measured_whole_and_anew_when_its_module_changes(
    cache, own_space
):
    measured = measure_function(own_space, CONFIG, jobs=1)
    assert len(measured.cells) == len(load_table(own_space)) < 60
    assert measured.values.isfinite().all()
    assert len(files(cache)) == 1
    Path("measured_ops.py").write_text(MODULE.replace("Tanh()", "Sigmoid()"))
    del sys.modules["measured_ops"]
    other = measure_function(own_space, CONFIG, jobs=1)
    assert len(files(cache)) == 2
    assert not torch.equal(other.values, measured.values)


@pytest.mark.slow
def test_networks_of_a_graph_are_measured_in_processes(cache):
    config = CONFIG.model_copy(update={"images": "graph"})
    measured = measure_function(NASBENCH_GRAPH, config, jobs=2)
    assert measured.by_seed.shape == (2, 60, len(STATISTICS))
    assert measured.values.isfinite().all()
    sizes = NetworkConfig(stem_channels=16, stacks=1, cells_per_stack=1, classes=4, in_channels=16)
    by_hand = measure_cell(measured.cells[7:8], open_probes("graph"), sizes, range(2))
    by_hand = torch.tensor(by_hand, dtype=torch.double)
    assert torch.allclose(measured.by_seed[:, 7], by_hand, rtol=1e-4, atol=1e-4)


def test_other_images_seeds_cells_or_spaces_have_other_files():
    sizes = NetworkConfig(stem_channels=8, stacks=2, cells_per_stack=1)
    noise, digits = open_probes("noise"), open_probes("digits")
    keys = [
        measuring._key(NASBENCH101, CONFIG, noise, sizes),
        measuring._key(NASBENCH201, CONFIG, noise, sizes),
        measuring._key(NASBENCH101, CONFIG, digits, sizes),
        measuring._key(NASBENCH101, CONFIG.model_copy(update={"seeds": 3}), noise, sizes),
        measuring._key(NASBENCH101, CONFIG.model_copy(update={"cells": 70}), noise, sizes),
        measuring._key(NASBENCH101, CONFIG, noise, sizes.model_copy(update={"stacks": 3})),
    ]
    assert len(set(keys)) == len(keys)
    # What decides nothing decides no file: edits of positives, and how the figures are used.
    edited = replace(NASBENCH201, max_edits=2)
    learnt = FunctionConfig(**CONFIG.model_dump(), statistics=["snip"], weight=2.0)
    assert measuring._key(edited, learnt, noise, sizes) == keys[1]


def test_what_no_network_can_be_built_of_is_refused_before_any_work(cache, own_space):
    with pytest.raises(UserError, match="space mine does not say how its ops are built"):
        measure_function(replace(own_space, modules=()), CONFIG)
    with pytest.raises(UserError, match=r"of nasbench_graph are of a graph: give graph$"):
        measure_function(NASBENCH_GRAPH, CONFIG)
    with pytest.raises(UserError, match=r"of mine are of images: give digits$"):
        measure_function(own_space, CONFIG.model_copy(update={"images": "graph"}))
    with pytest.raises(UserError, match="images nonsense"):
        measure_function(NASBENCH201, CONFIG.model_copy(update={"images": "nonsense"}))
    shrinking = replace(own_space, modules=("measured_ops:halved", own_space.modules[1]))
    with pytest.raises(UserError, match="it must keep their shape"):
        measure_function(shrinking, CONFIG)
    assert files(cache) == []


@pytest.mark.slow
def test_a_script_needs_no_guard(cache, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from gnn_nas.config import MeasuringConfig\n"
        "from gnn_nas.function.measuring import measure_function\n"
        "from gnn_nas.spaces.nasbench201 import NASBENCH201\n"
        "config = MeasuringConfig(cells=60, images='noise', seeds=1)\n"
        "print(len(measure_function(NASBENCH201, config, jobs=2).values))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.stdout == "60\n", done.stderr
