"""The widened search: what it goes by, and that it finds what the controller does not tell."""

import torch

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.models.controller import Controller
from gnn_nas.search.searcher import Searcher
from gnn_nas.spaces.descriptors import load_standard_descriptors

SIZES = ModelConfig(
    encoder=GINConfig(hidden=4, layers=1), embedding=4, decoder_hidden=4, predictor_hidden=4
)


def searcher(table, **settings) -> Searcher:
    controller = Controller(SIZES, statistics=["snip", "synflow"])
    quick = {"restarts": 200, "seeds": 2, "steps": 1, "wide_candidates": 40}
    return Searcher(table, controller, "nao", seed=5, settings={**quick, **settings})


@torch.no_grad()
def test_it_goes_by_exact_descriptors_told_function_and_embeddings(table):
    search, rows = searcher(table), torch.tensor([7, 3, 400_000])
    exact, told, embeddings = search.method._closely(rows).split([141, 2, 4], dim=1)
    assert torch.equal(exact, load_standard_descriptors(table)[rows].float())
    torch.testing.assert_close(told, search.method.controller.tell_function(table, rows))
    torch.testing.assert_close(embeddings, search.method.controller.encode_rows(table, rows))


def test_what_is_drawn_is_better_than_what_it_has_met_where_only_exact_descriptors_tell(table):
    # How many vertices and edges and how wide, which an untrained controller does not tell.
    worth = load_standard_descriptors(table)[:, :10].float().mean(1)
    search = searcher(table, patience=1)
    known = table.draw(300, torch.Generator().manual_seed(0))
    search.tell(known[worth[known].argsort(descending=True)], worth[known].sort(descending=True)[0])
    drawn = search.propose()
    assert len(drawn) == 40
    met = worth[search.method.cells.met]
    assert worth[drawn].mean() > met.mean() + met.std()
