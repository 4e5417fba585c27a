"""A search that others drive: ask for cells, tell what came of them, in any order."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gnn_nas.benchmarks.rows import CellRows
from gnn_nas.config_file import load
from gnn_nas.search.methods import get_method
from gnn_nas.search.observations import Observations
from gnn_nas.spaces.index import CellIndex, open_index
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.table import Cell

if TYPE_CHECKING:
    from gnn_nas.models.controller import Controller
    from gnn_nas.search.method import Method
    from gnn_nas.spaces.conversion import Spec

    AnyCell = Cell | str | Spec


class Searcher:
    """Proposes cells to evaluate and learns from their rewards, which are to be maximised.

    ``ask`` may be called while cells are still out, as several workers need it: they are never
    handed out twice, and count for what the method believes of them. ``tell`` takes results in any
    order. What methods promise stands in `gnn_nas.search.method.Method`.

    Args:
        table: the cells, by default those of the controller's space, else of NAS-Bench-101. A
            registry is to be of this searcher alone, if the same seed is to give the same cells.
        controller: that searches, say of `gnn_nas.load_pretrained`; a method may train it in place.
        method: one of `gnn_nas.search.methods.METHODS`, a class derived from ``Method``, or
            ``module:object``.
        seed: of all draws; settings: of the method, where they are not its defaults.
        budget: how many cells may be asked for or told in all, None for no limit.
        allowed: which rows may be asked for, bool ``[cells]``, None for all: of a part of a space.

    Raises:
        UserError: there is no such method, or it has no such setting.
        ValueError: it lacks a controller, or that is of another space.
    """

    def __init__(
        self,
        table: CellIndex | None = None,
        controller: Controller | None = None,
        method: str | type[Method] = "nao",
        seed: int = 0,
        settings: Mapping[str, Any] | None = None,
        budget: int | None = None,
        allowed: Tensor | None = None,
    ) -> None:
        kind = get_method(method) if isinstance(method, str) else method
        if kind.needs_controller and controller is None:
            raise ValueError(f"the method {method} needs a controller, see load_pretrained")
        checked = load(kind.Settings, settings or {}, name=f"settings of {method}")
        space = controller.space if controller else NASBENCH101
        self.table = open_index(space) if table is None else table
        if controller and space != self.table.space:
            raise ValueError(f"a controller of {space.name} knows no {self.table.space.name}")
        self.seen = Observations(self.table, budget, allowed)
        self._generator = torch.Generator().manual_seed(seed)
        self.method = kind(self.table, controller, self._generator, checked)
        self._rows_of = CellRows(self.table).of

    def ask(self, count: int = 1) -> list[Cell]:
        """Cells to evaluate, none ever asked for or told before, isomorphic ones counting as one.

        They are fewer than ``count`` where the budget ends or the method has nothing more to
        propose, and none at last.
        """
        asked: list[int] = []
        while len(asked) < count and len(rows := self.propose(count - len(asked))):
            asked += rows.tolist()
        return [Cell(self.table, row) for row in asked]

    def tell(
        self,
        cells: AnyCell | Sequence[AnyCell] | Tensor,
        rewards: float | Sequence[float] | Tensor | None = None,
        *,
        failure: str | None = None,
    ) -> None:
        """Say what came of cells, asked for or not: a reward each, or why there is none.

        Args:
            cells: one or many, of ``ask``, or module hashes, or anything with ``matrix`` and
                ``ops``; of the last, whether they were pruned does not matter. Or rows, as those
                of ``propose``.
            rewards: as many; NaN and infinities are failures.
            failure: instead of rewards, why the evaluation of all these cells failed.

        Raises:
            ValueError: a cell is invalid or was told before, or rewards are not as many.
            KeyError: there is no cell with a module hash.
        """
        rows = self._rows(cells)
        if (rewards is None) == (failure is None):
            raise ValueError("tell either rewards or a failure")
        if rewards is None:
            rewards = [math.nan] * len(rows)
        values = torch.as_tensor(rewards, dtype=torch.float64, device="cpu").detach().reshape(-1)
        if len(values) != len(rows):
            raise ValueError(f"{len(values)} rewards do not go with {len(rows)} cells")
        self.seen.tell(rows, values)

    @property
    def best(self) -> tuple[Cell, float] | None:
        """The cell with the highest reward, the first of equal ones, and it; None without any."""
        if not len(self.seen.rows):
            return None
        place = self.seen.rewards.argmax()
        return Cell(self.table, int(self.seen.rows[place])), self.seen.rewards[place].item()

    @property
    def pending(self) -> list[Cell]:
        """Cells that were asked for and not told yet, in this order."""
        return [Cell(self.table, row) for row in self.seen.pending.tolist()]

    def propose(self, count: int | None = None) -> Tensor:
        """Rows to evaluate next, by default a round of the method's; see ``ask``, int64 ``[N]``.

        Raises:
            TypeError, ValueError, IndexError: the method, one's own, proposes what is no cell, or
                one that is taken.
        """
        most = self.seen.remaining
        if not most:
            return torch.empty(0, dtype=torch.long)
        rows = self.method.propose(self.seen, count)
        if not isinstance(rows, Tensor):
            raise TypeError(f"a method proposes a tensor of rows, not a {type(rows).__name__}")
        rows = self._rows_of(rows)[: most if count is None else min(most, count)]
        self.seen.hand_out(rows)
        return rows

    def state_dict(self) -> dict[str, Any]:
        """All that has happened, in tensors and plain values: what ``torch.save`` keeps.

        A searcher of the same arguments goes on from it bit for bit, with the same cells pending.
        """
        # A copy, as weights and lists are changed in place.
        return copy.deepcopy(
            {
                "met": self._met(),
                "name": type(self.method).__name__,
                "seen": self.seen.state_dict(),
                "generator": self._generator.get_state(),
                "method": self.method.state_dict(),
            }
        )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where another searcher was. Raises ValueError where its method is another."""
        if state["name"] != (own := type(self.method).__name__):
            raise ValueError(f"the state is one of {state['name']}, not of {own}")
        state = copy.deepcopy(state)
        if state.get("met") is not None:
            vertices, edges, ops = state["met"]
            cells = PackedCells(vertices, edges, ops, self.table.space)
            if not torch.equal(self.table.rows_of(cells), torch.arange(len(cells))):
                raise ValueError("the registry has met other cells: give a searcher its own")
        self.seen.load_state_dict(state["seen"])
        self._generator.set_state(state["generator"])
        self.method.load_state_dict(state["method"])

    def _met(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """The cells of a registry, whose rows are in the rest of the state."""
        if self.table.is_complete:
            return None
        cells = self.table.cells
        return cells.vertices, cells.edges, cells.ops

    def _rows(self, cells: AnyCell | Sequence[AnyCell] | Tensor) -> Tensor:
        if isinstance(cells, Tensor):
            return self._rows_of(cells)
        if isinstance(cells, str) or not isinstance(cells, Sequence):
            cells = [cells]
        rows = [each.row if isinstance(each, Cell) else int(self._rows_of(each)) for each in cells]
        return self._rows_of(torch.tensor(rows, dtype=torch.long))
