import numpy as np
import pytest
import torch

from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.plots.cell_shapes import (
    BOX_HEIGHT,
    BOX_WIDTH,
    COLUMN,
    ROW,
    Command,
    box_width,
    cell_shapes,
    node_styles,
)
from gnn_nas.plots.op_styles import INPUT_STYLE, OUTPUT_STYLE, op_styles
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201, from_text
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace, node_edges


@pytest.fixture(scope="module")
def every_shape(table) -> list[PackedCells]:
    """A cell of every set of edges, on which alone the layout depends: 2,494 of them."""
    kinds = torch.stack([table.cells.vertices, table.cells.edges], dim=1).unique(dim=0)
    ops = torch.zeros(1, 5, dtype=torch.long)
    return [PackedCells(kind[:1], kind[1:], ops) for kind in kinds]


def points_on(commands: list[Command]) -> np.ndarray:
    """Points closely along lines and curves, ``[N, 2]``."""
    t = np.linspace(0, 1, 25)[:, None]
    points, here = [], None
    for letter, ends in commands:
        ends = np.array(ends)
        if letter == "L":
            points.append(here + t * (ends[0] - here))
        elif letter == "C":
            a, b, c = ends
            points.append(
                (1 - t) ** 3 * here + 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t**2 * b + t**3 * c
            )
        here = ends[-1] if len(ends) else here
    return np.concatenate(points)


def centres(cell: PackedCells) -> np.ndarray:
    return np.array(lay_out(cell).vertices) * [COLUMN, ROW]


@pytest.mark.slow
def test_no_cell_has_an_edge_through_a_box_or_boxes_that_overlap(every_shape):
    assert len(every_shape) == 2494
    for cell in every_shape:
        boxes = centres(cell)
        apart = np.abs(boxes[:, None] - boxes)
        overlap = (apart < [BOX_WIDTH, BOX_HEIGHT]).all(2)
        assert overlap.sum() == len(boxes)
        for edge in cell_shapes(cell).edges:
            distance = np.abs(points_on(edge)[:, None] - boxes)
            within = distance < [BOX_WIDTH / 2 - 1e-9, BOX_HEIGHT / 2 + 0.1]
            assert not within.all(2).any()


def test_everything_lies_within_the_corners(every_shape):
    for cell in every_shape[::7]:
        shapes = cell_shapes(cell)
        outlines = [points_on(each) for each in (*shapes.edges, *shapes.heads, *shapes.boxes)]
        points = np.concatenate(outlines)
        assert points.min(0) == pytest.approx(np.array(shapes.low) + 0.08)
        assert points.max(0) == pytest.approx(np.array(shapes.high) - 0.08)


def test_edges_lead_from_boxes_to_heads_and_heads_to_boxes(every_shape):
    for cell in every_shape[::7]:
        shapes, boxes = cell_shapes(cell), centres(cell)
        assert len(shapes.heads) == len(boxes) - 1
        for (_, target), edge in zip(lay_out(cell).edges, shapes.edges, strict=True):
            head = np.array([point for _, points in shapes.heads[target - 1] for point in points])
            assert head[0] == pytest.approx(boxes[target] - [BOX_WIDTH / 2, 0])
            assert points_on(edge)[-1] == pytest.approx(head[1:].mean(0))
        for (source, _), edge in zip(lay_out(cell).edges, shapes.edges, strict=True):
            assert points_on(edge)[0] == pytest.approx(boxes[source] + [BOX_WIDTH / 2, 0])


def test_boxes_have_their_size_and_corners():
    """0 -> 1 -> 2 -> 3: a convolution's corners are round, those of pooling are cut."""
    ops = torch.tensor([[1, 2, 0, 0, 0]])
    shapes = cell_shapes(PackedCells(torch.tensor([4]), torch.tensor([0b100101]), ops))
    assert shapes.styles == [INPUT_STYLE, *op_styles(NASBENCH101)[1:], OUTPUT_STYLE]
    assert [label.text for label in shapes.labels] == ["in", "conv", "1×1", "max", "pool", "out"]
    _, conv, pool, _ = shapes.boxes
    for box in (conv, pool):
        size = points_on(box)
        assert np.ptp(size, axis=0) == pytest.approx([BOX_WIDTH, BOX_HEIGHT])
    assert "".join(letter for letter, _ in conv) == "MLCLCLCLCZ"
    assert "".join(letter for letter, _ in pool) == "MLLLLLLLLZ"


