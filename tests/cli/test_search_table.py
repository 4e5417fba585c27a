"""Searches in a table of results of one's own, as a user has them."""

import json
from pathlib import Path

import pytest
import torch

from gnn_nas.cli.search import main
from gnn_nas.config import WEIGHTS
from gnn_nas.files import to_csv
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History
from gnn_nas.spaces.nasbench201 import NASBENCH201, to_text
from gnn_nas.spaces.table import load_table

CELLS = 400


@pytest.fixture(autouse=True)
def table_of_ours(tmp_path, monkeypatch) -> Path:
    """A table of 400 cells of NAS-Bench-201; the accuracy of every tenth is missing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)
    cells = load_table(NASBENCH201).cells
    rows = torch.randperm(len(cells), generator=torch.Generator().manual_seed(3))[:CELLS].tolist()
    lines = [["cell", "accuracy", "size", "seconds"]]
    for number, row in enumerate(rows):
        convs = int((cells.ops[row] >= 2).sum())
        accuracy = "" if number % 10 == 3 else 0.8 + 0.02 * convs + 1e-5 * number
        lines.append([to_text(cells[row : row + 1]), accuracy, 5 + convs, 60])
    path = tmp_path / "results.csv"
    path.write_text(to_csv(lines))
    return path


def call(*options: str) -> list[str]:
    common = ["--benchmark=results.csv", "--reward=accuracy", "--space=nasbench201", "--jobs=1"]
    return [*common, *options]


@pytest.mark.parametrize(
    "method",
    [
        "nao",
        "random",
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in ("evolution", "local", "predictor", "descriptors")
        ),
    ],
)
def test_a_search_asks_only_for_what_the_table_has(table_of_ours, method, capsys):
    assert main(call(f"--method={method}", "--queries=40")) == 0
    folder = RunFolder(f"runs/search-{method}-results")
    queries = History(folder.history(0), ("size",)).queries
    assert len(queries) == 40
    table = load_table(NASBENCH201)
    lines = dict(line.rsplit(",", 3)[::2] for line in table_of_ours.read_text().splitlines())
    for query in queries:
        row = table.row_of_hash(query.module_hash)
        assert float(lines[to_text(table.cells[row : row + 1])]) == query.report[0]
    said = capsys.readouterr().out
    for text in ("accuracy of the cell found", "regret to the table's best cell", "its size"):
        assert text in said
    summary = folder.load_summary()
    (outcome,) = summary["per_seed"]
    rewards = [query.evaluation.reward for query in queries]
    assert outcome["failures"] == rewards.count(None)
    assert outcome["reward"] == max(reward for reward in rewards if reward is not None)
    assert outcome["regret"] == pytest.approx(summary["best_reward_of_table"] - outcome["reward"])
    assert outcome["seconds"] == 40 * 60
    assert (outcome["rank"] == 1) == (outcome["regret"] == 0)
    assert folder.best_cell.exists()


def test_all_of_the_table_is_asked_for_where_the_budget_is_as_large(capsys):
    assert main(call("--method=random")) == 0
    outcome = RunFolder("runs/search-random-results").load_summary()["per_seed"][0]
    assert outcome["queries"] == 300
    assert main(call("--method=random", f"--queries={CELLS}", "--out=all")) == 0
    outcome = json.loads(Path("all/summary.json").read_text())["per_seed"][0]
    assert (outcome["queries"], outcome["rank"], outcome["failures"]) == (CELLS, 1, CELLS // 10)


@pytest.mark.slow
def test_it_is_resumed_and_extended_with_its_table(complaint, table_of_ours):
    assert main(call("--method=evolution", "--queries=60", "--out=run")) == 0
    history = Path("run/history-0.csv").read_bytes()
    assert "run: give its table again, by --benchmark PATH" in complaint("--resume", "--out=run")
    again = ["--benchmark=results.csv", "--resume", "--out=run"]
    assert main([*again, "--queries=70"]) == 0
    assert Path("run/history-0.csv").read_bytes().startswith(history)
    table_of_ours.write_text(table_of_ours.read_text().replace("60\n", "61\n"))
    assert "run" in complaint(*again)


def test_the_checkpoint_says_of_which_space_the_cells_are():
    options = ["--benchmark=results.csv", "--reward=accuracy", "--queries=20", "--jobs=1"]
    assert main([*options, f"--checkpoint={WEIGHTS / 'nasbench201'}", "--out=run"]) == 0
    assert "space: nasbench201" in Path("run/config.yaml").read_text()


def test_mistakes_are_one_line(complaint, table_of_ours):
    text = table_of_ours.read_text()
    assert "accuracy, size have numbers" in complaint("--benchmark=results.csv")
    wrong = complaint("--benchmark=results.csv", "--reward=size")
    assert "results.csv has no column edges, in which cells of nasbench101 differ" in wrong
    assert f"--queries must be at most {CELLS}, the number of cells" in complaint(
        *call("--queries=401")
    )
    assert "--protocol is for benchmarks" in complaint(*call("--protocol=oracle"))
    assert "--html is for benchmarks" in complaint(*call("--html"))
    assert "mine: neither a file nor a space of gnn_nas" in complaint(*call("--space=mine"))
    assert "--engine needs --task" in complaint(*call("--engine=ray"))
    assert "pretrained on nasbench101" in complaint(
        *call(f"--checkpoint={WEIGHTS / 'gin_multisim'}")
    )
    assert "--reward is for measurements" in complaint("--task=digits", "--reward=x")
    table_of_ours.write_text(text + text.splitlines()[7] + "\n")
    assert f"line {CELLS + 2}, column cell: the cell of line 8 again" in complaint(*call())
    table_of_ours.write_text(text.replace("avg_pool_3x3", "max_pool", 1))
    assert "column cell: unknown op 'max_pool'" in complaint(*call())
    table_of_ours.write_text("")
    assert "results.csv is empty" in complaint(*call())
    assert not Path("runs").exists()


def test_what_is_for_a_table_is_refused_elsewhere(complaint, made_up_benchmark):
    other = f"--benchmark={made_up_benchmark}"
    assert "--reward names a column of a table of your own" in complaint(other, "--reward=x")
    wrong = complaint(other, "--space=nasbench201")
    assert "--space nasbench201: " in wrong
    assert "has measurements of nasbench101" in wrong
