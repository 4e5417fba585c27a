"""The command as a user has it; a whole file is imported over a space made small."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
import torch

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.cli.import_nasbench import main
from gnn_nas.files import is_leftover
from gnn_nas.locking import is_lock
from gnn_nas.spaces import table as table_module
from gnn_nas.spaces.table import CellTable
from tests.helpers import official_writer as writer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def small_table(table) -> CellTable:
    few = torch.tensor([0, 1, 2])
    return CellTable(table.cells[few], table.module_hash[few], table.row_of_form, table.first_form)


@pytest.fixture(autouse=True)
def user(monkeypatch, tmp_path, small_table) -> None:
    """A user of the small space in an empty folder of their own."""
    monkeypatch.setattr(table_module, "load_table", lambda *_: small_table)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def source(small_table, tmp_path) -> Path:
    path = tmp_path / "nasbench_full.tfrecord"
    writer.write_tfrecord(path, writer.synthetic_rows(small_table, (4, 12, 36, 108)))
    return path


def test_help_teaches_where_files_come_from_and_go_to(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    for each in ("only108.tfrecord", "full.tfrecord", "--out", "GNN_NAS_BENCHMARK", "local/share"):
        assert each in shown


def test_help_comes_before_torch_is_loaded(loaded_by_help):
    assert not loaded_by_help("torch")


def test_imports_into_the_data_folder(source, small_table, tmp_path, capsys):
    assert main([str(source)]) == 0
    target = tmp_path / "data" / "gnn_nas" / "nasbench101.safetensors"
    out, err = capsys.readouterr()
    assert re.search(r"^rows +36$", out, re.MULTILINE)
    assert re.search(r"^epochs +4, 12, 36, 108$", out, re.MULTILINE)
    assert out.endswith(f"written to {target}\n")
    assert "36 rows" in err
    benchmark = NASBench101.open(target, small_table)
    assert f"{benchmark.best_test:.7f}" in out
    assert os.listdir(target.parent) == [target.name]


def test_imports_to_where_it_is_told(source, small_table, tmp_path):
    assert main([str(source), "--out", "mine.safetensors"]) == 0
    assert sorted(os.listdir(tmp_path)) == ["mine.safetensors", source.name]
    assert len(NASBench101.open("mine.safetensors", small_table)) == 3


def test_every_mistake_is_one_line_and_leaves_no_file(complaint, source, tmp_path):
    content = source.read_bytes()
    (tmp_path / "words").write_text("just words, nothing else in it")
    for name, keep in (("half", len(content) // 2), ("less", len(content) - 400)):
        (tmp_path / name).write_bytes(content[:keep])
    before = sorted(os.listdir(tmp_path))
    for file, message in (
        ("absent", "error: absent: no such file"),
        ("words", "words: the record at byte 0 is damaged .* TFRecord file"),
        ("half", r"half: the record at byte \d+ is damaged \(the file ends within it\)"),
        ("less", r"less: the record at byte \d+ is damaged \(the file ends within it\)"),
        (tmp_path, "cannot read: Is a directory"),
    ):
        assert re.search(message, complaint(file, "--out", "x"))
    assert sorted(os.listdir(tmp_path)) == before


def killed(arguments: list[str | Path], when) -> None:
    """Start the command and send SIGKILL as soon as ``when`` says so."""
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    while process.poll() is None and not when():
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_killed_while_it_reads_it_leaves_nothing(source, tmp_path):
    pipe, target = tmp_path / "pipe", tmp_path / "out" / "x.safetensors"
    os.mkfifo(pipe)
    # Opened for reading too, so that neither end waits for the other; never closed by the writer.
    stream = os.open(pipe, os.O_RDWR)
    os.write(stream, source.read_bytes()[:1000])

    def everything_is_read() -> bool:
        unread = fcntl.ioctl(stream, termios.FIONREAD, bytes(4))
        return not int.from_bytes(unread, sys.byteorder)

    killed(["-m", "gnn_nas", "import", pipe, "--out", target], everything_is_read)
    os.close(stream)
    # A lock that nobody holds means nothing.
    assert [name for name in os.listdir(target.parent) if not is_lock(name)] == []


@pytest.mark.slow
def test_killed_while_it_writes_it_leaves_the_earlier_file_and_the_next_call_tidies_up(
    source, small_table, tmp_path
):
    target = tmp_path / "out" / "x.safetensors"
    assert main([str(source), "--out", str(target)]) == 0
    before = target.read_bytes()
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time, torch\n"
        "from gnn_nas import files\n"
        "from gnn_nas.spaces import table\n"
        "from gnn_nas.spaces.table import CellTable, load_table\n"
        "from gnn_nas.cli.import_nasbench import main\n"
        "files._sync = lambda path: time.sleep(60)\n"
        "all, few = load_table(), torch.tensor([0, 1, 2])\n"
        "small = CellTable(all.cells[few], all.module_hash[few], all.row_of_form, all.first_form)\n"
        "table.load_table = lambda space: small\n"
        "main(sys.argv[1:])\n"
    )
    killed([script, source, "--out", target], lambda: any(map(is_leftover, os.listdir("out"))))
    assert target.read_bytes() == before
    assert any(map(is_leftover, os.listdir("out")))
    assert main([str(source), "--out", str(target)]) == 0
    assert os.listdir(target.parent) == ["x.safetensors"]
    assert target.read_bytes() == before
