import dataclasses
import hashlib

import pytest
import torch

from gnn_nas.config import load_config
from gnn_nas.errors import UserError
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import SHIPPED, load_pretrained, new_controller
from gnn_nas.run_folder import RunFolder
from tests.helpers.tellers import saved_teller


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """A run with the weights of a small controller."""
    sizes = [f"model.{name}=4" for name in ("hidden", "embedding", "decoder_hidden")]
    config = load_config(SHIPPED / "config.yaml", sizes)
    folder = RunFolder.create(tmp_path / "run", config)
    folder.save_weights(new_controller(config, seed=5).state_dict())
    return folder


def same(one: Controller, other: Controller) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(weights[k].equal(others[k]) for k in weights)


def test_a_run_gives_its_controller_whatever_the_seed(run):
    checkpoint = open_checkpoint(str(run.path))
    assert same(checkpoint.controller(0), load_pretrained(run.path))
    assert same(checkpoint.controller(0), checkpoint.controller(1))
    assert checkpoint.fingerprint == hashlib.sha256(run.weights.read_bytes()).hexdigest()


def test_from_scratch_every_seed_has_a_controller_of_its_own():
    checkpoint = open_checkpoint("none")
    assert checkpoint.fingerprint is None
    # Untrained it tells nothing of function, as the shipped one does.
    assert load_config(SHIPPED / "config.yaml").function
    config = load_config(SHIPPED / "config.yaml", ["function=null"])
    assert same(checkpoint.controller(3), new_controller(config, seed=3))
    assert not same(checkpoint.controller(3), checkpoint.controller(4))


def test_the_default_is_the_own_run_before_the_shipped_one(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_checkpoint(None).folder.path == SHIPPED
    run.path.rename(tmp_path / "moved")
    (tmp_path / "runs").mkdir()
    (tmp_path / "moved").rename(tmp_path / "runs" / "gin_multisim")
    assert open_checkpoint(None).folder.path == RunFolder("runs/gin_multisim").path
    assert same(open_checkpoint(None).controller(0), load_pretrained())


@pytest.mark.parametrize("from_scratch", [False, True])
def test_what_is_saved_is_a_checkpoint(run, tmp_path, from_scratch):
    checkpoint = open_checkpoint("none" if from_scratch else str(run.path))
    controller = checkpoint.controller(7)
    with torch.no_grad():
        next(controller.predictor.parameters()).add_(1)
    folder = RunFolder(tmp_path / "saved")
    for _ in range(2):  # the second time over what was there
        checkpoint.save(controller, folder, seed=7)
    assert same(open_checkpoint(str(folder.path)).controller(0), controller)
    expected = 7 if from_scratch else checkpoint.config.seed
    assert load_config(folder.config).seed == expected


def test_what_is_no_checkpoint_is_one_clear_error(run, tmp_path):
    with pytest.raises(UserError, match="absent: no such run folder"):
        open_checkpoint(str(tmp_path / "absent"))
    run.weights.write_bytes(b"damaged")
    with pytest.raises(UserError, match="is damaged or no weights file"):
        open_checkpoint(str(run.path))
    run.weights.unlink()
    with pytest.raises(UserError, match="no such file"):
        open_checkpoint(str(run.path))


def test_it_tells_what_it_was_pretrained_to(tmp_path, table):
    checkpoint = open_checkpoint(str(saved_teller(tmp_path / "teller", "snip", "synflow")))
    assert checkpoint.statistics == ["snip", "synflow"]
    rows = torch.tensor([400_000, 7, 99])
    told = checkpoint.tell_function(table, rows)
    controller = checkpoint.controller(0)
    predicted = controller.predictor.predict_descriptors(controller.encode_rows(table, rows))
    assert list(told) == ["snip", "synflow"]
    assert torch.equal(torch.stack(list(told.values()), 1), predicted[:, -2:])


def test_without_such_a_pretraining_it_tells_nothing(tmp_path, table):
    checkpoint = open_checkpoint(str(saved_teller(tmp_path / "silent")))
    assert checkpoint.statistics == []
    assert checkpoint.tell_function(table, torch.arange(3)) == {}
    # From scratch, the columns are there and have learnt nothing.
    teller = open_checkpoint(str(saved_teller(tmp_path / "teller", "snip")))
    assert dataclasses.replace(teller, folder=None).statistics == []
