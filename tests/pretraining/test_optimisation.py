import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from gnn_nas.config import OptimizerConfig, load_config
from gnn_nas.pretraining.optimisation import make_optimizer, make_schedule


def config(**changes) -> OptimizerConfig:
    values = {
        "name": "SGD",
        "lr": 0.5,
        "args": {},
        "schedule": "constant",
        "schedule_args": {},
        "clip": 0.0,
    }
    return OptimizerConfig(**(values | changes))


def rates(steps: int, **changes) -> list[float]:
    """The learning rate in force at each step."""
    optimizer = make_optimizer(config(**changes), [nn.Parameter(torch.zeros(1))])
    schedule = make_schedule(config(**changes), optimizer, steps)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return values


def test_constant():
    assert rates(5) == [0.5] * 5


def test_the_paper_s_step():
    """Learning rate 1.0 for 6,000 iterations, then 0.2."""
    paper = {"schedule": "step", "schedule_args": {"at": [6000], "gamma": 0.2}}
    values = rates(13_238, lr=1.0, **paper)
    assert values[:6000] == [1.0] * 6000
    assert values[6000:] == pytest.approx([0.2] * 7238)


def test_the_shipped_config_of_the_paper(pytestconfig):
    shipped = load_config(pytestconfig.rootpath / "configs" / "paper_sgd.yaml").optimizer
    assert (shipped.name, shipped.lr, shipped.clip) == ("SGD", 1.0, 0.0)
    assert (shipped.schedule, shipped.schedule_args) == ("step", {"at": [6000], "gamma": 0.2})
    assert shipped.args == {}


def test_several_steps_multiply():
    values = rates(6, schedule="step", schedule_args={"at": [2, 4], "gamma": 0.1})
    assert values == pytest.approx([0.5, 0.5, 0.05, 0.05, 0.005, 0.005])


@pytest.mark.parametrize("floor", [0.0, 0.2])
def test_cosine(floor):
    values = rates(8, schedule="cosine", schedule_args={"floor": floor})
    expected = [0.5 * (floor + (1 - floor) * (1 + math.cos(math.pi * t / 8)) / 2) for t in range(8)]
    assert values == pytest.approx(expected)
    assert values[0] == 0.5
    assert values[4] == pytest.approx(0.5 * (1 + floor) / 2)


def test_one_cycle_rises_then_falls_to_the_floor():
    arguments = {"warmup": 0.1, "floor": 0.01}
    values = rates(1000, schedule="one-cycle", schedule_args=arguments)
    assert values[:100] == pytest.approx([0.5 * (step + 1) / 100 for step in range(100)])
    assert max(values) == values[99] == 0.5
    assert all(before > after for before, after in pairwise(values[99:]))
    expected = [0.5 * (0.01 + 0.99 * (1 + math.cos(math.pi * t / 900)) / 2) for t in range(901)]
    assert values[99:] == pytest.approx(expected[:901])
    assert values[-1] == pytest.approx(0.5 * 0.01, rel=0.01)


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
@pytest.mark.parametrize("warmup", [0.0, 0.5, 1.0])
def test_one_cycle_of_few_steps_stays_between_floor_and_peak(steps, warmup):
    values = rates(steps, schedule="one-cycle", schedule_args={"warmup": warmup})
    assert all(0.5 * 1e-3 <= value <= 0.5 for value in values)
    # The peak may lie between two steps.
    assert max(values) > 0.4


@pytest.mark.parametrize("schedule", ["step", "cosine", "one-cycle"])
def test_a_restored_schedule_goes_on(schedule):
    changes = {"schedule": schedule}
    if schedule == "step":
        changes["schedule_args"] = {"at": [5], "gamma": 0.3}

    def fresh():
        optimizer = make_optimizer(config(**changes), [nn.Parameter(torch.zeros(1))])
        return optimizer, make_schedule(config(**changes), optimizer, 10)

    optimizer, scheduler = fresh()
    for _ in range(4):
        optimizer.step()
        scheduler.step()
    restored_optimizer, restored = fresh()
    restored_optimizer.load_state_dict(optimizer.state_dict())
    restored.load_state_dict(scheduler.state_dict())
    for _ in range(5):
        for each in (optimizer, scheduler, restored_optimizer, restored):
            each.step()
        assert restored.get_last_lr() == scheduler.get_last_lr()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "NAdam", "Adafactor"])
