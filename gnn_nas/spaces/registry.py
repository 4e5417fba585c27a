"""The index of a space that is too large for a table: cells get rows as they are first seen."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, ClassVar

import numba
import numpy as np
import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.spaces.canonical import canonical
from gnn_nas.spaces.forms import draw_forms
from gnn_nas.spaces.packed import PackedCells, pack
from gnn_nas.spaces.space import CellSpace, num_slots
from gnn_nas.spaces.table import all_found

if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_CAPACITY = 1024
# Draws for each cell that is wanted, after which a space is taken to have no more of them.
_PATIENCE = 100


class CellRegistry:
    """Cells by their canonical forms, row ``i`` being the ``i``-th that was met; it grows.

    It offers what `gnn_nas.spaces.table.CellTable` does but for what needs all cells at once. It
    lives on the CPU; several threads may use it.

    Attributes:
        space: of the cells.

    Raises:
        UserError: the space has in_edges or a reduction, which tables alone heed.
    """

    is_complete: ClassVar[bool] = False

    def __init__(self, space: CellSpace) -> None:
        if space.in_edges or space.reduction:
            raise UserError(
                f"space {space.name}: it is too large for a table, which in_edges and a reduction"
                " need: take fewer vertices or ops"
            )
        self.space = space
        self._count = 0
        self._vertices = np.empty(_CAPACITY, dtype=np.int64)
        self._edges = np.empty(_CAPACITY, dtype=np.int64)
        self._ops = np.empty((_CAPACITY, space.max_interior), dtype=np.int64)
        self._keys = np.empty(_CAPACITY, dtype=np.int64)
        # Rows by key, at the key's place or one of the next: half of it is empty, -1.
        self._places = np.full(2 * _CAPACITY, -1, dtype=np.int64)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    @property
    def cells(self) -> PackedCells:
        """Canonical forms of all cells met so far; what is met later is not in it."""
        with self._lock:
            arrays = self._vertices, self._edges, self._ops
            vertices, edges, ops = (torch.from_numpy(part[: self._count]) for part in arrays)
        return PackedCells(vertices, edges, ops, self.space)

    def rows_of(self, cells: PackedCells) -> Tensor:
        """Rows of cells, which are met then; -1 for those that are invalid or need pruning.

        Shapes:
            - returns: int64 ``[B]``
        """
        forms, valid = canonical(cells.to("cpu"))
        vertices, edges, ops = (part.numpy() for part in (forms.vertices, forms.edges, forms.ops))
        keys = _keys(vertices, edges, ops, len(self.space.ops))
        with self._lock:
            self._reserve(len(cells))
            rows, self._count = _find_or_add(
                vertices,
                edges,
                ops,
                valid.numpy(),
                keys,
                self._vertices,
                self._edges,
                self._ops,
                self._keys,
                self._places,
                self._count,
            )
        return torch.from_numpy(rows).to(cells.edges.device)

    def index_of(self, cells: Data | Batch) -> Tensor:
        """Rows of a `Data` or `Batch` of valid unpruned cells, ``[B]``.

        Raises:
            ValueError: a cell is malformed, invalid, or would first have to be pruned.
        """
        return all_found(self.rows_of(pack(cells, self.space)))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Distinct rows of random cells, all labelled forms being equally likely, ``[count]``.

        They are fewer where the space seems to have no more.
        """
        rows = torch.empty(0, dtype=torch.long)
        for _ in range(_PATIENCE):
            missing = count - len(rows)
            if not missing:
                break
            drawn = torch.cat([rows, self.rows_of(draw_forms(self.space, missing, generator))])
            # In the order of being drawn.
            unique, place = np.unique(drawn.numpy(), return_index=True)
            rows = torch.from_numpy(unique[place.argsort()])
        return rows

    def share_below(self, rows: Tensor, share: float) -> Tensor:
        """Which rows are of the cells whose key is in the lowest share of all, bool ``[B]``.

        Keys are hashes of canonical forms, of 63 bits and as good as random.
        """
        return torch.from_numpy(self._keys[: self._count])[rows] < int(share * 2**63)

    def hash_of(self, row: int) -> str:
        """A text that spells the cell: its vertices, edge bitmask and ops, a digit each."""
        vertices, ops = int(self._vertices[row]), self._ops[row].tolist()
        mask = f"{self._edges[row]:0{_mask_digits(self.space)}x}"
        return _DIGITS[vertices] + mask + "".join(_DIGITS[op] for op in ops)

    def row_of_hash(self, text: str) -> int:
        """Row of what `hash_of` gave, here or in another process.

        Raises:
            KeyError: no cell of the space has it.
        """
        digits, interior = _mask_digits(self.space), self.space.max_interior
        pattern = rf"[0-9a-z][0-9a-f]{{{digits}}}[0-9a-z]{{{interior}}}"
        row = -1
        if re.fullmatch(pattern, text):
            vertices, ops = _DIGITS.index(text[0]), map(_DIGITS.index, text[1 + digits :])
            mask = int(text[1 : 1 + digits], 16)
            if vertices <= self.space.max_vertices and mask < 1 << num_slots(vertices):
                size, edges, numbers = map(torch.tensor, ([vertices], [mask], [list(ops)]))
                row = int(self.rows_of(PackedCells(size, edges, numbers, self.space)))
        if row < 0 or self.hash_of(row) != text:
            raise KeyError(f"no cell of {self.space.name} is spelt {text!r}")
        return row

    def _reserve(self, more: int) -> None:
        """Make room for so many more cells."""
        wanted = self._count + more
        if wanted <= len(self._edges):
            return
        capacity = max(wanted, 2 * len(self._edges))
        for name in ("_vertices", "_edges", "_ops", "_keys"):
            old = getattr(self, name)
            new = np.empty((capacity, *old.shape[1:]), dtype=old.dtype)
            new[: self._count] = old[: self._count]
            setattr(self, name, new)
        self._places = np.full(1 << (2 * capacity - 1).bit_length(), -1, dtype=np.int64)
        _place_all(self._keys[: self._count], self._places)


