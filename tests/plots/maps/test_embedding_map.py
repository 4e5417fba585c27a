import pytest
import torch

from gnn_nas.evaluation.nearest import neighbour_agreement, trustworthiness
from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import SHIPPED, load_pretrained
from gnn_nas.plots.maps.cells import draw_cells, draw_classes
from gnn_nas.plots.maps.embedding_map import class_figures, make_map


@pytest.fixture(scope="module")
def shipped() -> Controller:
    return load_pretrained(SHIPPED)


@pytest.fixture(scope="module")
def draws(table) -> list:
    generator = torch.Generator().manual_seed(0)
    return [draw_classes(table, 16, 7, generator) for _ in range(11)]


@pytest.mark.slow
def test_a_map_of_classes_says_how_far_to_believe_it(shipped, table, draws):
    drawn = make_map(shipped, table, draws[0], 0, draws=draws[1:], name="it", loss="this")
    assert (drawn.name, drawn.loss, drawn.coordinates.shape) == ("it", "this", (128, 2))
    embeddings = shipped.encode_rows(table, draws[0].rows)
    assert drawn.figures == {
        "trustworthiness": trustworthiness(embeddings, torch.from_numpy(drawn.coordinates)),
        **class_figures(shipped, table, draws[0]),
    }
    assert drawn.figures["trustworthiness"] > 0.95
    measured = torch.tensor([class_figures(shipped, table, x)["silhouette"] for x in draws[1:]])
    spread = drawn.other_draws["silhouette"]
    assert spread["mean"] == pytest.approx(measured.mean().item())
    assert spread["std"] == pytest.approx(measured.std().item())


def test_pretraining_brings_positives_to_their_anchors(shipped, table, draws):
    # 100 draws of 16 classes: silhouette 0.32 ± 0.02, precision@1 0.965 ± 0.020.
    figures = class_figures(shipped, table, draws[0])
    assert figures["silhouette"] > 0.25
    assert figures["precision_at_1"] > 0.9
    scratch = class_figures(Controller(_config().model), table, draws[0])
    assert scratch["silhouette"] < 0
    assert scratch["precision_at_1"] < 0.6


@pytest.mark.slow
def test_a_map_of_random_cells_measures_what_neighbours_share(controller, table):
    cells = draw_cells(table, 60, torch.Generator().manual_seed(1))
    values = table.cells.vertices[cells.rows].double().numpy()
    drawn = make_map(controller, table, cells, 0, values=values)
    embeddings = controller.encode_rows(table, cells.rows)
    assert drawn.figures.keys() == {"trustworthiness", "neighbour_agreement"}
    assert drawn.figures["neighbour_agreement"] == neighbour_agreement(embeddings, values)
    assert drawn.other_draws == {}
    again = make_map(controller, table, cells, 0, values=values)
    assert again.coordinates.tobytes() == drawn.coordinates.tobytes()


def _config():
    from gnn_nas.config import load_config

    return load_config(SHIPPED / "config.yaml")
