"""The command as a user has it, over the real space."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from gnn_nas.cli.export_cell import main
from gnn_nas.experiments.searches.config import SearchConfig, TaskSearchConfig
from gnn_nas.experiments.searches.task_judge import NETWORK
from gnn_nas.files import is_leftover
from gnn_nas.run_folder import RunFolder
from gnn_nas.tasks.network import CellNetwork, NetworkConfig
from gnn_nas.tasks.network_files import weights_bytes
from gnn_nas.tasks.network_size import parameter_counts

FIRST = "00005c142e6f48ac74fdcf73e3439874"
SIZES = ["--stem-channels=6", "--stacks=2", "--cells-per-stack=1", "--classes=4", "--in-channels=1"]
SMALL = NetworkConfig(stem_channels=6, stacks=2, cells_per_stack=1, classes=4, in_channels=1)


@pytest.fixture
def user(monkeypatch, tmp_path, table) -> Path:
    """A user without measurements in an empty folder of their own."""
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def complaint(user, complaint):
    """The same in the user's folder."""
    return complaint


@pytest.fixture
def search(user) -> RunFolder:
    """The folder of a search that goes on."""
    config = SearchConfig(
        method="random",
        protocol="oracle",
        queries=1,
        seeds=1,
        seed=0,
        checkpoint=None,
        weights="none",
        benchmark="made up",
        settings={},
    )
    return RunFolder.create(user / "search", config)


