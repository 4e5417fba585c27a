"""What a search is judged by: the one part of a run that depends on where rewards come from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from gnn_nas.experiments.searches.config import SearchConfig
    from gnn_nas.experiments.searches.progress import SearchProgress
    from gnn_nas.experiments.searches.workers import Source, Threads, Workers
    from gnn_nas.objective import Objective, Report
    from gnn_nas.run_folder import RunFolder
    from gnn_nas.search.history import History
    from gnn_nas.spaces.index import CellIndex


class Judge(Protocol):
    """Says where seeds get their rewards from, and what they have found."""

    config: SearchConfig
    table: CellIndex

    columns: tuple[str, ...]
    """Figures beside the reward in histories."""

    labels: ClassVar[Mapping[str, str]]
    """Names of the figures over seeds in the terminal; ``{}`` is a number of queries."""

    width: int
    """Of a column of them."""

    percent: bool
    """Whether rewards are accuracies."""

    source: Source
    """Of the rewards, for those who search."""

    again: tuple[Objective, Report] | None = None
    """Objective and report, where to ask them again costs nothing."""

    def opened(self, folder: RunFolder) -> AbstractContextManager[Workers | Threads]:
        """Hold open what a search in a folder needs, and give who searches."""

    def show(self, progress: SearchProgress) -> None:
        """Show how far the search is."""
        progress.update()

    def outcome(self, history: History) -> dict[str, Any]:
        """The figures of a seed that is done: ``hash``, ``reward`` and others; None if unknown."""

    def conclude(
        self,
        folder: RunFolder,
        histories: list[History],
        outcomes: list[dict[str, Any]],
        best: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """Do what is done once at the end, pictures included, and give the rest of the summary.

        Args:
            outcomes: of all seeds, which may be added to; best: the one with the best reward.
        """

    def caption(self, best: dict[str, Any]) -> str:
        """What stands over the picture of the best cell."""

    def shown(self, figure: float) -> str:
        """A figure as text in the terminal."""
