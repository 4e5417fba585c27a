import pytest
import torch
from torch import Tensor

from gnn_nas.evaluation.decoding import prior, reconstruction
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import slot_of
from gnn_nas.spaces.tokens import to_tokens


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
    assert figures["token_accuracy"] == pytest.approx(1 - 4 / (40 * 27))


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
    assert figures["token_accuracy"] == pytest.approx(right / (100 * 27), abs=1e-4)
    assert figures["exact_match"] == exact / 100


class Recording(torch.nn.Module):
    """In the decoder's place: keeps what it is given and says prepared sequences."""

    def __init__(self, said: Tensor) -> None:
        super().__init__()
        self.said = said

    def greedy(self, embeddings: Tensor) -> Tensor:
        self.heard = embeddings
        return self.said[: len(embeddings)]


@pytest.fixture
def embeddings() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    spread = torch.tensor([0.5, 0.1, 0.1, 0.1, 0.1, 0.01])
    drawn = torch.tensor([1.0, 0, 0, 0, 0, 1]) + spread * torch.randn(500, 6, generator=generator)
    return torch.nn.functional.normalize(drawn, dim=1)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def test_valid_and_distinct_cells_are_counted_up_to_isomorphism(table, controller, embeddings):
    said = to_tokens(table.cells[torch.tensor([3, 3, 3, 8, 8, 90, 91, 92, 5, 6])])
    said[8] = 0  # nothing
    said[9, 0] = 5  # an op where an edge is due
    controller.decoder = Recording(said)
    figures = prior(controller, table, embeddings, generator(), draws=10)
    assert figures == {
        "prior_validity": pytest.approx(0.8),
        # One of them has six vertices.
        "prior_validity_of_seven": pytest.approx(0.7),
        "prior_uniqueness": 5 / 8,
    }


def test_cells_of_fewer_vertices_do_not_count_for_arch2vec(table, controller, embeddings):
    """A seventh vertex that pruning drops counts there: the output is the seventh as spoken."""
    vertices = table.cells.vertices
    smaller = (vertices < 7).nonzero().flatten()[:3]
    said = to_tokens(table.cells[torch.cat([smaller, (vertices == 7).nonzero().flatten()[:4]])])
    chain = PackedCells(
        torch.tensor([7]), torch.tensor([1 << slot_of(0, 6)]), torch.zeros(1, 5).long()
    )
    said = torch.cat([said, to_tokens(chain), torch.zeros(2, 27).long()])
    controller.decoder = Recording(said)
    figures = prior(controller, table, embeddings, generator(), draws=10)
    assert figures["prior_validity"] == pytest.approx(0.8)
    assert figures["prior_validity_of_seven"] == pytest.approx(0.5)


def test_cells_spoken_in_another_vertex_order_are_the_same(table, controller, embeddings):
    """in -> a -> out, in -> b -> out with other ops, spoken with a and b swapped."""
    swapped = [[2, 3, 2, 1, 4, 1, 2, 2, 6], [2, 4, 2, 1, 3, 1, 2, 2, 6]]
    said = torch.nn.functional.pad(torch.tensor(swapped), (0, 18))
    controller.decoder = Recording(said)
    figures = prior(controller, table, embeddings, generator(), draws=2)
    assert figures == {
        "prior_validity": 1.0,
        "prior_validity_of_seven": 0.0,
        "prior_uniqueness": 0.5,
    }


def test_nothing_valid_is_no_division_by_zero(table, controller, embeddings):
    controller.decoder = Recording(torch.zeros(20, 27, dtype=torch.long))
    figures = prior(controller, table, embeddings, generator(), draws=20)
    assert set(figures.values()) == {0.0}


def test_draws_have_the_embeddings_mean_and_deviation_on_the_sphere(table, controller, embeddings):
    controller.decoder = Recording(torch.zeros(4000, 27, dtype=torch.long))
    prior(controller, table, embeddings, generator(), draws=4000)
    heard = controller.decoder.heard
    assert heard.shape == (4000, 6)
    torch.testing.assert_close(heard.norm(dim=1), torch.ones(4000))
    noise = torch.randn(4000, 6, generator=generator())
    drawn = torch.stack(
        [embeddings[:, i].mean() + embeddings[:, i].std() * noise[:, i] for i in range(6)], 1
    )
    torch.testing.assert_close(heard, drawn / drawn.norm(dim=1, keepdim=True))


def test_draws_repeat_and_are_ten_thousand(table, controller, embeddings):
    said = to_tokens(table.cells[torch.arange(10_000)])
    controller.decoder = Recording(said)
    figures = prior(controller, table, embeddings, generator())
    assert figures["prior_validity"] == figures["prior_uniqueness"] == 1.0
    heard = controller.decoder.heard
    prior(controller, table, embeddings, generator())
    assert torch.equal(controller.decoder.heard, heard)
