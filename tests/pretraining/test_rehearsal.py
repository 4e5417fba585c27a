from pathlib import Path

import pytest
import torch

from gnn_nas.config import load_config
from gnn_nas.pretraining.rehearsal import rehearse

CONFIGS = Path(__file__).parents[2] / "configs"
CPU = torch.device("cpu")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_config_passes_and_torch_s_generator_is_left_alone(path):
    state = torch.get_rng_state()
    rehearse(load_config(path), CPU)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["metric.loss=VICRegLoss", "metric.loss_args={}"], "a step with VICRegLoss, AngularMiner"),
        (["optimizer.args={amsgrad: 5}"], "Adam: amsgrad must be true or false, not 5"),
        (
            ["optimizer.name=Adamax", "optimizer.args={capturable: true}"],
            "a step with .*Adamax fails",
        ),
        (["optimizer.schedule_args={floor: -5}"], "floor must be a number that is not negative"),
        (
            ["optimizer.lr=1e300", "optimizer.name=SGD", "optimizer.args={}"],
            "a step with .*(not finite|overflow)",
        ),
        (["metric.weight=1e300"], "numbers that are not finite"),
        (["training.embedding_noise=1e300"], "numbers that are not finite"),
        (["training.structure_weight=1e300"], "numbers that are not finite"),
    ],
)
def test_what_does_not_run_is_one_sentence(make_config, overrides, sentence):
    with pytest.raises(ValueError, match=rf"\A[^\n]*{sentence}[^\n]*\Z"):
        rehearse(make_config(*overrides), CPU)
