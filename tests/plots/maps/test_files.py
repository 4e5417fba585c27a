import base64
import csv
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.plots.maps.cells import MapCells, MapConfig
from gnn_nas.plots.maps.embedding_map import EmbeddingMap
from gnn_nas.plots.maps.files import (
    COLUMNS,
    figures_table,
    summarised,
    write_map_page,
    write_points,
)
from tests.helpers import made_up_maps


def config(color: str, **cells: int) -> MapConfig:
    sizes = {"anchors": None, "positives": None, "cells": None, **cells}
    return MapConfig(
        seed=0, color=color, checkpoints=[None], weights=[None], benchmark=None, **sizes
    )


def maps_of(cells: MapCells) -> list[EmbeddingMap]:
    draw = np.random.default_rng(0)
    return [
        EmbeddingMap(
            name,
            "none",
            cells,
            torch.from_numpy(draw.normal(size=(len(cells), 5))),
            draw.normal(size=(len(cells), 2)),
            {},
        )
        for name in ("before", "after")
    ]


def written(path) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text())[1])


def test_every_map_is_a_view_of_the_same_cells(table, tmp_path):
    cells = MapCells(torch.arange(12), torch.arange(4).repeat_interleave(3))
    maps = maps_of(cells)
    path = tmp_path / "umap.html"
    settings = config("class", anchors=4, positives=2)
    write_map_page(path, settings, maps, table, None)
    data = written(path)
    assert [view["name"] for view in data["views"]] == ["before", "after"]
    for view, each in zip(data["views"], maps, strict=True):
        x = np.frombuffer(base64.b64decode(view["x"]), "<f4")
        np.testing.assert_allclose(x, each.coordinates[:, 0], rtol=1e-6)
        nearest = torch.cdist(each.embeddings, each.embeddings).fill_diagonal_(9).argmin(1)
        neighbours = np.frombuffer(base64.b64decode(view["neighbours"]), "<u4")
        assert neighbours[:: view["neighbourCount"]].tolist() == nearest.tolist()
    assert data["classNames"] == ["1", "2", "3", "4"]
    assert data["colour"] == "class"
    assert data["subtitle"].startswith("4 anchors with 2 positives each. UMAP of")


def test_random_cells_have_no_class(table, tmp_path):
    maps = maps_of(MapCells(torch.arange(9)))[:1]
    path = tmp_path / "umap.html"
    write_map_page(path, config("edges", cells=9), maps, table, None)
    data = written(path)
    assert data["colours"] == ["edges", "vertices"]
    assert data["colour"] == "edges"
    assert data["subtitle"].startswith("9 random cells.")
    told = {"snip": torch.arange(9.0), "synflow": torch.zeros(9)}
    write_map_page(path, config("snip", cells=9), maps, table, None, told)
    data = written(path)
    assert data["colours"] == ["edges", "vertices", "snip", "synflow"]
    assert data["colour"] == "snip"


def test_a_page_that_cannot_be_written_is_one_line(table, tmp_path):
    maps = maps_of(MapCells(torch.arange(9)))[:1]
    path = tmp_path / "absent" / "umap.html"
    with pytest.raises(UserError, match=r"cannot write .*umap.html: No such file"):
        write_map_page(path, config("edges", cells=9), maps, table, None)


def test_maps_of_classes_stand_side_by_side():
    maps = [made_up_maps.classes(), made_up_maps.classes(name="search-nao-oracle/controller-0")]
    lines = figures_table(maps, 100).splitlines()
    assert lines[0].split() == [each.name for each in maps]
    assert lines[1].split() == ["silhouette", "0.300", "0.300"]
    assert lines[2].split() == ["precision@1", "1.000", "1.000"]
    assert lines[5] == "on 100 other draws"
    assert lines[6].split() == ["silhouette", *["0.300", "±", "0.020"] * 2]
    assert len({len(line) for line in lines if line[-1].isdigit()}) == 1


def test_maps_of_random_cells_have_no_classes_to_tell_of():
    text = figures_table([made_up_maps.random_cells()], 0)
    assert "agreement of neighbours" in text
    assert "silhouette" not in text
    assert "draws" not in text


def test_a_summary_has_the_settings_and_all_figures():
    settings = {"seed": 3, "anchors": 16, "positives": 7, "cells": None, "color": "class"}
    config = MapConfig(**settings, checkpoints=["runs/x"], weights=["ab"], benchmark=None)
    drawn = made_up_maps.classes()
    summary = summarised(config, [drawn])
    assert summary.items() >= settings.items()
    (figures,) = summary["maps"]
    assert figures["name"] == "gin_multisim"
    assert figures.items() >= drawn.figures.items()
    assert figures["other_draws"] == drawn.other_draws


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