def build(folder: Path) -> CellNetwork:
    spec = importlib.util.spec_from_file_location("network", folder / "network.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build()


def test_help_teaches_and_comes_at_once(capsys, loaded_by_help):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    for each in ("--from runs/search-nao-oracle", "network.py", "cell.svg", "import network"):
        assert each in shown
    started = time.perf_counter()
    assert not loaded_by_help("torch", "matplotlib", "numpy", "onnx")
    assert time.perf_counter() - started < 5  # 0.2 s where nothing else runs


def test_a_prefix_gives_the_official_network_and_its_pictures(user, capsys):
    assert main(["00005C14"]) == 0
    out = capsys.readouterr().out
    folder = user / "runs" / "export-00005c14"
    assert f"cell {FIRST}, a network of 8,555,530 parameters\n0  in\n" in out
    written = "cell.png, cell.svg, network.py"
    assert f"written to runs/export-00005c14: {written}\n" in out
    assert sorted(os.listdir(folder)) == written.split(", ")
    assert sum(weight.numel() for weight in build(folder).parameters()) == 8_555_530
    assert (folder / "cell.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "cell.svg").read_text(encoding="utf-8").startswith("<svg xmlns=")


@pytest.mark.slow
def test_the_module_works_in_its_folder_as_help_says(user):
    assert main([FIRST, *SIZES, "--out=a"]) == 0
    code = "import network; print(network.build())"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd="a", capture_output=True, text=True, check=True
    )
    assert "(classifier): Linear(in_features=12, out_features=4" in shown.stdout


def test_trained_weights_come_along_and_bring_their_sizes(user, table, capsys):
    network = CellNetwork(table.cells[7:8], SMALL, seed=5).eval()
    Path("mine.safetensors").write_bytes(weights_bytes(network))
    assert main([table.hash_of(7), "--weights=mine.safetensors", "--out=a"]) == 0
    parameters = sum(weight.numel() for weight in network.parameters())
    assert f"a network of {parameters:,} parameters" in capsys.readouterr().out
    Path("a").rename("moved")
    images = torch.randn(2, 1, 8, 8)
    assert torch.equal(build(Path("moved")).eval()(images), network(images))


def test_weights_of_another_network_are_refused(complaint, table):
    Path("w.safetensors").write_bytes(weights_bytes(CellNetwork(table.cells[7:8], SMALL)))
    assert "w.safetensors holds another architecture" in complaint(FIRST, "--weights=w.safetensors")
    call = (table.hash_of(7), "--weights=w.safetensors", "--classes=5")
    assert "classifier.weight is (4, 12) there, (5, 12) here" in complaint(*call)
    Path("empty.safetensors").write_bytes(b"")
    assert "is damaged or no file" in complaint(FIRST, "--weights=empty.safetensors")
    assert "No such file" in complaint(FIRST, "--weights=none.safetensors")
    assert not Path("runs").exists()


@pytest.mark.slow
def test_onnx_is_the_network_with_its_weights(user, table):
    pytest.importorskip("onnx", reason="the extra gnn-nas[onnx] is not installed")
    pytest.importorskip("onnxscript", reason="the extra gnn-nas[onnx] is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    network = CellNetwork(table.cells[:1], SMALL, seed=5).eval()
    Path("w.safetensors").write_bytes(weights_bytes(network))
    options = ["--weights=w.safetensors", "--onnx", "--image-size=8", "--out=a"]
    assert main([FIRST, *options]) == 0
    session = runtime.InferenceSession("a/network.onnx", providers=["CPUExecutionProvider"])
    images = torch.randn(3, 1, 8, 8)
    (logits,) = session.run(["logits"], {"images": images.numpy()})
    torch.testing.assert_close(torch.from_numpy(logits), network(images).detach())


def test_onnx_without_its_packages_is_refused_before_anything_is_written(complaint, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert complaint(FIRST, "--onnx").endswith(" -m pip install onnx onnxscript")
    assert not Path("runs").exists()


def test_the_best_cell_of_a_search(user, search, table, capsys):
    search.save_summary({"best": {"seed": 0, "hash": table.hash_of(99)}})
    assert main(["--from", "search", *SIZES]) == 0
    assert f"cell {table.hash_of(99)}," in capsys.readouterr().out
    assert Path("runs", f"export-{table.hash_of(99)[:8]}", "network.py").exists()


def test_a_search_by_trainings_gives_sizes_and_weights(user, search, table):
    network = CellNetwork(table.cells[99:100], SMALL, seed=5).eval()
    search.save_summary({"best": {"seed": 0, "hash": table.hash_of(99)}})
    (search.path / NETWORK).write_bytes(weights_bytes(network))
    assert main(["--from", "search", "--out=a"]) == 0
    images = torch.randn(2, 1, 8, 8)
    assert torch.equal(build(Path("a")).eval()(images), network(images))


def search_for_a_task(folder: Path, module_hash: str, **task_settings: object) -> None:
    """A finished search by trainings that has left no weights."""
    config = TaskSearchConfig(
        method="random",
        queries=1,
        seeds=1,
        seed=0,
        checkpoint=None,
        weights="none",
        settings={},
        task="mine",
        fingerprint="0",
        trainings=1,
        task_settings=task_settings,
    )
    RunFolder.create(folder, config).save_summary({"best": {"seed": 0, "hash": module_hash}})


def test_sizes_that_a_task_has_not_told_are_asked_for(complaint, table):
    """NAS-Bench-101's would be those of another network than was measured."""
    search_for_a_task(Path("mine"), table.hash_of(99), object="mine:task")
    refusal = "mine does not tell the sizes of the network that its task mine has trained: give"
    assert f"{refusal} --stem-channels, --stacks, --cells-per-stack" in complaint("--from=mine")
    assert f"{refusal} --in-channels (" in complaint("--from=mine", *SIZES[:-1])
    assert not Path("runs").exists()
    assert main(["--from=mine", *SIZES]) == 0
    search_for_a_task(Path("images"), table.hash_of(99), network={"stem_channels": 6})
    assert "images does not tell the sizes" in complaint("--from=images")
    search_for_a_task(Path("bad"), table.hash_of(99), object="x:y", network={"stacks": -1})
    assert "config.yaml is damaged: task_settings.network" in complaint("--from=bad")


def test_sizes_that_a_task_has_told_are_taken(user, table, capsys):
    search_for_a_task(Path("mine"), table.hash_of(99), object="x:y", network=SMALL.model_dump())
    parameters = parameter_counts(table.cells[99:100], SMALL).item()
    assert main(["--from=mine", "--out=a"]) == 0
    assert f"a network of {parameters:,} parameters" in capsys.readouterr().out
    assert sum(each.numel() for each in build(Path("a")).parameters()) == parameters


def test_a_folder_without_results_is_named(complaint, search):
    assert "none: no such run folder" in complaint("--from=none")
    assert "search holds no finished search" in complaint("--from=search")
    search.save_summary({"best": None})
    assert "search has no best cell: every evaluation failed" in complaint("--from=search")
    search.save_summary({"steps": 3})
    assert "search is no folder of a search" in complaint("--from=search")
    for best in ({}, {"hash": 3}, "x"):
        search.save_summary({"best": best})
        assert "is damaged: its best cell has no hash" in complaint("--from=search")
    search.summary.write_text(json.dumps([]))
    assert "is damaged or no summary" in complaint("--from=search")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give either the hash of a cell or --from"),
        ([FIRST, "--from=x"], "give either the hash of a cell or --from"),
        (["00005"], "'00005' is too short: give at least 6 digits"),
        (["00005x14"], "'00005x14' is no module hash"),
        ([FIRST + "0"], "is no module hash: it has 32 hexadecimal digits"),
        (["ffffffffff"], "no cell of nasbench101 has a module hash that begins with ffffffffff"),
        (["00005c15"], "no cell of nasbench101 has a module hash that begins with 00005c15"),
        ([FIRST, "--stem-channels=4"], "--stem-channels must be greater than or equal to 5, not 4"),
        ([FIRST, "--stacks=0"], "--stacks must be greater than or equal to 1, not 0"),
        ([FIRST, "--image-size=0"], "--image-size must be at least 1, not 0"),
        ([FIRST, "--onnx", "--stem-channels=4096"], "are too many for an ONNX file"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(complaint, options, message):
    assert message in complaint(*options)
    assert not Path("runs").exists()


def test_an_ambiguous_prefix_is_told_with_examples(complaint, table):
    high = table.module_hash[:, :3].long() @ torch.tensor([65536, 256, 1])
    row = int((high.diff() == 0).nonzero()[0])
    first, second = table.hash_of(row), table.hash_of(row + 1)
    expected = f"{first[:6]} is ambiguous: 2 cells begin with it, such as {first}, {second}"
    assert expected in complaint(first[:6])


def test_what_was_killed_is_called_again(user, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("gnn_nas.files.write_text", _interrupted)
        patched.setattr("shutil.rmtree", lambda *_, **__: None)  # which a kill leaves no time for
        assert main([FIRST, "--out=mine"]) == 130
    (left,) = os.listdir("mine")
    assert is_leftover(left)
    assert main([FIRST, "--out=mine"]) == 0
    assert sorted(os.listdir("mine")) == ["cell.png", "cell.svg", "network.py"]


def _interrupted(*_):
    raise KeyboardInterrupt


def test_files_that_are_there_are_not_replaced(complaint, user):
    (user / "mine").mkdir()
    (user / "mine" / "network.py").write_text("changed by hand")
    assert "mine holds files (network.py): give another --out" in complaint(FIRST, "--out=mine")
    assert (user / "mine" / "network.py").read_text() == "changed by hand"
    assert "cannot write the folder" in complaint(FIRST, "--out=mine/network.py/x")
