import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gnn_nas.plots.maps.points import COLUMNS, write_points
from tests.helpers import made_up_maps


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        lines = csv.DictReader(stream)
        assert tuple(lines.fieldnames) == COLUMNS
        return list(lines)


def test_every_point_of_every_map_is_there_exactly(tmp_path, table):
    maps = [made_up_maps.classes(3, 2, name="a"), made_up_maps.classes(3, 2, name="b")]
    write_points(tmp_path / "points.csv", maps, table)
    lines = read(tmp_path / "points.csv")
    assert [line["checkpoint"] for line in lines] == ["a"] * 9 + ["b"] * 9
    assert [line["class"] for line in lines[:9]] == list("111222333")
    assert [line["anchor"] for line in lines[:9]] == list("100100100")
    for line, row, place in zip(lines, maps[0].cells.rows, maps[0].coordinates, strict=False):
        assert int(line["row"]) == row
        assert table.row_of_hash(line["module_hash"]) == row
        assert np.float32([line["x"], line["y"]]).tolist() == place.tolist()
        cell = table.cells[row[None]]
        assert int(line["edges"]) == cell.adjacency().sum()
        assert int(line["vertices"]) == cell.vertices
        assert line["accuracy"] == ""


def test_accuracies_are_there_where_they_are_known(tmp_path, table):
    benchmark = SimpleNamespace(mean_test=lambda rows: 0.9 + rows.double() / 1000)
    write_points(tmp_path / "points.csv", [made_up_maps.random_cells(40)], table, benchmark)
    lines = read(tmp_path / "points.csv")
    accuracies = [float(line["accuracy"]) for line in lines]
    assert accuracies == pytest.approx((90 + torch.arange(40) / 10).tolist())
    assert {(line["class"], line["anchor"]) for line in lines} == {("", "")}