def test_boxes_are_as_wide_as_the_longest_label_of_their_space():
    space = CellSpace("long", ("averagepool", "a"), (0.0, 0.0), 4, 4)
    assert box_width(NASBENCH101) == box_width(NASBENCH201) == BOX_WIDTH
    assert 10 * 0.6 * 0.175 < box_width(space) < 1.5
    chain = PackedCells(torch.tensor([4]), torch.tensor([0b100101]), torch.tensor([[0, 1]]), space)
    for box in cell_shapes(chain).boxes:
        assert np.ptp(points_on(box)[:, 0]) == pytest.approx(box_width(space))


@pytest.fixture
def on_edges() -> PackedCells:
    return from_text("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|none~2|")


def test_operations_on_edges_stand_on_lines_between_nodes(on_edges):
    shapes = cell_shapes(on_edges)
    nodes, ops = node_styles(NASBENCH201), op_styles(NASBENCH201)
    assert [style.name for style in nodes] == ["in", "1", "2", "out"]
    assert shapes.colours == [ops[op] for op in (3, 0, 1, 4, 0, 0)]
    assert shapes.styles == [*nodes, *shapes.colours]
    assert len(shapes.edges) == len(shapes.heads) == 6
    assert shapes.description.startswith("conv 3×3 0→1, none 0→2, skip 1→2, avg pool 0→3")
    boxes = [points_on(box) for box in shapes.boxes]
    for box in boxes[:4]:  # circles
        radius = np.linalg.norm(box - (box.min(0) + box.max(0)) / 2, axis=1)
        assert radius == pytest.approx(np.full(len(radius), 0.25), abs=1e-3)
    for number, (source, target) in enumerate(node_edges(4)):
        line = points_on(shapes.edges[number])
        # From one circle to the other, through the box of its operation alone.
        start, _, end = (
            (boxes[at].min(0) + boxes[at].max(0)) / 2 for at in (source, 4 + number, target)
        )
        assert np.linalg.norm(line[0] - start) == pytest.approx(0.25)
        tip = np.array(shapes.heads[number][0][1][0])
        assert np.linalg.norm(tip - end) == pytest.approx(0.25)
        assert np.linalg.norm(line[-1] - tip) == pytest.approx(0.14)
        for at, box in enumerate(boxes):
            inside = (np.abs(line - (box.min(0) + box.max(0)) / 2) < np.ptp(box, axis=0) / 2).all(1)
            if at not in (source, target):
                assert inside.any() == (at == 4 + number)
    # No two lines leave a node, or come to it, at one place.
    for ends in (
        [edge[0][1][0] for edge in shapes.edges],
        [head[0][1][0] for head in shapes.heads],
    ):
        assert len(set(ends)) == 6


def test_everything_of_operations_on_edges_lies_within_the_corners(on_edges):
    shapes = cell_shapes(on_edges)
    points = np.concatenate([points_on(each) for each in (*shapes.edges, *shapes.boxes)])
    assert points.min(0) == pytest.approx(np.array(shapes.low) + 0.08)
    assert points.max(0) == pytest.approx(np.array(shapes.high) - 0.08)


@pytest.mark.parametrize("nodes", [2, 3])
def test_fewer_nodes_are_drawn_too(nodes):
    space = CellSpace.on_edges("few", ("a", "b"), (1.0, 2.0), nodes=nodes)
    edges = nodes * (nodes - 1) // 2
    mask, ops = torch.tensor([space.mask]), torch.arange(edges)[None] % 2
    shapes = cell_shapes(PackedCells(torch.tensor([space.max_vertices]), mask, ops, space))
    assert len(shapes.edges) == edges
    assert len(shapes.boxes) == nodes + edges


def test_cells_of_eleven_vertices_have_no_edge_through_a_box():
    space = CellSpace("large", tuple("abcdefghi"), (1.0,) * 9, 11, 55)
    generator = torch.Generator().manual_seed(0)
    for share in (0.2, 0.3, 0.5, 1.1):
        bits = torch.rand(1, space.num_slots, generator=generator) < share
        # A chain through all vertices, so that none would have to be pruned.
        bits[0, [slot for slot, (x, y) in enumerate(space.slots) if y == x + 1]] = True
        ops = torch.randint(9, (1, 9), generator=generator)
        cell = PackedCells.from_bits(torch.tensor([11]), bits, ops, space)
        boxes, shapes = centres(cell), cell_shapes(cell)
        assert len(shapes.edges) == bits.sum()
        for edge in shapes.edges:
            distance = np.abs(points_on(edge)[:, None] - boxes)
            within = distance < [BOX_WIDTH / 2 - 1e-9, BOX_HEIGHT / 2 + 0.1]
            assert not within.all(2).any()
