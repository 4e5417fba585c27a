import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from bench.apart import ORDINARY
from gnn_nas.pretraining import precision
from gnn_nas.pretraining.precision import choose_precision, computes_in_bfloat16

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]


def test_what_the_config_says_is_not_measured(monkeypatch):
    monkeypatch.setattr(precision, "computes_in_bfloat16", lambda device: pytest.fail("measured"))
    assert choose_precision("float32", CPU) == "float32"
    assert choose_precision("bfloat16", CPU) == "bfloat16"


@pytest.mark.parametrize(("fast", "chosen"), [(True, "bfloat16"), (False, "float32")])
def test_auto_follows_the_processor(monkeypatch, fast, chosen):
    monkeypatch.setattr(precision, "computes_in_bfloat16", lambda device: fast)
    assert choose_precision("auto", CPU) == chosen


def test_the_threads_are_as_they_were():
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            computes_in_bfloat16(CPU)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_it_takes_milliseconds():
    computes_in_bfloat16(CPU)
    started = time.process_time()
    computes_in_bfloat16(CPU)
    assert time.process_time() - started < 0.2


@pytest.mark.slow
def test_where_bfloat16_is_emulated_auto_is_float32():
    code = (
        "import json, torch; from gnn_nas.pretraining.precision import choose_precision;"
        "print(json.dumps(choose_precision('auto', torch.device('cpu'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **ORDINARY, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == "float32"
