import json

import pytest
import torch

from gnn_nas.config import WEIGHTS, load_config
from gnn_nas.evaluation.decoding import reconstruction
from gnn_nas.evaluation.embeddings import distinct_embeddings
from gnn_nas.models.pretrained import SHIPPED, load_pretrained
from gnn_nas.pretraining.batches import held_out_cells
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH
from gnn_nas.spaces.table import load_table


@pytest.mark.slow
def test_the_shipped_controller_is_as_good_as_its_summary_says(table):
    summary = json.loads((SHIPPED / "summary.json").read_text())
    config = load_config(SHIPPED / "config.yaml")
    rows = held_out_cells(table, config.data.held_out).nonzero().flatten()
    figures = reconstruction(load_pretrained(SHIPPED), table, rows)
    # Another processor's rounding may turn a token of a cell or two.
    assert figures["exact_match"] == pytest.approx(summary["exact_match"], abs=1e-3)
    assert figures["exact_match"] >= 0.99
    assert summary["distinct_embeddings"] == len(table)


def test_the_shipped_controller_is_the_run_of_its_config():
    assert load_config(SHIPPED / "config.yaml") == load_config("gin_multisim")
    assert (SHIPPED / "model.safetensors").stat().st_size < 2_000_000


def test_that_of_nasbench201_spells_every_cell_and_is_the_run_of_its_config(pytestconfig):
    folder = WEIGHTS / "nasbench201"
    cells, controller = load_table(NASBENCH201), load_pretrained(folder)
    figures = reconstruction(controller, cells, torch.arange(len(cells)))
    assert figures["exact_match"] == 1
    assert distinct_embeddings(controller, cells) == 15_625
    assert load_config(folder / "config.yaml") == load_config("nasbench201")
    assert (folder / "model.safetensors").stat().st_size < 2_000_000


@pytest.mark.slow
def test_that_of_nasbench_graph_spells_its_cells_and_is_the_run_of_its_config():
    folder = WEIGHTS / "nasbench_graph"
    cells, controller = load_table(NASBENCH_GRAPH), load_pretrained(folder)
    figures = reconstruction(controller, cells, torch.arange(len(cells)))
    summary = json.loads((folder / "summary.json").read_text())
    assert figures["exact_match"] == pytest.approx(summary["exact_match"], abs=1e-3)
    assert figures["exact_match"] >= 0.999
    assert distinct_embeddings(controller, cells) == 26_206
    assert load_config(folder / "config.yaml") == load_config("nasbench_graph")
    assert (folder / "model.safetensors").stat().st_size < 2_000_000
