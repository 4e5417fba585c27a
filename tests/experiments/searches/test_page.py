from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.config import FROM_SCRATCH
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches import page
from gnn_nas.experiments.searches.benchmark_judge import BenchmarkJudge
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.objective import Evaluation
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History, Query
from tests.helpers.tellers import saved_teller

SEEDS, QUERIES = 7, 6


@pytest.fixture
def searched(tmp_path, table, made_up_benchmark):
    """A finished search of seven seeds that queried neighbouring rows."""
    config = SearchConfig(
        method="random",
        protocol="oracle",
        queries=QUERIES,
        seeds=SEEDS,
        seed=0,
        checkpoint=FROM_SCRATCH,
        weights=None,
        benchmark="made up",
        settings={},
    )
    folder = RunFolder.create(tmp_path / "run", config)
    benchmark = NASBench101.open(made_up_benchmark, table)
    tests = benchmark.mean_test(benchmark.all_rows()[: SEEDS * QUERIES]).tolist()
    for seed in range(SEEDS):
        rows = range(seed * QUERIES, (seed + 1) * QUERIES)
        queries = [
            Query(
                number,
                table.hash_of(row),
                Evaluation(tests[row], 1.0),
                (tests[row], float("nan")),
                0,
            )
            for number, row in enumerate(rows, start=1)
        ]
        History(folder.history(seed), ("test", "test_unseen")).append(queries)
    return folder, BenchmarkJudge(config, benchmark, made_up_benchmark)


def written(path) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text())[1])


@pytest.mark.slow
def test_the_best_seeds_play_over_random_cells(searched, table, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "BACKGROUND", 60)
    folder, judge = searched
    path = tmp_path / "search.html"
    page.write_search_page(path, folder, judge, open_checkpoint(FROM_SCRATCH))
    data = written(path)
    tests = judge.benchmark.mean_test(judge.benchmark.all_rows()[: SEEDS * QUERIES])
    best = tests.view(SEEDS, QUERIES).amax(1).argsort(descending=True, stable=True).tolist()
    assert [each["name"] for each in data["paths"]] == [f"seed {seed}" for seed in best[:5]]
    assert [view["name"] for view in data["views"]] == ["gin_multisim"]
    assert "random" in data["title"]
    assert "oracle, 6 queries a seed, over 60 random cells" in data["subtitle"]
    hashes = data["hashes"]
    assert len(hashes) == 60 + page.MAX_PATHS * QUERIES
    points = np.frombuffer(base64.b64decode(data["paths"][0]["points"]), "<u4")
    queried = [hashes[point] for point in points]
    first = best[0] * QUERIES
    assert queried == [table.hash_of(row) for row in range(first, first + QUERIES)]
    rewards = np.frombuffer(base64.b64decode(data["paths"][0]["rewards"]), "<f4")
    assert rewards == pytest.approx(100 * tests[first : first + QUERIES].numpy(), rel=1e-6)


@pytest.mark.slow
def test_a_page_is_coloured_by_what_the_controller_tells(searched, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "BACKGROUND", 60)
    path = tmp_path / "search.html"
    checkpoint = open_checkpoint(str(saved_teller(tmp_path / "teller", "snip", "synflow")))
    page.write_search_page(path, *searched, checkpoint)
    data = written(path)
    assert data["colours"] == ["accuracy", "edges", "vertices", "snip", "synflow"]
    assert data["colour"] == "accuracy"
    assert [view["name"] for view in data["views"]] == ["teller"]


def test_a_page_that_cannot_be_written_is_one_line(searched, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "BACKGROUND", 60)
    path = tmp_path / "absent" / "search.html"
    with pytest.raises(UserError, match=r"cannot write .*search.html: No such file"):
        page.write_search_page(path, *searched, open_checkpoint(FROM_SCRATCH))
