"""A training gives the same bits wherever it is made, on new processors and on older ones."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.apart import ORDINARY

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[{}, ORDINARY], ids=["this processor", "AVX2"])
def digests(request, table) -> dict[str, list[str]]:
    """Of trainings of grey and coloured images, moved about or not, by where they were made."""
    process = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            "from tests.helpers import training_digests as here; here.main()",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), **request.param},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_process_trains_as_the_one_that_read_the_images(digests):
    assert digests["in a process"] == digests["here"]
    assert len(set(digests["here"])) == 4


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="Ray is not installed")
def test_ray_trains_as_the_one_that_read_the_images(digests):
    assert digests["on Ray"] == digests["here"]
