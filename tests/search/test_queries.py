import math
import re

import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.objective import Evaluation
from gnn_nas.search.history import History

BATCHES = [torch.tensor([5, 9, 400_000]), torch.tensor([3]), torch.tensor([100, 7, 8, 11])]


def ask_all(queries) -> list[float]:
    return torch.cat([queries.ask(rows) for rows in BATCHES]).tolist()


def test_rewards_are_counted_and_written_down(make_queries, make_objective, tmp_path, table):
    objective = make_objective()
    queries = make_queries(20, objective=objective)
    rewards = ask_all(queries)
    rows = torch.cat(BATCHES)
    assert rewards == objective.rewards[rows].tolist()
    assert queries.remaining == 12
    assert queries.round == 3
    assert queries.rows.equal(rows)
    assert queries.rewards.tolist() == rewards
    assert queries.asked.nonzero().flatten().tolist() == sorted(rows.tolist())
    history = History(tmp_path / "history.csv", ("test", "test_unseen"))
    assert [query.number for query in history.queries] == list(range(1, 9))
    assert [query.module_hash for query in history.queries] == [
        table.hash_of(row) for row in rows.tolist()
    ]
    assert [query.round for query in history.queries] == [0, 0, 0, 1, 2, 2, 2, 2]
    assert [query.evaluation.reward for query in history.queries] == rewards
    assert [query.report[0] for query in history.queries] == rewards


def test_the_budget_is_never_exceeded(make_queries, make_objective):
    objective = make_objective()
    queries = make_queries(5, objective=objective)
    assert [len(queries.ask(rows)) for rows in BATCHES] == [3, 1, 1]
    assert queries.remaining == 0
    assert objective.evaluated == torch.cat(BATCHES)[:5].tolist()
    assert len(queries.ask(torch.tensor([1, 2]))) == 0


def test_the_budget_is_no_more_than_there_are_cells(make_queries, table):
    assert make_queries(10**9).remaining == len(table)


def test_asking_twice_raises_and_asks_nothing(make_queries, make_objective):
    objective = make_objective()
    queries = make_queries(20, objective=objective)
    queries.ask(BATCHES[0])
    for again in (torch.tensor([9]), torch.tensor([1, 2, 1]), torch.tensor([1, 400_000])):
        with pytest.raises(ValueError, match="only once"):
            queries.ask(again)
    assert objective.evaluated == BATCHES[0].tolist()
    assert queries.remaining == 17


def test_a_cell_that_failed_is_not_asked_again_either(make_queries, make_objective):
    queries = make_queries(20, objective=make_objective(failing=1.0))
    assert queries.ask(BATCHES[0]).isnan().all()
    assert len(queries.rows) == len(queries.rewards) == 0
    assert queries.remaining == 17
    with pytest.raises(ValueError, match="only once"):
        queries.ask(BATCHES[0][:1])


@pytest.mark.parametrize("reward", [math.inf, -math.inf, math.nan])
def test_a_reward_that_is_no_number_is_a_failure(make_queries, make_objective, reward):
    objective = make_objective()
    objective.evaluate = lambda rows: [Evaluation(reward, 1.0) for _ in rows]
    queries = make_queries(20, objective=objective)
    assert queries.ask(BATCHES[0]).isnan().all()
    assert len(queries.rows) == 0


def test_a_query_is_on_the_disk_before_its_reward_is_known(make_queries, tmp_path):
    queries = make_queries(20)
    for count, row in enumerate(torch.randperm(100)[:10], start=1):
        reward = queries.ask(row[None]).item()
        last = (tmp_path / "history.csv").read_bytes().splitlines()[-1].split(b",")
        assert (int(last[0]), float(last[2])) == (count, reward)


def test_what_cannot_be_written_down_gives_no_reward(make_queries, tmp_path):
    queries = make_queries(20, path=tmp_path / "absent" / "history.csv")
    with pytest.raises(UserError, match="cannot write"):
        queries.ask(BATCHES[0])
    assert not queries.asked.any()


@pytest.mark.parametrize("failing", [0.0, 0.5])
def test_cut_anywhere_it_is_replayed_to_the_same_history(
    make_queries, make_objective, tmp_path, failing
):
    path = tmp_path / "history.csv"
    whole = ask_all(make_queries(20, objective=make_objective(failing)))
    content = path.read_bytes()
    lines = [0, *(match.end() for match in re.finditer(b"\n", content))]
    for cut in sorted({*lines[1:], *range(lines[1], len(content), 17)}):
        path.write_bytes(content[:cut])
        objective = make_objective(failing)
        again = ask_all(make_queries(20, objective=objective))
        assert repr(again) == repr(whole)
        assert path.read_bytes() == content
        known = content[:cut].count(b"\n") - 1
        assert objective.evaluated == torch.cat(BATCHES)[known:].tolist()


def test_the_history_of_another_search_is_refused(make_queries, make_objective, tmp_path):
    path = tmp_path / "history.csv"
    ask_all(make_queries(20))
    content = path.read_bytes()
    objective = make_objective()
    queries = make_queries(20, objective=objective)
    queries.ask(BATCHES[0])
    message = r"history.csv: query 4 is not the one this search makes: .*another --out"
    with pytest.raises(UserError, match=message):
        queries.ask(torch.tensor([12, 13]))
    assert path.read_bytes() == content
    assert objective.evaluated == []


def test_nothing_of_the_report_comes_back(make_queries, make_objective, make_report, tmp_path):
    """Whatever the report holds, a search is told and asks the same."""
    plain = ask_all(make_queries(20, path=tmp_path / "plain.csv"))
    objective = make_objective()
    trap = make_report(objective)
    trap.rewards = torch.full_like(trap.rewards, torch.nan)
    trap.rewards[::2] = 1e9
    queries = make_queries(20, path=tmp_path / "trap.csv", objective=objective, report=trap)
    assert ask_all(queries) == plain
    public = {name: value for name, value in vars(queries).items() if not name.startswith("_")}
    assert public.keys() == {"budget", "asked", "rows", "rewards", "round"}
    assert public["rewards"].tolist() == plain
