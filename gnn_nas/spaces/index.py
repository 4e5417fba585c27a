"""The cells of a space by number: a table of all of them, or a registry of those that were met."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Protocol

from gnn_nas.errors import UserError
from gnn_nas.spaces.known import is_known
from gnn_nas.spaces.table import open_table
from gnn_nas.user_folders import compiled_code_kept

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch_geometric.data import Batch, Data

    from gnn_nas.spaces.packed import PackedCells
    from gnn_nas.spaces.space import CellSpace

# Where edges are free the table of all bitmasks has an entry for each.
_MOST_FORMS, _MOST_SLOTS = 10_000_000, 21


class CellIndex(Protocol):
    """What a `CellTable` and a `CellRegistry` have in common, and all that others hold them to.

    Attributes:
        is_complete: whether every cell of the space has a row from the beginning.
    """

    is_complete: ClassVar[bool]

    @property
    def space(self) -> CellSpace:
        """The space of the cells."""

    @property
    def cells(self) -> PackedCells:
        """The cells by their rows, in canonical form."""

    def __len__(self) -> int: ...

    def rows_of(self, cells: PackedCells) -> Tensor:
        """Rows of cells, -1 for those that are invalid or need pruning, ``[B]``."""

    def index_of(self, cells: Data | Batch) -> Tensor:
        """Rows of a `Data` or `Batch` of valid unpruned cells, ``[B]``; else ValueError."""

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Distinct rows of random cells, ``[count]``, or fewer where there are no more."""

    def share_below(self, rows: Tensor, share: float) -> Tensor:
        """Which rows are of the cells with the lowest such share of hashes, bool ``[B]``."""

    def hash_of(self, row: int) -> str:
        """A name of the cell in one row that isomorphic cells share, wherever it is asked for."""

    def row_of_hash(self, text: str) -> int:
        """The row of such a name. Raises KeyError where no cell has it."""


def open_index(space: CellSpace) -> CellIndex:
    """Open the table of a space that memory can hold, or begin a registry of a larger one.

    Raises:
        UserError: the cache folder cannot be written, or only a table can be of such a space.
    """
    if has_table(space):
        return open_table(space)
    if space.in_edges or space.reduction:
        raise UserError(
            f"space {space.name} is too large for a table, and without one there are neither"
            " in_edges nor a reduction"
        )
    with compiled_code_kept():
        from gnn_nas.spaces.registry import CellRegistry
    return CellRegistry(space)


def has_table(space: CellSpace) -> bool:
    """Whether a space is small enough to be enumerated."""
    if is_known(space):
        return True
    if space.in_edges:
        ops = range(1, space.max_interior + 1)
        wirings = math.prod(math.comb(op, min(space.in_edges, op)) for op in ops)
        forms = wirings * len(space.ops) ** space.max_interior
        return forms <= _MOST_FORMS and space.num_slots <= _MOST_SLOTS
    # Imported only now: numba takes a while, and where it keeps what it compiles is set.
    with compiled_code_kept():
        from gnn_nas.spaces.forms import count_forms
    return count_forms(space) <= _MOST_FORMS and (
        space.wiring is not None or space.num_slots <= _MOST_SLOTS
    )
