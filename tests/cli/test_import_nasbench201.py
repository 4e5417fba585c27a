"""The command with files of NAS-Bench-201, and what finds what it has written."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from gnn_nas.benchmarks import importing
from gnn_nas.benchmarks.nasbench201 import NASBench201
from gnn_nas.cli.import_nasbench import main
from gnn_nas.cli.search import main as search
from gnn_nas.cli.spaces import main as spaces
from tests.helpers import official_writer201 as writer
from tests.helpers.measurements import nasbench201_arrays


@pytest.fixture(autouse=True)
def user(monkeypatch, tmp_path) -> None:
    """A user in an empty folder of their own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_an_npz_is_checked_copied_and_found_by_later_commands(tmp_path, capsys):
    np.savez("mine.npz", **nasbench201_arrays())
    target = tmp_path / "data" / "gnn_nas" / "nasbench201.npz"
    assert main(["mine.npz"]) == 0
    out = capsys.readouterr().out
    best = [NASBench201.open(target, dataset=name).best_test for name in ("cifar10", "cifar100")]
    assert re.findall(r"accuracy, (\w+) +([\d.]+)", out) == [
        ("cifar10", f"{best[0]:.7f}"),
        ("cifar100", f"{best[1]:.7f}"),
    ]
    assert out.endswith(f"written to {target}\n")
    assert target.read_bytes() == Path("mine.npz").read_bytes()
    assert os.listdir(target.parent) == [target.name]
    assert spaces(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["nasbench201"]["measurements"] == str(target)
    assert found["nasbench101"]["measurements"] is None
    call = ["--method=random", "--queries=3", "--seeds=1", "--jobs=1"]
    for name, given in (("named", ["--benchmark=nasbench201"]), ("alone", [])):
        assert search([*call, *given, f"--out={name}"]) == 0
    histories = [Path(name, "history-0.csv").read_bytes() for name in ("named", "alone")]
    assert histories[0] == histories[1]


def test_what_is_not_imported_is_one_line(capsys):
    assert search(["--benchmark=nasbench201"]) == 2
    (line,) = re.findall("^error: .*$", capsys.readouterr().err, re.MULTILINE)
    assert "no measurements of NAS-Bench-201 are here: run gnn-nas import" in line


def test_every_mistake_is_one_line_and_leaves_no_file(complaint, tmp_path):
    arrays = nasbench201_arrays()
    np.savez("less.npz", **{**arrays, "cifar100_test200": arrays["cifar100_test200"][1:]})
    Path("words.npz").write_bytes(b"words")
    Path("words.pth").write_bytes(b"words")
    Path("NATS-tss-v1_0-3ffb9-simple.tar").write_bytes(b"words")
    Path("none").mkdir()
    writer.write_folder(tmp_path / "tiny", writer.TINY)
    Path("full").mkdir()
    writer.pack(Path("full/meta.pickle.pbz2"), {"meta_archs": writer.texts()})
    before = sorted(os.listdir())
    for file, message in (
        ("less.npz", r"less.npz is damaged .*cifar100_test200 is float32 \(15624,\)"),
        ("words.npz", "words.npz is damaged or no NAS-Bench-201 data"),
        ("words.pth", "words.pth is damaged or no NAS-Bench-201 data"),
        ("NATS-tss-v1_0-3ffb9-simple.tar", "give the folder NATS-tss-v1_0-3ffb9-simple, unpacked"),
        ("none", "none: cannot read: Is a directory, and has no meta.pickle.pbz2"),
        ("tiny", "tiny/meta.pickle.pbz2 is damaged or no NAS-Bench-201 data"),
        ("full", "15,625 of 15,625 cells are missing, the first is 000000.pickle.pbz2"),
    ):
        assert re.search(message, complaint(file, "--out", "x.npz"))
    assert sorted(os.listdir()) == before


@pytest.mark.slow
def test_all_cells_of_a_pth_arrive(tmp_path, capsys):
    texts = writer.texts()
    writer.write_pth(tmp_path / "all.pth", writer.pth_content())
    assert main(["all.pth", "--out", "x.npz"]) == 0
    assert "15,625 cells" in capsys.readouterr().err
    benchmark = NASBench201.open("x.npz")
    highest = max(
        np.mean([writer.accuracy(i, "cifar10", "ori-test", 200, s) for s in writer.seeds_of(i)])
        for i in range(len(texts))
    )
    assert 100 * benchmark.best_test == pytest.approx(highest, rel=1e-6)


def test_a_failed_import_leaves_the_earlier_file_as_it_was(monkeypatch, complaint):
    np.savez("mine.npz", **nasbench201_arrays())
    assert main(["mine.npz", "--out", "x.npz"]) == 0
    before = Path("x.npz").read_bytes()
    Path("words.pth").write_bytes(b"words")
    complaint("words.pth", "--out", "x.npz")
    assert Path("x.npz").read_bytes() == before
    monkeypatch.setattr(importing, "_LARGEST_NPZ", 1000)
    assert "mine.npz: cannot read: it has more than" in complaint("mine.npz", "--out", "x.npz")
    assert sorted(os.listdir()) == ["mine.npz", "words.pth", "x.npz"]
