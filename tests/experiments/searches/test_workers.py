"""The processes and the threads, with a benchmark of made-up accuracies."""

import multiprocessing
import pickle
import threading
import time
from contextlib import ExitStack

import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.experiments.searches.workers import BenchmarkSource, Threads, Workers
from gnn_nas.run_folder import RunFolder
from gnn_nas.signals import Terminated


@pytest.fixture
def config() -> SearchConfig:
    return SearchConfig(
        method="random",
        protocol="oracle",
        queries=300,
        seeds=2,
        seed=0,
        checkpoint="none",
        weights=None,
        benchmark="made up",
        settings={},
    )


@pytest.fixture
def folder(tmp_path, config) -> RunFolder:
    return RunFolder.create(tmp_path / "run", config)


@pytest.fixture
def source(made_up_benchmark) -> BenchmarkSource:
    return BenchmarkSource(made_up_benchmark, "oracle")


def run_seeds(count: int, *arguments) -> None:
    with Workers(count) as workers:
        workers.search(*arguments)


def no_process_is_left() -> bool:
    return not multiprocessing.active_children()


def test_measurements_are_opened_where_they_are(source, made_up_benchmark, table):
    cells, objective, report = pickle.loads(pickle.dumps(source))()
    rows = torch.tensor([3, 1])
    rewards = [evaluation.reward for evaluation in objective.evaluate(rows)]
    assert len(cells) == len(table)
    assert report.report(rows)[:, 0].tolist() == rewards
    with pytest.raises(UserError, match="cannot read"):
        BenchmarkSource(made_up_benchmark / "absent", "oracle")()


@pytest.mark.slow
def test_threads_search_as_processes_do(folder, config, source, tmp_path):
    """From scratch, where a controller's first values come from the process's random state."""
    config = config.model_copy(update={"method": "nao", "queries": 30, "seeds": 3, "settings": {}})
    ways = {"processes": Workers(2), "threads": Threads(3)}
    left = {}
    for name, way in ways.items():
        folder = RunFolder.create(tmp_path / name, config)
        with way as searches:
            searches.search(folder, config, source, lambda: None)
        left[name] = [
            (folder.history(seed).read_bytes(), folder.controller(seed).weights.read_bytes())
            for seed in config.all_seeds
        ]
    assert left["threads"] == left["processes"]
    assert len(set(left["threads"])) == 3


def test_threads_have_ended_when_their_context_is_left(folder, config, source):
    """What they write must not come after the folder was given up."""
    table, _, report = source()
    there, closed = threading.Event(), threading.Event()

    class Waits:
        allowed = None

        def evaluate(self, rows):
            there.set()
            closed.wait(60)
            raise UserError("closed")

    def watch():
        assert there.wait(60)
        raise KeyboardInterrupt

    evaluator = ExitStack()
    evaluator.callback(closed.set)
    with pytest.raises(KeyboardInterrupt), Threads(1) as threads, evaluator:
        threads.search(folder, config, lambda: (table, Waits(), report), watch)
    assert not any(thread.name.startswith("search") for thread in threading.enumerate())
    assert not folder.history(1).exists()


def test_seeds_that_are_done_are_left_alone(folder, config, source):
    before = {}
    for seed in config.all_seeds:
        folder.controller(seed).path.mkdir()
        folder.controller(seed).save_summary({"queries": 300})
        before[seed] = list(folder.controller(seed).path.iterdir())
    run_seeds(2, folder, config, source, lambda: None)
    for seed in config.all_seeds:
        assert list(folder.controller(seed).path.iterdir()) == before[seed]
        assert not folder.history(seed).exists()


@pytest.mark.slow
def test_one_process_searches_with_one_seed_after_the_other(folder, config, source):
    most = 0

    def watch() -> None:
        nonlocal most
        most = max(most, len(multiprocessing.active_children()))

    run_seeds(1, folder, config, source, watch)
    assert all(folder.controller(seed).finished for seed in config.all_seeds)
    assert most == 1
    assert no_process_is_left()


@pytest.mark.slow
def test_a_mistake_of_the_user_comes_back_as_such(folder, config, tmp_path):
    with pytest.raises(UserError, match="absent: cannot read: No such file"):
        run_seeds(2, folder, config, BenchmarkSource(tmp_path / "absent", "oracle"), lambda: None)
    assert no_process_is_left()


def test_a_process_that_was_killed_is_a_clear_error(folder, config, source):
    def watch() -> None:
        multiprocessing.active_children()[0].kill()

    with pytest.raises(UserError, match=r"killed by signal 9.*continue with --resume"):
        run_seeds(2, folder, config, source, watch)
    assert no_process_is_left()


def test_a_process_that_was_asked_to_end_ends_all(folder, config, source):
    """SLURM asks all processes of a job, in any order."""

    def watch() -> None:
        for process in multiprocessing.active_children():
            process.terminate()

    with pytest.raises(Terminated):
        run_seeds(2, folder, config, source, watch)
    assert no_process_is_left()


@pytest.mark.slow
def test_a_defect_is_no_mistake_of_the_user(folder, config, source, capfd):
    broken = config.model_copy(update={"queries": "many"})
    with pytest.raises(RuntimeError, match="see its traceback"):
        run_seeds(1, folder, broken, source, lambda: None)
    assert "TypeError: " in capfd.readouterr().err


def test_an_interruption_ends_all_processes_at_once(folder, config, source):
    started = time.monotonic()

    def watch() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_seeds(2, folder, config, source, watch)
    assert no_process_is_left()
    assert time.monotonic() - started < 60
