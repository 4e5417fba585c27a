"""The command as a user has it; every complaint is one line and leaves everything as it was."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gnn_nas.cli.compare import main
from gnn_nas.experiments.table1.plan import Pretraining, Search, plan_pretraining
from gnn_nas.models.pretrained import SHIPPED
from gnn_nas.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
TINY = {
    "hidden": 8,
    "layers": 2,
    "embedding": 8,
    "decoder_hidden": 8,
    "predictor_hidden": 8,
    "batch_size": 16,
    "held_out": 0.001,
    "structure_weight": 0.0,
}


@pytest.fixture
def configs(tmp_path) -> Path:
    """Configs of pretrainings that take seconds."""
    folder = tmp_path / "configs"
    folder.mkdir()
    for name in ("gin_multisim.yaml", "gin_nometric.yaml"):
        text = (ROOT / "configs" / name).read_text()
        for key, value in TINY.items():
            text = re.sub(rf"^(  {key}): .*", rf"\1: {value}", text, flags=re.MULTILINE)
        text = re.sub(r"^function:\n(  .*\n)+", "function: null\n", text, flags=re.MULTILINE)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def call(configs, tmp_path, benchmark_path, monkeypatch, capsys):
    """Runs the command with two losses; random search is finished in its folder already."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    given = tmp_path / "given"
    given.mkdir()
    (given / "gin_multisim").symlink_to(SHIPPED)
    finish(tmp_path / "out" / "search-random-oracle", "random", None)
    options = [
        *("--losses=nometric,multisim", f"--configs={configs}", f"--checkpoints={given}"),
        *("--anchors=8", "--method=evolution", "--protocols=oracle", "--queries=12", "--seeds=1"),
        *(f"--benchmark={benchmark_path}", f"--out={tmp_path / 'out'}", "--jobs=2"),
    ]

    def run(*more: str) -> tuple[int, str, str]:
        return main([*options, *more]), *capsys.readouterr()

    return run


def finish(path: Path, method: str, weights: Path | None) -> None:
    """Write the folder of a finished search that nobody made."""
    folder = RunFolder(path)
    folder.path.mkdir(parents=True)
    fingerprint = hashlib.sha256(weights.read_bytes()).hexdigest() if weights else "null"
    folder.config.write_text(
        f"{{method: {method}, protocol: oracle, queries: 12, seeds: 1, weights: {fingerprint}}}\n"
    )
    names = ("queries_to_best", "test", "sd", "regret", "rank")
    figures = {key: {"mean": 50.0, "std": 0.5} for key in names}
    folder.save_summary({"aggregated": figures | {"test_unseen": {"mean": None, "std": None}}})


@pytest.mark.slow
def test_a_table_is_made_and_a_second_call_makes_only_the_table(call, tmp_path):
    """What is missing of the first is a pretraining, and the search with its checkpoint."""
    out = tmp_path / "out"
    multisim = out / "search-evolution-oracle-gin_multisim"
    finish(multisim, "evolution", RunFolder(SHIPPED).weights)
    status, shown, _ = call()
    assert status == 0
    text = (out / "table1-oracle.md").read_text()
    rows = [line for line in text.split("\n") if line.startswith("|")][2:]
    assert [row.split()[1] for row in rows] == ["MultiSimilarity", "NoMetric", "Random"]
    assert "–" not in "".join(rows[:2])
    assert rows[1].endswith("| 4 | 8 |")
    assert text in shown
    assert (out / "table1-oracle.png").exists()
    logs = {path.name for path in (out / "logs").iterdir()}
    assert logs == {"gin_nometric.log", "search-evolution-oracle-gin_nometric.log"}

    (out / "table1-oracle.csv").unlink()
    for name in logs:
        (out / "logs" / name).unlink()
    assert call()[0] == 0
    assert (out / "table1-oracle.md").read_text() == text
    assert (out / "table1-oracle.csv").exists()
    assert list((out / "logs").iterdir()) == []


def test_a_failing_job_is_told_and_the_table_has_the_rest(call, tmp_path, monkeypatch):
    for kind in (Pretraining, Search):
        monkeypatch.setattr(kind, "module", "absent_module")
    status, shown, err = call()
    assert status == 2
    said = "ModuleNotFoundError: No module named 'absent_module'"
    assert f"pretrain gin_nometric: {said}" in err
    assert "gin_nometric: not begun, as it needs pretrain gin_nometric" in err
    assert err.splitlines()[-1].startswith("error: 3 of 4 jobs failed (pretrain gin_nometric; ")
    assert "| NoMetric | – |" in shown
    assert "| Random | 50 ± 0.5 |" in shown


def test_missing_ray_is_one_line(call, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    status, shown, err = call("--engine=ray")
    assert (status, shown) == (2, "")
    last = err.splitlines()[-1]
    assert re.fullmatch(r"error: --engine ray needs Ray: \S+ -m pip install ray", last)
    assert not (tmp_path / "out" / "gin_nometric").exists()


@pytest.mark.slow
def test_ray_gives_the_results_of_this_machine(call, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed")
    made = {}
    for engine in ("local", "ray"):
        out = tmp_path / engine
        finish(out / "search-random-oracle", "random", None)
        finish(
            out / "search-evolution-oracle-gin_multisim", "evolution", RunFolder(SHIPPED).weights
        )
        assert call(f"--engine={engine}", f"--out={out}")[0] == 0
        search = RunFolder(out / "search-evolution-oracle-gin_nometric")
        weights = RunFolder(out / "gin_nometric").weights.read_bytes()
        queries = [line.split(",")[:3] for line in search.history(0).read_text().splitlines()]
        made[engine] = weights, queries, (out / "table1-oracle.csv").read_text()
    assert made["local"] == made["ray"]


def test_help_and_mistakes_need_no_torch():
    code = (
        "import sys\nfrom gnn_nas.cli.compare import main\n"
        "assert main(['--queries=0']) == 2\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert "losses: angular, multisim" in process.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--anchors=0"], "--anchors must be at least 1, not 0"),
        (["--jobs=0"], "--jobs must be at least 1, not 0"),
        (["--losses=multisim,cosine"], r"--losses: unknown cosine \(allowed: angular, "),
        (["--job-cpus=1"], "--job-cpus needs --engine ray"),
        (["--engine=ray", "--job-cpus=0"], "--job-cpus must be more than 0"),
        (["--losses=,"], "--losses names none"),
        (["--protocols=test"], r"--protocols: unknown test \(allowed: .*oracle"),
        (["--checkpoints=absent"], "--checkpoints absent: no such folder"),
        (["--configs=absent"], "absent/gin_angular.yaml: cannot read the config: No such file"),
        (["--queries=500000"], "--queries must be at most 423624"),
        (["--benchmark=absent"], "absent: cannot read: No such file"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(
    made_up_benchmark, tmp_path, monkeypatch, capsys, options, message
):
    monkeypatch.setenv("GNN_NAS_BENCHMARK", str(made_up_benchmark))
    monkeypatch.chdir(tmp_path)
    assert main([f"--configs={ROOT / 'configs'}", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"error: [^\n]*{message}[^\n]*\n", err)
    assert os.listdir(tmp_path) == []


def test_function_is_left_out_of_what_is_compared(tmp_path):
    job = plan_pretraining(ROOT / "configs" / "gin_multisim.yaml", RunFolder(tmp_path), 640)
    assert {"--set=function=null", "--set=data.positives_by=edits"} < set(job.options())
    job = plan_pretraining(ROOT / "configs" / "gin_margin.yaml", RunFolder(tmp_path), 640)
    assert not any(option.startswith("--set=function") for option in job.options())