def test_optimisers_are_built_by_name_and_step(name):
    weight = nn.Parameter(torch.ones(3, 3))
    optimizer = make_optimizer(config(name=name), [weight])
    assert type(optimizer) is getattr(torch.optim, name)
    assert optimizer.param_groups[0]["lr"] == 0.5
    weight.square().sum().backward()
    optimizer.step()
    assert (weight < 1).all()


def test_arguments_reach_the_optimiser():
    optimizer = make_optimizer(
        config(name="Adam", args={"betas": [0.8, 0.9], "weight_decay": 0.1}),
        [nn.Parameter(torch.zeros(1))],
    )
    group = optimizer.param_groups[0]
    assert tuple(group["betas"]) == (0.8, 0.9)
    assert group["weight_decay"] == 0.1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "Adan"}, "optimizer.name 'Adan' is none of ASGD, .*Adam, .*SGD"),
        ({"name": "Optimizer"}, "'Optimizer' is none of"),
        ({"name": "lr_scheduler"}, "'lr_scheduler' is none of"),
        ({"name": "LBFGS"}, "'LBFGS' is none of"),
        ({"name": "SparseAdam"}, "'SparseAdam' is none of"),
        ({"args": {"momentums": 0.9}}, "optimizer.args do not fit SGD: .*'momentums'"),
        ({"args": {"lr": 1}}, "optimizer.args do not fit SGD: .*lr"),
        ({"args": {"momentum": "much"}}, "optimizer.args do not fit SGD"),
        ({"args": {"momentum": -1}}, "Invalid momentum value: -1"),
        ({"name": "Adam", "args": {"betas": 0.9}}, "optimizer.args do not fit Adam"),
        ({"name": "Adam", "args": {"betas": [0.9]}}, "optimizer.args do not fit Adam"),
        (
            {"name": "Adam", "args": {"fused": True, "foreach": True}},
            "optimizer.args do not fit Adam: `fused` and `foreach`",
        ),
    ],
)
def test_a_bad_optimiser_is_one_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_optimizer(config(**changes), [nn.Parameter(torch.zeros(2, 2))])


@pytest.mark.parametrize(
    ("schedule", "arguments", "sentence"),
    [
        ("constant", {"at": [1]}, "schedule_args do not fit constant: .*'at'"),
        ("step", {"at": [6000]}, "schedule_args do not fit step: .*'gamma'"),
        ("step", {"at": 6000, "gamma": 0.2}, "schedule_args do not fit step"),
        ("step", {"at": [6000], "gamma": "x"}, "schedule_args do not fit step"),
        ("step", {"at": ["soon"], "gamma": 0.2}, "schedule_args do not fit step"),
        ("cosine", {"floor": "low"}, "schedule_args do not fit cosine"),
        ("one-cycle", {"steps": 3}, "schedule_args do not fit one-cycle: .*'steps'"),
        ("one-cycle", {"warmup": "0.1"}, "schedule_args do not fit one-cycle"),
        ("one-cycle", {"floor": "low"}, "schedule_args do not fit one-cycle"),
        ("one-cycle", {"warmup": 500}, "warmup is a share from 0 to 1, not 500"),
        ("one-cycle", {"warmup": -0.1}, "warmup is a share from 0 to 1, not -0.1"),
    ],
)
def test_a_bad_schedule_is_one_sentence_at_once(schedule, arguments, sentence):
    """At once: not when the run comes to the step that needs the value."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)
    with pytest.raises(ValueError, match=sentence):
        make_schedule(config(schedule=schedule, schedule_args=arguments), optimizer, 100)
