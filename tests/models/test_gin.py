import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize
from torch_geometric.data import Batch, Data
from torch_geometric.nn import global_add_pool

from gnn_nas.models.gin import DirectedGINConv, GINEncoder, distinct_rows, neighbourhoods
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import SLOT_SOURCES, SLOT_TARGETS, slot_of
from gnn_nas.spaces.table import CellTable


@pytest.fixture(scope="module")
def encoder() -> GINEncoder:
    torch.manual_seed(0)
    return GINEncoder(embedding_size=10, hidden=12, layers=3).double()


def naive_embedding(encoder: GINEncoder, cell: Data) -> Tensor:
    """Message passing vertex by vertex and edge by edge."""
    states = [row.double() for row in cell.x]
    sums = [sum(states)]
    for conv in encoder.convs:
        following = []
        for vertex, state in enumerate(states):
            incoming, outgoing = torch.zeros_like(state), torch.zeros_like(state)
            for source, target in cell.edge_index.T.tolist():
                if target == vertex:
                    incoming = incoming + states[source]
                if source == vertex:
                    outgoing = outgoing + states[target]
            following.append(conv.mlp(torch.cat([state, incoming, outgoing])))
        states = following
        sums.append(sum(states))
    projected = encoder.project(torch.cat(sums))
    return projected / projected.square().sum().sqrt()


def renumbered(cell: Data, order: list[int]) -> Data:
    """The same cell with vertex ``order[i]`` as vertex ``i``."""
    place = torch.tensor(order).argsort()
    return Data(x=cell.x[order], edge_index=place[cell.edge_index])


def reversed_cells(cells: PackedCells) -> PackedCells:
    """Every edge turned around, input and output swapped; valid where the cells are."""
    last = (cells.vertices - 1)[:, None]
    bits = cells.edge_bits()
    edges = torch.zeros_like(cells.edges)
    for slot, (x, y) in enumerate(zip(SLOT_SOURCES[:21], SLOT_TARGETS[:21], strict=True)):
        for vertices in range(y + 1, 8):
            there = slot_of(vertices - 1 - y, vertices - 1 - x)
            edges += (bits[:, slot] & (last[:, 0] == vertices - 1)).long() << there
    interior = torch.arange(5)
    flipped = cells.ops.gather(1, (last - 2 - interior).clamp(min=0))
    return PackedCells(cells.vertices, edges, torch.where(interior < last - 1, flipped, 0))


def undirected(batch: Batch) -> Batch:
    both = batch.clone()
    both.edge_index = torch.cat([batch.edge_index, batch.edge_index.flip(0)], dim=1)
    return both


