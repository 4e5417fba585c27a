"""What every method promises, among the few cells of a toy space: as a table and as a registry."""

import io

import pytest
import torch

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.models.controller import Controller
from gnn_nas.search.methods import METHODS
from gnn_nas.search.searcher import Searcher
from gnn_nas.spaces.registry import CellRegistry
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import load_table

TOY = CellSpace("toy", ("a", "b", "c"), (9.0, 1.0, 0.0), max_vertices=4, max_edges=6)
SIZES = ModelConfig(
    encoder=GINConfig(hidden=4, layers=1), embedding=4, decoder_hidden=4, predictor_hidden=4
)
SETTINGS = {
    "nao": {"restarts": 12, "seeds": 8, "steps": 2, "patience": 10, "wide_candidates": 16},
    "nao-paper": {"initial": 20, "seeds": 8, "candidates": 10, "epochs": 1, "steps": 5},
    "predictor": {"scored": 30},
    "descriptors": {"scored": 30},
}


@pytest.fixture(scope="module")
def toy_table(tmp_path_factory):
    return load_table(TOY, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(params=["table", "registry"])
def make(request, toy_table):
    """Gives searchers, each with a registry of its own where there is one."""

    def searcher(name, seed=0, budget=None, allowed=None, index=None) -> Searcher:
        if index is None:
            index = toy_table if request.param == "table" else CellRegistry(TOY)
        controller = Controller(SIZES, space=TOY)

        def decode(embeddings):
            generator = torch.Generator().manual_seed(int(embeddings[0, 0].abs() * 1e6))
            rows = torch.randint(len(toy_table), (len(embeddings),), generator=generator)
            return toy_table.cells[rows], torch.ones(len(rows), dtype=torch.bool)

        # To some valid cell, so that nothing runs dry.
        controller.decode = decode
        return Searcher(index, controller, name, seed, SETTINGS.get(name, {}), budget, allowed)

    return searcher


def reward(cell) -> float:
    """The same for a cell wherever it is met, whatever its row is; some evaluations fail."""
    edges, ops = int(cell.matrix.sum()), cell.ops.count("a")
    return float("nan") if edges == 5 else ops + edges / 10


def spent(searcher) -> list:
    cells = []
    while asked := searcher.ask(4):
        cells += asked
        searcher.tell(asked, [reward(cell) for cell in asked])
    return cells


def distinct(cells, toy_table) -> int:
    return len({int(toy_table.index_of(cell.to_data())) for cell in cells})


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
class TestMethod:
    def test_the_budget_is_spent_on_distinct_cells_and_follows_from_the_seed(
        self, make, toy_table, name
    ):
        cells = spent(make(name, budget=25))
        assert len(cells) == distinct(cells, toy_table) == 25
        hashes = [cell.module_hash for cell in cells]
        assert [cell.module_hash for cell in spent(make(name, budget=25))] == hashes
        assert [cell.module_hash for cell in spent(make(name, seed=1, budget=25))] != hashes

    def test_a_search_without_a_budget_comes_to_the_last_cell(self, make, toy_table, name):
        cells = spent(make(name))
        assert len(cells) == distinct(cells, toy_table)
        # The paper's NAO ends where its embeddings decode to no new cell.
        assert len(cells) == len(toy_table) or name == "nao-paper"

    def test_cells_told_unasked_are_never_asked_for(self, make, toy_table, name):
        searcher = make(name, budget=40)
        known = [toy_table.cells[row : row + 1].to_batch()[0] for row in range(10)]
        rows = searcher.table.index_of(known[0])
        for cell in known[1:]:
            rows = torch.cat([rows, searcher.table.index_of(cell)])
        searcher.tell(rows, torch.linspace(0, 1, 10))
        assert searcher.best[0].row == rows[-1]
        assert len(cells := spent(searcher)) == 30
        assert not {cell.row for cell in cells} & set(rows.tolist())

    def test_of_a_part_of_the_space_nothing_else_is_proposed(self, make, toy_table, name):
        index = make(name).table
        if not index.is_complete:
            index.rows_of(toy_table.cells[torch.arange(50)])
        allowed = torch.zeros(len(index), dtype=torch.bool)
        allowed[30:50] = True
        cells = spent(make(name, allowed=allowed, index=index))
        assert {cell.row for cell in cells} == set(range(30, 50))

    def test_it_goes_on_from_its_state(self, make, name):
        whole = make(name, budget=40)
        for _ in range(5):
            asked = whole.ask(4)
            whole.tell(asked, [reward(cell) for cell in asked])
        stream = io.BytesIO()
        torch.save(whole.state_dict(), stream)
        rest = [cell.module_hash for cell in spent(whole)]
        other = make(name, seed=7, budget=40)
        stream.seek(0)
        other.load_state_dict(torch.load(stream, weights_only=True))
        assert [cell.module_hash for cell in spent(other)] == rest


def test_a_state_is_refused_by_a_registry_that_has_met_others():
    first, second = CellRegistry(TOY), CellRegistry(TOY)
    searcher = Searcher(first, None, "random", budget=10)
    spent(searcher)
    second.draw(30, torch.Generator().manual_seed(9))
    with pytest.raises(ValueError, match="met other cells"):
        Searcher(second, None, "random").load_state_dict(searcher.state_dict())
