"""Where ``search`` gets rewards from: measurements that are looked up, or real trainings."""

from __future__ import annotations

import argparse
import math
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from gnn_nas.benchmarks import DATASETS, GRAPH, TITLES
from gnn_nas.benchmarks.locate import (
    benchmark_path,
    benchmark_space,
    find_any_benchmark,
    has_benchmark,
    has_imported201,
    is_own_table,
)
from gnn_nas.cli.checkpoints import space_to_search
from gnn_nas.cli.common import option_name, refuse_given
from gnn_nas.cli.search_table import TableRewards
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import (
    SearchConfig,
    TableSearchConfig,
    TaskSearchConfig,
)
from gnn_nas.experiments.searches.workers import Workers
from gnn_nas.parallel import ENGINES, available_cores, get_engine
from gnn_nas.spaces.known import get_space
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH
from gnn_nas.tasks.user_task import SHIPPED, load_task

if TYPE_CHECKING:
    from gnn_nas.experiments.searches.benchmark_judge import BenchmarkJudge
    from gnn_nas.experiments.searches.task_judge import TaskJudge
    from gnn_nas.parallel.pool import Engine
    from gnn_nas.spaces.index import CellIndex
    from gnn_nas.tasks.task import Task

_OF_RAY = ("task_cpus", "task_gpus")
_DEFAULT_PROTOCOL, _DEFAULT_TASK = "oracle", "digits"
# Of a training for the default task on one core.
_DEFAULT_SECONDS = 1


class Measurements:
    """Rewards out of a table of measurements.

    Attributes:
        space: name of that of its cells.

    Args:
        arguments: of the command; begun: what the search to resume was begun with, if any.

    Raises:
        UserError: there are no measurements, or options that are for tasks were given.
    """

    queries = 300
    """Evaluations a seed where it is not said."""

    def __init__(self, arguments: argparse.Namespace, begun: SearchConfig | None) -> None:
        if arguments.reward:
            raise UserError(
                "--reward names a column of a table of your own: give its .csv or .npz"
                " file by --benchmark"
            )
        self._protocol = arguments.protocol or (begun.protocol if begun else _DEFAULT_PROTOCOL)
        self.name = self._protocol
        """What is searched for, for the folder's name."""
        self._path = arguments.benchmark
        self._dataset: str | None = arguments.dataset or (begun.dataset if begun else None)
        if self._dataset and not (self._path or has_benchmark()):
            raise UserError(f"give the measurements: {_of_dataset(self._dataset)}")
        self.space = benchmark_space(benchmark_path(self._path))
        _refuse_other_space(arguments, self.space, f"{benchmark_path(self._path)} has measurements")
        datasets = DATASETS.get(self.space, ())
        if self._dataset and self._dataset not in datasets:
            raise UserError(
                f"{benchmark_path(self._path)} has measurements of {self.space}, and it has no data"
                f" set {self._dataset}: {_of_dataset(self._dataset)}"
            )
        if not datasets:
            return
        if self._protocol == "single-trial":
            raise UserError(f"--protocol single-trial: of {self.space} means are known only")
        self._dataset = self._dataset or datasets[0]
        self.name = f"{self.name}-{self._dataset}"

    def begin(self, arguments: argparse.Namespace) -> Workers:
        """Start the processes that search; they load at once what takes long."""
        return Workers(min(arguments.jobs or available_cores(), arguments.seeds))

    def judge(self, table: CellIndex, workers: Workers | None, **common: Any) -> BenchmarkJudge:
        """Open the measurements. Raises UserError."""
        from gnn_nas.experiments.searches.benchmark_judge import BenchmarkJudge

        benchmark = find_any_benchmark(self._path, table, self._dataset)
        config = SearchConfig(
            protocol=self._protocol,
            benchmark=benchmark.identity,
            dataset=self._dataset,
            **common,
        )
        return BenchmarkJudge(config, benchmark, self._path, workers)


def _of_dataset(dataset: str) -> str:
    """How the measurements on a data set are given."""
    space = next(space for space, datasets in DATASETS.items() if dataset in datasets)
    if space == NASBENCH_GRAPH.name:
        return f"{dataset} is of {TITLES[space]}, --benchmark {GRAPH}"
    return f"{dataset} is of {TITLES[space]}, give its .npz file by --benchmark PATH"


