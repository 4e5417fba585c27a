"""What every method promises, whatever it makes of its controller."""

import subprocess
import sys

import pytest
import torch

from gnn_nas.config import ModelConfig
from gnn_nas.models.controller import Controller
from gnn_nas.search.methods import METHODS, get_method
from gnn_nas.spaces.standard_descriptors import standard_descriptors

SIZES = ModelConfig(hidden=4, layers=1, embedding=4, decoder_hidden=4, predictor_hidden=4)
# Settings that keep the methods with a surrogate quick.
QUICK = {
    "nao": {"restarts": 12, "seeds": 8, "steps": 2, "patience": 30, "wide_candidates": 16},
    "predictor": {"scored": 300},
    "descriptors": {"scored": 300},
}
# nao-paper ends where its controller decodes to nothing new: see test_nao_paper.py.
NAMES = tuple(name for name in METHODS if name != "nao-paper")


@pytest.fixture
def run(table, make_queries, make_objective, tmp_path):
    """Gives the history's text of a search and the rows it asked for."""
    count = 0

    def search(name: str, budget: int, seed: int = 0, failing: float = 0.0, report=None, **changes):
        nonlocal count
        count += 1
        path = tmp_path / f"{count}.csv"
        objective = make_objective(failing)
        report = report and report(objective)
        queries = make_queries(budget, path=path, objective=objective, report=report)
        method = get_method(name)
        generator = torch.Generator().manual_seed(seed)
        settings = method.Settings(**{**QUICK.get(name, {}), **changes})
        method.search(queries, table, Controller(SIZES), generator, settings)
        assert queries.remaining == 0
        return path.read_text(), objective.evaluated

    return search


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("budget", [1, 7, 50, 300])
def test_the_budget_is_spent_exactly_and_no_cell_is_asked_twice(run, name, budget):
    _, evaluated = run(name, budget)
    assert len(evaluated) == len(set(evaluated)) == budget


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_history(run, name):
    history, _ = run(name, 120, seed=3)
    assert run(name, 120, seed=3)[0] == history
    assert run(name, 120, seed=4)[0] != history


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("failing", [0.5, 1.0])
def test_failing_evaluations_are_survived(run, name, failing):
    history, evaluated = run(name, 150, failing=failing)
    assert len(evaluated) == 150
    assert history.count("out of memory") >= 150 * failing * 0.7


@pytest.mark.parametrize("name", NAMES)
def test_a_search_does_not_see_the_report(run, name, make_report):
    def trap(objective):
        report = make_report(objective)
        report.rewards = -1e6 * report.rewards
        return report

    assert run(name, 150, report=trap)[1] == run(name, 150)[1]


@pytest.mark.parametrize("name", ["evolution", "local"])
def test_it_climbs_higher_than_random_search(run, make_objective, name):
    rewards = make_objective().rewards
    for seed in range(3):
        found = rewards[run(name, 300, seed)[1]].max()
        assert found > rewards[run("random", 300, seed)[1]].max()


def test_descriptors_know_nothing_of_the_controller(run, monkeypatch):
    monkeypatch.setattr(Controller, "encode_rows", None)
    assert len(run("descriptors", 40)[1]) == 40


def test_descriptors_find_what_structure_decides(run, make_objective):
    """The stand-in rewards convolutions and edges, both of them descriptors."""
    rewards = make_objective().rewards
    for seed in range(3):
        found = rewards[run("descriptors", 100, seed, scored=3000)[1]].max()
        assert found > rewards[run("random", 1000, seed)[1]].max()


@pytest.mark.parametrize("changes", [{"population": 1, "sample": 1}, {"sample": 500}])
def test_evolution_goes_on_where_all_neighbours_were_asked(run, changes):
    _, evaluated = run("evolution", 300, **changes)
    assert len(set(evaluated)) == 300


def test_a_space_is_searched_to_its_last_cell(
    table, make_objective, make_report, tmp_path, monkeypatch
):
    from gnn_nas.search.history import History
    from gnn_nas.search.queries import Queries
    from gnn_nas.spaces.table import CellTable

    rows = (table.cells.vertices <= 4).nonzero().flatten()
    new_row = torch.full((len(table),), -1, dtype=torch.int32)
    new_row[rows] = torch.arange(len(rows), dtype=torch.int32)
    row_of_form = new_row[table.row_of_form.long()]
    small = CellTable(table.cells[rows], table.module_hash[rows], row_of_form, table.first_form)
    monkeypatch.setattr(
        get_method("descriptors"), "load_standard_descriptors", standard_descriptors
    )
    for name in NAMES:
        objective = make_objective(failing=0.2)
        report = make_report(objective)
        history = History(tmp_path / f"{name}.csv", report.columns)
        queries = Queries(small, objective, report, 1000, history)
        method = get_method(name)
        generator = torch.Generator().manual_seed(0)
        settings = method.Settings(**QUICK.get(name, {}))
        method.search(queries, small, Controller(SIZES), generator, settings)
        assert sorted(objective.evaluated) == list(range(len(small)))


def test_names_are_known_without_torch_and_lead_to_methods():
    code = "import sys, gnn_nas.search.methods; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert set(NAMES) <= set(METHODS)
    with pytest.raises(KeyError):
        get_method("gradient")
