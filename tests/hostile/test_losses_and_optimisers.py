"""Names and arguments of losses, miners, optimisers and schedules: refused, or they do run."""

from __future__ import annotations

import inspect
import json
import math
import random
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from gnn_nas.config import PretrainConfig, load_config
from gnn_nas.errors import UserError
from gnn_nas.pretraining.metric.losses import LIBRARY_LOSSES
from gnn_nas.pretraining.metric.metric_loss import make_metric_loss
from gnn_nas.pretraining.metric.miners import MINERS
from gnn_nas.pretraining.optimisation import SCHEDULES, make_optimizer, make_schedule
from gnn_nas.pretraining.rehearsal import rehearse

CONFIG = Path(__file__).parents[2] / "configs" / "gin_multisim.yaml"
CPU = torch.device("cpu")
SMALL = ["data.batch_size=32", "model.embedding=6"]
OPTIMISERS = [
    *("ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam"),
    *("RAdam", "RMSprop", "Rprop", "SGD"),
]
UGLY = [
    *(True, False, None, 0, -1, 5, -0.5, 1e300, -1e300, 1e-300, 10**300, "x", "", "0.1"),
    *([], [0.9], [0.9, 0.9], [0.9, "x"], [[0.9, 0.9]], [None, 0.1], {}, {"a": 1}),
]


def resolved(changes: dict) -> PretrainConfig:
    """The config with values set as by ``--set``, and rehearsed. Raises what refuses it."""
    overrides = [f"{key}={json.dumps(value)}" for key, value in changes.items()]
    config = load_config(CONFIG, [*SMALL, *overrides])
    rehearse(config, CPU)
    return config


def accepted(changes: dict) -> PretrainConfig | None:
    """The config, or None where it was refused in one line."""
    refusal = None
    try:
        return resolved(changes)
    except (UserError, ValueError) as error:
        refusal = str(error)
    assert refusal
    assert "\n" not in refusal
    return None


def optimizer(name: str, args: dict, **more) -> dict:
    return {"optimizer.name": name, "optimizer.args": args, **more}


def metric(loss: str, args: dict, miner: str | None, miner_args: dict | None = None) -> dict:
    return {
        "metric.loss": loss,
        "metric.loss_args": args,
        "metric.miner": miner,
        "metric.miner_args": miner_args or {},
    }


@pytest.mark.parametrize(
    "changes",
    [
        optimizer("Adam", {"amsgrad": 5}),
        optimizer("Adam", {"foreach": "yes"}),
        optimizer("Adam", {"capturable": 1}),
        optimizer("Adam", {"betas": 0.9}),
        optimizer("Adam", {"betas": [0.9, True]}),
        optimizer("Adam", {"betas": [0.9, 1.0]}),
        optimizer("Adam", {"eps": 1e300, "weight_decay": 1e300}),
        optimizer("Adam", {"lr": 0.1}),
        optimizer("Adam", {"params": []}),
        optimizer("SGD", {"nesterov": True}),
        optimizer("SGD", {"nesterov": 1, "momentum": 0.9}),
        optimizer("SGD", {"momentum": True}),
        optimizer("SGD", {"weight_decay": 10**300}),
        optimizer("SGD", {"momentum": 10**300}),
        optimizer("SGD", {}, **{"optimizer.lr": 1e300}),
        optimizer("SGD", {}, **{"optimizer.lr": 10**300}),
        optimizer("Rprop", {"etas": [0.5, 1.2, 3]}),
        optimizer("Rprop", {"step_sizes": [1e-6, "50"]}),
        optimizer("Adafactor", {"eps": [None]}),
        optimizer("LBFGS", {}),
        optimizer("SparseAdam", {}),
        optimizer("Muon", {}),
        optimizer("Optimizer", {}),
        optimizer("__doc__", {}),
        optimizer("", {}),
        metric("VICRegLoss", {}, None),
        metric("VICRegLoss", {}, "AngularMiner"),
        metric("InstanceLoss", {}, "AngularMiner"),
        metric("InstanceLoss", {}, "TripletMarginMiner"),
        metric("PNPLoss", {}, "AngularMiner"),
        metric("PNPLoss", {}, "TripletMarginMiner"),
        metric("PNPLoss", {"variant": "Z"}, None),
        metric("HistogramLoss", {"n_bins": 3, "delta": 0.1}, None),
        metric("HistogramLoss", {"delta": 0}, None),
        metric("NTXentLoss", {"temperature": 0}, None),
        metric("SupConLoss", {"temperature": None}, None),
        metric("MarginLoss", {"beta": [1.2]}, None),
        metric("MarginLoss", {"num_classes": 10}, None),
        metric("TripletMarginLoss", {"swap": 1}, "AngularMiner"),
        metric("TripletMarginLoss", {"margin": None}, "AngularMiner"),
        metric("MultiSimilarityLoss", {"alpha": 0}, "AngularMiner"),
        metric("MultiSimilarityLoss", {"alpha": 1e300}, "AngularMiner"),
        metric("MultiSimilarityLoss", {"distance": "LpDistance"}, "AngularMiner"),
        metric("BaseMetricLossFunction", {}, None),
        metric("ArcFaceLoss", {"num_classes": 4, "embedding_size": 32}, None),
        metric("NPairsLoss", {}, "AngularMiner", {"angle": 90}),
        metric("NPairsLoss", {}, "AngularMiner", {"angle": True}),
        metric("NPairsLoss", {}, "TripletMarginMiner", {"margin": "wide"}),
        metric("NPairsLoss", {}, "TripletMarginMiner", {"type_of_triplets": 3}),
        metric("NPairsLoss", {}, "MINERS"),
        # With as many triplets as a batch has they need terabytes.
        metric("NTXentLoss", {}, "AngularMiner") | {"data.batch_size": 512},
        metric("TupletMarginLoss", {}, "AngularMiner") | {"data.batch_size": 512},
        {"metric.weight": 1e300},
        {"training.structure_weight": 1e300},
        {"training.embedding_noise": 1e300},
    ],
    ids=str,
)
def test_what_cannot_run_is_refused(changes):
    with pytest.raises((UserError, ValueError)) as refusal:
        resolved(changes)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("miner", [None, *MINERS])
