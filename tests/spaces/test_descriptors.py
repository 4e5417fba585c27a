from collections import defaultdict
from itertools import product
from math import log, prod

import networkx as nx
import pytest
import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.spaces import descriptors as module
from gnn_nas.spaces.descriptors import (
    descriptors,
    load_standard_descriptors,
    num_descriptors,
    open_descriptors,
)
from gnn_nas.spaces.forms import draw_forms
from gnn_nas.spaces.index import open_index
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import CellTable

INPUT, CONV3X3, CONV1X1, POOL, OUTPUT = range(5)
OPS = (CONV3X3, CONV1X1, POOL)


class Twin:
    """One cell in plain Python; a path is a list of vertices."""

    def __init__(self, labels: list[int], edges: set[tuple[int, int]]) -> None:
        self.labels, self.edges = labels, edges
        self.vertices = range(len(labels))
        self.interior = self.vertices[1:-1]
        self.graph = nx.DiGraph(sorted(edges))
        self.paths = self.paths_between(0, len(labels) - 1)
        self.feeders = [v for v in self.interior if (v, len(labels) - 1) in edges]
        self.width = self.widths()

    def paths_between(self, source: int, target: int) -> list[list[int]]:
        return list(nx.all_simple_paths(self.graph, source, target)) if source < target else []

    def widths(self) -> dict[int, float]:
        """NAS-Bench-101's `compute_vertex_channels`, for a cell of so many channels."""
        channels = 60
        width = defaultdict(int)
        for vertex in reversed(self.interior):
            if vertex in self.feeders:
                width[vertex] = channels // len(self.feeders)
            else:
                width[vertex] = max(width[y] for x, y in self.edges if x == vertex)
        return {vertex: width[vertex] / channels for vertex in self.interior}

    def count(self, path: list[int], ops: tuple[int, ...]) -> int:
        return sum(self.labels[vertex] in ops for vertex in path)

    def counts_to(self, vertex: int, op: int) -> list[int]:
        return [self.count(path, (op,)) for path in self.paths_between(0, vertex)]

    def mean_count_to(self, vertex: int, op: int) -> float:
        """Expected count of a walk back to the input that takes any edge into where it stands."""
        into = {vertex: sum(y == vertex for _, y in self.edges) for vertex in self.vertices}
        return sum(
            self.count(path, (op,)) * prod(1 / into[y] for y in path[1:])
            for path in self.paths_between(0, vertex)
        )

    def shape(self) -> list[float]:
        inner, width = self.interior, self.width
        parameters = {CONV3X3: 9, CONV1X1: 1, POOL: 0}
        columns = [
            len(self.labels),
            len(self.edges),
            max(len(self.feeders), 1),
            (0, len(self.labels) - 1) in self.edges,
            sum((0, v) in self.edges for v in inner),
            sum(width.values()),
            sum(width.values()) / max(len(inner), 1),
            log(1 + sum(parameters[self.labels[v]] * width[v] ** 2 for v in inner)),
            log(len(self.paths)),
            max(sum(width[v] for v in path[1:-1]) for path in self.paths),
        ]
        for ops in (OPS, (CONV3X3, CONV1X1), *((op,) for op in OPS)):
            counts = [self.count(path, ops) for path in self.paths]
            columns += [max(counts), min(counts)]
        for op in OPS:
            columns += self.shape_of(op)
        return columns

    def shape_of(self, op: int) -> list[float]:
        own = [v for v in self.interior if self.labels[v] == op]
        most = [max(self.counts_to(v, op)) for v in self.feeders]
        means = [self.mean_count_to(v, op) for v in self.feeders]
        return [
            len(own),
            len(set(own) & set(self.feeders)),
            sum(self.width[v] for v in own),
            sum(self.width[v] ** 2 for v in own),
            sum(y in own for _, y in self.edges),
            sum(self.count(path, (op,)) for path in self.paths) / len(self.paths),
            sum(most) / max(len(most), 1),
            min(most, default=7),
            sum(means) / max(len(means), 1),
            sum(self.mean_count_to(v, op) * self.width[v] for v in self.interior),
            max(sum(self.width[v] for v in path if v in own) for path in self.paths),
        ]

    def patterns(self) -> list[float]:
        columns = []
        for related in (
            lambda x, y: (x, y) in self.edges,
            lambda x, y: any(len(path) == 3 for path in self.paths_between(x, y)),
            lambda x, y: bool(self.paths_between(x, y)),
        ):
            pairs = [(x, y) for x in self.vertices for y in self.vertices if related(x, y)]
            for source, target in product((INPUT, *OPS), (*OPS, OUTPUT)):
                labels = [(self.labels[x], self.labels[y]) for x, y in pairs]
                columns.append(labels.count((source, target)))
        sequences = [tuple(self.labels[v] for v in path[1:-1]) for path in self.paths]
        for length in range(4):
            columns += [sequences.count(ops) for ops in product(OPS, repeat=length)]
        return columns


