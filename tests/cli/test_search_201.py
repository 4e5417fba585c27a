"""Searches in NAS-Bench-201's measurements, as a user has them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from gnn_nas.cli.embed_umap import main as embed_umap
from gnn_nas.cli.export_cell import main as export_cell
from gnn_nas.cli.locality import main as locality
from gnn_nas.cli.search import main
from gnn_nas.config import WEIGHTS
from gnn_nas.experiments.searches import page
from gnn_nas.run_folder import RunFolder
from tests.helpers.measurements import nasbench201_arrays

SHIPPED = WEIGHTS / "nasbench201"
SMALL = ("--pairs=200", "--per-distance=4")


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data") / "nasbench201.npz"
    np.savez(path, **nasbench201_arrays())
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)


def test_the_measurements_decide_space_and_controller(measured, capsys):
    call = [f"--benchmark={measured}", "--queries=24", "--jobs=1", "--protocol=validation"]
    assert main(call) == 0
    folder = RunFolder("runs/search-nao-validation-cifar10")
    assert "best cell: " in (said := capsys.readouterr().out)
    assert re.search(r"^\|\w+~0\|\+\|\w+~0\|\w+~1\|\+\|\w+~0\|\w+~1\|\w+~2\|$", said, re.MULTILINE)
    summary = folder.load_summary()
    assert summary["per_seed"][0]["queries"] == 24
    # It is a controller of the space that the search leaves.
    assert "space: nasbench201" in folder.controller(0).config.read_text()
    assert folder.best_cell.exists()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["evolution", "local", "descriptors", "predictor"])
def test_other_methods_and_more_of_the_same(measured, method):
    call = [f"--benchmark={measured}", f"--method={method}", "--dataset=cifar100", "--jobs=1"]
    assert main([*call, "--queries=20", "--out=run"]) == 0
    history = RunFolder("run").history(0).read_bytes()
    assert main([*call, "--queries=24", "--out=run", "--resume"]) == 0
    assert RunFolder("run").history(0).read_bytes().startswith(history)
    assert json.loads(Path("run/summary.json").read_text())["per_seed"][0]["queries"] == 24


def test_mistakes_are_one_line(measured, made_up_benchmark, complaint, monkeypatch):
    of_201 = f"--benchmark={measured}"
    assert "of nasbench201 means are known only" in complaint(of_201, "--protocol=single-trial")
    other = f"--benchmark={made_up_benchmark}"
    wrong = complaint(other, "--dataset=cifar10")
    remedy = "cifar10 is of NAS-Bench-201, give its .npz file by --benchmark PATH"
    assert f"has measurements of nasbench101, and it has no data set cifar10: {remedy}" in wrong
    assert f"give the measurements: {remedy}" in complaint("--dataset=cifar10")
    wrong = complaint(of_201, "--dataset=cora")
    assert wrong.endswith("cora is of NAS-Bench-Graph, --benchmark nasbench-graph")
    assert "--dataset is for measurements" in complaint("--task=digits", "--dataset=cifar10")
    wrong = complaint(other, f"--checkpoint={SHIPPED}")
    assert wrong.endswith(
        "nasbench201 was pretrained on nasbench201, and this is about nasbench101"
    )
    wrong = complaint(of_201, f"--checkpoint={WEIGHTS / 'gin_multisim'}")
    assert wrong.endswith("was pretrained on nasbench101, and this is about nasbench201")
    assert "--queries must be at most 15625" in complaint(of_201, "--queries=15626")
    assert not Path("runs").exists()


@pytest.mark.slow
def test_a_folder_of_one_says_what_to_give_again_and_exports_its_best_cell(measured, complaint):
    call = ["--method=random", "--queries=3", "--jobs=1", "--out=run"]
    assert main([f"--benchmark={measured}", *call]) == 0
    assert "give its .npz file by --benchmark PATH" in complaint("--resume", "--out=run")
    assert export_cell(["--from=run", "--out=best"]) == 0
    assert 'get_space("nasbench201")' in Path("best/network.py").read_text()


def test_a_damaged_file_is_one_line(measured, complaint):
    whole = measured.read_bytes()
    for name, content in {"cut": whole[:-1000], "empty": b"", "words": b"some words"}.items():
        Path(name).write_bytes(content)
        assert " is damaged or no " in complaint(f"--benchmark={name}") or name == "empty"
    # Of another version of the format, as the central directory says.
    at = whole.rindex(b"PK\x01\x02") + 6
    Path("version").write_bytes(whole[:at] + b"\x63" + whole[at + 1 :])
    assert "version" in complaint("--benchmark=version")


@pytest.mark.slow
def test_a_search_has_a_page(measured, monkeypatch, capsys):
    monkeypatch.setattr(page, "BACKGROUND", 60)
    call = [f"--benchmark={measured}", "--method=random", "--queries=4", "--jobs=1", "--out=run"]
    assert main([*call, "--dataset=cifar100", "--html"]) == 0
    assert "page to explore: run/search.html\n" in capsys.readouterr().out
    written = Path("run/search.html").read_text(encoding="utf-8")
    assert "NAS-Bench-201 searched by random" in written
    assert "Protocol oracle on cifar100, 4 queries a seed, over 60 random cells" in written
    assert "UMAP of the embeddings of nasbench201." in written


def test_pictures_take_the_space_of_the_measurements(measured, capsys):
    assert locality(["--parts=b", f"--benchmark={measured}", *SMALL]) == 0
    summary = RunFolder("runs/locality").load_summary()
    assert summary["space"] == "nasbench201"
    assert "cifar10," in summary["benchmark"]
    assert [row["distance"] for row in summary["b"]["by_distance"]] == [1, 2, 3, 4, 5, 6]
    assert (
        embed_umap([f"--benchmark={measured}", "--checkpoint", str(WEIGHTS / "gin_multisim")]) == 2
    )
    assert (
        "has measurements of nasbench201, and this is about nasbench101" in capsys.readouterr().err
    )
    assert locality([f"--benchmark={measured}", "--dataset=cora"]) == 2
    assert "has nasbench201's: cifar10, cifar100" in capsys.readouterr().err
