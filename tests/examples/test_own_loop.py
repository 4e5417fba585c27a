import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_loop_of_ones_own_searches_with_workers_of_uneven_speed(made_up_benchmark):
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "examples" / "own_loop.py"), "--compare", "--seeds=2"),
            *("--method=random", "--queries=120", f"--benchmark={made_up_benchmark}"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = {
        kind: re.findall(rf"seed \d, {kind}: (0\.\d{{4}} \([0-9a-f]{{32}}\))", done.stdout)
        for kind in ("asynchronous", "synchronous")
    }
    # Random search draws the same cells, in whatever order their results come back.
    assert len(set(found["asynchronous"])) == 2
    assert found["asynchronous"] == found["synchronous"]
    assert done.stdout.endswith("difference: +0.000 points of accuracy\n")
