"""Histories, and the summaries beside them, that no search has written."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gnn_nas.benchmarks.protocols import BenchmarkReport
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches import recorded
from gnn_nas.experiments.searches.recorded import check_histories, ended_seed
from gnn_nas.objective import Evaluation
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History, Query

CELLS, QUERIES = 40, 8
COLUMNS = BenchmarkReport.columns
HASHES = [f"{number:032x}" for number in range(CELLS)]
CONFIG = SimpleNamespace(all_seeds=range(1), queries=QUERIES)
UGLY = [
    *("nan", "-nan", "inf", "-inf", "1e400", "0.9_4", "1_0", "٠.٩", "٣", "0x1p-1", "1e3", "+0.5"),
    *(" 0.5", "0.5 ", "0,5", ".5", "5.", "00.5", "-0.1", "-1", "0.50", "1E2", "True", "None"),
    *("0.99", "500", "", "x", "\x1b[31m", "\x00", '"', "1" * 400, "a" * 10_000, "9" * 32, "-0.0"),
    *("1.5", "0", "1", "7", "99999999999", "ffffffffffffffffffffffffffffffff", "=1+1"),
]


class Measured:
    """The cells' measurements, as objective and report."""

    columns = COLUMNS

    def __init__(self) -> None:
        draw = random.Random(3)
        self.rewards = [0.9 + 0.01 * draw.random() for _ in range(CELLS)]
        self.tests = [0.9 + 0.01 * draw.random() for _ in range(CELLS)]

    def evaluate(self, rows: torch.Tensor) -> list[Evaluation]:
        return [Evaluation(self.rewards[row], 60.0 + row) for row in rows.tolist()]

    def report(self, rows: torch.Tensor) -> torch.Tensor:
        figures = [(self.tests[row], float("nan")) for row in rows.tolist()]
        return torch.tensor(figures, dtype=torch.float64)


