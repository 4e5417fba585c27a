"""``--quick``, in a project of three tests with our conftest."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import time
import pytest

def busy():
    began = time.process_time()
    while time.process_time() - began < 0.3:
        pass

@pytest.mark.slow
def test_marked(): busy()

def test_unmarked(): busy()

def test_soon(): ...
"""


@pytest.fixture
def run(tmp_path):
    """Gives what pytest says of the three tests."""
    conftest = Path(__file__).with_name("conftest.py").read_text()
    shorter = conftest.replace("_MOST_SECONDS = 5\n", "_MOST_SECONDS = 0.1\n")
    assert shorter != conftest
    (tmp_path / "conftest.py").write_text(shorter)
    (tmp_path / "test_three.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")

    def call(*options: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return call


def test_all_run_without_it(run):
    shown = run()
    assert "3 passed" in shown
    assert "Warning" not in shown


def test_it_leaves_out_what_is_marked_slow_and_warns_of_what_should_be(run):
    shown = run("--quick")
    assert "2 passed, 1 deselected, 1 warning" in shown
    assert "test_unmarked took 0 s under --quick: if it does so every time, mark it slow" in shown
