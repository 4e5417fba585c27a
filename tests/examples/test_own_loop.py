import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_loop_of_ones_own_searches_with_workers_of_uneven_speed(made_up_benchmark):
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "examples" / "own_loop.py"), "--compare", "--seeds=2"),
            *("--method=evolution", "--queries=120", f"--benchmark={made_up_benchmark}"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for kind in ("asynchronous", "synchronous"):
        found = re.findall(rf"seed \d, {kind}: (0\.\d{{4}}) \([0-9a-f]{{32}}\)", done.stdout)
        assert len(found) == 2
        # Of random cells of this benchmark one in a thousand has as much.
        assert all(float(best) > 0.935 for best in found)
