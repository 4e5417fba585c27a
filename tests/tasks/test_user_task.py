import math
import os
import pickle
import sys

import pytest

from gnn_nas.errors import UserError
from gnn_nas.tasks.image_task import ImageTask
from gnn_nas.tasks.network import NetworkConfig
from gnn_nas.tasks.user_task import SHIPPED, UserTask, load_task

MODULE = """
import numpy as np
import torch
from gnn_nas.tasks.network import NetworkConfig

def function(cell, seed):
    return cell.vertices.item() + seed

class Whole:
    trainings = 3
    timeout = 2.5
    cost = "latency"
    lock = lambda: None
    def train(self, cell, seed):
        return {"reward": torch.tensor(0.5), "latency": np.float32(2)}
    def test(self, cell, seed):
        return 0.25

whole = Whole()

def text(cell, seed):
    return "good"

def nothing(cell, seed):
    return {"accuracy": 1.0}

def truth(cell, seed):
    return True

def one(cell):
    return 1.0

class Wrong:
    trainings = 0
    def train(self, cell, seed): ...

wrong = Wrong()
number = 3

class Sized:
    @property
    def network(self):
        raise ValueError("not yet")
    def train(self, cell, seed): ...

sized = Sized()
Whole.network = NetworkConfig(stem_channels=8, classes=3)
function.network = "my own"

def figures(cell, seed):
    return {
        "reward": 0.5,
        "note": np.str_("new \\udc80"),
        "sure": np.bool_(True),
        "worst": float("inf"),
        "accuracy": None,
        7: torch.tensor([2.5], requires_grad=True),
    }
"""


@pytest.fixture
def module(tmp_path, monkeypatch) -> str:
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


@pytest.fixture
def cell(table):
    return table.cells[:1]


def test_a_function_is_a_task(module, cell):
    task = UserTask(f"{module}:function")
    assert (task.name, task.trainings, task.timeout) == ("function", 1, None)
    assert not task.has_test
    training = task.train(cell, 5)
    assert (training.reward, training.metrics) == (12.0, {})


def test_an_object_says_more(module, cell):
    task = UserTask(f"{module}:whole")
    assert (task.trainings, task.timeout, task.cost) == (3, 2.5, "latency")
    training = task.train(cell, 0)
    assert (training.reward, training.metrics) == (0.5, {"latency": 2.0})
    assert task.has_test
    assert task.test(cell, 0).metrics == {"test": 0.25}


def test_it_is_pickled_by_name_and_found_again_from_elsewhere(module, cell, monkeypatch, tmp_path):
    content = pickle.dumps(UserTask(f"{module}:whole"))
    del sys.modules[module]
    sys.path.remove(os.getcwd())
    monkeypatch.chdir("/")
    assert pickle.loads(content).train(cell, 0).reward == 0.5


def test_the_fingerprint_is_the_source_s(module, tmp_path):
    first = UserTask(f"{module}:whole").fingerprint
    assert UserTask(f"{module}:whole").fingerprint == first
    assert UserTask(f"{module}:function").fingerprint != first
    with (tmp_path / f"{module}.py").open("a") as stream:
        stream.write("# changed\n")
    assert UserTask(f"{module}:whole").fingerprint != first


def test_figures_are_kept_as_numbers_or_texts_that_any_file_takes(module, cell):
    metrics = UserTask(f"{module}:figures").train(cell, 0).metrics
    assert repr(metrics) == repr(
        {"note": "new \\udc80", "sure": 1.0, "worst": math.nan, "accuracy": math.nan, "7": 2.5}
    )
    assert {type(value) for value in metrics.values()} == {float, str}


def test_it_may_tell_the_sizes_of_its_network(module):
    sizes = NetworkConfig(stem_channels=8, classes=3).model_dump()
    settings = {"object": f"{module}:whole", "network": sizes}
    assert UserTask(f"{module}:whole").settings == settings
    assert UserTask(f"{module}:function").settings == {"object": f"{module}:function"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text", "reward is no number: 'good'"),
        ("nothing", "the figures have no reward: accuracy"),
        ("truth", "reward is no number: True"),
    ],
)
def test_what_is_no_reward(module, cell, name, message):
    with pytest.raises(TypeError, match=message):
        UserTask(f"{module}:{name}").train(cell, 0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent", "the module has no absent"),
        ("number", "is no task: neither a function"),
        ("Whole", "is no task"),
        ("one", r"one must take \(cell, seed\)"),
        ("wrong", "trainings must be from 1 to 1000: 0"),
        ("sized", "network cannot be read: ValueError: not yet"),
    ],
)
def test_what_is_no_task(module, name, message):
    with pytest.raises(UserError, match=rf"--task {module}:{name}.*{message}"):
        UserTask(f"{module}:{name}")


def test_a_module_that_raises_is_one_line(module, tmp_path):
    (tmp_path / "raises_here.py").write_text("raise KeyError('data')")
    with pytest.raises(UserError, match="cannot import raises_here: KeyError: 'data'"):
        UserTask("raises_here:x")
    (tmp_path / "exits_here.py").write_text("import sys; sys.exit()")
    with pytest.raises(UserError, match="cannot import exits_here: SystemExit"):
        UserTask("exits_here:x")
    with pytest.raises(UserError, match="cannot import not_there: ModuleNotFoundError"):
        UserTask("not_there:x")


@pytest.mark.parametrize("name", SHIPPED)
def test_what_comes_with_the_package(name):
    task = load_task(name)
    assert isinstance(task, ImageTask)
    assert task.name == name


@pytest.mark.parametrize("reference", ["digit", "a b:c", "module:", ":object", "x.json"])
def test_what_names_no_task(reference):
    with pytest.raises(UserError, match=r"neither digits nor FILE.yaml nor module:object"):
        load_task(reference)
    with pytest.raises(UserError, match=r"absent.yaml: cannot read"):
        load_task("absent.yaml")
