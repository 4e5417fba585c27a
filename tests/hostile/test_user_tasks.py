"""What a user's function gives or raises, and what a user's object says of itself.

A function has one of two outcomes: figures that a search can be told of, the same whether they come
from the training or from the store, or a failure in a few words. An object is a task or is refused.
"""

import asyncio
import decimal
import enum
import fractions
import math
import pickle
import random
import sys
import types
from collections import OrderedDict, UserDict
from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.search.history import History, Query
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.tasks.evaluator import _evaluation, _mean
from gnn_nas.tasks.network import NetworkConfig
from gnn_nas.tasks.store import Store
from gnn_nas.tasks.task import METRICS, Diverged
from gnn_nas.tasks.training_job import TrainingJob, TrainingRecord, run_training
from gnn_nas.tasks.user_task import UserTask

JOB = TrainingJob("0a" * 16, 3, 0b111, (0, -1, -1, -1, -1), 0, "search")
NAME = "hostile_module"


class Colour(enum.StrEnum):
    RED = "red"


class Word(str):
    def __str__(self):
        raise ValueError("no word")


class Count(int):
    def __float__(self):
        return float("nan")


class Unprintable:
    def __repr__(self):
        raise ValueError("no repr")


class Item:
    """Says that it holds a number, as tensors do."""

    def __init__(self, value):
        self.value = value

    def item(self):
        if isinstance(self.value, BaseException):
            raise self.value
        return self.value


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Rude(BaseException):
    pass


class Broken(Mapping):
    def __getitem__(self, name):
        raise KeyError("gone")

    def __iter__(self):
        yield "reward"

    def __len__(self):
        return 1


async def later():
    return 0.5


def one_after_the_other():
    yield 0.5


def itself():
    figures = {"reward": 0.5}
    figures["self"] = figures
    return figures


