import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.spaces.pruning import on_a_path, prune, sources_of


def naive_prune(labels: list[int], edges: set[tuple[int, int]]):
    """The cell without vertices off all paths from input to output, or nothing where none is."""

    def reachable(start: int, steps: set[tuple[int, int]]) -> set[int]:
        found, frontier = {start}, [start]
        while frontier:
            vertex = frontier.pop()
            new = {y for x, y in steps if x == vertex} - found
            found |= new
            frontier += new
        return found

    last = len(labels) - 1
    kept = sorted(reachable(0, edges) & reachable(last, {(y, x) for x, y in edges}))
    if last not in kept:
        return None
    return (
        [labels[v] for v in kept],
        {(kept.index(x), kept.index(y)) for x, y in edges if x in kept and y in kept},
    )


def test_agrees_with_plain_loops(any_cells, plain):
    pruned, valid = prune(any_cells)
    outcomes = {"valid": 0, "changed": 0, "no path": 0, "too many edges": 0}
    for before, after, is_valid in zip(plain(any_cells), plain(pruned), valid, strict=True):
        expected = naive_prune(*before)
        assert bool(is_valid) == (expected is not None and len(expected[1]) <= 9)
        if expected is None:
            outcomes["no path"] += 1
            continue
        assert after == expected
        outcomes["valid" if is_valid else "too many edges"] += 1
        outcomes["changed"] += after != before
    assert min(outcomes.values()) > 500


def test_ops_no_vertex_has_are_zero(any_cells):
    pruned, _ = prune(any_cells)
    assert int((pruned.ops * ~pruned.has_interior()).sum()) == 0


def test_forms_need_no_pruning(forms):
    forms = forms[::13]
    pruned, valid = prune(forms)
    assert bool(valid.all())
    assert pruned.vertices.equal(forms.vertices)
    assert pruned.edges.equal(forms.edges)
    assert pruned.ops.equal(forms.ops)


@pytest.mark.slow
@given(st.integers(2, 70), st.floats(0, 1), st.randoms(use_true_random=False))
def test_one_cell_of_any_size_agrees_with_plain_loops(count, density, random):
    edges = {(x, y) for y in range(count) for x in range(y) if random.random() < density}
    matrix = np.zeros((count, count), dtype=bool)
    for edge in edges:
        matrix[edge] = True
    expected = naive_prune(list(range(count)), edges)
    assert on_a_path(sources_of(matrix)) == ([] if expected is None else expected[0])
