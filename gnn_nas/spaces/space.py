"""What a space of cells is: its operations and limits, and the numbering of edges in all spaces.

A cell is a directed acyclic graph whose vertices are kept in topological order, input first and
output last, with an operation on every vertex between (Ying et al. 2019). An edge ``x -> y`` with
``x < y`` has the *slot* ``x + y (y - 1) / 2``, so the slots of a cell of ``V`` vertices are the
first ``V (V - 1) / 2`` and do not change when the cell grows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gnn_nas.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

Count = TypeVar("Count", int, "Tensor")

INPUT, OUTPUT = "input", "output"
# Its 55 slots are the most that a 64-bit mask holds.
MOST_VERTICES = 11

SLOT_TARGETS = tuple(y for y in range(1, MOST_VERTICES) for _ in range(y))
SLOT_SOURCES = tuple(x for y in range(1, MOST_VERTICES) for x in range(y))


def slot_of(source: Count, target: Count) -> Count:
    """Number of the edge slot ``source -> target``, for ``source < target``."""
    return source + target * (target - 1) // 2


def num_slots(vertices: Count) -> Count:
    """Edge slots of a cell with this many vertices: its strictly upper triangle."""
    return vertices * (vertices - 1) // 2


def node_edges(nodes: int) -> tuple[tuple[int, int], ...]:
    """Edges between nodes that carry an operation, in the order of NAS-Bench-201's text."""
    return tuple((source, target) for target in range(1, nodes) for source in range(target))