# Rewards by what comes of them: the number, or a part of the failure.
REWARDS = {
    "float": (0.5, 0.5),
    "int": (3, 3.0),
    "zero": (0, 0.0),
    "negative": (-7.5, -7.5),
    "negative zero": (-0.0, 0.0),
    "least": (5e-324, 5e-324),
    "large": (1e30, 1e30),
    "numpy float16": (np.float16(0.5), 0.5),
    "numpy float64": (np.float64(0.25), 0.25),
    "numpy longdouble": (np.longdouble(0.25), 0.25),
    "numpy int8": (np.int8(-3), -3.0),
    "numpy uint64": (np.uint64(2**63), 2.0**63),
    "array of one": (np.array([0.5]), 0.5),
    "array without axes": (np.array(0.5), 0.5),
    "tensor": (torch.tensor(0.5), 0.5),
    "tensor with a gradient": (torch.tensor([[0.5]], requires_grad=True), 0.5),
    "tensor of bfloat16": (torch.tensor(0.5, dtype=torch.bfloat16), 0.5),
    "tensor of whole numbers": (torch.tensor(2), 2.0),
    "what holds a number": (Item(0.5), 0.5),
    "mapping": ({"reward": 0.5}, 0.5),
    "ordered mapping": (OrderedDict(reward=0.5), 0.5),
    "mapping of a class": (UserDict(reward=0.5), 0.5),
    "mapping that is not to be changed": (types.MappingProxyType({"reward": 0.5}), 0.5),
    "nan": (math.nan, "the reward is nan"),
    "inf": (math.inf, "the reward is inf"),
    "minus inf": (-math.inf, "the reward is -inf"),
    "numpy nan": (np.float32("nan"), "the reward is nan"),
    "tensor of inf": (torch.tensor(math.inf), "the reward is inf"),
    "number that says it is none": (Count(3), "the reward is nan"),
    "too large": (1e31, "reward is too large"),
    "largest": (sys.float_info.max, "reward is too large"),
    "whole number beyond all floats": (10**400, "reward is too large"),
    "negative one of them": (-(10**400), "reward is too large"),
    "one of so many digits that none are shown": (10**5000, "reward is too large"),
    "true": (True, "reward is no number: True"),
    "numpy true": (np.True_, "reward is no number: True"),
    "tensor of truth": (torch.tensor(True), "reward is no number: True"),
    "none": (None, "reward is no number: None"),
    "nothing said": ({"reward": None}, "reward is no number: None"),
    "text": ("0.5", "reward is no number: '0.5'"),
    "text of numpy": (np.str_("0.5"), "reward is no number: '0.5'"),
    "bytes": (b"0.5", "reward is no number: b'0.5'"),
    "complex": (0.5 + 0j, "reward is no number: (0.5+0j)"),
    "numpy complex": (np.complex64(1), "reward is no number: (1+0j)"),
    "decimal": (decimal.Decimal("0.5"), "reward is no number"),
    "fraction": (fractions.Fraction(1, 2), 0.5),
    "date": (np.datetime64("2020-01-01"), "reward is no number"),
    "list": ([0.5], "reward is no number: [0.5]"),
    "tuple": ((0.5, 0.4), "reward is no number: (0.5, 0.4)"),
    "set": ({0.5}, "reward is no number: {0.5}"),
    "empty mapping": ({}, "the figures have no reward: none"),
    "mapping without it": ({"accuracy": 0.5}, "the figures have no reward: accuracy"),
    "mapping with another case": ({"Reward": 0.5}, "the figures have no reward: Reward"),
    "mapping of bytes": ({b"reward": 0.5}, "the figures have no reward: b'reward'"),
    "mapping in it": ({"reward": {"reward": 0.5}}, "reward is no number: {'reward': 0.5}"),
    "array of two": (np.array([0.5, 0.4]), "reward is no number: array([0.5, 0.4])"),
    "empty array": (np.empty(0), "reward is no number: array([]"),
    "large array": (np.zeros((300, 300)), "reward is no number: array([[0."),
    "tensor of two": (torch.zeros(2), "reward is no number: tensor([0., 0.])"),
    "empty tensor": (torch.empty(0), "reward is no number: tensor([])"),
    "tensor on meta": (torch.empty(1, device="meta"), "reward is no number"),
    "sparse tensor": (torch.eye(2).to_sparse(), "reward is no number"),
    "objects in an array": (np.array([object()]), "reward is no number: <object"),
    "object": (object(), "reward is no number: <object"),
    "class": (dict, "reward is no number: <class 'dict'>"),
    "function": (len, "reward is no number: <built-in function len>"),
    "module": (math, "reward is no number: <module 'math'"),
    "network": (torch.nn.Linear(1, 1), "reward is no number: Linear"),
    "generator": (one_after_the_other(), "reward is no number: <generator"),
    "exception": (ValueError("x"), "reward is no number: ValueError('x')"),
    "ellipsis": (..., "reward is no number: Ellipsis"),
    "what cannot be shown": (Unprintable(), "ValueError: no repr"),
    "what holds a text": (Item("x"), "reward is no number"),
    "what holds nothing": (Item(None), "reward is no number"),
    "what holds itself": (Item(Item(1.0)), "reward is no number"),
    "what fails to give it": (Item(KeyError("x")), "reward is no number"),
    "mapping that breaks": (Broken(), "KeyError: 'gone'"),
    "huge numpy longdouble": (np.longdouble(10) ** 4000, "reward is too large"),
    "itself": (itself(), "self is no number and no text: {'reward': 0.5, 'self': {...}}"),
}

# Figures beside the reward, under the name "figure", by what is kept: NaN is not known.
FIGURES = {
    "number": (1.5, 1.5),
    "whole number": (7, 7.0),
    "true": (True, 1.0),
    "numpy false": (np.False_, 0.0),
    "tensor": (torch.tensor(2.5), 2.5),
    "none": (None, math.nan),
    "nan": (math.nan, math.nan),
    "inf": (math.inf, math.nan),
    "minus inf of numpy": (np.float32("-inf"), math.nan),
    "text": ("x", "x"),
    "empty text": ("", ""),
    "text of numpy": (np.str_("x"), "x"),
    "text of a class": (Colour.RED, "red"),
    "text whose text is none": (Word("word"), "word"),
    "lines": ("one\ntwo\r\n", "one\ntwo\r\n"),
    "quotes and commas": ('a,"b"', 'a,"b"'),
    "control characters": ("\x00\x1b[31m", "\x00\x1b[31m"),
    "another script": ("质量 ✓ 𝄞", "质量 ✓ 𝄞"),
    "half a character": ("a\ud800b", "a\\ud800b"),
    "undecodable byte": ("\udcff", "\\udcff"),
    "long text": ("x" * 10_000, "x" * 10_000),
    "text that looks like JSON": ('{"a": NaN}', '{"a": NaN}'),
    "too long a text": ("x" * 10_001, "figure is a text of more than 10,000 characters"),
    "too large": (1e300, "figure is too large"),
    "beyond all floats": (10**400, "figure is too large"),
    "bytes": (b"x", "figure is no number and no text: b'x'"),
    "complex": (1j, "figure is no number and no text: 1j"),
    "list": ([1.0, 2.0], "figure is no number and no text: [1.0, 2.0]"),
    "empty list": ([], "figure is no number and no text: []"),
    "nested": ({"a": 1.0}, "figure is no number and no text: {'a': 1.0}"),
    "array": (np.zeros(3), "figure is no number and no text: array"),
    "tensor of two": (torch.zeros(2), "figure is no number and no text: tensor"),
    "decimal": (decimal.Decimal(1), "figure is no number and no text"),
    "date": (datetime(2020, 1, 1), "figure is no number and no text: datetime"),
    "object": (object(), "figure is no number and no text: <object"),
    "function": (len, "figure is no number and no text: <built-in"),
    "what cannot be shown": (Unprintable(), "ValueError: no repr"),
}

