import base64
import json
import re

import numpy as np
import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.plots.maps.cells import MapCells
from gnn_nas.plots.maps.config import MapConfig
from gnn_nas.plots.maps.embedding_map import EmbeddingMap
from gnn_nas.plots.maps.files import write_map_page


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


def test_a_page_that_cannot_be_written_is_one_line(table, tmp_path):
    maps = maps_of(MapCells(torch.arange(9)))[:1]
    path = tmp_path / "absent" / "umap.html"
    with pytest.raises(UserError, match=r"cannot write .*umap.html: No such file"):
        write_map_page(path, config("edges", cells=9), maps, table, None)
