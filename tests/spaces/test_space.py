"""What a space says of itself, and that all that knows cells holds in any small one."""

from itertools import combinations, permutations, product

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.errors import UserError
from gnn_nas.models.controller import Controller
from gnn_nas.spaces.checker import networkx_distance
from gnn_nas.spaces.conversion import from_matrix, to_matrix
from gnn_nas.spaces.descriptors import descriptors, num_descriptors, standard_descriptors
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.neighbours import neighbours
from gnn_nas.spaces.packed import PackedCells, pack
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.space import SLOT_SOURCES, SLOT_TARGETS, CellSpace, num_slots, slot_of
from gnn_nas.spaces.table import CellTable, load_table
from gnn_nas.spaces.tokens import from_tokens, to_tokens
from tests.helpers.spaces import spaces

SMALL = ModelConfig(
    encoder=GINConfig(hidden=8, layers=2), embedding=6, decoder_hidden=8, predictor_hidden=8
)


def test_slots_number_the_upper_triangle():
    ends = list(zip(SLOT_SOURCES, SLOT_TARGETS, strict=True))
    assert [slot_of(x, y) for x, y in ends] == list(range(55))
    assert sorted(ends) == [(x, y) for x in range(11) for y in range(x + 1, 11)]


def test_the_slots_of_a_smaller_cell_come_first():
    for vertices in range(2, 12):
        inside = [y < vertices for y in SLOT_TARGETS]
        assert inside == sorted(inside, reverse=True)
        assert num_slots(vertices) == sum(inside)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ops": ()}, "mine: it has no ops"),
        ({"ops": ("a", "b", "a")}, "a is the name of two ops"),
        (
            {"ops": ("a", "input", "b")},
            "input is the name of two ops, or of an op",
        ),
        ({"parameters": (1.0,)}, "1 numbers of parameters do not fit 3 ops"),
        ({"zero": "d"}, "zero is d, which is none of its ops"),
        ({"identity": "d"}, "identity is d, which is none of its ops"),
        ({"zero": "a", "identity": "a"}, "a cannot be zero and identity"),
        (
            {"ops": ("a", "b"), "parameters": (0.0, 0.0), "zero": "a", "identity": "b"},
            "no op computes anything: all are zero or identity",
        ),
        ({"max_vertices": 12}, "max_vertices must be from 3 to 11, not 12"),
        ({"max_vertices": 2}, "max_vertices must be from 3 to 11, not 2"),
        ({"max_edges": 1}, "max_edges must be at least 2, not 1"),
        ({"in_edges": 0}, "in_edges must be at least 1, not 0"),
        ({"in_edges": 3}, "max_edges is 6, but in_edges make at least 7"),
        ({"in_edges": 1, "wiring": ((0, 1), (1, 2))}, "in_edges and a wiring do not go together"),
        ({"max_edits": 0}, "max_edits must be at least 1, not 0"),
        ({"wiring": ((0, 1), (2, 1))}, r"the edge \(2, 1\) does not lead from a lower"),
        ({"wiring": ((0, 1), (1, 5))}, r"the edge \(1, 5\) does not lead from a lower"),
        ({"wiring": ((0, 4), (1, 4), (0, 2), (2, 4), (0, 3), (3, 4))}, "vertex 1 has no edge into"),
        ({"wiring": ((0, 1), (1, 2), (0, 3), (3, 4))}, "vertex 2 has no edge out of it"),
        ({"wiring": ((0, 1), (1, 2), (2, 3), (3, 4), (3, 4))}, "an edge is given twice"),
        ({"wiring": ((0, 1), (1, 2), (2, 3), (3, 4))}, "max_edges is 6, but the wiring has 4"),
    ],
)
def test_an_impossible_space_is_refused_in_one_line(changes, message):
    said = {"ops": ("a", "b", "c"), "parameters": (1.0, 2.0, 0.0), "max_vertices": 5}
    with pytest.raises(UserError, match=message):
        CellSpace("mine", **{**said, "max_edges": 6, **changes})


def naive_cells(space: CellSpace) -> dict[tuple, int]:
    """Number of labelled forms of every cell, by the least way to write it down, in plain loops."""
    found: dict[tuple, int] = {}
    if space.wiring:
        interior = space.max_vertices - 2
        return dict.fromkeys(product(range(len(space.ops)), repeat=interior), 1)
    for vertices in range(2, space.max_vertices + 1):
        slots = list(combinations(range(vertices), 2))
        for chosen in product((False, True), repeat=len(slots)):
            edges = [slot for slot, there in zip(slots, chosen, strict=True) if there]
            if len(edges) > space.max_edges or not all(
                (v == vertices - 1 or any(x == v for x, _ in edges))
                and (v == 0 or any(y == v for _, y in edges))
                for v in range(vertices)
            ):
                continue
            if space.in_edges and (vertices < space.max_vertices or not has_sources(space, edges)):
                continue
            for ops in product(range(len(space.ops)), repeat=vertices - 2):
                form = least_form(vertices, edges, ops)
                found[form] = found.get(form, 0) + 1
    return found


def has_sources(space: CellSpace, edges: list[tuple[int, int]]) -> bool:
    output = space.max_vertices - 1
    into = [sum(y == op for _, y in edges) for op in range(1, output)]
    leaves = {x for x, y in edges if y == output}
    feeding = {x for x, y in edges if y < output}
    return (
        into == [min(space.in_edges, op) for op in range(1, output)]
        and leaves == set(range(1, output)) - feeding
    )


