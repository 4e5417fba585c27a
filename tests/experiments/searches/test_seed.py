import sys

import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.experiments.searches.seed import run_seed
from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import load_pretrained
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.methods import get_method


@pytest.fixture
def config() -> SearchConfig:
    return SearchConfig(
        method="evolution",
        protocol="oracle",
        queries=60,
        seeds=2,
        seed=4,
        checkpoint="none",
        weights=None,
        benchmark="a stand-in",
        settings={"population": 20, "sample": 5},
    )


@pytest.fixture
def search(config, table, make_objective, make_report, tmp_path):
    """Gives the history of a seed, and how many cells were evaluated for it."""

    def call(seed=4, name="run", config=config):
        folder = RunFolder.create(tmp_path / name, config, resume=True)
        objective = make_objective()
        report = make_report(objective)
        history = run_seed(folder, config, seed, table, objective, report)
        return folder, history, len(objective.evaluated)

    return call


def same(one: Controller, other: Controller) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return all(weights[name].equal(others[name]) for name in weights)


def test_a_seed_leaves_its_history_and_its_controller(search):
    folder, history, evaluated = search()
    assert len(history.queries) == evaluated == 60
    assert folder.history(4) == history.path
    summary = folder.controller(4).load_summary()
    assert summary.pop("wall_seconds") > 0
    expected = {"method": "evolution", "protocol": "oracle", "seed": 4, "queries": 60}
    assert summary == expected
    assert isinstance(load_pretrained(folder.controller(4).path), Controller)


def test_the_settings_are_the_method_s(search, config):
    _, history, _ = search()
    # The first generation is queried in one round.
    assert [query.round for query in history.queries].count(0) == 20
    other = config.model_copy(update={"settings": {"population": 30, "sample": 5}})
    _, history, _ = search(name="other", config=other)
    assert [query.round for query in history.queries].count(0) == 30


def test_a_seed_that_was_cut_off_ends_the_same(search):
    folder, _, _ = search()
    content = folder.history(4).read_bytes()
    for share in (0.3, 0.9):
        folder.history(4).write_bytes(content[: int(share * len(content))])
        known = content[: int(share * len(content))].count(b"\n") - 1
        _, _, evaluated = search()
        assert evaluated == 60 - known
        assert folder.history(4).read_bytes() == content


def test_seeds_differ_and_do_not_disturb_each_other(search):
    folder, _, _ = search(4)
    content = folder.history(4).read_bytes()
    search(5)
    assert folder.history(4).read_bytes() == content
    assert folder.history(5).read_bytes() != content


def test_the_controller_is_saved_as_the_search_has_left_it(search, monkeypatch):
    def train(method, seen, count=None):
        with torch.no_grad():
            next(method.controller.predictor.parameters()).fill_(3.0)
        return torch.empty(0, dtype=torch.long)

    monkeypatch.setattr(get_method("evolution"), "propose", train)
    folder, _, evaluated = search()
    assert evaluated == 0
    saved = load_pretrained(folder.controller(4).path)
    assert (next(saved.predictor.parameters()) == 3).all()


def test_weights_that_have_changed_are_refused(search, config):
    start, _, _ = search(name="start")
    changed = {"checkpoint": str(start.controller(4).path), "weights": "0" * 64}
    message = r"model.safetensors has changed since the search began: put the weights back"
    with pytest.raises(UserError, match=message):
        search(name="other", config=config.model_copy(update=changed))


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("Fails", r"ZeroDivisionError: division by zero \(mine.py, line \d+\)"),
        ("Unmade", r"TypeError: .*__init__\(\) takes 2 positional arguments"),
        ("Lists", "TypeError: a method proposes a tensor of rows, not a list"),
    ],
)
def test_what_fails_in_a_method_of_ones_own_is_one_line(
    search, config, tmp_path, monkeypatch, method, message
):
    (tmp_path / "mine.py").write_text(
        "from gnn_nas import Method\n"
        "class Fails(Method):\n"
        "    def propose(self, seen, count=None):\n"
        "        return seen.draw_fresh(3, self.generator) if len(seen) < 6 else 1 / 0\n"
        "class Unmade(Method):\n"
        "    def __init__(self, settings): ...\n"
        "class Lists(Method):\n"
        "    def propose(self, seen, count=None):\n"
        "        return [1, 2]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    own = config.model_copy(update={"method": f"mine:{method}", "settings": {}})
    with pytest.raises(UserError, match=f"--method mine:{method} has failed: {message}") as failure:
        search(config=own)
    assert "\n" not in str(failure.value)
    history = RunFolder(tmp_path / "run").history(4)
    assert (history.read_text().count("\n") if history.exists() else 0) == 7 * (method == "Fails")
