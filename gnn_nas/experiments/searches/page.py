"""The page of a finished search: what its seeds queried, over a map of random cells."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import torch

from gnn_nas.benchmarks import TITLES
from gnn_nas.benchmarks.protocols import BenchmarkReport
from gnn_nas.config import CONTROLLERS, WEIGHTS
from gnn_nas.errors import reported
from gnn_nas.experiments.searches.recorded import check_histories
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.plots.page import CellMap, SearchPath, View, write_page
from gnn_nas.plots.umap_layout import umap_layout
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History

if TYPE_CHECKING:
    from gnn_nas.experiments.searches.benchmark_judge import BenchmarkJudge
    from gnn_nas.models.checkpoint import Checkpoint
    from gnn_nas.spaces.index import CellIndex

BACKGROUND = 4000
"""Random cells of the space under the paths."""
MAX_PATHS = 5
"""Seeds whose searches the page plays, the best first."""


def write_search_page(
    path: str | os.PathLike[str],
    folder: RunFolder,
    judge: BenchmarkJudge,
    checkpoint: Checkpoint,
) -> None:
    """Write the best seeds' queries as paths over a UMAP layout of embeddings.

    They are those of the checkpoint, of the shipped controller where the search was from scratch.

    Raises:
        UserError: a history is damaged or not of this search, or the page cannot be written.
    """
    config, benchmark, table = judge.config, judge.benchmark, judge.table
    check_histories(folder, config, judge.columns, table, judge.again)
    paths = [_path(folder, seed, table) for seed in config.all_seeds]
    paths = sorted(paths, key=_best_reward, reverse=True)[:MAX_PATHS]
    generator = torch.Generator().manual_seed(config.seed)
    background = table.draw(BACKGROUND, generator)
    rows = torch.cat([background, *(each.rows for each in paths)]).unique()
    if checkpoint.folder is None:
        checkpoint = open_checkpoint(os.fspath(WEIGHTS / CONTROLLERS[table.space.name]))
    name = checkpoint.folder.path.resolve().name
    embeddings = checkpoint.controller(0).encode_rows(table, rows)
    cell_map = CellMap(
        rows,
        [View(name, umap_layout(embeddings, config.seed), embeddings)],
        benchmark.mean_test(rows).numpy(),
        benchmark.rank(rows).numpy(),
        paths=paths,
        told=checkpoint.tell_function(table, rows),
    )
    title = f"{TITLES[table.space.name]} searched by {config.method}"
    on = f" on {config.dataset}" if config.dataset else ""
    subtitle = (
        f"Protocol {config.protocol}{on}, {config.queries} queries a seed, over"
        f" {len(background):,} random cells. UMAP of the embeddings of {name}."
    )
    with reported(f"cannot write {path}"):
        write_page(path, table, cell_map, title, subtitle)


def _best_reward(path: SearchPath) -> float:
    return np.max(path.rewards, initial=-np.inf, where=~np.isnan(path.rewards))


def _path(folder: RunFolder, seed: int, table: CellIndex) -> SearchPath:
    queries = History(folder.history(seed), BenchmarkReport.columns).queries
    rewards = [query.evaluation.reward for query in queries]
    test = BenchmarkReport.columns.index("test")
    return SearchPath(
        f"seed {seed}",
        torch.tensor([table.row_of_hash(query.module_hash) for query in queries]).long(),
        np.array(rewards, dtype=float),
        np.array([query.report[test] for query in queries]),
    )
