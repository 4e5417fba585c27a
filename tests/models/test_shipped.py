import json

import pytest

from gnn_nas.analysis.reconstruction import reconstruction
from gnn_nas.config import load_config
from gnn_nas.models.pretrained import SHIPPED, load_pretrained
from gnn_nas.pretraining.held_out import held_out_cells


def test_the_shipped_controller_is_as_good_as_its_summary_says(table):
    summary = json.loads((SHIPPED / "summary.json").read_text())
    config = load_config(SHIPPED / "config.yaml")
    rows = held_out_cells(table, config.data.held_out).nonzero().flatten()
    figures = reconstruction(load_pretrained(SHIPPED), table, rows)
    # Another processor's rounding may turn a token of a cell or two.
    assert figures["exact_match"] == pytest.approx(summary["exact_match"], abs=1e-3)
    assert figures["exact_match"] >= 0.99
    assert summary["distinct_embeddings"] == len(table)


def test_the_shipped_controller_is_a_run_of_its_config(pytestconfig):
    config = load_config(pytestconfig.rootpath / "configs" / "gin_multisim.yaml")
    assert load_config(SHIPPED / "config.yaml") == config
