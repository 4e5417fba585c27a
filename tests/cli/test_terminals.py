"""Real calls with terminals that know little, and with output that nobody takes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HASH = "00005c142e6f48ac74fdcf73e3439874"
POOR = [
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "cp1252"},
]


def call(name: str, *options: str | bytes, environment=(), **places) -> subprocess.CompletedProcess:
    places = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **places}
    return subprocess.run(
        [sys.executable, "-P", "-m", "gnn_nas", name, *options],
        env={**os.environ, "PYTHONPATH": str(ROOT), **dict(environment)},
        timeout=300,
        **places,
    )


@pytest.mark.slow
def test_results_reach_a_terminal_of_ascii_and_a_folder_of_any_bytes(tmp_path):
    out = os.fsencode(tmp_path) + b"/\xff\x1b[31m"
    done = call("export-cell", HASH, b"--out=" + out, environment=POOR[0])
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"<-" in done.stdout
    assert rb"/\udcff\x1b[31m: cell.png, cell.svg, network.py" in done.stdout
    assert done.stdout.replace(b"\n", b"").decode("ascii").isprintable()
    assert sorted(os.listdir(out)) == [b"cell.png", b"cell.svg", b"network.py"]


@pytest.mark.slow
def test_a_full_disk_behind_standard_output_is_one_line_and_results_are_kept(tmp_path):
    out = tmp_path / "out"
    with open("/dev/full", "wb") as full:
        done = call("export-cell", HASH, f"--out={out}", stdout=full)
    assert done.returncode == 2
    assert done.stderr == b"error: cannot write to standard output: No space left on device\n"
    assert sorted(os.listdir(out)) == ["cell.png", "cell.svg", "network.py"]


@pytest.mark.parametrize("environment", POOR)
def test_errors_reach_any_terminal(environment, tmp_path):
    name = "é–日\x1b[2J".encode() + b"\xff.yaml"
    done = call("pretrain", b"--config=" + name, environment=environment, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""
    (line,) = done.stderr.splitlines()
    assert line.startswith(b"error: ")
    assert b"cannot read the config: No such file or directory" in line
    assert b"\x1b" not in line


def test_a_reader_that_has_gone_is_no_error():
    """As in ``gnn-nas search --help | head -1``."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = call("search", "--help", stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_standard_streams_may_be_closed(tmp_path):
    script = f'exec "{sys.executable}" -P -m gnn_nas pretrain --config=absent >&- 2>&-'
    done = subprocess.run(
        ["sh", "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path
    )
    assert done.returncode == 2
