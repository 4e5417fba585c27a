import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gnn_nas.config import load_config
from gnn_nas.models.pretrained import load_pretrained
from gnn_nas.search.searcher import Searcher

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TINY = (
    *("model.embedding=8", "model.decoder_hidden=8", "model.predictor_hidden=8"),
    *("data.batch_size=16", "training.structure_weight=0.0", "function=null"),
    "training.log_every=10",
)


@pytest.mark.slow
def test_a_run_with_parts_of_ones_own_opens_again(tmp_path, table, monkeypatch):
    """In a process of its own, whose modules no other test sees."""
    run = tmp_path / "run"
    done = subprocess.run(
        [
            *(sys.executable, str(EXAMPLES / "own_parts.py"), "--steps=60", f"--out={run}"),
            f"--config={ROOT / 'configs' / 'gin_multisim.yaml'}",
            *(f"--set={value}" for value in TINY),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"best of 48 cells +(-?[\d.]+), \['input'", done.stdout)[1]) > 0
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    losses = [row["metric"] for row in rows if row["kind"] == "train"]
    assert losses[-1] < losses[0] - 0.1

    monkeypatch.syspath_prepend(str(EXAMPLES))
    assert load_config(run / "config.yaml").metric.loss == "own_parts:InfoNCE"
    controller = load_pretrained(run)
    assert type(controller.encoder).__name__ == "MeanEncoder"
    embeddings = controller.encode_rows(table, torch.arange(1000))
    assert len(embeddings.unique(dim=0)) > 900
    checkpoint = torch.load(run / "checkpoint.pt", weights_only=True)
    learnt = checkpoint["metric"]["loss.library.log_temperature"].exp().item()
    assert learnt != pytest.approx(0.1, rel=1e-3)
    searcher = Searcher(table, controller, "own_parts:NearestToBest", settings={"initial": 3})
    searcher.tell(searcher.ask(3), [0.1, 0.9, 0.2])
    first, best, *_ = searcher.seen.told.tolist()
    (nearest,) = searcher.ask()
    near, far = (
        controller.encode_rows(table, torch.tensor([best, nearest.row, first]))[1:]
        @ (controller.encode_rows(table, torch.tensor([best]))[0])
    )
    assert near > far
