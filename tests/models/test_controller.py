import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gnn_nas.config import GINConfig, ModelConfig, load_config
from gnn_nas.models import controller as module
from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import new_controller
from gnn_nas.spaces.tokens import to_tokens

ROOT = Path(__file__).parents[2]
SIZES = ModelConfig(
    encoder=GINConfig(hidden=12, layers=3), embedding=10, decoder_hidden=16, predictor_hidden=8
)


@pytest.fixture
def controller() -> Controller:
    # In float64, so that only rounding far below 1e-9 is to be allowed for.
    return Controller(SIZES, seed=5).double()


def sphere(count: int) -> Tensor:
    drawn = torch.randn(count, SIZES.embedding, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.normalize(drawn.double(), dim=1)


def test_the_seed_decides_and_the_global_random_state_stays():
    torch.manual_seed(11)
    state = torch.get_rng_state()
    first, other = Controller(SIZES, seed=5), Controller(SIZES, seed=6)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(12)
    again = Controller(SIZES, seed=5)
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
        assert not torch.equal(value, other.state_dict()[name]), name


def test_the_sizes_are_those_of_the_config(controller):
    shapes = {name: tuple(value.shape) for name, value in controller.state_dict().items()}
    assert shapes["encoder.convs.2.mlp.0.weight"] == (12, 36)
    assert "encoder.convs.3.mlp.0.weight" not in shapes
    assert shapes["encoder.project.weight"] == (10, 5 + 3 * 12)
    assert shapes["decoder.recurrent_weight"] == (64, 16)
    assert shapes["predictor.structure.0.weight"] == (8, 10)
    assert shapes["predictor.structure.2.weight"] == (141, 8)
    assert shapes["predictor.performance.0.weight"] == (32, 141)


@torch.no_grad()
def test_one_data_is_a_batch_of_one(table, controller):
    batch = table.cells[:5].to_batch()
    whole = controller.encode(batch)
    for number in range(5):
        alone = controller.encode(batch[number])
        assert alone.shape == (1, SIZES.embedding)
        torch.testing.assert_close(alone[0], whole[number], rtol=0, atol=1e-12)


@torch.no_grad()
def test_predict_is_the_predictor_on_embeddings(controller):
    assert torch.equal(controller.predict(sphere(7)), controller.predictor(sphere(7)))


@torch.no_grad()
def test_rows_are_encoded_in_chunks_without_seams(table, controller, monkeypatch):
    rows = torch.randint(len(table), (50,), generator=torch.Generator().manual_seed(1))
    at_once = controller.encode(table.cells[rows].to_batch())
    for chunk in (7, 50, 2048):
        monkeypatch.setattr(module, "_CHUNK", chunk)
        chunked = controller.encode_rows(table, rows)
        torch.testing.assert_close(chunked, at_once, rtol=0, atol=1e-12)
        assert not chunked.requires_grad


@pytest.mark.slow
def test_without_rows_all_cells_are_encoded(table):
    tiny = SIZES.model_copy(update={"hidden": 2, "layers": 1, "embedding": 2})
    everything = Controller(tiny).encode_rows(table)
    assert everything.shape == (423_624, 2)
    rows = torch.tensor([0, 1, 2047, 2048, 423_623])
    torch.testing.assert_close(everything[rows], Controller(tiny).encode_rows(table, rows))


@pytest.mark.slow
@torch.no_grad()
def test_the_function_told_is_what_follows_the_descriptors(table):
    tiny = SIZES.model_copy(update={"hidden": 2, "layers": 1, "embedding": 2})
    controller = Controller(tiny, statistics=("snip", "synflow", "readout"))
    told = controller.tell_function(table)
    assert told.shape == (423_624, 3)
    rows = torch.tensor([0, 5, 423_623])
    everything = controller.predictor.predict_descriptors(controller.encode_rows(table, rows))
    torch.testing.assert_close(told[rows], everything[:, 141:])
    assert Controller(tiny).tell_function(table).shape == (423_624, 0)


class Spoken(torch.nn.Module):
    """In the decoder's place: says the tokens it is given."""

    def greedy(self, tokens: Tensor) -> Tensor:
        return tokens


def test_decode_gives_back_the_cells_that_are_spoken(table, controller):
    rows = torch.randint(len(table), (200,), generator=torch.Generator().manual_seed(2))
    controller.decoder = Spoken()
    cells, valid = controller.decode(to_tokens(table.cells[rows]))
    assert valid.all()
    assert torch.equal(table.rows_of(cells), rows)


def test_valid_is_said_of_valid_cells_only(table, controller):
    """Spoilt sequences: what is called valid is in the space after pruning, the rest is not."""
    generator = torch.Generator().manual_seed(3)
    rows = torch.randint(len(table), (2000,), generator=generator)
    tokens = to_tokens(table.cells[rows])
    positions = torch.randint(tokens.shape[1], (2, 2000), generator=generator)
    for position in positions:
        spoilt = torch.randint(7, (2000,), generator=generator)
        tokens[torch.arange(2000), position] = spoilt
    controller.decoder = Spoken()
    cells, valid = controller.decode(tokens)
    assert 100 < int(valid.sum()) < 1900
    assert (table.rows_of(cells[valid]) >= 0).all()
    assert [naive_is_valid(sequence) for sequence in tokens.tolist()] == valid.tolist()


def naive_is_valid(tokens: list[int]) -> bool:
    """Read a sequence token by token; paths by plain search."""
    rest, edges, vertex = list(tokens), [], 0
    while True:
        vertex += 1
        if vertex > 6:
            return False
        heard, op, rest = rest[:vertex], rest[vertex], rest[vertex + 1 :]
        if not set(heard) <= {1, 2} or op not in (3, 4, 5, 6):
            return False
        edges += [(source, vertex) for source, token in enumerate(heard) if token == 2]
        if op == 6:
            break
    if any(rest):
        return False
    reached, reaching = {0}, {vertex}
    for _ in range(7):
        reached |= {y for x, y in edges if x in reached}
        reaching |= {x for x, y in edges if y in reaching}
    kept = reached & reaching
    left = [(x, y) for x, y in edges if x in kept and y in kept]
    return 0 < len(left) <= 9


def test_an_untrained_decoder_says_nothing_valid_that_is_not(table, controller):
    cells, valid = controller.decode(sphere(500))
    assert len(cells) == len(valid) == 500
    tokens = controller.decoder.greedy(sphere(500)).tolist()
    assert [naive_is_valid(sequence) for sequence in tokens] == valid.tolist()


def test_the_weights_are_small_enough_to_ship(pytestconfig):
    config = load_config(pytestconfig.rootpath / "configs" / "gin_multisim.yaml")
    size = sum(p.numel() * p.element_size() for p in new_controller(config).parameters())
    assert size < 2_000_000


@pytest.mark.slow
def test_what_a_search_does_with_a_controller_needs_no_pyg():
    code = (
        "import sys, torch; from gnn_nas.spaces import load_table;"
        "from gnn_nas.models import load_pretrained; import gnn_nas.experiments.searches.run;"
        "from gnn_nas.experiments.searches import benchmark_judge, seed;"
        "table, controller = load_table(), load_pretrained();"
        "controller.decode(controller.encode_rows(table, torch.arange(9)));"
        "from gnn_nas.search.methods import METHODS, get_method; [*map(get_method, METHODS)];"
        "sys.exit('torch_geometric' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
