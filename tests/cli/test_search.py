"""The command as a user has it; every complaint is one line and leaves everything as it was."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gnn_nas.cli.search import main
from gnn_nas.models.pretrained import SHIPPED, load_pretrained
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History
from tests.helpers.measurements import write_benchmark

ROOT = Path(__file__).parents[2]
QUERIES = 250
OPTIONS = ["--method=evolution", f"--queries={QUERIES}", "--seeds=2", "--seed=3"]
OPTIONS += ["--checkpoint=none", "--set=population=20", "--set=sample=5"]
TOP = ("best_test_mean", "best_test_std", "queries_to_best", "regret", "rank", "sd")


@pytest.fixture(scope="module")
def measurements(table, tmp_path_factory) -> Path:
    """A folder of measurements that nobody made."""
    return write_benchmark(tmp_path_factory.mktemp("benchmark"), table)


@pytest.fixture
def start(measurements):
    """Starts the command as a process, in a session of its own."""

    def call(*options: str | Path, **places) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "gnn_nas", "search", *OPTIONS, *map(str, options)],
            env={**os.environ, "GNN_NAS_BENCHMARK": str(measurements), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **places,
        )

    return call


@pytest.fixture(scope="module")
def cwd(measurements, tmp_path_factory) -> Path:
    """A folder from which a whole search was made by one process, with the default --out."""
    folder = tmp_path_factory.mktemp("cwd")
    process = subprocess.run(
        [sys.executable, "-m", "gnn_nas", "search", *OPTIONS, "--jobs=1"],
        env={**os.environ, "GNN_NAS_BENCHMARK": str(measurements), "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    (folder / "stdout").write_text(process.stdout)
    return folder


@pytest.fixture(scope="module")
def finished(cwd) -> RunFolder:
    return RunFolder.open(cwd / "runs" / "search-evolution-oracle-none")


@pytest.fixture
def complaint(capsys, measurements):
    """Gives the one line with which the command refuses."""

    def call(*options: str | Path) -> str:
        named = [f"--benchmark={measurements}", *map(str, options)]
        assert main([*OPTIONS, *named]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert re.fullmatch(r"error: [^\n]+\n", err)
        return err

    return call


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_every_file_that_help_names_is_there(finished, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    listed = shown[shown.index("receives:") : shown.index("and with a task:")]
    named = set(re.findall(r"^  ([\w.-]+?)/? ", listed, re.MULTILINE)) - {"search.html"}
    seeds = {f"{kind.replace('-0', f'-{seed}')}" for kind in named for seed in (3, 4)}
    assert {entry.name for entry in finished.path.iterdir()} == seeds
    assert len(seeds) == 8
    assert finished.search_curves.read_bytes().startswith(b"\x89PNG")
    assert finished.best_cell.read_bytes().startswith(b"\x89PNG")


def test_help_and_mistakes_in_numbers_need_no_torch():
    code = (
        "import sys\nfrom gnn_nas.cli.search import main\n"
        "assert main(['--queries=0']) == 2\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    for word in ("evolution", "random", "oracle", "single-trial", "validation"):
        assert re.search(rf"^  {word}  +\S", process.stdout, re.MULTILINE)


def test_the_summary_holds_every_figure_and_is_printed(finished, cwd, measurements, table):
    summary = json.loads(finished.summary.read_text())
    assert (summary["method"], summary["protocol"]) == ("evolution", "oracle")
    assert all(isinstance(summary[name], float | int) for name in TOP)
    assert summary["test_at"].keys() == {"50", "100", "150", "200"}
    assert [outcome["seed"] for outcome in summary["per_seed"]] == [3, 4]
    for outcome in summary["per_seed"]:
        assert outcome["test"] == outcome["best_test"] == pytest.approx(100 * outcome["reward"])
        assert outcome["queries"] == QUERIES
        assert outcome["wall_seconds"] > 0
        assert outcome["seconds"] is None
        assert outcome["test_unseen"] is None
    best = max(summary["per_seed"], key=lambda outcome: outcome["reward"])
    assert summary["best"]["hash"] == best["hash"]
    printed = (cwd / "stdout").read_text()
    assert re.match(r"evolution, protocol oracle +mean +std +worst\n", printed)
    assert f"{summary['best_test_mean']:.3f}" in printed
    assert f"best cell: {best['hash']} (seed {best['seed']})\n0  in\n1  " in printed
    assert "written to runs/search-evolution-oracle-none" in printed


def test_every_seed_has_its_history_and_a_controller_to_go_on_with(finished):
    hashes = []
    for seed in (3, 4):
        history = History(finished.history(seed), ("test", "test_unseen"))
        hashes.append([query.module_hash for query in history.queries])
        assert len(hashes[-1]) == len(set(hashes[-1])) == QUERIES
        load_pretrained(finished.controller(seed).path)
    assert hashes[0] != hashes[1]


def test_a_second_search_in_the_folder_is_refused(finished, complaint):
    before = snapshot(finished.path)
    assert "holds a finished run: give another --out" in complaint("--out", finished.path)
    assert snapshot(finished.path) == before


def test_resuming_a_finished_search_changes_nothing(finished, capsys, measurements):
    before = snapshot(finished.path)
    named = [f"--benchmark={measurements}", f"--out={finished.path}", "--resume"]
    assert main([*OPTIONS, *named]) == 0
    assert "holds a finished search: nothing to resume" in capsys.readouterr().err
    assert snapshot(finished.path) == before


@pytest.mark.slow
def test_a_finished_search_gets_its_page(finished, capsys, measurements, tmp_path, monkeypatch):
    monkeypatch.setattr("gnn_nas.experiments.searches.page.BACKGROUND", 50)
    folder = shutil.copytree(finished.path, tmp_path / "run")
    before = snapshot(folder)
    named = [f"--benchmark={measurements}", f"--out={folder}", "--resume", "--html"]
    assert main([*OPTIONS, *named]) == 0
    assert f"page to explore: {folder / 'search.html'}\n" in capsys.readouterr().out
    after = snapshot(folder)
    assert b"NAS-Bench-101 searched by evolution" in after.pop("search.html")
    assert after == before


def children(process: subprocess.Popen) -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in listed.read_text().split()]


def wait_for(condition, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


def are_gone(workers: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in workers)


def kill(process: subprocess.Popen, history: Path, query: int, delay: float) -> None:
    """Send SIGKILL a moment after a query was written down."""
    wait_for(lambda: lines(history) > query or process.poll() is not None)
    time.sleep(delay)
    workers = children(process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    # Left alone, they would go on writing.
    wait_for(lambda: are_gone(workers), 60)


@pytest.mark.slow
@needs_proc
def test_killed_at_random_moments_and_resumed_it_has_the_same_history(finished, tmp_path, start):
    """It is made by two processes, where the other search was made by one."""
    draw = random.Random(1)
    folder = RunFolder(tmp_path / "run")
    options = ["--out", str(folder.path), "--jobs=2"]
    for query in sorted(draw.sample(range(QUERIES - 30), 2)):
        history = folder.history(draw.choice((3, 4)))
        kill(start(*options), history, query, draw.uniform(0, 0.03))
        assert not folder.finished
        options[3:] = ["--resume"]
    process = start(*options)
    _, err = process.communicate()
    assert process.returncode == 0, err

    for seed in (3, 4):
        assert folder.history(seed).read_bytes() == finished.history(seed).read_bytes()
        ours, theirs = folder.controller(seed), finished.controller(seed)
        assert ours.weights.read_bytes() == theirs.weights.read_bytes()
    assert sorted(os.listdir(folder.path)) == sorted(os.listdir(finished.path))
    untimed = []
    for each in (folder, finished):
        summary = json.loads(each.summary.read_text())
        del summary["aggregated"]["wall_seconds"]
        for outcome in summary["per_seed"]:
            del outcome["wall_seconds"]
        untimed.append(summary)
    assert untimed[0] == untimed[1]


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_end_all_processes_in_one_line(tmp_path, start, number, status):
    folder = RunFolder(tmp_path / "run")
    process = start("--out", folder.path)
    wait_for(lambda: lines(folder.history(3)) > 5 or process.poll() is not None)
    workers = children(process)
    assert workers
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert re.fullmatch(r"interrupted: continue with: python -m gnn_nas search .* --resume\n", err)
    wait_for(lambda: are_gone(workers), 60)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--queries=0"], "--queries must be at least 1, not 0"),
        (["--queries=500000"], "--queries must be at most 423624"),
        (["--seeds=0"], "--seeds must be at least 1, not 0"),
        (["--jobs=-1"], "--jobs must be at least 1, not -1"),
        (["--seed=-1"], "--seed must be from 0 to"),
        (["--set=populaton=9"], r"--set: unknown key populaton, did you mean population\?"),
        (["--set=population=0"], "--set: population must be greater than or equal to 1, not 0"),
        (["--set=nonsense"], r"--set nonsense: expected \[section.\]key=value"),
        (["--engine=ray"], "--engine needs --task"),
        (["--task=digits"], "--benchmark is for measurements: it does not go with --task"),
        (["--checkpoint=absent"], "absent: no such run folder"),
        (["--benchmark=absent"], "absent: cannot read: No such file"),
        (["--protocol=validation"], "protocol validation: .* nasbench_only108.tfrecord"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(
    complaint, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    assert re.search(message, complaint("--out=run", *options))
    assert os.listdir(tmp_path) == []


def test_without_measurements_a_protocol_has_none_to_speak_of(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main([*OPTIONS, "--protocol=oracle"]) == 2
    assert "gnn-nas import nasbench_only108.tfrecord" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.fixture
def interrupted(finished, tmp_path) -> RunFolder:
    """A search that was cut off before its first query, as far as anyone can see."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.config.write_bytes(finished.config.read_bytes())
    return folder