# Names of figures: what they are kept as, or a part of the failure.
NAMES = {
    "empty": ("", ""),
    "number": (7, "7"),
    "none": (None, "None"),
    "pair": ((1, 2), "(1, 2)"),
    "another script": ("точность", "точность"),
    "half a character": ("\ud800", "\\ud800"),
    "NUL": ("a\x00b", "a\x00b"),
    "quote": ("'; DROP TABLE evaluations; --", "'; DROP TABLE evaluations; --"),
    "class": (Colour.RED, "red"),
    "without a text": (Word("word"), "ValueError: no word"),
    "what cannot be shown": (Unprintable(), "ValueError: no repr"),
}

# Figures that pictures and tables know must be numbers.
KNOWN = {
    "number": (0.5, 0.5),
    "none": (None, math.nan),
    "inf": (math.inf, math.nan),
    "text": ("high", "is no number: 'high'"),
    "text of a number": ("0.5", "is no number: '0.5'"),
    "true": (True, "is no number: True"),
    "list": ([0.5], "is no number: [0.5]"),
    "huge": (1e200, "is too large"),
}

RAISED = {
    "exception": (ValueError("bad"), "failed", "ValueError: bad"),
    "without a text": (ValueError(), "failed", "ValueError: "),
    "of several things": (OSError(2, "no file", "x"), "failed", "FileNotFoundError: [Errno 2]"),
    "diverged": (Diverged("nan in epoch 1"), "diverged", "nan in epoch 1"),
    "memory": (MemoryError("much"), "failed", "MemoryError: much"),
    "recursion": (RecursionError("deep"), "failed", "RecursionError: deep"),
    "stop": (StopIteration(3), "failed", "StopIteration: 3"),
    "assertion": (AssertionError(), "failed", "AssertionError: "),
    "user error": (UserError("my own"), "failed", "UserError: my own"),
    "exit": (SystemExit(0), "failed", "SystemExit: 0"),
    "exit with a text": (SystemExit("bye"), "failed", "SystemExit: bye"),
    "interrupt": (KeyboardInterrupt(), "failed", "KeyboardInterrupt: "),
    "generator's exit": (GeneratorExit(), "failed", "GeneratorExit: "),
    "cancelled": (asyncio.CancelledError("x"), "failed", "CancelledError: x"),
    "of the base": (Rude("rude"), "failed", "Rude: rude"),
    "group": (ExceptionGroup("several", [ValueError("a")]), "failed", "ExceptionGroup: several"),
    "its own text raises": (Mute(), "failed", "Mute: without a text, as it raises RuntimeError"),
    "half a character": (ValueError("a\ud800"), "failed", "ValueError: a\\ud800"),
    "NUL": (ValueError("a\x00b"), "failed", "ValueError: a\x00b"),
    "lines": (ValueError('a\nb,"c"'), "failed", 'ValueError: a\nb,"c"'),
    "very long": (ValueError("x" * 10**6), "failed", "ValueError: xxx"),
    "of torch": (torch.OutOfMemoryError("CUDA out of memory"), "failed", "OutOfMemoryError: CUDA"),
}

