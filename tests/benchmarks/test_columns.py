"""Columns of a table that a user brings."""

import numpy as np
import pytest

from gnn_nas.benchmarks.columns import read_columns
from gnn_nas.errors import UserError


@pytest.fixture
def write(tmp_path):
    """Gives ``write(content)``: a CSV file of it, or an ``.npz`` file of arrays."""

    def call(content):
        if isinstance(content, dict):
            path = tmp_path / "table.npz"
            np.savez(path, **content)
        else:
            path = tmp_path / "table.csv"
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return call


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_file_of_any_spreadsheet_is_read(write, delimiter, end):
    lines = [
        ["ops", "reward ", "note"],
        ["a b", " 1.5", 'say "x"'],
        [],
        ["", "", "-"],
        ["a", "-2e3", ""],
    ]
    lines[1][2] = '"say ""x"""'
    text = end.join(delimiter.join(line) for line in lines) + end
    columns = read_columns(write("\ufeff" + text))
    assert len(columns) == 3
    assert columns.texts("ops") == ["a b", "", "a"]
    assert columns.texts("note") == ['say "x"', "-", ""]
    np.testing.assert_array_equal(columns.numbers("reward"), [1.5, np.nan, -2000])
    assert columns.places == ["line 2", "line 4", "line 5"]
    assert [columns.has_numbers(name) for name in ("ops", "reward", "note")] == [False, True, False]


def test_an_npz_file_is_read(write):
    columns = read_columns(
        write({"ops": np.array(["a", "b"]), "n": np.array([3, 4]), "x": np.array([0.5, np.nan])})
    )
    assert columns.texts("ops") == ["a", "b"]
    np.testing.assert_array_equal(columns.numbers("n"), [3, 4])
    np.testing.assert_array_equal(columns.numbers("x"), [0.5, np.nan])
    with pytest.raises(UserError, match=r"table.npz: n must be text, not int64"):
        columns.texts("n")


@pytest.mark.parametrize("written", ["good", "inf", "-inf", "1_000", "1,5", "0x10", "١"])
def test_what_is_no_finite_number_is_named_by_line_and_column(write, written):
    path = write(f'ops,reward\na,1\n\nb,"{written}"\n')
    columns = read_columns(path)
    with pytest.raises(
        UserError, match=r"table.csv: line 4, column reward: .* is no finite number"
    ):
        columns.numbers("reward")
    assert not columns.has_numbers("reward")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty: its first line must name the columns"),
        (" \n\n", "is empty: its first line must name the columns"),
        ("ops,reward\n", "has no cells: after the names of columns every line is one"),
        ("ops,\na,1\n", "line 1: column 2 has no name"),
        ("ops,ops\na,1\n", "line 1: two columns are called ops"),
        ("ops,reward\na,1\nb\n", "line 3 has 1 fields, not 2"),
        ("ops,reward\na,1\nb,2,3\n", "line 3 has 3 fields, not 2"),
        (b"ops,reward\n\xff\xfe,1\n", "is no CSV file in UTF-8"),
        ('ops,reward\n"a,1\n', "is no CSV file in UTF-8"),
        ({}, "is empty: it must have an array for every column"),
        ({"ops": np.array(["a"]), "x": np.ones(2)}, r"x must be 1 texts or numbers"),
        ({"ops": np.ones((2, 2))}, r"ops must be 2 texts or numbers, .* not float64 \(2, 2\)"),
        ({"ops": np.array(3.0)}, r"ops must be 0 texts or numbers, .* not float64 \(\)"),
        (
            {"ops": np.array(["a", None], dtype=object)},
            "no .npz file of plain arrays .*allow_pickle",
        ),
        ({"ops": np.array([], dtype=str)}, "has no cells"),
    ],
)
def test_what_is_no_table_is_one_line(write, content, message):
    with pytest.raises(UserError, match=message):
        read_columns(write(content))


def test_damaged_and_missing_files_are_one_line(write, tmp_path):
    path = write({"ops": np.array(["a"])})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserError, match=r"table.npz is damaged or no .npz file"):
        read_columns(path)
    np.save(tmp_path / "alone", np.ones(3))
    (tmp_path / "alone.npy").rename(tmp_path / "alone.npz")
    for name in ("alone.npz", "missing.npz", "missing.csv"):
        with pytest.raises(UserError, match=name):
            read_columns(tmp_path / name)
    with pytest.raises(UserError, match="Is a directory"):
        read_columns(tmp_path)
