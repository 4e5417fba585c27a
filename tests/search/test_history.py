import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.errors import UserError
from gnn_nas.objective import Evaluation
from gnn_nas.search.history import History, Query

COLUMNS = ("test", "test_unseen")
QUERIES = [
    Query(1, "0a" * 16, Evaluation(0.1 + 0.2, 1769.13), (0.9, math.nan), 0),
    Query(2, "1b" * 16, Evaluation(None, math.nan, 'out of memory: "80, 90"'), (math.nan, 1.0), 0),
    Query(3, "2c" * 16, Evaluation(1e-300, 0.0), (1 / 3, 0.5), 7),
]


def refuses(message: str):
    return pytest.raises(UserError, match=rf"\A[^\n]*{message}[^\n]*\Z")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.csv"


@pytest.fixture
def written(path):
    history = History(path, COLUMNS)
    history.append(QUERIES[:2])
    history.append(QUERIES[2:])
    return path


def same(one: list[Query], other: list[Query]) -> bool:
    return repr(one) == repr(other)  # NaN is not equal to itself


def test_queries_come_back_exactly(written):
    history = History(written, COLUMNS)
    assert same(history.queries, QUERIES)
    header = written.read_text().splitlines()[0]
    assert header == "query,hash,reward,test,test_unseen,round,seconds,failure"
    assert written.read_text().splitlines()[2].startswith(f"2,{'1b' * 16},,,1.0,0,,")


def test_a_new_history_makes_no_file_before_its_first_query(path):
    assert History(path, COLUMNS).queries == []
    assert not path.exists()


def test_a_history_grows_after_it_was_read(written):
    history = History(written, COLUMNS)
    more = Query(4, "3d" * 16, Evaluation(0.5, 1.0), (0.5, 0.5), 8)
    history.append([more])
    assert same(history.queries, [*QUERIES, more])
    assert same(History(written, COLUMNS).queries, history.queries)


@pytest.mark.slow
def test_cut_anywhere_the_whole_lines_are_left_and_go_on(written):
    content = written.read_bytes()
    header = content.index(b"\n") + 1
    for cut in range(header, len(content)):
        written.write_bytes(content[:cut])
        history = History(written, COLUMNS)
        whole = content[header:cut].count(b"\n")
        assert same(history.queries, QUERIES[:whole])
        assert written.read_bytes() == content[:cut]  # to read is not to write
        history.append(QUERIES[whole:])
        assert written.read_bytes() == content


def test_a_tail_of_zeros_after_a_power_cut_is_a_torn_line(written):
    content = written.read_bytes()
    written.write_bytes(content + bytes(100))
    history = History(written, COLUMNS)
    assert same(history.queries, QUERIES)
    more = Query(4, "3d" * 16, Evaluation(0.5, 1.0), (0.5, 0.5), 8)
    history.append([more])
    assert same(History(written, COLUMNS).queries, [*QUERIES, more])


@given(st.text())
def test_any_failure_is_one_line(tmp_path_factory, failure):
    path = tmp_path_factory.mktemp("history") / "history.csv"
    query = Query(1, "0a" * 16, Evaluation(None, 1.0, failure or "x"), (0.0, 0.0), 0)
    History(path, COLUMNS).append([query])
    assert path.read_bytes().count(b"\n") == 2
    kept = History(path, COLUMNS).queries[0].evaluation.failure
    assert (kept or "").split() == (failure or "x").split()


@pytest.mark.parametrize(
    ("find", "replace", "message"),
    [
        ("test_unseen", "other", "is no history of this search: its columns are not query, hash"),
        ("\n3,", "\n4,", "line 4 is no query of a search"),
        ("0.9,", "good,", "line 2 is no query of a search"),
        (",0,1769.13,", ",0,1769.13,,", "line 2 is no query of a search"),
        (",0,1769.13,", ",0.5,1769.13,", "line 2 is no query of a search"),
        ("\n3,", "\n\n3,", "line 4 is no query of a search"),
    ],
)
def test_what_is_no_history_is_one_clear_error_and_stays(written, find, replace, message):
    content = written.read_text().replace(find, replace, 1)
    written.write_text(content)
    with refuses(message):
        History(written, COLUMNS)
    assert written.read_text() == content


@pytest.mark.parametrize("content", [b"", b"query", b"\xff\xfe\n", b'"' + b"a" * 200_000 + b"\n"])
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with refuses("is no history of (this|a) search"):
        History(path, COLUMNS)
    assert path.read_bytes() == content


def test_places_that_cannot_be_read_or_written_are_clear_errors(tmp_path):
    with refuses("cannot read the history: Is a directory"):
        History(tmp_path, COLUMNS)
    with refuses("cannot write .*absent"):
        History(tmp_path / "absent" / "history.csv", COLUMNS).append(QUERIES)