# What an object says of itself, by what becomes of it: an attribute's value, or the refusal.
SAID = {
    "trainings of one": ("trainings", 1, 1),
    "trainings of many": ("trainings", 1000, 1000),
    "no trainings": ("trainings", 0, "trainings must be from 1 to 1000: 0"),
    "negative trainings": ("trainings", -1, "trainings must be from 1 to 1000: -1"),
    "endless trainings": ("trainings", 10**9, "trainings must be from 1 to 1000: 1000000000"),
    "half a training": ("trainings", 1.5, "trainings must be from 1 to 1000: 1.5"),
    "trainings in a text": ("trainings", "3", "trainings must be from 1 to 1000: '3'"),
    "true trainings": ("trainings", True, "trainings must be from 1 to 1000: True"),
    "trainings of none": ("trainings", None, "trainings must be from 1 to 1000: None"),
    "array of trainings": ("trainings", np.arange(3), "trainings must be from 1 to 1000: array"),
    "timeout": ("timeout", 2.5, 2.5),
    "no timeout": ("timeout", None, None),
    "timeout of nothing": ("timeout", 0, "timeout must be seconds: 0"),
    "negative timeout": ("timeout", -1.0, "timeout must be seconds: -1.0"),
    "timeout nan": ("timeout", math.nan, "timeout must be seconds: nan"),
    "timeout inf": ("timeout", math.inf, "timeout must be seconds: inf"),
    "timeout in a text": ("timeout", "60", "timeout must be seconds: '60'"),
    "true timeout": ("timeout", True, "timeout must be seconds: True"),
    "array of timeouts": ("timeout", np.ones(2), "timeout must be seconds: array"),
    "cost": ("cost", "latency", "latency"),
    "other cost": ("cost", "money", "cost must be parameters or latency: 'money'"),
    "cost of none": ("cost", None, "cost must be parameters or latency: None"),
    "array of costs": ("cost", np.array(["latency"] * 2), "cost must be parameters or latency: "),
    "list of costs": ("cost", ["latency"], "cost must be parameters or latency: ['latency']"),
    "fingerprint": ("fingerprint", "1", "1"),
    "number of a fingerprint": ("fingerprint", 7, "7"),
    "half a character": ("fingerprint", "\ud800", "\\ud800"),
    "array of fingerprints": ("fingerprint", np.ones(2), "fingerprint must be a text or a number"),
    "mapping of a fingerprint": ("fingerprint", {}, "fingerprint must be a text or a number: {}"),
    "test of no function": ("test", 3, "is no task: neither a function"),
    "test of one argument": ("test", lambda cell: 1.0, "must take (cell, seed)"),
    "no test": ("test", None, None),
    "train of no function": ("train", "x", "is no task: neither a function"),
    "train of no argument": ("train", lambda: 1.0, "must take (cell, seed)"),
    "train of a class": ("train", dict, "is no task: neither a function"),
}

# What a module's source may hold, by the refusal.
SOURCES = {
    "raises": ("raise KeyError('data')", "cannot import hostile_module: KeyError: 'data'"),
    "exits": ("import sys; sys.exit()", "cannot import hostile_module: SystemExit"),
    "exits well": ("raise SystemExit(0)", "cannot import hostile_module: SystemExit: 0"),
    "raises of the base": ("raise GeneratorExit('x')", "cannot import hostile_module: Generator"),
    "no Python": ("def (", "cannot import hostile_module: SyntaxError"),
    "NUL": ("task = 1\x00", "cannot import hostile_module: "),
    "no indentation": ("if True:\nx = 1", "cannot import hostile_module: IndentationError"),
    "half a character": ("raise ValueError('\\ud800')", "ValueError: \\ud800"),
    "without a text": (
        "class E(Exception):\n    def __str__(self): return 1 / 0\nraise E",
        "E: without a text, as it raises ZeroDivisionError",
    ),
    "imports what is not there": ("import not_there_at_all", "ModuleNotFoundError"),
    "imports itself": ("from hostile_module import task", "cannot import hostile_module: Import"),
    "empty": ("", "the module has no task"),
    "number": ("task = 3", "is no task: neither a function"),
    "none": ("task = None", "is no task: neither a function"),
    "class": ("class task:\n    def train(self, cell, seed): ...", "train must take (cell, seed)"),
    "too few arguments": ("def task(cell): ...", "task must take (cell, seed)"),
    "too many arguments": ("def task(cell, seed, more): ...", "task must take (cell, seed)"),
    "names only": ("def task(*, cell, seed): ...", "task must take (cell, seed)"),
    "refuses to tell": ("def __getattr__(name): raise ValueError", "the module has no task"),
    "property": (
        "class T:\n    def train(self, cell, seed): ...\n    @property\n"
        "    def timeout(self): return 1 / 0\ntask = T()",
        "its timeout cannot be read: ZeroDivisionError",
    ),
    "everything is there": (
        "from unittest.mock import MagicMock\ntask = MagicMock()",
        "trainings must be from 1 to 1000: <MagicMock",
    ),
}