class Trainings:
    """Rewards out of trainings for a task.

    Attributes:
        space: of its cells, as configs say it.

    Args:
        arguments: of the command; reference: what the task is named by, None for the default.
        begun: what the search to resume was begun with, if any.

    Raises:
        UserError: options do not go together, or there is no such space or checkpoint.
    """

    queries = 40
    """The same where each is a training: of NAO the first random cells and three rounds."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        reference: str | None,
        begun: TaskSearchConfig | None = None,
    ) -> None:
        for name in ("benchmark", "reward", "protocol", "dataset", "html"):
            if getattr(arguments, name):
                raise UserError(f"--{name} is for measurements: it does not go with --task")
        if arguments.engine != "ray":
            refuse_given(arguments, _OF_RAY, "--engine ray")
        for name in _OF_RAY:
            if (getattr(arguments, name) or 0) < 0:
                raise UserError(f"{option_name(name)} must not be negative")
        self.space = space_to_search(arguments, begun)
        self._arguments, self._begun = arguments, begun
        self._reference = reference or _DEFAULT_TASK
        self._is_default = reference is None

    @property
    def name(self) -> str:
        """What is searched for, for the folder's name."""
        return self._reference if self._reference in SHIPPED else self.task.name

    @cached_property
    def task(self) -> Task:
        """The task with its data. Raises UserError."""
        return load_task(self._reference)

    def begin(self, arguments: argparse.Namespace) -> AbstractContextManager[None]:
        """Load the task, and say that cells are trained, and how long, where nobody asked for it.

        Raises:
            UserError: the task is none, no networks can be made of the space's cells, or its cost
                is latency, of which trainings at the same time say nothing: they share cores,
                caches and memory.
        """
        jobs = arguments.jobs or available_cores()
        if self._is_default:
            cells, name = arguments.queries * arguments.seeds, get_space(self.space).name
            minutes = math.ceil(cells * _DEFAULT_SECONDS / 60 / jobs)
            print(
                f"no measurements of {TITLES.get(name, name)} are here: cells are trained for"
                f" the task {_DEFAULT_TASK}, {cells:,} in about {minutes:,}"
                f" minute{'s' if minutes > 1 else ''} (see --queries, --task and --benchmark)",
                file=sys.stderr,
            )
        if self.task.cost == "latency" and (arguments.engine == "ray" or jobs > 1):
            raise UserError(
                f"--task {self._reference}: its cost is latency, which trainings made at the same"
                " time would distort: give --jobs 1, without --engine ray"
            )
        from gnn_nas.tasks.network_size import check_networks

        check_networks(get_space(self.space), self.task.network)
        return nullcontext()

    def judge(self, table: CellIndex, workers: Workers | None, **common: Any) -> TaskJudge:
        """Open the task, and what makes its trainings. Raises UserError."""
        from gnn_nas.experiments.searches.task_function import cells_to_measure
        from gnn_nas.experiments.searches.task_judge import TaskJudge
        from gnn_nas.models.checkpoint import open_checkpoint
        from gnn_nas.tasks.ops import fingerprint_in

        task = self.task
        if self._begun:
            measured = self._begun.measured
        else:
            checkpoint = open_checkpoint(common["checkpoint"], self.space)
            measured = cells_to_measure(self._reference, common["method"], checkpoint)
        config = TaskSearchConfig(
            **common,
            task=task.name,
            space=self.space,
            fingerprint=fingerprint_in(table.space, task.fingerprint),
            trainings=task.trainings,
            task_settings=task.settings,
            measured=measured,
            reference=self._reference,
        )
        return TaskJudge(config, task, table, self._engine())

    def _engine(self) -> Engine:
        from gnn_nas.tasks.training_job import run_training

        # A process elsewhere has another current folder.
        work = partial(run_training, self.task, folder=os.getcwd())
        arguments = self._arguments
        if arguments.engine == "ray":
            cpus = 1.0 if arguments.task_cpus is None else arguments.task_cpus
            return get_engine("ray", work, arguments.jobs, cpus, arguments.task_gpus or 0.0)
        return get_engine("local", work, arguments.jobs or available_cores())


def add_task(parser: argparse.ArgumentParser) -> None:
    """Add the options of tasks and of where their trainings are made."""
    add = parser.add_argument
    add("--task", metavar="TASK", help="train cells for real instead, see below")
    add(
        "--engine",
        choices=ENGINES,
        help="where a task's trainings are made: processes of this machine, or the Ray cluster of"
        " RAY_ADDRESS, else one of this machine (default: local)",
    )
    add("--task-cpus", type=float, metavar="N", help="of a training on Ray (default: 1)")
    add("--task-gpus", type=float, metavar="N", help="of a training on Ray (default: 0)")


def chosen_rewards(
    arguments: argparse.Namespace, begun: SearchConfig | None
) -> Measurements | TableRewards | Trainings:
    """What the options ask for, else what the search was begun with, else what is here.

    Raises:
        UserError: options do not go together, or nobody says which task it was.
    """
    of_task = begun if isinstance(begun, TaskSearchConfig) else None
    if arguments.task:
        return Trainings(arguments, arguments.task, of_task)
    if of_task:
        if of_task.reference is None:
            raise UserError(
                f"{arguments.out} does not tell by what --task its task {of_task.task} is named:"
                " give it too"
            )
        return Trainings(arguments, of_task.reference, of_task)
    if not (arguments.benchmark or has_benchmark()) and has_imported201():
        arguments.benchmark = NASBENCH201.name
    has_path = bool(arguments.benchmark) or has_benchmark()
    is_table = has_path and is_own_table(benchmark_path(arguments.benchmark))
    of_table = begun if isinstance(begun, TableSearchConfig) else None
    if begun and is_table != bool(of_table):
        wanted = "its table" if of_table else "its measurements"
        raise UserError(f"{arguments.out}: give {wanted} again, by --benchmark PATH")
    named = (arguments.benchmark, arguments.protocol, arguments.dataset, arguments.html)
    if not (begun or has_path or any(named) or arguments.reward):
        return Trainings(arguments, None)
    refuse_given(arguments, ("engine", *_OF_RAY), "--task")
    if is_table:
        return TableRewards(arguments, of_table, benchmark_path(arguments.benchmark))
    return Measurements(arguments, begun)


def _refuse_other_space(arguments: argparse.Namespace, space: str, what: str) -> None:
    if arguments.space not in (None, space):
        raise UserError(f"--space {arguments.space}: {what} of {space}")
