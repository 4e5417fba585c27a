"""What a search knows: the cells that were handed out, and what came of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from gnn_nas.spaces.index import CellIndex


class Observations:
    """Cells by their rows; isomorphic ones share theirs, so a row is a query.

    Methods read it, and only `gnn_nas.search.searcher.Searcher` changes it.

    Args:
        table: the cells; budget: how many may be handed out or told in all, None for no limit.
        allowed: which rows may be handed out, bool ``[cells]``, None for all of them, those that a
            registry is yet to meet included.

    Attributes:
        told: rows whose evaluation has ended, in the order of being told, int64 ``[T]``.
        told_rewards: theirs, float64 ``[T]``, NaN where the evaluation failed.
        rows, rewards: the same without the failed ones, ``[N]`` each.
        pending: rows that were handed out and not told yet, in this order, int64 ``[P]``.
    """

    def __init__(
        self, table: CellIndex, budget: int | None = None, allowed: Tensor | None = None
    ) -> None:
        self.budget = budget
        self._table = table
        self._allowed = allowed
        self._forget()

    def _forget(self) -> None:
        allowed = self._allowed
        outside = torch.zeros(len(self._table), dtype=torch.bool) if allowed is None else ~allowed
        self._taken = outside
        self._fresh = int((~outside).sum())
        self.told = torch.empty(0, dtype=torch.long)
        self.told_rewards = torch.empty(0, dtype=torch.float64)
        self.rows, self.rewards = self.told, self.told_rewards
        self.pending = torch.empty(0, dtype=torch.long)

    def __len__(self) -> int:
        """How many cells are taken: told or pending."""
        return len(self.told) + len(self.pending)

    @property
    def taken(self) -> Tensor:
        """Rows that are not to be handed out: told, pending or not allowed, bool ``[cells]``."""
        if added := len(self._table) - len(self._taken):
            is_part = self._allowed is not None
            self._taken = torch.cat([self._taken, torch.full((added,), is_part)])
            self._fresh += 0 if is_part else added
        return self._taken

    @property
    def remaining(self) -> int:
        """Cells that may still be handed out."""
        fresh = sys.maxsize if self._is_endless else self._fresh
        left = fresh if self.budget is None else self.budget - len(self)
        return max(min(left, fresh), 0)

    @property
    def _is_endless(self) -> bool:
        """Whether there are always others to meet."""
        return self._allowed is None and not self._table.is_complete

    @property
    def horizon(self) -> int:
        """How many more cells to plan for: those that remain, without a budget as many again."""
        return self.remaining if self.budget is not None else max(len(self), 1)

    def draw_fresh(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw distinct cells uniformly from all that are not taken; fewer where few are left.

        Where there is no table of them all, they are drawn as
        `gnn_nas.spaces.index.CellIndex.draw` says.

        Shapes:
            - returns: int64 ``[N]``, ``N <= count``, in random order
        """
        if self._is_endless:
            # So many that enough are left when those that are taken are put aside.
            rows = self._table.draw(count + len(self), generator)
            return rows[~self.taken[rows]][:count]
        fresh = (~self.taken).nonzero().flatten()
        return fresh[torch.randperm(len(fresh), generator=generator)[:count]]

    def rewards_of(self, rows: Iterable[int]) -> Tensor:
        """Rewards of rows, float64 ``[N]``, minus infinity where they failed or are not told."""
        known = dict(zip(self.rows.tolist(), self.rewards.tolist(), strict=True))
        return torch.tensor([known.get(row, -torch.inf) for row in rows], dtype=torch.float64)

    def hand_out(self, rows: Tensor) -> None:
        """Note that cells are being evaluated. Raises ValueError where one is `taken`."""
        if len(rows.unique()) < len(rows) or bool(self.taken[rows].any()):
            raise ValueError("a search may ask for a cell only once, and for none not allowed")
        self._take(rows)
        self.pending = torch.cat([self.pending, rows])

    def tell(self, rows: Tensor, rewards: Tensor) -> None:
        """Note what came of cells, handed out or not; what is not finite is a failure.

        Shapes:
            - rows: int64 ``[N]``; rewards: float64 ``[N]``

        Raises:
            ValueError: a cell was told before; nothing is noted then.
        """
        if len(rows.unique()) < len(rows) or bool(torch.isin(rows, self.told).any()):
            raise ValueError("a cell may be told only once, isomorphic ones counting as one")
        rewards = rewards.clone()
        there = rewards.isfinite()
        rewards[~there] = torch.nan
        self._take(rows)
        self.pending = self.pending[~torch.isin(self.pending, rows)]
        self.told = torch.cat([self.told, rows])
        self.told_rewards = torch.cat([self.told_rewards, rewards])
        self.rows = torch.cat([self.rows, rows[there]])
        self.rewards = torch.cat([self.rewards, rewards[there]])

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs, in tensors."""
        return {"told": self.told, "rewards": self.told_rewards, "pending": self.pending}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Know what another knew, whatever was known here."""
        self._forget()
        self.tell(state["told"], state["rewards"])
        self.hand_out(state["pending"])

    def _take(self, rows: Tensor) -> None:
        self._fresh -= int((~self.taken[rows]).sum())
        self._taken[rows] = True
