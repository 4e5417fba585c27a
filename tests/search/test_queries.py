import re

import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.search.history import History

BATCHES = [torch.tensor([5, 9, 400_000]), torch.tensor([3]), torch.tensor([100, 7, 8, 11])]


def evaluate_all(queries) -> list[float]:
    return torch.cat([queries.evaluate(rows) for rows in BATCHES]).tolist()


def test_rewards_are_counted_and_written_down(make_queries, make_objective, tmp_path, table):
    objective = make_objective()
    queries = make_queries(objective=objective)
    rewards = evaluate_all(queries)
    rows = torch.cat(BATCHES)
    assert rewards == objective.rewards[rows].tolist()
    history = History(tmp_path / "history.csv", ("test", "test_unseen"))
    assert [query.number for query in history.queries] == list(range(1, 9))
    assert [query.module_hash for query in history.queries] == [
        table.hash_of(row) for row in rows.tolist()
    ]
    assert [query.round for query in history.queries] == [0, 0, 0, 1, 2, 2, 2, 2]
    assert [query.evaluation.reward for query in history.queries] == rewards
    assert [query.report[0] for query in history.queries] == rewards


def test_what_failed_has_no_reward(make_queries, make_objective):
    queries = make_queries(objective=make_objective(failing=1.0))
    assert queries.evaluate(BATCHES[0]).isnan().all()


def test_a_query_is_on_the_disk_before_its_reward_is_known(make_queries, tmp_path):
    queries = make_queries()
    for count, row in enumerate(torch.randperm(100)[:10], start=1):
        reward = queries.evaluate(row[None]).item()
        last = (tmp_path / "history.csv").read_bytes().splitlines()[-1].split(b",")
        assert (int(last[0]), float(last[2])) == (count, reward)


def test_what_cannot_be_written_down_gives_no_reward(make_queries, tmp_path):
    queries = make_queries(path=tmp_path / "absent" / "history.csv")
    with pytest.raises(UserError, match="cannot write"):
        queries.evaluate(BATCHES[0])
    assert not (tmp_path / "absent").exists()


@pytest.mark.slow
@pytest.mark.parametrize("failing", [0.0, 0.5])
def test_cut_anywhere_it_is_replayed_to_the_same_history(
    make_queries, make_objective, tmp_path, failing
):
    path = tmp_path / "history.csv"
    whole = evaluate_all(make_queries(objective=make_objective(failing)))
    content = path.read_bytes()
    lines = [0, *(match.end() for match in re.finditer(b"\n", content))]
    for cut in sorted({*lines[1:], *range(lines[1], len(content), 17)}):
        path.write_bytes(content[:cut])
        objective = make_objective(failing)
        again = evaluate_all(make_queries(objective=objective))
        assert repr(again) == repr(whole)
        assert path.read_bytes() == content
        known = content[:cut].count(b"\n") - 1
        assert objective.evaluated == torch.cat(BATCHES)[known:].tolist()


def test_the_history_of_another_search_is_refused(make_queries, make_objective, tmp_path):
    path = tmp_path / "history.csv"
    evaluate_all(make_queries())
    content = path.read_bytes()
    objective = make_objective()
    queries = make_queries(objective=objective)
    queries.evaluate(BATCHES[0])
    message = r"history.csv: query 4 is not the one this search makes: .*another --out"
    with pytest.raises(UserError, match=message):
        queries.evaluate(torch.tensor([12, 13]))
    assert path.read_bytes() == content
    assert objective.evaluated == []


def test_nothing_of_the_report_comes_back(make_queries, make_objective, make_report, tmp_path):
    """Whatever the report holds, a search is told and asks the same."""
    plain = evaluate_all(make_queries(path=tmp_path / "plain.csv"))
    objective = make_objective()
    trap = make_report(objective)
    trap.rewards = torch.full_like(trap.rewards, torch.nan)
    trap.rewards[::2] = 1e9
    queries = make_queries(path=tmp_path / "trap.csv", objective=objective, report=trap)
    assert evaluate_all(queries) == plain
