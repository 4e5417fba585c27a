"""A command in a folder that another is writing: refused in one line that says who is."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from gnn_nas.locking import is_lock, writing

CONFIG = Path(__file__).parents[2] / "configs" / "gin_multisim.yaml"
CELL = "00005c142e6f48ac74fdcf73e3439874"
COMMANDS = {
    "pretrain": [f"--config={CONFIG}", "--max-steps=1", "--set=function=null"],
    "search": ["--seeds=1", "--jobs=1", "--method=random", "--benchmark={benchmark}"],
    "compare": ["--losses=nometric", f"--configs={CONFIG.parent}", "--benchmark={benchmark}"],
    "predictor_quality": ["--checkpoint=none", "--benchmark={benchmark}"],
    "embed_umap": ["--checkpoint=none", "--benchmark={benchmark}"],
    "locality": ["--parts", "a"],
    "export_cell": [CELL],
    "import_nasbench": [f"{CONFIG}"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_second_is_refused(table, refuses, command, benchmark_path, tmp_path):
    main = importlib.import_module(f"gnn_nas.cli.{command}").main
    out = tmp_path / "out"
    if command != "import_nasbench":
        out.mkdir()
    options = [option.format(benchmark=benchmark_path) for option in COMMANDS[command]]
    with writing(out):
        line = refuses(main, *options, f"--out={out}")
        assert f"{out} is being written by process {os.getpid()} on " in line
        assert line.endswith(": wait for it, or give another --out")
        left = os.listdir(out if out.is_dir() else tmp_path)
        assert len(left) == 1
        assert is_lock(left[0])