def test_an_unfinished_search_is_not_begun_anew(interrupted, complaint):
    before = snapshot(interrupted.path)
    line = complaint("--out", interrupted.path)
    assert "holds an unfinished run: continue it with --resume" in line
    assert snapshot(interrupted.path) == before


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--queries=9", "queries was 250, now 9"),
        ("--protocol=single-trial", "protocol was oracle, now single-trial"),
        ("--set=sample=7", "settings.sample was 5, now 7"),
        (f"--checkpoint={SHIPPED}", "weights was None, now [0-9a-f]{64}"),
    ],
)
def test_resuming_with_another_config_is_refused(interrupted, complaint, option, message):
    before = snapshot(interrupted.path)
    line = complaint("--out", interrupted.path, "--resume", option)
    assert "was begun with another config" in line
    assert re.search(message, line)
    assert snapshot(interrupted.path) == before


@pytest.mark.slow
def test_the_history_of_another_seed_is_refused(interrupted, finished, measurements, capsys):
    interrupted.history(3).write_bytes(finished.history(4).read_bytes())
    named = [f"--benchmark={measurements}", f"--out={interrupted.path}", "--resume"]
    assert main([*OPTIONS, *named]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.match("error: .*history-3.csv: query 1 is not the one this search makes", last)
    assert interrupted.history(3).read_bytes() == finished.history(4).read_bytes()


@pytest.fixture
def copied(finished, tmp_path) -> RunFolder:
    """The finished search, to be changed."""
    return RunFolder(shutil.copytree(finished.path, tmp_path / "run"))


@pytest.mark.slow
def test_the_folder_says_all_else_and_what_is_larger_extends_it(
    copied, finished, measurements, capsys
):
    call = [f"--benchmark={measurements}", f"--out={copied.path}", "--resume"]
    assert main(call) == 0
    assert "holds a finished search: nothing to resume" in capsys.readouterr().err
    assert main([*call, f"--queries={QUERIES + 10}", "--seeds=3"]) == 0
    assert "evolution, protocol oracle" in capsys.readouterr().out
    summary = copied.load_summary()
    assert [each["seed"] for each in summary["per_seed"]] == [3, 4, 5]
    assert all(each["queries"] == QUERIES + 10 for each in summary["per_seed"])
    for seed in (3, 4):
        assert copied.history(seed).read_bytes().startswith(finished.history(seed).read_bytes())
    before = snapshot(copied.path)
    assert main([*call, "--seeds=2"]) == 2
    assert "seeds was 3, now 2" in capsys.readouterr().err
    assert snapshot(copied.path) == before


@pytest.mark.slow
@pytest.mark.parametrize("method", ["nao", "descriptors"])
def test_a_search_that_was_begun_before_it_could_warm_up_is_gone_on_with(
    method, measurements, capsys, tmp_path
):
    call = [f"--benchmark={measurements}", f"--out={tmp_path / 'run'}", f"--method={method}"]
    assert main([*call, "--queries=20", "--seeds=1", "--set=warm_up=1"]) == 0
    folder, line = RunFolder(tmp_path / "run"), "  warm_up: 1\n"
    config, history = folder.config.read_text(), folder.history(0).read_bytes()
    assert line in config
    folder.config.write_text(config.replace(line, ""))
    folder.summary.unlink()
    folder.controller(0).summary.unlink(missing_ok=True)
    folder.history(0).write_bytes(b"".join(history.splitlines(keepends=True)[:-3]))
    assert main([*call[:2], "--resume"]) == 0
    assert folder.history(0).read_bytes() == history
    capsys.readouterr()
    assert main([*call[:2], "--resume"]) == 0
    assert "nothing to resume" in capsys.readouterr().err
    assert main([*call[:2], "--resume", "--set=warm_up=2"]) == 2
    assert "settings.warm_up was 1, now 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {hidden: 3}\n", "config.yaml: .*unknown key model"),
        ("format: 99\n", "was written by a newer version of gnn_nas"),
        ("settings", "settings in the config of the search to resume: unknown key populace"),
        ("method: evolution", "--method revolution: neither .* nor module:object"),
    ],
)
def test_a_folder_that_says_something_else_is_one_line(
    interrupted, measurements, capsys, text, message
):
    changed = interrupted.config.read_text()
    if text.endswith("\n"):
        changed = text
    elif text == "settings":
        changed = changed.replace("population", "populace")
    else:
        changed = changed.replace(text, "method: revolution")
    interrupted.config.write_text(changed)
    assert main([f"--benchmark={measurements}", f"--out={interrupted.path}", "--resume"]) == 2
    (line,) = re.findall(r"^error: .*$", capsys.readouterr().err, re.MULTILINE)
    assert re.search(message, line)
    assert os.listdir(interrupted.path) == ["config.yaml"]


@pytest.mark.parametrize("option", ["--resume", "--html"])
def test_a_history_that_the_measurements_contradict_is_refused(
    copied, measurements, capsys, option
):
    if option == "--resume":
        copied.summary.unlink()
    text = copied.history(4).read_text()
    header, first, *lines = text.splitlines()
    fields = first.split(",")
    fields[2] = "0.99"
    copied.history(4).write_text("\n".join([header, ",".join(fields), *lines]) + "\n")
    before = copied.history(4).read_bytes()
    named = [f"--benchmark={measurements}", f"--out={copied.path}", "--resume", option]
    assert main([*OPTIONS, *named]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.match(r"error: .*history-4.csv is no history of this search \(line 2: reward", last)
    assert copied.history(4).read_bytes() == before


def test_a_seed_s_odd_summary_is_one_line(copied, measurements, capsys):
    copied.summary.unlink()
    copied.controller(4).summary.write_text('{"queries": "x"}')
    assert (
        main([*OPTIONS, "--resume", "--out", str(copied.path), f"--benchmark={measurements}"]) == 2
    )
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.match("error: .*controller-4/summary.json is no summary of a search's seed", last)
