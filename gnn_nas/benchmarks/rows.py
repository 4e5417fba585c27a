"""The way from a cell, however it is given, to its row, without hashing anything."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from gnn_nas.spaces.conversion import Spec, from_spec
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.packed import pack
from gnn_nas.spaces.pruning import on_a_path, prune
from gnn_nas.spaces.space import INPUT, OUTPUT, num_slots
from gnn_nas.spaces.table import CellTable

if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data

Cells: TypeAlias = "Tensor | Data | Batch | str | Spec | Sequence[str | Spec]"


class CellRows:
    """Finds rows of cells.

    Args:
        table: a table or a registry, on the CPU.
    """

    def __init__(self, table: CellIndex) -> None:
        self.table = table
        if isinstance(table, CellTable):
            # Single elements are read several times faster from numpy than from torch.
            self._first_form = table.first_form.numpy()
            self._row_of_form = table.row_of_form.numpy()

    def of(self, cells: Cells) -> Tensor:
        """Rows of cells, pruned or not.

        Args:
            cells: rows, which are only checked; a `Data` or `Batch`; a module hash or a
                ``ModelSpec``; or a sequence of these two.

        Shapes:
            - returns: int64 ``[N]``

        Raises:
            ValueError: a cell is malformed or invalid.
            IndexError: there is no such row.
            KeyError: no cell has the module hash.
        """
        if isinstance(cells, Tensor):
            return self._checked(cells)
        if hasattr(cells, "edge_index"):
            return self._of_graphs(cells)
        if isinstance(cells, str) or hasattr(cells, "matrix"):
            cells = [cells]
        if all(isinstance(cell, str) for cell in cells):
            return self._of_hashes(cells)
        row_of_hash = self.table.row_of_hash
        return torch.tensor(
            [row_of_hash(cell) if isinstance(cell, str) else self.of_spec(cell) for cell in cells]
        )

    def of_spec(self, spec: Spec) -> int:
        """Row of one official ``ModelSpec``, pruned or not, or of anything like it.

        Raises:
            ValueError: as `from_spec`.
        """
        row = self._direct(spec)
        # The long way has the same results, and says what is wrong.
        return int(self._of_graphs(from_spec(spec, self.table.space))) if row is None else row

    def _of_hashes(self, hashes: Sequence[Any]) -> Tensor:
        if not isinstance(self.table, CellTable):
            return torch.tensor([self.table.row_of_hash(each) for each in hashes]).long()
        # A character more than a hash has: what is too long must not become one by being cut.
        wanted = np.array([each.encode() for each in hashes], dtype="S33")
        rows = np.searchsorted(self._hashes, wanted).clip(max=len(self.table) - 1)
        unknown = np.flatnonzero(self._hashes[rows] != wanted)
        if len(unknown):
            raise KeyError(
                f"no cell of {self.table.space.name} has the module hash {hashes[unknown[0]]!r}"
            )
        return torch.from_numpy(rows)

    @cached_property
    def _hashes(self) -> np.ndarray:
        assert isinstance(self.table, CellTable)
        return np.array(module_hashes(self.table), dtype="S32")

    def _of_graphs(self, cells: Data | Batch) -> Tensor:
        pruned, valid = prune(pack(cells, self.table.space))
        rows = torch.where(valid.cpu(), self.table.rows_of(pruned.to("cpu")), -1)
        if bool((rows < 0).any()):
            bad = (rows < 0).nonzero().flatten().tolist()
            raise ValueError(f"not valid cells of the space: batch positions {bad[:10]}")
        return rows

    def _checked(self, rows: Tensor) -> Tensor:
        if rows.ndim != 1 or rows.dtype not in (torch.long, torch.int):
            raise ValueError(
                f"rows must be integers of one dimension, got {rows.dtype} {tuple(rows.shape)}"
            )
        rows = rows.to("cpu", torch.long)
        outside = rows[(rows < 0) | (rows >= len(self.table))]
        if len(outside):
            raise IndexError(f"row {outside[0].item()} is none of {len(self.table)} cells")
        return rows

    def _direct(self, spec: Spec) -> int | None:
        """Row of a spec in plain integers, which takes microseconds; None where it is unusual."""
        if spec.matrix is None or spec.ops is None:
            return None
        space, ops, count = self.table.space, spec.ops, len(spec.ops)
        if space.wiring or space.in_edges or not self.table.is_complete:
            return None
        matrix = np.asarray(spec.matrix)
        if not 2 <= count <= space.max_vertices or matrix.shape != (count, count):
            return None
        if ops[0] != INPUT or ops[-1] != OUTPUT or any(op not in space.ops for op in ops[1:-1]):
            return None
        sources = _sources(matrix.tolist())
        if sources is None:
            return None
        kept = on_a_path(sources)
        edges = code = 0
        for y, vertex in enumerate(kept):
            for x, source in enumerate(kept[:y]):
                edges |= (sources[vertex] >> source & 1) << (num_slots(y) + x)
        for vertex in kept[1:-1]:
            code = len(space.ops) * code + space.ops.index(ops[vertex])
        if len(kept) < 2 or edges.bit_count() > space.max_edges:
            return None
        row = self._row_of_form[self._first_form[edges] + code].item()
        return row if row >= 0 else None


def module_hashes(table: CellTable) -> list[str]:
    """The official module hashes of all rows."""
    digits = table.module_hash.cpu().numpy().tobytes().hex()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]


def _sources(matrix: list[list[int]]) -> list[int] | None:
    """Every vertex's in-neighbours as bits; None but for 0 and 1 above the diagonal."""
    sources = [0] * len(matrix)
    for x, row in enumerate(matrix):
        for y, value in enumerate(row):
            if value:
                if value != 1 or y <= x:
                    return None
                sources[y] |= 1 << x
    return sources
