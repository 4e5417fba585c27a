import torch

from gnn_nas.config import ModelConfig
from gnn_nas.models.controller import Controller
from gnn_nas.search.embedded import EmbeddedCells

SIZES = ModelConfig(hidden=4, layers=1, embedding=4, decoder_hidden=4, predictor_hidden=4)


def test_embeddings_are_the_controllers_and_computed_once(table):
    controller = Controller(SIZES)
    cells = EmbeddedCells(controller, table)
    rows = torch.tensor([5, 3, 5, 400_000])
    torch.testing.assert_close(cells.embed(rows), controller.encode_rows(table, rows))
    assert cells.met.nonzero().flatten().tolist() == [3, 5, 400_000]
    encoded = []
    encode_rows = controller.encode_rows
    controller.encode_rows = lambda t, r: encoded.extend(r.tolist()) or encode_rows(t, r)
    cells.embed(torch.tensor([3, 7, 7, 5]))
    assert encoded == [7]


@torch.no_grad()
def test_the_structure_is_what_the_predictor_tells(table):
    controller = Controller(SIZES)
    rows = torch.tensor([1, 2])
    told = controller.predictor.predict_descriptors(controller.encode_rows(table, rows))
    torch.testing.assert_close(EmbeddedCells(controller, table).descriptors(rows), told)
