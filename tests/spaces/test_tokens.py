import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.tokens import from_tokens, to_tokens

CHAIN = [2, 3, 1, 2, 6]  # input -> conv3x3 -> output: one edge, op; no edge, edge, output


def naive_tokens(labels: list[int], edges: set[tuple[int, int]]) -> list[int]:
    tokens = []
    for vertex in range(1, len(labels)):
        tokens += [2 if (x, vertex) in edges else 1 for x in range(vertex)]
        tokens.append(labels[vertex] + 2)
    return tokens + [0] * (27 - len(tokens))


def naive_parse(tokens: list[int]) -> tuple[list[int], set[tuple[int, int]]] | None:
    labels, edges, rest = [0], set(), list(tokens)
    while labels[-1] != 4:
        vertex = len(labels)
        spoken, rest = rest[: vertex + 1], rest[vertex + 1 :]
        if len(spoken) <= vertex or spoken[-1] not in (3, 4, 5, 6):
            return None
        if any(token not in (1, 2) for token in spoken[:-1]):
            return None
        edges |= {(x, vertex) for x in range(vertex) if spoken[x] == 2}
        labels.append(spoken[-1] - 2)
    return None if any(rest) else (labels, edges)


def padded(tokens: list[int]) -> list[int]:
    return tokens + [0] * (27 - len(tokens))


def test_all_cells_survive_the_round_trip(table):
    parsed_cells, parsed = from_tokens(to_tokens(table.cells), NASBENCH101)
    assert bool(parsed.all())
    assert parsed_cells.vertices.equal(table.cells.vertices)
    assert parsed_cells.edges.equal(table.cells.edges)
    assert parsed_cells.ops.equal(table.cells.ops)


def test_tokens_are_those_of_plain_loops(some_forms, any_cells, plain):
    for cells in (some_forms, any_cells):
        assert to_tokens(cells).tolist() == [naive_tokens(*cell) for cell in plain(cells)]


def test_lengths(table):
    spoken = (to_tokens(table.cells) != 0).sum(1)
    lengths = {v: spoken[table.cells.vertices == v].unique().tolist() for v in range(2, 8)}
    assert lengths == {2: [2], 3: [5], 4: [9], 5: [14], 6: [20], 7: [27]}


def test_a_known_sequence(table):
    chain = ((table.cells.edges == 0b101) & (table.cells.ops[:, 0] == 0)).nonzero().flatten()
    assert to_tokens(table.cells[chain]).tolist() == [padded(CHAIN)]


def assert_parsed_like_plain_loops(tokens: list[int], plain) -> None:
    cells, parsed = from_tokens(torch.tensor([tokens]), NASBENCH101)
    expected = naive_parse(tokens)
    assert parsed.tolist() == [expected is not None]
    if expected is not None:
        assert plain(cells) == [expected]


@settings(derandomize=True, max_examples=300)
@given(st.lists(st.integers(-1, 8), min_size=27, max_size=27))
@example(padded([]))
@example(padded([2, 6]))
@example(padded([6, 2]))
@example(padded([*CHAIN, 6]))
@example(padded([*CHAIN[:-1], 5]))
@example([0, *padded(CHAIN)[:-1]])
@example([*padded(CHAIN)[:-1], 1])
def test_any_tokens_parse_like_plain_loops(plain, tokens):
    assert_parsed_like_plain_loops(tokens, plain)


@settings(derandomize=True, max_examples=300)
@given(
    st.integers(0, 423_623),
    st.lists(st.tuples(st.integers(0, 26), st.integers(0, 6)), max_size=3),
)
def test_changed_sequences_parse_like_plain_loops(table, plain, row, changes):
    """Random tokens rarely parse; a real sequence with a few tokens changed often does."""
    tokens = to_tokens(table.cells[[row]])[0].tolist()
    for position, token in changes:
        tokens[position] = token
    assert_parsed_like_plain_loops(tokens, plain)


def test_what_does_not_parse_leaves_its_neighbours_alone(table):
    tokens = to_tokens(table.cells[:3])
    tokens[1, 0] = 6
    cells, parsed = from_tokens(tokens, NASBENCH101)
    assert parsed.tolist() == [True, False, True]
    kept = PackedCells(cells.vertices[parsed], cells.edges[parsed], cells.ops[parsed])
    assert table.rows_of(kept).tolist() == [0, 2]
