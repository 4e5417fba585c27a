import json

import pytest

from bench.measuring import Figure, at_most
from bench.report import FigureFile, table, verdict
from gnn_nas.errors import UserError

MET = Figure("step", 44.0, "ms", "batch 512", 2, 3, 40.0, 50.0, target=at_most(45))
MISSED = Figure("help", 0.75, "s", target=at_most(0.5))
SKIPPED = Figure("search", None, condition="skipped: no measurements")


def test_a_line_says_all_of_a_figure():
    lines = table([MET, MISSED, SKIPPED]).splitlines()
    told = [" ".join(line.split()) for line in lines]
    assert told[1] == "step 44 ms 2 40 - 50 of 3 ≤ 45 met batch 512"
    assert told[2:] == ["help 0.75 s ≤ 0.5 MISSED", "search - skipped: no measurements"]


def test_missed_targets_are_named():
    assert verdict([MET, MISSED, SKIPPED]) == "targets: 1 met, 1 missed: help"
    assert verdict([MET]) == "targets: 1 met, 0 missed"


def test_a_later_call_replaces_only_what_it_measures(tmp_path):
    path = tmp_path / "new" / "bench.json"
    first = FigureFile.open(path)
    first.add("steps", {"cores": 2}, [MET])
    first.add("startup", {"cores": 2}, [MISSED])
    FigureFile.open(path).add("startup", {"cores": 4}, [SKIPPED])
    written = json.loads(path.read_text())
    assert written["steps"]["figures"][0]["target"] == {"limit": 45, "at_most": True}
    assert written["steps"]["figures"][0]["met"] is True
    assert written["startup"]["machine"] == {"cores": 4}
    assert written["startup"]["figures"][0]["value"] is None


@pytest.mark.parametrize("content", ["[]", "{"])
def test_another_file_is_refused_before_anything_is_measured(tmp_path, content):
    path = tmp_path / "bench.json"
    path.write_text(content)
    with pytest.raises(UserError, match="cannot hold the figures"):
        FigureFile.open(path)
    assert path.read_text() == content