@pytest.fixture(scope="module")
def some_rows(table: CellTable, small_rows: torch.Tensor) -> torch.Tensor:
    """All cells of at most four vertices, 100 of five and 300 of any size."""
    generator = torch.Generator().manual_seed(0)
    five = (table.cells.vertices == 5).nonzero().flatten()
    five = five[torch.randint(len(five), (100,), generator=generator)]
    return torch.cat([small_rows, five, torch.randint(len(table), (300,), generator=generator)])


def test_every_column_is_that_of_the_naive_twin(table, some_rows, plain):
    cells = table.cells[some_rows]
    assert {2, 3, 4, 5, 6, 7} == set(cells.vertices.tolist())
    twins = [Twin(*cell) for cell in plain(cells)]
    expected = [[twin.shape() for twin in twins], [twin.patterns() for twin in twins]]
    for block, naive in zip(descriptors(cells), expected, strict=True):
        torch.testing.assert_close(block, torch.tensor(naive).float(), rtol=1e-5, atol=1e-6)
    # Only one column says nothing: there is always a path from the input to the output.
    varies = torch.cat(descriptors(cells), dim=1).std(dim=0) > 0
    assert (~varies).nonzero().flatten().tolist() == [88]


def test_isomorphic_cells_have_the_same(table, some_forms):
    rows = table.rows_of(some_forms)
    canonical = table.cells[rows]
    assert (canonical.edges != some_forms.edges).sum() > 1500
    for block, expected in zip(descriptors(some_forms), descriptors(canonical), strict=True):
        torch.testing.assert_close(block, expected, rtol=1e-5, atol=1e-6)


def test_all_is_finite(table):
    rows = torch.randint(len(table), (20_000,), generator=torch.Generator().manual_seed(0))
    for block, width in zip(descriptors(table.cells[rows]), (53, 88), strict=True):
        assert block.dtype == torch.float32
        assert block.shape == (20_000, width)
        assert block.isfinite().all()
    assert num_descriptors(NASBENCH101) == (53, 88)


