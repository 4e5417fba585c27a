"""What a search method is: an object that proposes cells, and the contract it is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gnn_nas.config import Section

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from gnn_nas.models.controller import Controller
    from gnn_nas.search.observations import Observations
    from gnn_nas.spaces.index import CellIndex


class Method:
    """Proposes cells to evaluate, from what is known of others.

    A method is written once for both ways of searching: the commands evaluate each proposal whole
    before they ask for the next one, and people with a loop of their own ask for any number of
    cells while others are still out (`gnn_nas.search.searcher.Searcher`). The contract:

    - **It looks, and is not told.** All that is known stands in the `Observations` that it is given
      every time; what it notes beside that is in its `state_dict`. It draws from its generator
      alone, so the same seed and the same answers give the same proposals.
    - **Duplicates.** It proposes distinct rows of which none is ``taken``; decoded or mutated cells
      that are isomorphic to a taken one are its business to leave out. Where only a part of the
      space may be asked for, all other cells are taken from the beginning.
    - **Failures** are in ``told`` with a reward of NaN, and not in ``rows``. They have no value to
      learn from, and are not proposed again; all of them may fail, for ever.
    - **Pending** cells count as believed: a model takes its own prediction for their value, and no
      method waits for them.
    - **What it never proposed** may be told as well, at the beginning too (a user's own table).
    - **The budget** may end in the middle of a proposal, of which the first cells are evaluated.
    - **Running dry**: it proposes nothing when it has nothing more to propose, and is not asked
      again before it is told more.

    Args:
        table: the cells; controller: of the checkpoint, which a method may train in place, None
            where it does without; generator: of all its draws; settings: an instance of `Settings`.
    """

    Settings: ClassVar[type[Section]] = Section
    """What can be set of it, with its defaults."""
    needs_controller: ClassVar[bool] = False
    reads_predictor: ClassVar[bool] = True
    """Whether it reads what the predictor of its controller, if it needs one, tells of cells."""

    def __init__(
        self,
        table: CellIndex,
        controller: Controller | None,
        generator: torch.Generator,
        settings: Any,
    ) -> None:
        self.table = table
        self.controller = controller
        self.generator = generator
        self.settings = settings

    def propose(self, seen: Observations, count: int | None = None) -> Tensor:
        """Rows to evaluate next, the most promising first.

        Args:
            seen: all that is known; count: how many at most, None for as many as make a round.

        Shapes:
            - returns: int64 ``[N]``
        """
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """What it has noted, in tensors and plain values; its generator is not among it."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another of the same settings was."""
