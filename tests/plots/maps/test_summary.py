from gnn_nas.plots.maps.config import MapConfig
from gnn_nas.plots.maps.summary import figures_table, summarised
from tests.helpers import made_up_maps


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
