"""A pretraining run on another device: every loss of the paper, from batches to a checkpoint."""

from pathlib import Path

import pytest
import torch

from gnn_nas.config import load_config
from gnn_nas.pretraining.batches import held_out_cells
from gnn_nas.pretraining.metric.metric_loss import make_metric_loss
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.run_folder import RunFolder

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("gin_*.yaml"))
SMALL = [
    *(
        "model.encoder.hidden=8",
        "model.encoder.layers=2",
        "model.embedding=8",
        "model.decoder_hidden=8",
    ),
    *("model.predictor_hidden=8", "data.batch_size=64", "data.held_out=0.001"),
    # The CPU's matrix products in lower precision are not the GPU's.
    "training.precision=float32",
]


def new_state(table, config, device) -> TrainingState:
    moved = table.to(device)
    return TrainingState(config, moved, held_out_cells(moved, config.data.held_out))


@pytest.mark.slow
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_metric_losses_and_miners(on_device, path):
    metric = load_config(path).metric
    if metric is None:
        pytest.skip("it has no metric loss")

    def compute(device):
        loss = make_metric_loss(metric)
        generator = torch.Generator().manual_seed(0)
        points = torch.randn(48, 8, generator=generator).to(device).requires_grad_()
        labels = (torch.arange(48) % 12).to(device)
        value = loss(torch.nn.functional.normalize(points, dim=1), labels)
        value.backward()
        assert value.item() > 0
        return [value, points.grad]

    on_device(compute)


@pytest.mark.slow
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_steps_of_every_config(table, on_device, path):
    config = load_config(path, [*SMALL, "training.structure_weight=0", "function=null"])

    def compute(device):
        state = new_state(table, config, device)
        state.advance()
        state.advance()
        return [state.sums, *state.controller.parameters()]

    on_device(compute, drawn=True)


@pytest.mark.slow
def test_a_checkpoint_of_the_device_goes_on(table, on_device, tmp_path):
    path = next(path for path in CONFIGS if path.stem == "gin_multisim")
    config = load_config(path, [*SMALL, "training.structure_weight=0", "function=null"])

    def compute(device):
        folder = RunFolder(tmp_path / device.type)
        folder.path.mkdir()
        state = new_state(table, config, device)
        state.advance()
        state.save(folder)
        state.advance()
        restored = new_state(table, config, device)
        restored.restore(folder)
        restored.advance()
        assert torch.equal(restored.sums, state.sums)
        return [state.sums, restored.duplicates]

    on_device(compute, drawn=True)