def least_form(vertices: int, edges: list[tuple[int, int]], ops: tuple[int, ...]) -> tuple:
    def written(order: tuple[int, ...]) -> tuple:
        number = {old: new for new, old in enumerate((0, *order, vertices - 1))}
        renamed = sorted((number[x], number[y]) for x, y in edges)
        return vertices, tuple(ops[v - 1] for v in order), tuple(renamed)

    return min(written(order) for order in permutations(range(1, vertices - 1)))


def plain(cells: PackedCells) -> list[tuple]:
    forms: list[tuple] = []
    if cells.space.wiring:
        return [tuple(ops) for ops in cells.ops.tolist()]
    for vertices, mask, ops in zip(
        cells.vertices.tolist(), cells.edges.tolist(), cells.ops.tolist(), strict=True
    ):
        edges = [(x, y) for x, y in combinations(range(vertices), 2) if mask >> slot_of(x, y) & 1]
        forms.append(least_form(vertices, edges, tuple(ops[: vertices - 2])))
    return forms


@given(spaces().filter(lambda space: len(space.ops) <= 3 or space.max_vertices <= 4))
@settings(max_examples=12)
def test_the_table_of_a_space_has_every_cell_once(space):
    table, expected = load_table(space), naive_cells(space)
    found = plain(table.cells)
    assert len(set(found)) == len(found)
    assert set(found) == expected.keys()
    forms = table.row_of_form.bincount(minlength=len(table)).tolist()
    assert dict(zip(found, forms, strict=True)) == expected
    assert table.rows_of(table.cells).equal(torch.arange(len(table)))


def editable(table: CellTable, generator: torch.Generator, count: int) -> Tensor:
    rows = (table.cells.vertices > 2).nonzero().flatten()
    return rows[torch.randint(len(rows), (count,), generator=generator)]


@given(spaces().filter(lambda space: len(space.ops) > 1 and space.max_edges > 3))
@settings(max_examples=12)
def test_positives_are_edits_away_and_nothing_else(space):
    table, generator = load_table(space), torch.Generator().manual_seed(0)
    anchors = editable(table, generator, 12)
    positives = PositiveSampler(table).sample(anchors, 3, generator)
    assert table.index_of(positives.cells).equal(positives.rows)
    assert 1 <= int(positives.num_edits.min()) <= int(positives.num_edits.max()) <= space.max_edits
    origins = anchors.repeat_interleave(3)
    distance = edit_distance(table.cells[origins], table.cells[positives.rows])
    assert bool(((distance >= 1) & (distance <= positives.num_edits)).all())
    pairs = zip(table.cells[origins].to_batch().to_data_list(), positives.cells, strict=False)
    data = positives.cells.to_data_list()
    for number, (first, _) in enumerate(pairs):
        assert networkx_distance(first, data[number], space=space) == int(distance[number])


@given(spaces())
@settings(max_examples=20)
def test_cells_come_back_from_every_other_form(space):
    table = load_table(space)
    cells, parsed = from_tokens(to_tokens(table.cells), space)
    assert bool(parsed.all())
    assert table.rows_of(cells).equal(torch.arange(len(table)))
    assert table.rows_of(pack(table.cells.to_batch(), space)).equal(torch.arange(len(table)))
    pruned, valid = prune(table.cells)
    assert bool(valid.all())
    assert pruned.edges.equal(table.cells.edges)
    cell = table.cells[len(table) // 2 : len(table) // 2 + 1].to_batch()[0]
    assert table.index_of(from_matrix(*to_matrix(cell, space), space)).item() == len(table) // 2


# With two edges into an op, to turn one round is one edit more than another source for an op is.
@given(spaces().filter(lambda space: space.in_edges != 2))
@settings(max_examples=12)
def test_all_that_is_one_edit_away_is_a_neighbour(space):
    table, generator = load_table(space), torch.Generator().manual_seed(0)
    rows = torch.randint(len(table), (8,), generator=generator)
    owner, found = neighbours(table, rows)
    assert bool((rows[owner] != found).all())
    others = torch.arange(len(table)).repeat(len(rows))
    origins = rows.repeat_interleave(len(table))
    near = edit_distance(table.cells[origins], table.cells[others]) == 1
    pairs = set(zip(owner.tolist(), found.tolist(), strict=True))
    positions = torch.arange(len(rows)).repeat_interleave(len(table))[near]
    assert set(zip(positions.tolist(), others[near].tolist(), strict=True)) <= pairs


@given(spaces())
@settings(max_examples=12)
def test_descriptors_and_a_controller_fit_the_space(space):
    table = load_table(space)
    blocks = descriptors(table.cells)
    assert all(bool(block.isfinite().all()) for block in blocks)
    assert tuple(block.shape[1] for block in blocks) == num_descriptors(space)
    assert len(blocks) == (3 if space.wiring else 2)
    assert standard_descriptors(table).shape == (len(table), sum(num_descriptors(space)))
    controller = Controller(SMALL, seed=1, space=space)
    embeddings = controller.encode_rows(table)
    assert controller.predictor.predict_descriptors(embeddings).shape[1] == sum(
        num_descriptors(space)
    )
    logits = controller.decoder(embeddings, to_tokens(table.cells))
    tokens = len(space.ops) + (2 if space.wiring else 4)
    assert logits.shape == (to_tokens(table.cells).shape[1], tokens, len(table))
    cells, valid = controller.decode(embeddings)
    assert cells.space == space
    assert bool((table.rows_of(cells[valid]) >= 0).all())


def test_no_distance_between_spaces():
    other = load_table(CellSpace("other", ("a", "b"), (1.0, 0.0), 4, 6))
    cells = PackedCells(torch.tensor([2]), torch.tensor([1]), torch.zeros(1, 5).long(), NASBENCH101)
    with pytest.raises(ValueError, match="cells of other have no distance to nasbench101's"):
        edit_distance(other.cells[:1], cells)
