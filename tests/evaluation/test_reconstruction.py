import pytest
import torch
from torch import Tensor

from gnn_nas.evaluation.reconstruction import reconstruction
from gnn_nas.spaces.tokens import SEQUENCE_LENGTH, to_tokens


class Fixed(torch.nn.Module):
    """In the decoder's place: says the same whatever it is given."""

    def __init__(self, tokens: Tensor) -> None:
        super().__init__()
        self.tokens = tokens

    def greedy(self, embeddings: Tensor) -> Tensor:
        return self.tokens


def test_right_tokens_and_right_cells_are_counted(table, controller):
    rows = torch.arange(0, 400_000, 10_000)
    said = to_tokens(table.cells[rows])
    said[3, 0] = 0  # no cell begins with padding,
    said[5, :2] = 0  # nor is it over after that,
    said[6, -1] = 3  # and the last token is padding or the output.
    controller.decoder = Fixed(said)
    figures = reconstruction(controller, table, rows)
    assert figures["exact_match"] == pytest.approx(37 / 40)
    assert figures["token_accuracy"] == pytest.approx(1 - 4 / (40 * SEQUENCE_LENGTH))


def test_it_decodes_freely_from_the_embedding(table, controller):
    rows = torch.randint(len(table), (100,), generator=torch.Generator().manual_seed(0))
    right = exact = 0
    for row in rows.split(1):
        with torch.no_grad():
            embedding = controller.encode(table.cells[row].to_batch())
        said = controller.decoder.greedy(embedding)[0].tolist()
        wanted = to_tokens(table.cells[row])[0].tolist()
        right += sum(a == b for a, b in zip(said, wanted, strict=True))
        exact += said == wanted
    figures = reconstruction(controller, table, rows)
    assert right > 0
    assert figures["token_accuracy"] == pytest.approx(right / (100 * SEQUENCE_LENGTH), abs=1e-4)
    assert figures["exact_match"] == exact / 100
