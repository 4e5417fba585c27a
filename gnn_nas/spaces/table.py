"""The table of all distinct cells of a space, sorted by module hash, and a cell's way to it."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from gnn_nas.progress import working
from gnn_nas.spaces.cache import open_cached
from gnn_nas.spaces.conversion import to_matrix
from gnn_nas.spaces.known import is_known
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells, pack
from gnn_nas.spaces.space import CellSpace, num_slots
from gnn_nas.tensor_file import checksum
from gnn_nas.user_folders import cache_folder

if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data

    from gnn_nas.spaces.index import CellIndex

# Part of the file name: a change of the arrays below makes a new file instead of misreading.
_FORMAT = 1
# These spaces are constants, and so are their tables.
_CHECKSUMS = {
    "nasbench101": "b918c559",
    "nasbench201": "a624e7b2",
    "nasbench_graph": "e0bba878",
}
# Rounds of refinement after which cells of NAS-Bench-101 are told apart. Elsewhere there are as
# many as vertices, when refinement has come to its end.
_ROUNDS = 2


@dataclass(frozen=True)
class CellTable:
    """All cells as canonical representatives, row ``i`` being the ``i``-th official module hash.

    Shapes:
        - cells: `PackedCells` of ``N`` rows, of NAS-Bench-101 423,624
        - module_hash: uint8 ``[N, 16]``
        - row_of_form: int32 ``[forms]``, the row of every labelled form, in enumeration order, or
          -1 where the space's reduction makes another of it
        - first_form: int32 ``[2^S]``, number of the first form of an edge bitmask, or -1 where the
          mask is no valid unpruned cell; of a fixed wiring ``[1]``
    """

    cells: PackedCells
    module_hash: Tensor
    row_of_form: Tensor
    first_form: Tensor

    is_complete: ClassVar[bool] = True

    @property
    def space(self) -> CellSpace:
        """The space of the cells."""
        return self.cells.space

    def __len__(self) -> int:
        return len(self.cells)

    def rows_of(self, cells: PackedCells) -> Tensor:
        """Rows of cells by direct index, -1 for those that are invalid or that `prune` changes.

        Every valid unpruned cell is one of the labelled forms, numbered by its edge bitmask and
        its ops as digits, so no hash is computed and nothing is searched.

        Shapes:
            - returns: int64 ``[B]``
        """
        if self.space.wiring:
            first = (cells.edges == self.space.mask).long() - 1
        else:
            first = self.first_form.index_select(0, cells.edges)
        # A mask that leaves the last vertices isolated is a valid form of a smaller cell only.
        reaches_output = cells.edges >> num_slots(cells.vertices - 1) != 0
        places = _place_values(self.space).to(cells.ops.device).index_select(0, cells.vertices)
        form = first + (cells.ops * places).sum(1)
        valid = (first >= 0) & reaches_output
        return torch.where(valid, self.row_of_form.index_select(0, form.clamp_(min=0)), -1).long()

    def index_of(self, cells: Data | Batch) -> Tensor:
        """Rows of a `Data` or `Batch` of valid unpruned cells; isomorphic cells share their row.

        Shapes:
            - returns: int64 ``[B]``

        Raises:
            ValueError: a cell is malformed, invalid, or would first have to be pruned.
        """
        return all_found(self.rows_of(pack(cells, self.space)))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Distinct rows, all being equally likely, ``[count]``, or all rows where they are fewer.

        Args:
            generator: of the device of the cells.
        """
        device = self.cells.edges.device
        return torch.randperm(len(self), generator=generator, device=device)[:count]

    def share_below(self, rows: Tensor, share: float) -> Tensor:
        """Which rows are of the cells whose module hash is in the lowest share of all numbers.

        Module hashes are as good as random.

        Shapes:
            - rows: ``[B]``; returns: bool ``[B]``
        """
        places = torch.tensor([1 << 24, 1 << 16, 1 << 8, 1], device=rows.device)
        leading = (self.module_hash[rows, :4].long() * places).sum(1)
        return leading < share * 2**32

    def hash_of(self, row: int) -> str:
        """Official module hash of one row, as 32 hexadecimal digits."""
        return bytes(self.module_hash[row].tolist()).hex()

    def row_of_hash(self, module_hash: str) -> int:
        """Row of an official module hash.

        Raises:
            KeyError: no cell has this hash.
        """
        row = bisect_left(range(len(self)), module_hash, key=self.hash_of)
        if row == len(self) or self.hash_of(row) != module_hash:
            raise KeyError(f"no cell of {self.space.name} has the module hash {module_hash!r}")
        return row

    def to(self, device: torch.device | str) -> CellTable:
        """The same table with all tensors on ``device``."""
        return CellTable(*(part.to(device) for part in vars(self).values()))


def all_found(rows: Tensor) -> Tensor:
    """The same rows. Raises ValueError where one is -1, which is no cell."""
    if bool((rows < 0).any()):
        bad = (rows < 0).nonzero().flatten().tolist()
        raise ValueError(f"not valid unpruned cells of the space: batch positions {bad[:10]}")
    return rows