@dataclass(frozen=True)
class CellSpace:
    """A space of cells.

    Args:
        name: of the space, for files and messages.
        ops: names of the operations; their order is that of their numbers.
        parameters: of every op of unit width, as many as ``ops``: what a descriptor weighs it by.
        max_vertices: of a cell, input and output included.
        max_edges: of a cell.
        max_edits: unit edits that a positive may be away from its anchor.
        wiring: edges that every cell has, where only ops differ, by source and target; else None.
            The cells are then no classes of isomorphism: every choice of ops is a cell.
        nodes: where the vertices stand for operations on edges, the nodes of the cell as people
            draw it, see `on_edges`; else None.
        modules: ``module:object`` of every op that networks can be built of, as many as ``ops``:
            what makes a module of a number of channels. Empty where no op is built.
        zero: the op that gives zeros whatever it is given, so that no path leads through it; None
            where there is none.
        identity: the op that gives what it is given; None where there is none.
        in_edges: into every op, or one from each earlier vertex where these are fewer. Every cell
            then has ``max_vertices``, and the ops that feed no other feed the output. Else None.
        reduction: ``module:object`` of what joins cells into one that compute the same, beyond
            isomorphism, see `gnn_nas.spaces.pruning`. Else None.
        network: ``module:object`` of the network around a cell where it tells the classes of a
            graph's nodes, which is to have all that `gnn_nas.tasks.graph_network` has. None where
            networks, if any, are of images, and built of ``modules``.

    Raises:
        UserError: two ops have one name, one is called as input or output are, zero and identity
            are no ops or all there are, the limits admit no cell or more than a mask of edges can
            hold, or the wiring is no cell's.
    """

    name: str
    ops: tuple[str, ...]
    parameters: tuple[float, ...]
    max_vertices: int
    max_edges: int
    max_edits: int = 3
    wiring: tuple[tuple[int, int], ...] | None = None
    nodes: int | None = None
    modules: tuple[str, ...] = ()
    zero: str | None = None
    identity: str | None = None
    in_edges: int | None = None
    reduction: str | None = None
    network: str | None = None

    @classmethod
    def wired(
        cls,
        name: str,
        ops: tuple[str, ...],
        parameters: tuple[float, ...],
        wiring: Iterable[tuple[int, int]],
        max_edits: int = 1,
        **others: Any,
    ) -> CellSpace:
        """A space whose cells all have these edges."""
        edges = tuple(sorted((x, y) for x, y in wiring))
        vertices = 1 + max((y for _, y in edges), default=0)
        return cls(name, ops, parameters, vertices, len(edges), max_edits, edges, **others)

    @classmethod
    def on_edges(
        cls,
        name: str,
        ops: tuple[str, ...],
        parameters: tuple[float, ...],
        nodes: int,
        **others: Any,
    ) -> CellSpace:
        """A space with an operation on every edge between so many nodes (Dong & Yang 2020).

        The operation of an edge ``i -> j`` is a vertex here; it feeds the operation of every edge
        that leaves ``j``. Vertices are in the order of `node_edges`.
        """
        edges = node_edges(nodes)
        last = len(edges) + 1
        wiring = [(0, number) for number, edge in enumerate(edges, 1) if edge[0] == 0]
        wiring += [(number, last) for number, edge in enumerate(edges, 1) if edge[1] == nodes - 1]
        wiring += [
            (number, onward)
            for number, edge in enumerate(edges, 1)
            for onward, next_edge in enumerate(edges, 1)
            if edge[1] == next_edge[0]
        ]
        return cls.wired(name, ops, parameters, wiring, nodes=nodes, **others)

    def __post_init__(self) -> None:
        def refuse(what: str) -> None:
            raise UserError(f"space {self.name}: {what}")

        if not self.ops:
            refuse("it has no ops")
        if doubled := sorted({op for op in self.features if self.features.count(op) > 1}):
            refuse(f"{doubled[0]} is the name of two ops, or of an op and of the cell's end")
        if len(self.parameters) != len(self.ops):
            refuse(f"{len(self.parameters)} numbers of parameters do not fit {len(self.ops)} ops")
        if self.modules and len(self.modules) != len(self.ops):
            refuse(f"{len(self.modules)} modules do not fit {len(self.ops)} ops")
        for role, op in (("zero", self.zero), ("identity", self.identity)):
            if op is not None and op not in self.ops:
                refuse(f"{role} is {op}, which is none of its ops")
        if self.zero is not None and self.zero == self.identity:
            refuse(f"{self.zero} cannot be zero and identity")
        if not self.computing:
            refuse("no op computes anything: all are zero or identity")
        if not 3 <= self.max_vertices <= MOST_VERTICES:
            refuse(f"max_vertices must be from 3 to {MOST_VERTICES}, not {self.max_vertices}")
        if self.wiring is None and self.max_edges < 2:
            refuse(f"max_edges must be at least 2, not {self.max_edges}: an op has two edges")
        if self.max_edits < 1:
            refuse(f"max_edits must be at least 1, not {self.max_edits}")
        if self.in_edges is not None:
            if self.wiring is not None:
                refuse("in_edges and a wiring do not go together")
            if self.in_edges < 1:
                refuse(f"in_edges must be at least 1, not {self.in_edges}")
            # Of a chain, which has fewest: one op feeds the output.
            fewest = 1 + sum(min(self.in_edges, op) for op in range(1, self.max_vertices - 1))
            if self.max_edges < fewest:
                refuse(f"max_edges is {self.max_edges}, but in_edges make at least {fewest}")
        if self.wiring is not None:
            if wrong := [(x, y) for x, y in self.wiring if not 0 <= x < y < self.max_vertices]:
                refuse(f"the edge {wrong[0]} does not lead from a lower vertex to a higher one")
            ends: list[set[int]] = [set(), set()]
            for edge in self.wiring:
                for side, vertex in zip(ends, edge, strict=True):
                    side.add(vertex)
            for vertex in range(self.max_vertices):
                if vertex < self.max_vertices - 1 and vertex not in ends[0]:
                    refuse(f"vertex {vertex} has no edge out of it")
                if vertex and vertex not in ends[1]:
                    refuse(f"vertex {vertex} has no edge into it")
            if len(set(self.wiring)) < len(self.wiring):
                refuse("an edge is given twice")
            if len(self.wiring) != self.max_edges:
                refuse(f"max_edges is {self.max_edges}, but the wiring has {len(self.wiring)}")

    @property
    def max_interior(self) -> int:
        """Vertices between input and output, at most."""
        return self.max_vertices - 2

    @property
    def computing(self) -> tuple[int, ...]:
        """Numbers of the ops that are neither zero nor identity."""
        return tuple(
            number for number, op in enumerate(self.ops) if op not in (self.zero, self.identity)
        )

    @property
    def num_slots(self) -> int:
        """Edge slots of the largest cells."""
        return num_slots(self.max_vertices)

    @property
    def slots(self) -> list[tuple[int, int]]:
        """Source and target of every edge slot, by its number."""
        return list(zip(SLOT_SOURCES, SLOT_TARGETS, strict=True))[: self.num_slots]

    @property
    def mask(self) -> int:
        """Bitmask of the wiring's edges; 0 where edges are free."""
        return sum(1 << slot_of(x, y) for x, y in self.wiring or ())

    @property
    def features(self) -> tuple[str, ...]:
        """What the columns of a cell's one-hot node features ``x`` stand for."""
        return (INPUT, *self.ops, OUTPUT)
