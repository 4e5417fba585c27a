"""A training gives the same bits wherever it is made, on new processors and on older ones."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("same_bits.py")
OLDER = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


@pytest.fixture(scope="module", params=[{}, OLDER], ids=["this processor", "AVX2"])
def digests(request, table) -> dict[str, list[str]]:
    """Of trainings of grey and coloured images, moved about or not, by where they were made."""
    process = subprocess.run(
        [sys.executable, "-P", str(SCRIPT)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **request.param},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_a_process_trains_as_the_one_that_read_the_images(digests):
    assert digests["in a process"] == digests["here"]
    assert len(set(digests["here"])) == 4


@pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="Ray is not installed")
def test_ray_trains_as_the_one_that_read_the_images(digests):
    assert digests["on Ray"] == digests["here"]
