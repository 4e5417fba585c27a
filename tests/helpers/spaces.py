"""Spaces that hypothesis draws."""

from itertools import combinations

from hypothesis import strategies as st

from gnn_nas.spaces.space import CellSpace


@st.composite
def spaces(draw):
    """Small spaces, of free and of fixed wiring, and with a number of edges into every op."""
    ops = draw(st.integers(1, 5))
    named = tuple(f"op{op}" for op in range(ops)), tuple(float(op % 3) for op in range(ops))
    edits = draw(st.integers(1, 3))
    # One op at least computes something.
    special = {
        role: draw(st.sampled_from([None, f"op{number}"]))
        for number, role in enumerate(("zero", "identity"))
        if number < ops - 1
    }
    kind = draw(st.sampled_from(["free", "in-edges", "wired"]))
    if kind == "in-edges":
        vertices, count = draw(st.integers(4, 5)), draw(st.integers(1, 2))
        edits = min(edits, vertices - 2)
        return CellSpace("drawn", *named, vertices, 9, edits, in_edges=count, **special)
    if kind == "free":
        vertices, edges = draw(st.integers(3, 5)), draw(st.integers(2, 8))
        return CellSpace("drawn", *named, vertices, edges, edits, **special)
    vertices = draw(st.integers(4, 6))
    slots = list(combinations(range(vertices), 2))
    # A path through all vertices, and any other edges.
    path = {(vertex, vertex + 1) for vertex in range(vertices - 1)}
    more = draw(st.sets(st.sampled_from(slots)))
    return CellSpace.wired("drawn", *named, path | more, min(edits, vertices - 2), **special)
