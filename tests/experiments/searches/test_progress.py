"""The display follows files that others append to, and reads no line of them twice."""

from gnn_nas.experiments.searches.progress import FollowedHistory
from gnn_nas.objective import Evaluation
from gnn_nas.search.history import History, Query


def query(number: int, reward: float | None, failure: str | None = None) -> Query:
    return Query(number, f"{number:032x}", Evaluation(reward, 1.0, failure), (0.5,), number)


def test_what_is_appended_is_followed(tmp_path):
    history = History(tmp_path / "history.csv", ("test",))
    followed = FollowedHistory(history.path)
    assert not followed.look()
    history.append([query(1, None, 'he said "no", twice'), query(2, 0.5)])
    assert followed.look()
    assert (followed.queries, followed.best) == (2, 0.5)
    assert not followed.look()
    history.append([query(3, 0.7), query(4, 0.6), query(5, float("nan"))])
    assert followed.look()
    assert (followed.queries, followed.best) == (5, 0.7)


def test_failures_alone_have_no_best(tmp_path):
    history = History(tmp_path / "history.csv", ("test",))
    history.append([query(1, None, "crashed"), query(2, -float("inf"))])
    followed = FollowedHistory(history.path)
    assert followed.look()
    assert (followed.queries, followed.best) == (2, None)


def test_a_line_counts_when_it_is_whole(tmp_path):
    history = History(tmp_path / "history.csv", ("test",))
    history.append([query(1, 0.5)])
    whole = history.path.read_bytes()
    cut = whole.index(b"0.5") + 1
    history.path.write_bytes(whole[:cut])
    followed = FollowedHistory(history.path)
    assert followed.look()
    assert followed.queries == 0
    history.path.write_bytes(whole)
    assert followed.look()
    assert (followed.queries, followed.best) == (1, 0.5)


def test_each_byte_is_read_once(tmp_path, monkeypatch):
    """A search of thousands of queries is looked at several times a second."""
    history = History(tmp_path / "history.csv", ("test",))
    followed = FollowedHistory(history.path)
    taken = []
    for number in range(1, 200):
        history.append([query(number, 0.5)])
        before = followed._read
        followed.look()
        taken.append(followed._read - before)
    assert sum(taken) == history.path.stat().st_size
    assert max(taken[1:]) < 100
