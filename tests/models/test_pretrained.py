import pytest
import torch

from gnn_nas.config import load_config
from gnn_nas.errors import UserError
from gnn_nas.models import pretrained as module
from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import load_pretrained, new_controller
from gnn_nas.run_folder import RunFolder


@pytest.fixture
def make_run(tmp_path, pytestconfig):
    """Gives a run folder with the weights of a controller of the seed."""

    def make(name: str, seed: int, embedding: int = 6) -> RunFolder:
        sizes = ("hidden=4", "layers=1", f"embedding={embedding}", "decoder_hidden=4")
        config = load_config(
            pytestconfig.rootpath / "configs" / "gin_multisim.yaml",
            [f"model.{size}" for size in sizes],
        )
        folder = RunFolder.create(tmp_path / name, config)
        folder.save_weights(new_controller(config, seed).state_dict())
        return folder

    return make


def same(one: Controller, folder: RunFolder) -> bool:
    weights, own = folder.load_weights(), one.state_dict()
    return weights.keys() == own.keys() and all(torch.equal(own[k], weights[k]) for k in own)


def test_a_run_s_controller_is_rebuilt(make_run, table):
    folder = make_run("run", seed=5)
    controller = load_pretrained(folder.path)
    assert same(controller, folder)
    assert not controller.training
    assert controller.encode_rows(table, torch.arange(3)).shape == (3, 6)


def test_without_a_path_it_is_the_own_run_before_the_shipped_one(make_run, tmp_path, monkeypatch):
    shipped = make_run("weights/gin_multisim", seed=1)
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "weights")
    monkeypatch.chdir(tmp_path)
    assert same(load_pretrained(), shipped)
    own = make_run("runs/gin_multisim", seed=2)
    assert same(load_pretrained(), own)
    own.weights.unlink()  # a run that has not come to its end
    assert same(load_pretrained(), shipped)
    with pytest.raises(UserError, match=r"model\.safetensors: no such file"):
        load_pretrained(own.path)


def test_what_does_not_fit_is_one_clear_error(make_run, tmp_path):
    with pytest.raises(UserError, match="absent: no such run folder"):
        load_pretrained(tmp_path / "absent")
    folder, other = make_run("run", seed=0), make_run("other", seed=0, embedding=7)
    folder.weights.write_bytes(other.weights.read_bytes())
    with pytest.raises(UserError, match="holds another architecture than the config"):
        load_pretrained(folder.path)