def test_a_small_cell_by_hand():
    """Input, 3x3 convolution, pooling, output in a row; the convolution feeds the output too."""
    cells = PackedCells(
        torch.tensor([4]), torch.tensor([0b110101]), torch.tensor([[0, 2, 0, 0, 0]])
    )
    shape, patterns = descriptors(cells)
    whole = [4, 4, 2, 0, 1, 1, 0.5, log(1 + 9 / 4), log(2), 1]
    depths = [2, 1, 1, 1, 1, 1, 0, 0, 1, 0]
    conv3x3 = [1, 1, 0.5, 0.25, 1, 1, 1, 1, 1, 1, 0.5]
    conv1x1 = [0] * 11
    pooling = [1, 1, 0.5, 0.25, 1, 0.5, 0.5, 0, 0.5, 0.5, 0.5]
    expected = torch.tensor([*whole, *depths, *conv3x3, *conv1x1, *pooling])
    torch.testing.assert_close(shape[0], expected)
    # From the input, then a 3x3, a 1x1 convolution, a pooling; to these ops and the output.
    edge = [1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    two_edges = [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    any_path = [1, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    sequences = [0] * 40
    sequences[1] = sequences[4 + 2] = 1
    assert patterns[0].tolist() == [*edge, *two_edges, *any_path, *sequences]


def test_no_cells_have_none(table):
    assert [block.shape for block in descriptors(table.cells[:0])] == [(0, 53), (0, 88)]


@pytest.mark.slow
def test_they_are_standard_deviations_from_the_mean_cell_within_bounds(table, standard):
    assert standard.dtype == torch.float16
    assert standard.shape == (423_624, 141)
    mean = mean_over_cells(table, lambda cells: cells)
    deviation = mean_over_cells(table, lambda cells: (cells - mean).square()).sqrt()
    # Pairs of input and output with a path between them: one in every cell.
    constant = deviation < 1e-9
    assert constant.nonzero().flatten().tolist() == [88]
    assert (standard[:, constant] == 0).all()

    rows = torch.arange(0, len(table), 20)
    raw = torch.cat(descriptors(table.cells[rows]), dim=1).double()
    expected = ((raw - mean) / deviation)[:, ~constant]
    assert expected.abs().max() > 8
    got = standard[rows][:, ~constant].double()
    torch.testing.assert_close(got, expected.clamp(-4, 4), rtol=1e-3, atol=3e-3)


def mean_over_cells(table, of) -> Tensor:
    """Mean of a function of the raw descriptors, column by column."""
    every = torch.arange(len(table)).split(10_000)
    chunks = (torch.cat(descriptors(table.cells[rows]), dim=1).double() for rows in every)
    return sum(of(chunk).sum(0) for chunk in chunks) / len(table)


@pytest.mark.slow
def test_most_are_far_from_the_bounds(standard):
    assert standard.max() == -standard.min() == 4
    some = standard[::20]
    assert (some.abs() == 4).float().mean() < 0.02
    assert some.mean(0).abs().max() < 0.1
    deviation = some.std(0)[torch.arange(141) != 88]
    assert 0.7 < deviation.min() < deviation.max() < 1.05


@pytest.mark.slow
def test_they_are_computed_once_and_then_opened(table, standard, tmp_path, monkeypatch):
    computed = []
    monkeypatch.setattr(
        module, "standard_descriptors", lambda _table: computed.append(1) or standard
    )
    for _ in range(2):
        assert torch.equal(load_standard_descriptors(table, tmp_path / "cache"), standard)
    assert len(computed) == 1
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    assert torch.equal(load_standard_descriptors(table, tmp_path / "cache"), standard)
    assert len(computed) == 2
    monkeypatch.setattr(module, "_VERSION", module._VERSION + 1)
    load_standard_descriptors(table, tmp_path / "cache")
    assert len(computed) == 3


@pytest.mark.slow
def test_what_is_computed_is_that_of_the_version(standard):
    # Older caches are misread where other figures have the same version: a new sum needs a new one.
    known_sums = {1: 153.2634}
    some = standard[::1000].double()
    of_rows = torch.arange(len(some), dtype=torch.float64).cos()
    of_columns = torch.arange(1, 142, dtype=torch.float64).sin()
    # Rounding to half precision differs between machines, by thousandths of the sum.
    assert (of_rows @ some @ of_columns).item() == pytest.approx(
        known_sums[module._VERSION], abs=0.005
    )


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_named(table, standard, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "standard_descriptors", lambda _table: standard)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write the cache folder .*file.cache"):
        load_standard_descriptors(table, tmp_path / "file" / "cache")


@pytest.mark.slow
def test_random_cells_of_a_space_without_a_table_are_drawn_once(monkeypatch):
    ops = ("a", "b", "c", "d")
    large = CellSpace("descriptors-large", ops, (1.0, 1.0, 0.0, 0.0), 8, 12)
    drawn = []

    def draw(space, count, generator):
        drawn.append(count)
        return draw_forms(space, 100, generator)

    monkeypatch.setattr("gnn_nas.spaces.forms.draw_forms", draw)
    index = open_index(large)
    rows = index.draw(5, torch.Generator().manual_seed(1))
    first, second = open_descriptors(index), open_descriptors(open_index(large))
    assert torch.equal(first(index, rows), second(index, rows))
    assert first(index, rows).any()
    assert len(drawn) == 1