@pytest.mark.parametrize("loss", LIBRARY_LOSSES)
def test_every_loss_with_every_miner_is_refused_or_runs(loss, miner):
    runs(accepted(metric(loss, {}, miner)))


def runs(config: PretrainConfig | None) -> None:
    """Assert that an accepted metric loss computes on a batch that the rehearsal has not seen."""
    if config is None:
        return
    chosen = config.metric
    loss = make_metric_loss(chosen)
    generator = torch.Generator().manual_seed(1)
    points = torch.randn(40, 12, generator=generator).requires_grad_()
    value = loss(normalize(points, dim=1), torch.arange(40) % 8)
    (chosen.weight * value).backward()
    assert value.shape == ()
    assert value.isfinite()
    assert points.grad.isfinite().all()


def arguments_of(kind: type) -> list[str]:
    parameters = inspect.signature(kind).parameters.values()
    return [p.name for p in parameters if p.kind is not p.VAR_KEYWORD and p.name != "params"]


def loss_mutations() -> list[dict]:
    draw = random.Random(13)
    mutations = []
    for name, kind in LIBRARY_LOSSES.items():
        for argument in arguments_of(kind):
            for value in draw.sample(UGLY, 3):
                mutations.append(metric(name, {argument: value}, draw.choice([None, *MINERS])))
    for name, kind in MINERS.items():
        for argument in arguments_of(kind):
            for value in draw.sample(UGLY, 8):
                mutations.append(metric("MultiSimilarityLoss", {}, name, {argument: value}))
    return mutations


@pytest.mark.parametrize("changes", loss_mutations(), ids=str)
def test_any_argument_of_a_loss_or_miner_is_refused_or_runs(changes):
    runs(accepted(changes))


def optimiser_mutations() -> list[dict]:
    draw = random.Random(14)
    return [
        optimizer(name, {argument: value})
        for name in OPTIMISERS
        for argument in arguments_of(getattr(torch.optim, name))
        for value in draw.sample(UGLY, 2)
    ]


@pytest.mark.parametrize("changes", optimiser_mutations(), ids=str)
def test_any_argument_of_an_optimiser_is_refused_or_steps(changes):
    config = accepted(changes)
    if config is None:
        return
    weights = [nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(2))]
    stepping = make_optimizer(config.optimizer, weights)
    for _ in range(3):
        stepping.zero_grad()
        sum(each.square().sum() for each in weights).backward()
        stepping.step()
    assert all(each.isfinite().all() for each in weights)
    ((argument, value),) = changes["optimizer.args"].items()
    default = inspect.signature(getattr(torch.optim, config.optimizer.name)).parameters[argument]
    assert isinstance(default.default, bool) <= isinstance(value, bool)


def schedule_mutations() -> list[tuple[str, dict]]:
    draw = random.Random(15)
    known = {
        "constant": {},
        "step": {"at": [20, 60], "gamma": 0.2},
        "cosine": {"floor": 0.1},
        "one-cycle": {"warmup": 0.05, "floor": 1e-3},
    }
    mutations = [
        ("step", {"at": [20, 60], "gamma": -1}),
        ("step", {"at": [20, 60], "gamma": 1e200}),
        ("step", {"at": [20, 60], "gamma": 10**200}),
        ("step", {"at": [20, 60], "gamma": True}),
        ("step", {"at": [20.5], "gamma": 0.1}),
        ("step", {"at": [True], "gamma": 0.1}),
        ("step", {"at": [-5], "gamma": 0.1}),
        ("step", {"at": "20", "gamma": 0.1}),
        ("step", {"at": {"20": 1}, "gamma": 0.1}),
        ("cosine", {"floor": -5}),
        ("cosine", {"floor": 1e308}),
        ("cosine", {"floor": 10**300}),
        ("one-cycle", {"floor": -5}),
        ("one-cycle", {"floor": True}),
        ("one-cycle", {"warmup": 1e300}),
        ("one-cycle", {"warmup": None}),
    ]
    assert known.keys() == SCHEDULES.keys()
    for name, args in known.items():
        for argument in [*args, "steps", "step"]:
            for value in draw.sample(UGLY, 7):
                mutations.append((name, {**args, argument: value}))
    return mutations


@pytest.mark.parametrize(("schedule", "args"), schedule_mutations(), ids=str)
def test_any_argument_of_a_schedule_is_refused_or_gives_rates(schedule, args):
    changes = {"optimizer.schedule": schedule, "optimizer.schedule_args": args}
    config = accepted(changes)
    if config is None:
        return
    weight = nn.Parameter(torch.ones(1))
    stepping = torch.optim.SGD([weight], lr=config.optimizer.lr)
    made = make_schedule(config.optimizer, stepping, 100)
    for _ in range(100):
        (rate,) = made.get_last_lr()
        assert 0 <= rate < math.inf
        stepping.step()
        made.step()
