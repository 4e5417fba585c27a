"""The configuration of a search: all that decides what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from gnn_nas.config import DEFAULT_SPACE, DescribedSpace, RunConfig
from gnn_nas.config_file import load, read_mapping
from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder


class SearchConfig(RunConfig):
    """Everything that decides a search, its seeds included."""

    absent: ClassVar[Mapping[str, Any]] = {"settings.warm_up": 1}

    method: str = Field(description="a module of gnn_nas.search.methods, with dashes")
    protocol: str = Field(description="what rewards and reports are")
    queries: int = Field(ge=1, description="evaluations each seed may ask for")
    seeds: int = Field(ge=1, description="how many independent searches")
    seed: int = Field(ge=0, lt=2**32, description="the first of them; the others follow")
    checkpoint: str | None = Field(description="a run folder, none, or null for the default")
    weights: str | None = Field(description="SHA-256 of its weights file; null without one")
    benchmark: str = Field(description="which measurements rewards come from")
    dataset: str | None = Field(
        default=None, description="of those of the space; null where there is one"
    )
    space: DescribedSpace | None = Field(
        default=None, description="of the cells; null where the measurements say it"
    )
    settings: dict[str, Any] = Field(description="the method's")

    @property
    def all_seeds(self) -> range:
        """The seeds, in order."""
        return range(self.seed, self.seed + self.seeds)

    @property
    def subject(self) -> tuple[str, str]:
        """What is searched for, by its kind and name."""
        return "protocol", self.protocol

    @property
    def title(self) -> str:
        """What stands over pictures."""
        subject = " ".join([*self.subject, *filter(None, [self.dataset])])
        return f"{self.method}, {subject}, seeds: {self.seeds}"

    def as_begun(self, begun: SearchConfig) -> Self:
        """The same with no more queries and seeds than the search was begun with."""
        return self.model_copy(
            update={
                "queries": min(self.queries, begun.queries),
                "seeds": min(self.seeds, begun.seeds),
            }
        )


class TaskSearchConfig(SearchConfig):
    """The same where rewards come from trainings instead of measurements."""

    protocol: Literal["task"] = Field(default="task", exclude=True)
    benchmark: None = Field(default=None, exclude=True)
    # Older files lack it.
    space: DescribedSpace = Field(default=DEFAULT_SPACE, description="of the cells")
    task: str = Field(description="what the task is called")
    fingerprint: str = Field(description="of all that decides a training")
    trainings: int = Field(ge=1, description="of every cell")
    task_settings: dict[str, Any] = Field(description="the task's")
    measured: int = Field(
        default=0,
        ge=0,
        description="cells whose untrained networks are given the task's images, from which the"
        " controller learns to tell those of all; 0 where it tells what it was pretrained to",
    )
    reference: str | None = Field(
        default=None, description="what --task named it by; null in folders that did not say"
    )

    @property
    def subject(self) -> tuple[str, str]:
        """What is searched for, by its kind and name."""
        return "task", self.task

    def as_begun(self, begun: SearchConfig) -> Self:
        """The same for a task, which its fingerprint decides, whatever it was named by."""
        reference = getattr(begun, "reference", self.reference)
        return super().as_begun(begun).model_copy(update={"reference": reference})


class TableSearchConfig(SearchConfig):
    """The same where rewards come from a table of the user's own."""

    protocol: Literal["table"] = Field(default="table", exclude=True)
    reward: str = Field(description="the table's column of rewards")
    space: DescribedSpace = Field(description="of its cells")

    @property
    def subject(self) -> tuple[str, str]:
        """What is searched for, by its kind and name."""
        return "reward", self.reward


def begun_config(folder: RunFolder) -> SearchConfig | None:
    """What a search in a folder was begun with; None where none was.

    Raises:
        UserError: the folder's config is no search's, or is damaged.
    """
    if not folder.config.is_file():
        return None
    begun = read_mapping(folder.config)
    # Else the format of a pretraining, which is higher, would be taken for a newer one of searches.
    if "training" in begun:
        raise UserError(f"{folder.path} holds a pretraining, no search: give another --out")
    kind: type[SearchConfig] = SearchConfig
    if "task" in begun:
        kind = TaskSearchConfig
    elif "reward" in begun:
        kind = TableSearchConfig
    return load(kind, folder.config)
