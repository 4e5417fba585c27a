import pytest
import torch

from gnn_nas.benchmarks.labels import Labels
from gnn_nas.evaluation.labels import label_taus
from gnn_nas.models.controller import Controller
from gnn_nas.pretraining import validation as module
from gnn_nas.pretraining.batches import held_out_cells
from gnn_nas.pretraining.validation import Validation

CHEAP = {
    "token_accuracy",
    "exact_match",
    "precision_at_1",
    "map_at_r",
    "prior_validity",
    "prior_validity_of_seven",
    "prior_uniqueness",
}


@pytest.fixture(scope="module")
def held_out(table):
    return held_out_cells(table, 0.01)


@pytest.fixture(scope="module")
def validation(table, held_out) -> Validation:
    return Validation(table, held_out, seed=3)


@pytest.fixture
def controller(make_config) -> Controller:
    return Controller(make_config().model)


def test_cells_are_the_held_out_ones(table, held_out, validation):
    assert torch.equal(validation.rows, held_out.nonzero().flatten())
    assert set(validation.anchors.tolist()) <= set(validation.rows.tolist())
    assert len(validation.anchors.unique()) == len(validation.anchors) > 4000
    assert (table.cells.vertices[validation.anchors] > 2).all()
    assert not held_out[validation.training_rows].any()
    assert len(validation.training_rows) + len(validation.rows) == len(table)
    # In no order of hash or size, since only the first ones are used.
    assert not torch.equal(validation.anchors, validation.anchors.sort().values)
    assert not torch.equal(validation.training_rows, validation.training_rows.sort().values)


def test_figures_repeat_and_are_shares(validation, controller):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    figures = validation.measure(controller)
    assert torch.equal(torch.get_rng_state(), state)
    assert figures.keys() == CHEAP
    assert all(0 <= figure <= 1 for figure in figures.values())
    torch.manual_seed(1)
    assert validation.measure(controller) == figures
    assert all(p.grad is None for p in controller.parameters())


def test_labels_are_looked_at_by_embeddings_alone(table, held_out, validation, controller):
    rows = torch.arange(0, len(table), 40)
    convs = ((table.cells.ops[rows] == 0) & table.cells[rows].has_interior()).sum(1).double()
    looking = Validation(table, held_out, seed=3, labels=Labels(table.cells[rows], convs))
    torch.manual_seed(0)
    state = torch.get_rng_state()
    figures = looking.measure(controller)
    assert torch.equal(torch.get_rng_state(), state)
    taus = {name: figures.pop(name) for name in ("tau_knn", "tau_ridge", "tau_gp")}
    # Its other draws are the same with and without.
    assert figures == validation.measure(controller)
    some = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:10_000]
    embeddings = controller.encode_rows(table, rows[some])
    for name, values in label_taus(embeddings, convs[some], 100, range(5)).items():
        assert taus[f"tau_{name}"] == pytest.approx(sum(values) / 5, abs=1e-9)
    assert min(taus.values()) > 0.3


class Told:
    """Two statistics of a few measured cells, one of which is the same of all."""

    statistics = ("snip", "synflow")

    def __init__(self, table) -> None:
        self.cells = table.cells[torch.arange(100, 140)]
        values = torch.randn(40, generator=torch.Generator().manual_seed(0))
        self.values = torch.stack([torch.ones(40), values], dim=1)


@torch.no_grad()
def test_what_is_told_of_function_has_figures_of_its_own(table, held_out, make_config):
    controller = Controller(make_config().model, statistics=("snip", "synflow"))
    described = torch.randn(len(table), 143, generator=torch.Generator().manual_seed(1))
    describe, told = lambda _, rows: described[rows], Told(table)
    validation = Validation(table, held_out, 3, describe, told)
    figures = validation.measure(controller)
    assert figures.keys() == CHEAP | {
        *("structure_error", "structure_linear_r2", "function_linear_r2"),
        *("function_r2", "r2_synflow"),
    }
    right = controller.predictor.predict_descriptors(controller.encode(told.cells.to_batch()))
    error = (right[:, -1] - told.values[:, 1]).square().mean() / told.values[:, 1].var(correction=0)
    assert figures["r2_synflow"] == pytest.approx(1 - error.item(), abs=1e-4)
    assert figures["function_r2"] == figures["r2_synflow"]
    embeddings = controller.encode_rows(table, validation.rows)
    predicted = controller.predictor.predict_descriptors(embeddings)[:, :141]
    squares = (predicted - described[validation.rows, :141]).square()
    assert figures["structure_error"] == pytest.approx(squares.mean().item(), rel=1e-4)


@pytest.mark.slow
@torch.no_grad()
def test_the_structure_error_is_that_of_the_held_out_cells(
    monkeypatch, table, held_out, controller, standard
):
    for name in ("reconstruction", "retrieval", "prior"):
        monkeypatch.setattr(module, name, lambda *_: {})
    figures = Validation(table, held_out, 3, lambda _, rows: standard[rows]).measure(controller)
    rows = held_out.nonzero().flatten()
    told = controller.predictor.predict_descriptors(controller.encode(table.cells[rows].to_batch()))
    error = (told - standard[rows]).square().sum().item() / (len(rows) * 141)
    assert figures.keys() == {"structure_error", "structure_linear_r2"}
    assert figures["structure_error"] == pytest.approx(error, rel=1e-4)
    # The mean cell told of every cell would be wrong by about one standard deviation.
    assert 0.5 < error < 1.5
    assert isinstance(figures["structure_error"], float)


def test_what_is_measured_on_what(monkeypatch, table, held_out, validation, controller):
    asked = {}

    def recording(name, result):
        def record(*arguments):
            asked[name] = arguments
            return result

        return record

    for name, result in (("reconstruction", {}), ("retrieval", {}), ("prior", {})):
        monkeypatch.setattr(module, name, recording(name, result))
    monkeypatch.setattr(module, "distinct_embeddings", recording("distinct", 7))
    monkeypatch.setattr(module, "locality", recording("locality", {"spearman": 0.5}))
    figures = validation.measure_all(controller)
    assert figures == {"distinct_embeddings": 7, "spearman": 0.5}

    assert torch.equal(asked["reconstruction"][2], validation.rows)
    assert asked["distinct"] == (controller, table)
    assert held_out[asked["locality"][2]].all()
    # 1,000 held-out anchors and seven positives of each.
    embeddings, labels = asked["retrieval"]
    assert embeddings.shape == (8000, 8)
    assert torch.bincount(labels).tolist() == [8] * 1000
    anchors = controller.encode_rows(table, validation.anchors[:1000])
    torch.testing.assert_close(embeddings[:1000], anchors)
    assert labels[:1000].tolist() == list(range(1000))
    training = controller.encode_rows(table, validation.training_rows[:20_000])
    torch.testing.assert_close(asked["prior"][2], training)