@pytest.fixture
def user(monkeypatch, tmp_path):
    """Gives the task of a module that holds an object."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def make(found: object) -> UserTask:
        module = types.ModuleType(NAME)
        module.task = found
        monkeypatch.setitem(sys.modules, NAME, module)
        return UserTask(f"{NAME}:task")

    return make


@pytest.fixture
def keep(tmp_path):
    """Gives what a store and a history give back for an outcome, as a search writes them."""

    def call(outcome: TrainingRecord) -> TrainingRecord:
        path = tmp_path / "evaluations.sqlite"
        store = Store(path, "0" * 64)
        outcome = pickle.loads(pickle.dumps(outcome))  # on its way from a process
        store.put(JOB, outcome)
        store.close()
        store = Store(path, "0" * 64)
        again = store.get(JOB)
        store.close()
        assert repr(again) == repr(outcome)
        evaluation = _evaluation([again, again])
        figures = tuple(_mean([again, again], name) for name in METRICS)
        assert repr(evaluation) == repr(_evaluation([outcome, outcome]))
        assert repr(figures) == repr(tuple(_mean([outcome] * 2, name) for name in METRICS))
        history = History(tmp_path / "history.csv", METRICS)
        history.append([Query(1, JOB.module_hash, evaluation, figures, 0)])
        (query,) = History(history.path, METRICS).queries
        assert repr(query.report) == repr(figures)
        assert query.evaluation.reward == evaluation.reward
        return again

    return call


def outcome_of(user, given: object) -> TrainingRecord:
    """What comes of a function that gives, or raises, a thing."""

    def train(cell: PackedCells, seed: int) -> object:
        if isinstance(given, BaseException):
            raise given
        return given

    return run_training(user(train), JOB)


def check(outcome: TrainingRecord, expected: object, found: object) -> None:
    if isinstance(expected, str) and outcome.reward is None:
        assert expected in outcome.failure
        assert len(outcome.failure) < 600
        outcome.failure.encode()
        return
    assert (outcome.state, outcome.failure) == ("done", None)
    assert type(found) is type(expected)
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("case", REWARDS)
def test_a_reward_is_a_number_or_a_failure(user, keep, case):
    given, expected = REWARDS[case]
    outcome = keep(run_training(user(lambda cell, seed: given), JOB))
    assert isinstance(expected, str) == (outcome.reward is None)
    check(outcome, expected, outcome.reward)


@pytest.mark.parametrize("case", FIGURES)
def test_a_figure_is_kept_or_named_in_the_failure(user, keep, case):
    given, expected = FIGURES[case]
    outcome = keep(outcome_of(user, {"reward": 0.5, "figure": given}))
    check(outcome, expected, outcome.metrics.get("figure"))


@pytest.mark.parametrize("case", NAMES)
def test_figures_may_be_called_anything_that_can_be_written(user, keep, case):
    given, expected = NAMES[case]
    outcome = keep(outcome_of(user, {"reward": 0.5, given: 1.5}))
    check(outcome, expected, next(iter(outcome.metrics), None))


def test_two_figures_of_the_same_name_are_refused(user, keep):
    outcome = keep(outcome_of(user, {"reward": 0.5, 1: 2.0, "1": 3.0}))
    assert outcome.failure == "TypeError: two figures are called 1"


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("case", KNOWN)
def test_figures_that_tables_know_are_numbers(user, keep, name, case):
    given, expected = KNOWN[case]
    outcome = keep(outcome_of(user, {"reward": 0.5, name: given}))
    check(outcome, expected, outcome.metrics.get(name))


@pytest.mark.parametrize("case", RAISED)
def test_whatever_is_raised_is_a_failure_in_a_few_words(user, keep, case):
    error, state, text = RAISED[case]
    outcome = keep(outcome_of(user, error))
    assert (outcome.state, outcome.reward) == (state, None)
    assert outcome.failure.startswith(text)
    assert len(outcome.failure) < 600


@pytest.mark.filterwarnings("ignore:coroutine")
def test_functions_that_only_begin_are_failures(user):
    async def train(cell, seed):
        return 0.5

    outcome = run_training(user(train), JOB)
    assert "reward is no number: <coroutine" in outcome.failure


@pytest.mark.parametrize("case", REWARDS)
def test_held_out_figures_are_held_to_the_same(user, case):
    given, expected = REWARDS[case]
    if isinstance(given, dict | UserDict | types.MappingProxyType) and "reward" in given:
        given = {**dict(given), "test": dict(given).pop("reward")}

    class Task:
        def train(self, cell, seed): ...

        def test(self, cell, seed):
            return given

    job = TrainingJob(JOB.module_hash, JOB.vertices, JOB.edges, JOB.ops, 0, "test")
    outcome = run_training(user(Task()), job)
    if outcome.failure is None:
        assert type(outcome.metrics["test"]) is float
        # A figure that is not finite is none, but no reason to fail either.
        assert not isinstance(expected, str) or not math.isfinite(outcome.metrics["test"])
    else:
        assert isinstance(expected, str)
        assert len(outcome.failure) < 600


@pytest.mark.parametrize("case", SAID)
def test_what_an_object_says_of_itself_is_checked_before_any_training(user, case):
    name, given, expected = SAID[case]

    class Task:
        def train(self, cell, seed):
            return 0.5

    task = Task()
    setattr(task, name, given)
    if isinstance(expected, str) and expected not in ("latency", "1", "7", "\\ud800"):
        with pytest.raises(UserError) as caught:
            user(task)
        assert expected in str(caught.value)
        assert str(caught.value).startswith(f"--task {NAME}:task")
        assert len(str(caught.value)) < 600
    else:
        opened = user(task)
        assert (opened.has_test if name == "test" else getattr(opened, name)) == (
            expected or None
        ) or (name == "test" and not opened.has_test)


@pytest.mark.parametrize("case", SOURCES)
def test_a_module_that_is_no_task_is_refused_in_a_line(monkeypatch, tmp_path, case):
    source, expected = SOURCES[case]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / f"{NAME}.py").write_text(source)
    try:
        with pytest.raises(UserError) as caught:
            UserTask(f"{NAME}:task")
    finally:
        sys.modules.pop(NAME, None)
    assert expected in str(caught.value)
    str(caught.value).encode()


def test_a_network_of_another_kind_is_the_object_s_own(user):
    class Task:
        def train(self, cell, seed): ...

    for network, told in (
        (NetworkConfig(classes=3), True),
        (torch.nn.Linear(1, 1), False),
        ({}, False),
    ):
        task = Task()
        task.network = network
        assert ("network" in user(task).settings) == told


def drawn(draw: random.Random, depth: int = 0) -> object:
    """Something that a function might give: numbers, texts and whatever holds them."""
    leaves = [
        draw.gauss(0, 1),
        draw.uniform(-1, 1) * 10.0 ** draw.randint(-400, 308),
        draw.randint(-(10 ** draw.randint(1, 350)), 10 ** draw.randint(1, 350)),
        draw.choice([math.nan, math.inf, -math.inf, None, True, False, ..., b"", 1j]),
        "".join(chr(draw.randrange(0x110000)) for _ in range(draw.randrange(6))),
        np.array(draw.gauss(0, 1)).astype(draw.choice("efdiB?FU")),
        torch.full((draw.randrange(3),), draw.gauss(0, 1)),
        draw.choice([object(), Unprintable(), len, dict, Item(3), Item(ValueError()), Word("x")]),
    ]
    if depth < 3 and draw.random() < 0.4:
        parts = [drawn(draw, depth + 1) for _ in range(draw.randrange(4))]
        return draw.choice([list, tuple])(parts)
    return draw.choice(leaves)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(60))
def test_drawn_figures_are_told_alike_by_training_and_store_or_fail(user, keep, seed):
    draw = random.Random(seed)
    names = ["figure", "note", *METRICS, draw.randint(0, 9), "\ud800", "reward"]
    figures = {name: drawn(draw) for name in draw.sample(names, draw.randrange(1, 5))}
    if draw.random() < 0.8:
        figures["reward"] = draw.gauss(0, 1)
    outcome = keep(outcome_of(user, figures))
    if outcome.reward is None:
        assert outcome.failure
        assert len(outcome.failure) < 600
        return
    assert type(outcome.reward) is float
    assert math.isfinite(outcome.reward)
    assert {type(value) for value in outcome.metrics.values()} <= {float, str}
    assert all(type(outcome.metrics.get(name, 0.0)) is float for name in METRICS)
    assert len(outcome.metrics) == len(figures) - 1