class Rows:
    """Stands for the table of 423,624 cells, which takes seconds to open."""

    def __init__(self, table: object) -> None:
        pass

    def of(self, hashes: list[str]) -> torch.Tensor:
        for each in hashes:
            if each not in HASHES:
                raise KeyError(f"no cell has the module hash {each!r}")
        return torch.tensor([HASHES.index(each) for each in hashes])


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> str:
    """A whole history of eight queries in three rounds."""
    path = tmp_path_factory.mktemp("valid") / "history-0.csv"
    measured, rows = Measured(), torch.tensor([5, 17, 3, 30, 8, 39, 0, 21])
    figures = measured.report(rows).tolist()
    History(path, COLUMNS).append(
        [
            Query(number, HASHES[row], evaluation, tuple(report), (number - 1) // 3)
            for number, (row, evaluation, report) in enumerate(
                zip(rows.tolist(), measured.evaluate(rows), figures, strict=True), start=1
            )
        ]
    )
    return path.read_text()


@pytest.fixture
def believed(tmp_path, monkeypatch) -> Callable[[bytes], list[Query] | None]:
    """Gives ``check(content)``: the queries taken from a history, None where it is refused."""
    monkeypatch.setattr(recorded, "CellRows", Rows)
    measured = Measured()

    def check(content: bytes) -> list[Query] | None:
        path = tmp_path / "history-0.csv"
        path.write_bytes(content)
        refusal = None
        try:
            check_histories(RunFolder(tmp_path), CONFIG, COLUMNS, None, (measured, measured))
        except UserError as error:
            refusal = str(error)
        assert path.read_bytes() == content
        if refusal is None:
            return History(path, COLUMNS).queries
        assert refusal.startswith(str(path))
        assert "\n" not in refusal
        return None

    return check


def cells_of(content: str) -> list[list[str]]:
    return [line.split(",") for line in content.splitlines()]


def joined(cells: list[list[str]]) -> bytes:
    return "".join(",".join(line) + "\n" for line in cells).encode()


def test_the_unchanged_history_is_believed(believed, content):
    assert len(believed(content.encode())) == QUERIES


@pytest.mark.parametrize("value", UGLY, ids=ascii)
@pytest.mark.parametrize("column", range(8))
def test_any_field_changed_is_refused_or_changes_nothing(believed, content, column, value):
    cells = cells_of(content)
    before = believed(content.encode())
    line = 1 + UGLY.index(value) % QUERIES
    cells[line][column] = value
    after = believed(joined(cells))
    if after is None:
        return
    # What is not compared, since it may be unknown: rounds in their order and missing seconds.
    assert [q.evaluation.reward for q in after] == [q.evaluation.reward for q in before]
    assert repr([q.report for q in after]) == repr([q.report for q in before])
    assert [q.module_hash for q in after] == [q.module_hash for q in before]
    assert all(
        q.evaluation.seconds in (known.evaluation.seconds,) or value == ""
        for q, known in zip(after, before, strict=True)
    )
    assert [q.round for q in after] == sorted(q.round for q in after)


@pytest.mark.parametrize("column", [2, 3, 4, 6])
@pytest.mark.parametrize("value", ["0.99", "500.0", "0.0", "1.0", "-1.0", "0.90001", "1e-300"])
def test_a_figure_that_the_measurements_contradict_is_refused(believed, content, column, value):
    cells = cells_of(content)
    cells[4][column] = value
    assert believed(joined(cells)) is None


def line_mutations() -> list[tuple[str, int, int]]:
    draw = random.Random(16)
    kinds = ("double", "drop", "swap", "append", "renumber", "hash", "failure", "cut")
    return [(draw.choice(kinds), draw.randrange(1, 9), draw.randrange(1, 9)) for _ in range(60)]


@pytest.mark.parametrize(("kind", "one", "other"), line_mutations())
def test_lines_doubled_dropped_or_exchanged(believed, content, kind, one, other):
    cells = cells_of(content)
    match kind:
        case "double":
            cells.insert(other, list(cells[one]))
        case "drop":
            del cells[one]
        case "swap":
            cells[one], cells[other] = cells[other], cells[one]
        case "append":
            cells.append([str(len(cells)), HASHES[1], *cells[one][2:]])
        case "renumber":
            cells.insert(one, list(cells[other]))
            cells[1:] = [[str(number), *line[1:]] for number, line in enumerate(cells[1:], start=1)]
        case "hash":
            cells[one][1] = HASHES[2]
        case "failure":
            cells[one][7] = "out of memory"
        case "cut":
            cells = cells[: one + 1]
    after = believed(joined(cells))
    # A history may end early; the last line dropped, or a line put where it is, is no mistake.
    harmless = joined(cells) in content.encode()
    assert (after is not None) == harmless


@pytest.mark.parametrize("seed", range(80))
def test_random_bytes_changed_are_refused_or_change_nothing(believed, content, seed):
    draw = random.Random(seed)
    changed = bytearray(content.encode())
    for _ in range(draw.randint(1, 3)):
        changed[draw.randrange(len(changed))] = draw.choice(b'0123456789abcdef.,-e\n"\x00\xff+_ ')
    after = believed(bytes(changed))
    if after is None:
        return
    before = believed(content.encode())[: len(after)]
    for there, here in zip(after, before, strict=True):
        assert there.module_hash == here.module_hash
        assert there.evaluation.reward == pytest.approx(here.evaluation.reward, rel=1e-6)
        assert there.report[0] == pytest.approx(here.report[0], rel=1e-6)


@pytest.mark.parametrize(
    "summary",
    [
        {},
        {"queries": 8},
        {"wall_seconds": 1.0},
        {"queries": "8", "wall_seconds": 1.0},
        {"queries": 8.0, "wall_seconds": 1.0},
        {"queries": True, "wall_seconds": 1.0},
        {"queries": None, "wall_seconds": 1.0},
        {"queries": [8], "wall_seconds": 1.0},
        {"queries": 8, "wall_seconds": "1"},
        {"queries": 8, "wall_seconds": None},
        {"queries": 8, "wall_seconds": -1.0},
        {"queries": 8, "wall_seconds": {}},
        {"queries": 8, "wall_seconds": True},
        {"Queries": 8, "Wall_seconds": 1.0},
    ],
    ids=str,
)
def test_a_seed_s_summary_that_is_none_is_one_line(tmp_path, summary):
    controller = RunFolder(tmp_path).controller(0)
    controller.path.mkdir()
    controller.summary.write_text(json.dumps(summary))
    with pytest.raises(UserError, match=r"\A[^\n]*delete [^\n]*--resume[^\n]*\Z"):
        ended_seed(RunFolder(tmp_path), 0, COLUMNS)


@pytest.mark.parametrize("text", ["", "null", "[]", "3", "{", "NaN", '{"queries": NaN}', "\x00"])
def test_a_seed_s_summary_that_is_damaged_is_one_line(tmp_path, text):
    controller = RunFolder(tmp_path).controller(0)
    controller.path.mkdir()
    controller.summary.write_text(text)
    with pytest.raises(UserError, match=re.escape(str(controller.summary))):
        ended_seed(RunFolder(tmp_path), 0, COLUMNS)


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "loop"])
def test_what_is_no_file_is_no_history(tmp_path, kind):
    import os

    path = Path(tmp_path / "history-0.csv")
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path.name)
    with pytest.raises(UserError, match="cannot read the history"):
        History(path, COLUMNS)
