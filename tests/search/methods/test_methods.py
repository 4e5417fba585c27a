"""What every method promises (`gnn_nas.search.method.Method`), whatever its controller is."""

import io
import math
import subprocess
import sys

import pytest
import torch

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.errors import UserError
from gnn_nas.models.controller import Controller
from gnn_nas.search.history import History
from gnn_nas.search.methods import METHODS, get_method
from gnn_nas.search.queries import Queries
from gnn_nas.search.searcher import Searcher
from gnn_nas.spaces import descriptors
from gnn_nas.spaces.descriptors import standard_descriptors
from gnn_nas.spaces.table import CellTable

SIZES = ModelConfig(
    encoder=GINConfig(hidden=4, layers=1), embedding=4, decoder_hidden=4, predictor_hidden=4
)
# Settings that keep the methods with a model quick.
QUICK = {
    "nao": {"restarts": 12, "seeds": 8, "steps": 2, "patience": 30, "wide_candidates": 16},
    "nao-paper": {"initial": 20, "seeds": 8, "candidates": 10, "epochs": 1, "steps": 20},
    "predictor": {"scored": 300},
    "descriptors": {"scored": 300},
}


def spells_at_random(controller: Controller, table: CellTable) -> Controller:
    """Let a controller decode every embedding to some valid cell, so that nothing runs dry."""
    codes = torch.randperm(len(table), generator=torch.Generator().manual_seed(0))

    def decode(embeddings):
        number = (embeddings[:, 0].double() * 1e12).long().abs() % len(table)
        return table.cells[codes[number]], torch.ones(len(number), dtype=torch.bool)

    controller.decode = decode
    return controller


@pytest.fixture
def make(table):
    """Gives searchers."""

    def searcher(name, seed=0, budget=None, cells=table, allowed=None, **changes) -> Searcher:
        controller = spells_at_random(Controller(SIZES), cells)
        settings = {**QUICK.get(name, {}), **changes}
        return Searcher(cells, controller, name, seed, settings, budget, allowed)

    return searcher


@pytest.fixture
def run(table, make, make_objective, make_report, tmp_path):
    """Gives the history's text of a search as commands make it, and the rows it evaluated."""
    count = 0

    def search(name, budget, seed=0, failing=0.0, report=make_report, **changes):
        nonlocal count
        count += 1
        objective = make_objective(failing)
        report = report(objective)
        history = History(tmp_path / f"{count}.csv", report.columns)
        searcher = make(name, seed, budget, **changes)
        Queries(table, objective, report, history).spend(searcher)
        assert searcher.seen.remaining == 0
        return history.path.read_text(), objective.evaluated

    return search


