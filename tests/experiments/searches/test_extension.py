"""Searches that go on with more than they were begun with, made by a stand-in for measurements."""

from types import SimpleNamespace

import pytest

from gnn_nas import files
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig, begun_config
from gnn_nas.experiments.searches.extension import extend_search
from gnn_nas.experiments.searches.seed import run_seed
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.methods import get_method

CONFIG = SearchConfig(
    method="evolution",
    protocol="oracle",
    queries=40,
    seeds=2,
    seed=4,
    checkpoint="none",
    weights=None,
    benchmark="a stand-in",
    settings={"population": 10, "sample": 5},
)


@pytest.fixture
def run(table, make_objective, make_report):
    """Searches with all seeds of a config that are not done, and gives how many it evaluated."""

    def call(folder: RunFolder, config: SearchConfig = CONFIG) -> int:
        objective = make_objective()
        for seed in config.all_seeds:
            if not folder.controller(seed).finished:
                run_seed(folder, config, seed, table, objective, make_report(objective))
        folder.save_summary({"queries": config.queries})
        return len(objective.evaluated)

    return call


@pytest.fixture
def finished(tmp_path, run) -> RunFolder:
    folder = RunFolder.create(tmp_path / "run", CONFIG)
    run(folder)
    return folder


@pytest.fixture
def extend(table):
    def call(folder: RunFolder, **more: int) -> SearchConfig:
        config = CONFIG.model_copy(update=more)
        judge = SimpleNamespace(
            config=config, table=table, columns=("test", "test_unseen"), again=None
        )
        extend_search(folder, judge, CONFIG)
        return config

    return call


def content(folder: RunFolder) -> dict[str, bytes]:
    names = [path for path in sorted(folder.path.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in names}


@pytest.mark.slow
def test_extended_by_both_it_is_what_a_search_of_so_much_would_have_been(
    finished, extend, run, tmp_path
):
    config = extend(finished, queries=70, seeds=3)
    assert not finished.finished
    assert begun_config(finished) == config
    assert run(finished, config) == 30 + 30 + 70
    whole = RunFolder.create(tmp_path / "whole", config)
    run(whole, config)
    for seed in config.all_seeds:
        assert finished.history(seed).read_bytes() == whole.history(seed).read_bytes()
        assert finished.controller(seed).load_summary()["queries"] == 70


def test_more_seeds_leave_those_that_are_done(finished, extend, run):
    before = content(finished)
    config = extend(finished, seeds=3)
    assert run(finished, config) == 40
    after = content(finished)
    kept = [name for name in before if "4" in name or "5" in name]
    assert kept
    assert all(after[name] == before[name] for name in kept)


def test_a_search_that_looked_at_its_budget_is_refused_and_stays(
    extend, run, monkeypatch, tmp_path
):
    kind = get_method("evolution")

    def propose(method, seen, count=None):
        return seen.draw_fresh(max(1, seen.remaining // 4), method.generator)

    monkeypatch.setattr(kind, "propose", propose)
    folder = RunFolder.create(tmp_path / "looking", CONFIG)
    run(folder)
    before = content(folder)
    with pytest.raises(UserError, match=r"\A[^\n]*looking cannot be extended to 48 queries[^\n]*"):
        extend(folder, queries=48)
    assert content(folder) == before
    extend(folder, seeds=5)


def test_what_fails_while_it_is_looked_at_is_not_taken_for_another_search(
    finished, extend, monkeypatch
):
    def propose(method, seen, count=None):
        raise UserError("no room")

    monkeypatch.setattr(get_method("evolution"), "propose", propose)
    with pytest.raises(UserError, match=r"\Ano room\Z"):
        extend(finished, queries=48)


def test_a_damaged_history_is_no_matter_of_the_budget(finished, extend):
    path = finished.history(5)
    path.write_text(path.read_text().replace("\n3,", "\n4,"))
    before = content(finished)
    with pytest.raises(UserError, match=r"history-5.csv: line 4 is no query of a search"):
        extend(finished, queries=50)
    assert content(finished) == before


@pytest.mark.slow
@pytest.mark.parametrize("steps", range(4))
def test_killed_at_any_moment_it_is_the_old_search_or_the_new_one(
    finished, extend, run, monkeypatch, steps
):
    left = steps

    def killed_after(function):
        def call(*arguments):
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            function(*arguments)

        return call

    with monkeypatch.context() as patch:
        for name in ("remove", "write_text"):
            patch.setattr(files, name, killed_after(getattr(files, name)))
        with pytest.raises(KeyboardInterrupt):
            extend(finished, queries=50)
    assert begun_config(finished) == CONFIG
    assert run(finished) == 0
    config = extend(finished, queries=50)
    assert run(finished, config) == 20