def some_rows(table: CellTable, count: int) -> Tensor:
    small = (table.cells.vertices < 6).nonzero().flatten()
    generator = torch.Generator().manual_seed(3)
    picked = small[torch.randint(len(small), (count // 2,), generator=generator)]
    return torch.cat([picked, torch.randint(len(table), (count // 2,), generator=generator)])


@torch.no_grad()
def test_equals_naive_message_passing(table, encoder):
    edge_only = (table.cells.vertices == 2).nonzero().flatten()
    batch = table.cells[torch.cat([edge_only, some_rows(table, 30)])].to_batch()
    expected = torch.stack([naive_embedding(encoder, cell) for cell in batch.to_data_list()])
    torch.testing.assert_close(encoder.encode(batch), expected, rtol=0, atol=1e-12)


def test_gradients_equal_those_of_naive_message_passing(table, encoder):
    batch = table.cells[some_rows(table, 6)].to_batch()
    outer = torch.randn(6, 10, dtype=torch.float64)
    parameters = list(encoder.parameters())
    ours = torch.autograd.grad((encoder.encode(batch) * outer).sum(), parameters)
    naive = torch.stack([naive_embedding(encoder, cell) for cell in batch.to_data_list()])
    theirs = torch.autograd.grad((naive * outer).sum(), parameters)
    assert sum(int(gradient.any()) for gradient in theirs) == len(parameters)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


@settings(max_examples=50)
@given(row=st.integers(0, 423_623), random=st.randoms(use_true_random=False))
@torch.no_grad()
def test_the_embedding_does_not_depend_on_the_vertex_order(table, encoder, row, random):
    cell = table.cells[row : row + 1].to_batch()[0]
    order = list(range(len(cell.x)))
    random.shuffle(order)
    pair = encoder.encode(Batch.from_data_list([cell, renumbered(cell, order)]))
    torch.testing.assert_close(pair[0], pair[1], rtol=0, atol=1e-12)


@torch.no_grad()
def test_reversed_cells_are_told_apart_where_undirected_sums_cannot(table, encoder):
    rows = (table.cells.vertices <= 5).nonzero().flatten()
    cells = table.cells[rows]
    turned = reversed_cells(cells)
    turned_rows = table.rows_of(turned)
    assert (turned_rows >= 0).all()
    assert torch.equal(table.rows_of(reversed_cells(turned)), rows)

    one, other = cells.to_batch(), turned.to_batch()
    blind = (encoder.encode(undirected(one)) - encoder.encode(undirected(other))).norm(dim=1) < 1e-9
    confused = blind & (turned_rows != rows)
    assert confused.sum() > 20
    # in -> a, in -> b, a -> b, a -> out, b -> out, with different ops at a and b.
    known = sum(1 << slot_of(*edge) for edge in ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3)))
    assert confused[(cells.edges == known) & (cells.ops[:, 0] != cells.ops[:, 1])].all()

    apart = (encoder.encode(one) - encoder.encode(other)).norm(dim=1)
    assert apart[confused].min() > 1e-6
    assert apart[turned_rows == rows].max() < 1e-12


@torch.no_grad()
def test_a_batch_is_its_cells_one_by_one_and_of_unit_length(table, encoder):
    batch = table.cells[some_rows(table, 40)].to_batch()
    whole = encoder.encode(batch)
    assert whole.shape == (40, 10)
    assert whole.dtype == torch.float64
    torch.testing.assert_close(whole.norm(dim=1), torch.ones(40).double(), rtol=0, atol=1e-12)
    for cell, embedding in zip(batch.to_data_list(), whole, strict=True):
        alone = encoder.encode(Batch.from_data_list([cell]))
        torch.testing.assert_close(alone[0], embedding, rtol=0, atol=1e-12)


@torch.no_grad()
def test_single_precision_gives_the_same_to_its_rounding(table, encoder):
    batch = table.cells[some_rows(table, 40)].to_batch()
    single = GINEncoder(embedding_size=10, hidden=12, layers=3)
    single.load_state_dict(encoder.state_dict())
    embeddings = single.encode(batch)
    assert embeddings.dtype == torch.float32
    torch.testing.assert_close(embeddings.double(), encoder.encode(batch), rtol=0, atol=1e-5)


@torch.no_grad()
def test_under_autocast_embeddings_are_as_before_but_for_its_rounding(table, encoder):
    batch = table.cells[some_rows(table, 200)].to_batch()
    single = GINEncoder(embedding_size=10, hidden=12, layers=3)
    single.load_state_dict(encoder.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        embeddings = single.encode(batch)
    assert embeddings.dtype == torch.float32
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(200), rtol=0, atol=1e-6)
    assert 1e-5 < (embeddings - encoder.encode(batch)).norm(dim=1).max() < 0.05


@torch.no_grad()
def test_a_layer_keeps_the_directions_apart():
    conv = DirectedGINConv(1, 3)
    conv.mlp = torch.nn.Sequential(torch.nn.Linear(3, 3))
    torch.nn.init.eye_(conv.mlp[0].weight)
    torch.nn.init.zeros_(conv.mlp[0].bias)
    edges = torch.tensor([[0, 0, 1], [1, 2, 2]])
    x = torch.tensor([[1.0], [10.0], [100.0]])
    assert conv(x, edges).tolist() == [[1, 0, 110], [10, 1, 100], [100, 11, 0]]
    shared = neighbourhoods(torch.tensor([0, 1, 0]), edges, num_states=2)
    assert conv.fused(x[:2], shared)[:3].tolist() == [[1, 0, 11], [10, 1, 1], [1, 11, 0]]


def plain(encoder: GINEncoder, cells: Batch) -> Tensor:
    """The encoder as its docstring has it: message passing on all vertices, layer by layer."""
    x = cells.x.double()
    pooled = [global_add_pool(x, cells.batch)]
    for conv in encoder.convs:
        x = conv(x, cells.edge_index)
        pooled.append(global_add_pool(x, cells.batch))
    return normalize(encoder.project(torch.cat(pooled, dim=1)), dim=1)


def test_what_is_fused_equals_plain_layers(table, encoder):
    batch = table.cells[some_rows(table, 200)].to_batch()
    outer = torch.randn(200, 10, dtype=torch.float64)
    parameters = list(encoder.parameters())
    fused, layers = encoder.encode(batch), plain(encoder, batch)
    torch.testing.assert_close(fused, layers, rtol=0, atol=1e-12)
    ours = torch.autograd.grad((fused * outer).sum(), parameters)
    theirs = torch.autograd.grad((layers * outer).sum(), parameters)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


def star(leaves: int) -> Data:
    """A vertex with that many successors, all alike, which no cell of the space has."""
    x = torch.zeros(leaves + 1, 5)
    x[0, 0] = x[1:, 1] = 1
    return Data(x=x, edge_index=torch.tensor([[0] * leaves, range(1, leaves + 1)]))


@torch.no_grad()
def test_vertices_may_have_any_number_of_neighbours(encoder):
    sizes = [1, 7, 8, 9, 15, 16, 17, 40, 5000]
    batch = Batch.from_data_list([star(leaves) for leaves in sizes])
    embeddings = encoder.encode(batch)
    torch.testing.assert_close(embeddings, plain(encoder, batch), rtol=0, atol=1e-12)
    assert len(embeddings.unique(dim=0)) == len(sizes)


@pytest.mark.parametrize(
    ("columns", "most"), [(3, 1), (15, 6), (15, 20), (21, 8), (24, 8), (62, 1), (80, 1), (2, 2**40)]
)
def test_rows_are_told_apart_however_many_and_large_their_numbers_are(columns, most):
    generator = torch.Generator().manual_seed(columns)
    few = torch.randint(most + 1, (9, columns), generator=generator).double()
    few[0, -1], few[1], few[2] = most, few[0], few[0]
    few[2, 0] = most - few[0, 0]
    rows = few[torch.randint(9, (50,), generator=generator)]
    distinct, number = distinct_rows(rows)
    assert torch.equal(distinct[number], rows)
    assert len(distinct) == 256


def test_rows_that_are_no_counts_are_told_apart_too():
    for other in (-1.0, 0.5, 1.5, 1e300, float("inf")):
        rows = torch.tensor([[1.0, 0.0], [1.0, other], [1.0, 0.0], [0.0, other]]).double()
        distinct, number = distinct_rows(rows)
        assert torch.equal(distinct[number], rows)


def test_rows_that_are_alike_are_one():
    rows = torch.tensor([[0.0, 6.0], [1.0, 0.0], [0.0, 6.0], [0.0, 0.0]])
    distinct, number = distinct_rows(rows)
    assert distinct[:3].tolist() == [[0, 0], [1, 0], [0, 6]]
    assert not distinct[3:].any()
    assert number.tolist() == [2, 1, 2, 0]


def test_all_slots_are_reversed_once():
    everything = PackedCells(
        torch.tensor([7]), torch.tensor([(1 << 21) - 1]), torch.zeros(1, 5).long()
    )
    assert reversed_cells(everything).edges.item() == (1 << 21) - 1


@torch.no_grad()
def test_sizes_of_products_are_few(table, encoder):
    """Products of a new size are slow and cost memory, so batches are made to have the same."""
    sizes = set()
    for conv in encoder.convs:
        conv.mlp[2].register_forward_hook(lambda _module, given, _result: sizes.add(len(given[0])))
    for start in range(0, 2000, 100):
        encoder.encode(table.cells[start : start + 100].to_batch())
    for conv in encoder.convs:
        conv.mlp[2]._forward_hooks.clear()
    assert sizes == {512, 768}