@pytest.mark.parametrize("name", METHODS)
class TestMethod:
    @pytest.mark.parametrize("budget", [1, 7, 50, pytest.param(150, marks=pytest.mark.slow)])
    def test_the_budget_is_spent_exactly_and_no_cell_is_asked_twice(self, run, name, budget):
        _, evaluated = run(name, budget)
        assert len(evaluated) == len(set(evaluated)) == budget

    @pytest.mark.slow
    def test_same_seed_same_history(self, run, name):
        history, _ = run(name, 100, seed=3)
        assert run(name, 100, seed=3)[0] == history
        assert run(name, 100, seed=4)[0] != history

    @pytest.mark.slow
    @pytest.mark.parametrize("failing", [0.5, 1.0])
    def test_failing_evaluations_are_survived(self, run, name, failing):
        if name == "nao-paper" and failing == 1.0:
            pytest.skip("it has nothing to train on, and runs dry: see below")
        history, evaluated = run(name, 100, failing=failing)
        assert len(evaluated) == 100
        assert history.count("out of memory") >= 100 * failing * 0.7

    @pytest.mark.slow
    def test_a_search_does_not_see_the_report(self, run, make_report, name):
        def trap(objective):
            report = make_report(objective)
            report.rewards = -1e6 * report.rewards
            return report

        assert run(name, 100, report=trap)[1] == run(name, 100)[1]

    @pytest.mark.slow
    def test_asked_together_or_apart_no_cell_comes_twice_while_others_are_out(self, make, name):
        searcher = make(name)
        out, seen = [], set()
        for turn in range(40):
            asked = searcher.ask(1 + turn % 5)
            assert len(asked) == 1 + turn % 5
            assert seen.isdisjoint(cell.row for cell in asked)
            seen |= {cell.row for cell in asked}
            out += asked
            assert [cell.row for cell in searcher.pending] == [cell.row for cell in out]
            # The last ones out come back first, and some never.
            while len(out) > 6:
                cell = out.pop(-2)
                if turn % 4 == 3:
                    searcher.tell(cell, failure="out of memory")
                else:
                    searcher.tell([cell], [cell.row % 997 / 997])
        assert len(searcher.seen) == len(seen)

    def test_cells_told_unasked_are_learnt_from_and_never_asked_for(self, make, table, name):
        searcher = make(name)
        rows = torch.randperm(len(table), generator=torch.Generator().manual_seed(5))[:60]
        hashes = [table.hash_of(row) for row in rows.tolist()]
        searcher.tell(hashes, torch.linspace(0, 1, 60).tolist())
        assert searcher.best[0].module_hash == hashes[-1]
        asked = [cell for _ in range(20) for cell in searcher.ask(2)]
        assert not {cell.module_hash for cell in asked} & set(hashes)
        assert len({cell.row for cell in asked}) == 40

    def test_of_a_part_of_a_space_nothing_else_is_proposed_and_all_of_it_is(
        self, make, table, name
    ):
        allowed = torch.zeros(len(table), dtype=torch.bool)
        allowed[torch.randperm(len(table), generator=torch.Generator().manual_seed(6))[:70]] = True
        searcher = make(name, allowed=allowed)
        # What lies outside may be known, and does not count.
        searcher.tell(torch.tensor([int((~allowed).nonzero()[0])]), 0.5)
        asked: list[int] = []
        while cells := searcher.ask(7):
            asked += [cell.row for cell in cells]
            searcher.tell(cells, [cell.row % 997 / 997 for cell in cells])
        assert len(asked) == len(set(asked))
        assert set(asked) <= set(allowed.nonzero().flatten().tolist())
        # The paper's NAO ends where its embeddings decode to no new cell.
        assert len(asked) == (20 - 1 if name == "nao-paper" else 70)

    @pytest.mark.slow
    def test_it_goes_on_from_its_state_bit_for_bit(self, make, name):
        def turn(searcher, number):
            cells = searcher.pending
            cell = cells[number % len(cells)]
            searcher.tell(cell, math.nan if number % 6 == 5 else cell.row % 991 / 991)
            return [cell.row for cell in searcher.ask(1)]

        whole = make(name, seed=1)
        whole.ask(5)
        for number in range(25):
            turn(whole, number)
        stream = io.BytesIO()
        torch.save(whole.state_dict(), stream)
        stream.seek(0)
        state = whole.state_dict()
        asked = [turn(whole, number) for number in range(25, 60)]
        other = make(name, seed=2)
        other.ask(3)
        # What was kept in memory is what it was, too.
        for kept in (torch.load(stream, weights_only=True), state):
            other.load_state_dict(kept)
            assert [turn(other, number) for number in range(25, 60)] == asked
            assert other.best == whole.best

    def test_a_budget_that_ends_in_the_middle_of_an_ask(self, make, name):
        searcher = make(name, budget=11)
        assert len(searcher.ask(8)) == 8
        assert len(searcher.ask(8)) == 3
        assert searcher.ask(8) == []
        searcher.tell(searcher.pending, [0.5] * 11)
        assert searcher.ask() == []

    @pytest.mark.slow
    def test_a_small_space_is_searched_to_its_last_cell(self, make, make_objective, table, name):
        rows = (table.cells.vertices <= 4).nonzero().flatten()
        new_row = torch.full((len(table),), -1, dtype=torch.int32)
        new_row[rows] = torch.arange(len(rows), dtype=torch.int32)
        small = CellTable(
            table.cells[rows],
            table.module_hash[rows],
            new_row[table.row_of_form.long()],
            table.first_form,
        )
        objective = make_objective(failing=0.2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(descriptors, "load_standard_descriptors", standard_descriptors)
            searcher = make(name, cells=small)
            while len(cells := searcher.propose()):
                searcher.tell(cells, objective.rewards[cells])
        assert sorted(searcher.seen.told.tolist()) == list(range(len(small)))
        assert searcher.ask() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evolution", "local"])
def test_it_climbs_higher_than_random_search(run, make_objective, name):
    rewards = make_objective().rewards
    for seed in range(3):
        found = rewards[run(name, 300, seed)[1]].max()
        assert found > rewards[run("random", 300, seed)[1]].max()


def test_descriptors_know_nothing_of_the_controller(table):
    assert len(Searcher(table, None, "descriptors", settings={"scored": 300}).ask(40)) == 40


@pytest.mark.slow
def test_descriptors_find_what_the_graph_decides(run, make_objective):
    """The stand-in rewards convolutions and edges, both of them descriptors."""
    rewards = make_objective().rewards
    for seed in range(3):
        found = rewards[run("descriptors", 100, seed, scored=3000)[1]].max()
        assert found > rewards[run("random", 1000, seed)[1]].max()


@pytest.mark.slow
def test_pending_cells_count_as_believed(table, standard):
    """Alike cells are not all asked for while none of them has come back."""
    searcher = Searcher(table, None, "descriptors", settings={"scored": 20_000})
    first = searcher.ask(16)
    convs = ((table.cells.ops == 0) & table.cells.has_interior()).sum(1)
    searcher.tell(first, [convs[cell.row].item() for cell in first])
    method, seen = searcher.method, searcher.seen
    rows = searcher.propose(8)
    method.surrogate.fit(method.cells.descriptors(seen.rows), seen.rewards)
    mean, before = method.surrogate.predict(standard[rows])
    method.surrogate.believe(standard[rows])
    same, after = method.surrogate.predict(standard[rows])
    torch.testing.assert_close(same, mean, rtol=1e-4, atol=1e-4)
    assert (after < 0.9 * before).all()


def test_the_method_of_the_paper_runs_dry_where_every_evaluation_fails(make):
    searcher = make("nao-paper")
    searcher.tell(searcher.ask(20), failure="out of memory")
    assert searcher.ask(5) == []
    searcher.tell("00005c142e6f48ac74fdcf73e3439874", 0.9)
    assert len(searcher.ask(5)) == 5


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"population": 1, "sample": 1}, {"sample": 500}])
def test_evolution_goes_on_where_all_neighbours_were_asked(run, changes):
    _, evaluated = run("evolution", 300, **changes)
    assert len(set(evaluated)) == 300


def test_names_are_known_without_torch_and_lead_to_methods():
    code = "import sys, gnn_nas.search.methods; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert [get_method(name).__name__ for name in ("nao-paper", "local")] == ["NaoPaper", "Local"]
    for reference in ("gradient", "json:dumps", "gnn_nas.config:Section"):
        with pytest.raises(UserError, match=f"--method {reference}: "):
            get_method(reference)