@cache
def _place_values(space: CellSpace) -> Tensor:
    """Worth of each op in a cell of so many vertices: ops are digits, the first one leading."""
    return torch.tensor(
        [
            [len(space.ops) ** (v - 3 - i) if i < v - 2 else 0 for i in range(space.max_interior)]
            for v in range(space.max_vertices + 1)
        ],
        device="cpu",
    )


def load_table(space: CellSpace = NASBENCH101, *, cache: Path | None = None) -> CellTable:
    """Open the table of a space, enumerating it first where the cache folder does not hold it yet.

    Args:
        space: one whose labelled forms memory can hold.
        cache: folder; by default ``$GNN_NAS_CACHE``, else ``gnn_nas`` in the user's cache folder.

    Raises:
        UserError: the cache folder cannot be written.
        RuntimeError: the enumeration does not give the known table, so the installation is broken.
    """
    known = _CHECKSUMS[space.name] if is_known(space) else None
    name = space.name if known else f"own-{hashlib.sha256(repr(space).encode()).hexdigest()[:16]}"
    arrays = open_cached(
        (cache or cache_folder()) / f"{name}-cells-{_FORMAT}.safetensors",
        lambda there, noted: checksum(there) == (known or noted),
        lambda: _checked_build(space, known),
    )
    vertices, edges, ops = (arrays[name].long() for name in ("vertices", "edges", "ops"))
    cells = PackedCells(vertices, edges, ops, space)
    return CellTable(cells, arrays["module_hash"], arrays["row_of_form"], arrays["first_form"])


def open_table(space: CellSpace = NASBENCH101) -> CellTable:
    """:func:`load_table`, and show in the terminal meanwhile that the first call takes long."""
    with working("opening the search space (enumerated on the first call)"):
        return load_table(space)


def _checked_build(space: CellSpace, known: str | None) -> dict[str, Tensor]:
    arrays = _build(space)
    if known and checksum(arrays) != known:
        raise RuntimeError("the enumeration of the search space gave a wrong table")
    return arrays


def _build(space: CellSpace) -> dict[str, Tensor]:
    # Imported here: opening a cached table needs no compiler.
    from gnn_nas.spaces.canonical import canonical
    from gnn_nas.spaces.enumeration import (
        distinct_cells,
        enumerate_forms,
        enumerate_matrices,
        without_reducible,
    )
    from gnn_nas.spaces.module_hash import module_hash

    masks, vertices = enumerate_matrices(space)
    forms = enumerate_forms(masks, vertices, space)
    if space.wiring:
        representative = cell_of_form = np.arange(len(forms))
    else:
        rounds = _ROUNDS if space == NASBENCH101 else space.max_vertices
        representative, cell_of_form = distinct_cells(forms, rounds)
        if space.reduction:
            representative, cell_of_form = without_reducible(
                forms, representative, cell_of_form, rounds
            )
    cells = forms[torch.from_numpy(representative)]
    if space != NASBENCH101:
        # Elsewhere the first form has nothing that speaks for it.
        cells, _ = canonical(cells)
    hashes = torch.from_numpy(module_hash(cells))

    high, low = hashes.numpy().view(">u8").T
    order = torch.from_numpy(np.lexsort((low, high)))
    # One more for forms that are no cell, whose class is -1.
    row = torch.full((len(order) + 1,), -1).scatter_(0, order, torch.arange(len(order)))
    return {
        "vertices": cells.vertices[order].to(torch.int8),
        "edges": cells.edges[order].to(_mask_type(space)),
        "ops": cells.ops[order].to(torch.int8),
        "module_hash": hashes[order].contiguous(),
        "row_of_form": row[torch.from_numpy(cell_of_form)].int(),
        "first_form": _first_forms(masks, vertices, space),
    }


def _first_forms(masks: np.ndarray, vertices: np.ndarray, space: CellSpace) -> Tensor:
    if space.wiring:
        return torch.zeros(1, dtype=torch.int32)
    first_form = torch.full((1 << space.num_slots,), -1, dtype=torch.int32)
    labellings = len(space.ops) ** (torch.from_numpy(vertices).int() - 2)
    first_form[torch.from_numpy(masks).long()] = (labellings.cumsum(0) - labellings).int()
    return first_form


def _mask_type(space: CellSpace) -> torch.dtype:
    return torch.int32 if space.num_slots < 32 else torch.int64


@dataclass(frozen=True, slots=True)
class Cell:
    """A row of the cell table, with the attributes of the official ``ModelSpec``.

    Args:
        table: the cells; row: its row, which isomorphic cells share.
    """

    table: CellIndex = field(repr=False, compare=False)
    row: int

    @property
    def module_hash(self) -> str:
        """The official module hash."""
        return self.table.hash_of(self.row)

    @property
    def matrix(self) -> np.ndarray:
        """Adjacency matrix, int8 ``[V, V]``."""
        return to_matrix(self.to_data(), self.table.space)[0]

    @property
    def ops(self) -> list[str]:
        """Names of the ``V`` vertices' ops, ``input`` and ``output`` included."""
        return to_matrix(self.to_data(), self.table.space)[1]

    def to_data(self) -> Data:
        """The cell as a PyG `Data`."""
        return self.table.cells[self.row : self.row + 1].to_batch()[0]