def _mask_digits(space: CellSpace) -> int:
    return -(-space.num_slots // 4)


@numba.njit(cache=True)
def _keys(vertices, edges, ops, num_ops):
    keys = np.empty(len(edges), dtype=np.int64)
    for cell in range(len(edges)):
        code = np.uint64(0)
        for place in range(ops.shape[1]):
            code = code * np.uint64(num_ops) + np.uint64(ops[cell, place])
        state = _mix(np.uint64(edges[cell]) + np.uint64(vertices[cell]))
        keys[cell] = np.int64(_mix(state ^ code) >> np.uint64(1))
    return keys


@numba.njit(cache=True)
def _mix(value):
    """A bijection of 64-bit integers that spreads every input bit (the splitmix64 finaliser)."""
    value += np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(cache=True)
def _find_or_add(
    vertices,
    edges,
    ops,
    valid,
    keys,
    known_vertices,
    known_edges,
    known_ops,
    known_keys,
    places,
    count,
):
    rows = np.full(len(edges), -1, dtype=np.int64)
    for cell in range(len(edges)):
        if not valid[cell]:
            continue
        place = keys[cell] & (len(places) - 1)
        while True:
            row = places[place]
            if row < 0:
                row = places[place] = count
                known_vertices[row], known_edges[row] = vertices[cell], edges[cell]
                known_ops[row], known_keys[row] = ops[cell], keys[cell]
                count += 1
                break
            # Two cells of one key are told apart all the same.
            if (
                known_keys[row] == keys[cell]
                and known_vertices[row] == vertices[cell]
                and known_edges[row] == edges[cell]
                and (known_ops[row] == ops[cell]).all()
            ):
                break
            place = (place + 1) & (len(places) - 1)
        rows[cell] = row
    return rows, count


@numba.njit(cache=True)
def _place_all(keys, places):
    for row in range(len(keys)):
        place = keys[row] & (len(places) - 1)
        while places[place] >= 0:
            place = (place + 1) & (len(places) - 1)
        places[place] = row
