from types import SimpleNamespace

import pytest
import torch

from gnn_nas.plots.maps.colours import colouring
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.table import load_table


def test_edges_and_vertices_are_counted(table):
    rows = torch.arange(0, len(table), 9999)
    edges = colouring("edges", table, rows, None)
    adjacency = table.cells[rows].adjacency()
    assert edges.values.tolist() == adjacency.flatten(1).sum(1).tolist()
    assert (edges.label, edges.whole) == ("number of edges", True)
    vertices = colouring("vertices", table, rows, None)
    assert vertices.values.tolist() == table.cells.vertices[rows].tolist()
    assert (vertices.lowest, vertices.highest) == (
        vertices.values.min(),
        vertices.values.max(),
    )


def test_the_scale_of_accuracies_leaves_out_the_worst_twentieth(table):
    accuracies = torch.cat([torch.full((40,), 0.1), torch.linspace(0.9, 0.9432, 960)])
    benchmark = SimpleNamespace(mean_test=lambda rows: accuracies[rows].double())
    colours = colouring("accuracy", table, torch.arange(1000), benchmark)
    assert colours.label == "mean test accuracy (%)"
    assert colours.values == pytest.approx(100 * accuracies.numpy())
    assert (colours.lowest, colours.highest) == (90.0, 94.4)
    assert not colours.whole


def test_the_real_accuracies_are_percents(table, benchmark):
    best = benchmark.rank(benchmark.all_rows()).argmin()
    values = colouring("accuracy", table, best[None].repeat(2), benchmark).values
    assert values == pytest.approx([94.3176] * 2, abs=1e-3)


def test_what_cannot_be_shown_is_refused(table):
    rows = torch.arange(5)
    with pytest.raises(ValueError, match="need a benchmark"):
        colouring("accuracy", table, rows, None)
    with pytest.raises(ValueError, match="no colouring 'depth'"):
        colouring("depth", table, rows, None)
    with pytest.raises(ValueError, match="no colouring 'snip'"):
        colouring("snip", table, rows, None, {"synflow": torch.zeros(5)})


def test_the_scale_of_what_is_told_leaves_out_a_hundredth_at_either_end(table):
    rows, told = torch.arange(201), torch.linspace(-2, 2, 201)
    told[0], told[-1] = -40, 40
    colours = colouring("snip", table, rows, None, {"snip": told})
    assert colours.label == "snip as told (standard deviations)"
    assert colours.values.tolist() == told.tolist()
    assert (colours.lowest, colours.highest) == pytest.approx((-1.96, 1.96))
    assert not colours.whole


def test_cells_of_the_same_edges_differ_by_the_parameters_of_their_operations():
    cells = load_table(NASBENCH201)
    rows = torch.arange(0, len(cells), 999)
    colours = colouring("parameters", cells, rows, None)
    expected = [
        sum(NASBENCH201.parameters[op] for op in ops) for ops in cells.cells.ops[rows].tolist()
    ]
    assert colours.values.tolist() == expected
    assert not colours.whole
    with pytest.raises(ValueError, match="no colouring 'edges'"):
        colouring("edges", cells, rows, None)
