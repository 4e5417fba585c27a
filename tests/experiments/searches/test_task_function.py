"""What is measured of a task's own images before a search, and when nothing is."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn_nas.cli.search import main
from gnn_nas.config_file import load
from gnn_nas.experiments.searches import task_function as module
from gnn_nas.experiments.searches.config import TaskSearchConfig
from gnn_nas.experiments.searches.task_function import cells_to_measure
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.run_folder import RunFolder
from tests.helpers.tellers import saved_teller

TASK = """
name: stripes
data: {source: stripes.npz, size: null, channels: null}
split: {validation: 0.2, test: 0.2, seed: 0}
augmentation: {flip: false, shift: 0}
network: {stem_channels: 8, stacks: 2, cells_per_stack: 1}
training: {epochs: 1, batch_size: 32, lr: 0.05, momentum: 0.9, weight_decay: 5e-4, device: cpu}
early_stop: null
cost: null
trainings: 1
timeout: 600
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with a task of 80 colour images, and one of ten."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    for name, count in (("stripes", 80), ("few", 24)):
        labels = np.arange(count) % 2
        pixels = draw.integers(0, 200, (count, 8, 8, 3))
        pixels[labels == 0, ::2] += 50
        np.savez(f"{name}.npz", images=pixels.astype(np.uint8), labels=labels)
        (tmp_path / f"{name}.yaml").write_text(TASK.replace("stripes", name))


def test_images_of_ones_own_are_measured_where_somebody_reads_it(tmp_path):
    shipped = open_checkpoint(None)
    for method in ("nao", "predictor"):
        assert cells_to_measure("stripes.yaml", method, shipped) == 600
    for method in ("random", "evolution", "local", "descriptors", "embeddings"):
        assert cells_to_measure("stripes.yaml", method, shipped) == 0
    assert cells_to_measure("module:task", "nao", shipped) == 0
    for silent in (str(saved_teller(tmp_path / "silent")), "none"):
        assert cells_to_measure("stripes.yaml", "nao", open_checkpoint(silent)) == 0


def test_the_images_of_the_pretraining_are_not_measured_again(tmp_path, capsys):
    assert cells_to_measure("digits", "nao", open_checkpoint(None)) == 0
    noisy = open_checkpoint(str(saved_teller(tmp_path / "noisy", "snip")))
    assert cells_to_measure("digits", "nao", noisy) == 600
    # Those of the same file, and of one that is no more.
    for images, cells in (("stripes.yaml", 0), ("gone.yaml", 600)):
        function = noisy.config.function.model_copy(update={"images": images})
        config = noisy.config.model_copy(update={"function": function})
        assert cells_to_measure("stripes.yaml", "nao", replace(noisy, config=config)) == cells
    assert capsys.readouterr().err == ""


def test_a_task_of_too_few_images_is_searched_by_the_pretraining_s(capsys):
    assert cells_to_measure("few.yaml", "nao", open_checkpoint(None)) == 0
    said = capsys.readouterr().err
    assert "few.yaml: 16 training images, of which untrained networks need 32" in said
    assert said.endswith("the images of the pretraining\n")


@pytest.mark.slow
def test_a_search_by_a_task_of_ones_own_reads_the_function_of_its_images(monkeypatch, capsys):
    monkeypatch.setattr(module, "_CELLS", 50)
    call = ["--task=stripes.yaml", "--space=nasbench201", "--seeds=2", "--queries=20", "--jobs=2"]
    assert main([*call, "--out=run"]) == 0
    folder = RunFolder("run")
    config = load(TaskSearchConfig, folder.config)
    assert config.measured == 50
    shipped = open_checkpoint(None, "nasbench201")
    before = shipped.folder.load_weights()
    taught = [open_checkpoint(str(folder.controller(seed).path)) for seed in (0, 1)]
    for each in taught:
        function = each.config.function
        assert (function.images, function.cells) == (str(Path("stripes.yaml").absolute()), 50)
        # And who goes on with this one has it already.
        assert cells_to_measure("stripes.yaml", "nao", each) == 0
    first, second = (each.folder.load_weights() for each in taught)
    changed = {name for name, value in first.items() if not torch.equal(value, before[name])}
    assert changed == {"predictor.structure.2.weight", "predictor.structure.2.bias"}
    assert all(torch.equal(first[name], second[name]) for name in changed)

    # The same search again, interrupted and resumed, asks for the same.
    histories = [folder.history(seed).read_bytes() for seed in (0, 1)]
    folder.summary.unlink()
    folder.controller(1).summary.unlink()
    lines = histories[1].splitlines(keepends=True)
    folder.history(1).write_bytes(b"".join(lines[:-3]))
    module._told.cache_clear()
    assert main(["--resume", "--out=run"]) == 0
    hashes = [line.split(b",")[1] for line in folder.history(1).read_bytes().splitlines()]
    assert hashes == [line.split(b",")[1] for line in lines]

    # A search from before goes on as it was begun.
    folder.summary.unlink()
    folder.config.write_text(folder.config.read_text().replace("measured: 50\n", ""))
    for seed in (0, 1):
        folder.history(seed).unlink()
        shutil.rmtree(folder.controller(seed).path)
    assert main(["--resume", "--out=run"]) == 0
    assert load(TaskSearchConfig, folder.config).measured == 0
    again = folder.controller(0).load_weights()
    assert all(torch.equal(value, before[name]) for name, value in again.items())
