"""Statistics of the untrained networks around a sample of a space's cells, kept in the cache."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import shutil
from concurrent.futures import as_completed
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.files import to_json
from gnn_nas.function import STATISTICS
from gnn_nas.function.probes import DIGITS, GRAPH, Probes, open_probes
from gnn_nas.function.statistics import measure_cell
from gnn_nas.parallel import available_cores
from gnn_nas.parallel.local import LocalEngine
from gnn_nas.parallel.pool import Pool, WorkerDied
from gnn_nas.references import users_code
from gnn_nas.spaces.cache import Tensors, open_cached
from gnn_nas.spaces.index import open_index
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.tasks.network_size import NetworkConfig, check_networks
from gnn_nas.tasks.ops import fingerprint_in
from gnn_nas.tensor_file import checksum
from gnn_nas.user_folders import cache_folder

if TYPE_CHECKING:
    import numpy as np

    from gnn_nas.config import MeasuringConfig
    from gnn_nas.spaces.space import CellSpace

# Part of a file's name: a change of what any statistic is makes another file.
_VERSION = 2
# Cells of one job, and of one file of those that a killed call leaves to the next.
_CELLS = 50
_STEM, _STACKS = 8, 2
_GRAPH_CHANNELS = 16


class MeasuredFunction(NamedTuple):
    """What the untrained networks around random cells of a space do.

    Shapes:
        - cells: ``N`` of them, in canonical form
        - values: float64 ``[N, S]``, the `STATISTICS` as means over seeds
        - by_seed: float64 ``[K, N, S]``, the same for the initial weights of every seed
    """

    cells: PackedCells
    values: Tensor
    by_seed: Tensor


def measure_function(
    space: CellSpace, config: MeasuringConfig, jobs: int | None = None
) -> MeasuredFunction:
    """Measure the untrained networks around random cells of a space, once for all calls.

    What has been measured is in the cache folder, and a call that is killed leaves what it has
    measured to the next. The figures do not depend on ``jobs``.

    Args:
        jobs: processes; by default one for every core.

    Raises:
        UserError: the space does not say how its ops are built, an op cannot be, there are no such
            images, a process was killed, or the cache folder cannot be written.
    """
    if not space.modules and not space.network:
        raise UserError(
            f"space {space.name} does not say how its ops are built, which untrained networks need:"
            " give a module:object for every op, or in a pretraining's config function: null"
        )
    if (config.images == GRAPH) != bool(space.network):
        of, given = ("a graph", GRAPH) if space.network else ("images", DIGITS)
        raise UserError(
            f"images {config.images}: networks of cells of {space.name} are of {of}: give {given}"
        )
    images = open_probes(config.images)
    network = _sizes(space, images)
    if not space.network:
        check_networks(space, network)
    index = open_index(space)
    rows = index.draw(config.cells, torch.Generator().manual_seed(0))
    # Only now, as a registry has grown.
    cells = index.cells.take(rows)
    path = cache_folder() / f"function-{_key(space, config, images, network)}.safetensors"
    parts = path.with_suffix(".parts")
    shape = (config.seeds, len(cells), len(STATISTICS))

    def compute() -> Tensors:
        measurer = _Measurer(space, parts, _as_arrays(images), network, config.seeds)
        return {"by_seed": torch.cat(_in_processes(measurer, cells, jobs), 1)}

    by_seed = open_cached(path, functools.partial(_is_right, shape), compute)["by_seed"]
    shutil.rmtree(parts, ignore_errors=True)
    return MeasuredFunction(cells, by_seed.mean(0), by_seed)


def _sizes(space: CellSpace, images: Probes) -> NetworkConfig:
    """Of the networks that are measured."""
    return NetworkConfig(
        stem_channels=_GRAPH_CHANNELS if space.network else max(_STEM, space.max_interior),
        stacks=1 if space.network else _STACKS,
        cells_per_stack=1,
        classes=images.classes,
        in_channels=images.images.shape[1],
    )


@dataclasses.dataclass(frozen=True)
class _Measurer:
    """Measures a part of the cells in whatever process it is called.

    It and its jobs have arrays, as pickled tensors would take up shared memory, which is scarce in
    containers.
    """

    space: CellSpace
    folder: Path
    images: list[np.ndarray]
    network: NetworkConfig
    seeds: int

    def __call__(self, job: tuple[int, list[np.ndarray]]) -> np.ndarray:
        number, arrays = job
        vertices, edges, ops = map(torch.from_numpy, arrays)
        cells = PackedCells(vertices, edges, ops, self.space)
        images = Probes(*map(torch.from_numpy, self.images))

        def compute() -> Tensors:
            with users_code(f"an untrained network of {self.space.name} fails"):
                values = [
                    measure_cell(cells[row : row + 1], images, self.network, range(self.seeds))
                    for row in range(len(cells))
                ]
            by_cell = torch.tensor(values, dtype=torch.double)
            return {"by_seed": by_cell.transpose(0, 1).contiguous()}

        shape = (self.seeds, len(cells), len(STATISTICS))
        path = self.folder / f"{number}.safetensors"
        part = open_cached(path, functools.partial(_is_right, shape), compute)
        return part["by_seed"].numpy().copy()


def _in_processes(measurer: _Measurer, cells: PackedCells, jobs: int | None) -> list[Tensor]:
    """The statistics of all parts of the cells, in their order."""
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

    from gnn_nas.progress import Description, Progress

    parts = [cells[first : first + _CELLS] for first in range(0, len(cells), _CELLS)]
    columns = (Description(), BarColumn(bar_width=20), MofNCompleteColumn(), TimeRemainingColumn())
    engine = LocalEngine(measurer, min(jobs or available_cores(), len(parts)))
    with Progress(*columns, transient=True) as progress, Pool(engine) as pool:
        bar = progress.add_task("cells' untrained networks", total=len(cells))
        measured = {
            pool.submit((number, _as_arrays((part.vertices, part.edges, part.ops)))): len(part)
            for number, part in enumerate(parts)
        }
        for part in as_completed(measured):
            try:
                part.result()
            except WorkerDied as death:
                raise UserError(
                    f"measuring untrained networks was interrupted, as {death}, perhaps for want of"
                    " memory: call again, which goes on from there"
                ) from None
            progress.advance(bar, measured[part])
    return [torch.from_numpy(part.result()) for part in measured]


def _key(space: CellSpace, config: MeasuringConfig, images: Probes, network: NetworkConfig) -> str:
    """A hash of all that the figures depend on."""
    described = dataclasses.asdict(space)
    # Of positives, not of cells.
    del described["max_edits"]
    sizes = [config.cells, config.seeds, network.model_dump()]
    text = to_json([_VERSION, list(STATISTICS), described, images.digest, sizes])
    return fingerprint_in(space, hashlib.sha256(text.encode()).hexdigest())[:32]


def _is_right(shape: tuple[int, ...], tensors: Tensors, noted: str | None) -> bool:
    fits = tensors.keys() == {"by_seed"} and tensors["by_seed"].shape == shape
    return fits and checksum(tensors) == noted


def _as_arrays(tensors: tuple[Tensor, ...]) -> list[np.ndarray]:
    return [tensor.contiguous().numpy() for tensor in tensors]
