"""What the untrained networks of all cells do, told from those of a few that were measured."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn_nas.config import FunctionConfig
from gnn_nas.errors import UserError
from gnn_nas.function.measuring import measure_function
from gnn_nas.function.statistics import STATISTICS
from gnn_nas.models.surrogate import Surrogate
from gnn_nas.spaces.cache import open_cached
from gnn_nas.spaces.descriptors import Describer, num_descriptors, open_descriptors
from gnn_nas.spaces.index import CellIndex, open_index
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import CellTable
from gnn_nas.tensor_file import checksum
from gnn_nas.user_folders import cache_folder

# Of the measured cells, those that nothing is learnt from: how well others are told is seen there.
_CHECKED = 10
# In standard deviations, as of descriptors.
_LARGEST = 4.0
_CHUNK = 16_384
# Of the normal distribution at one standard deviation to either side, and its middle.
_QUANTILES = torch.tensor([0.1587, 0.5, 0.8413])


class ToldFunction:
    """Tells the statistics of cells' untrained networks from their exact descriptors.

    A Gaussian process learns them from the cells that were measured, one in ten left out. They are
    in standard deviations over these, which are told by quantiles, since networks that give nothing
    lie far off, and clamped.

    Args:
        space: of the cells.
        config: which statistics, and how they are measured.

    Attributes:
        config: the same; statistics: their names.
        cells: those that were left out.
        values: their measured statistics, float32 ``[N, statistics]``.

    Raises:
        UserError: a statistic does not exist, or see
            `gnn_nas.function.measuring.measure_function`.
    """

    def __init__(self, space: CellSpace, config: FunctionConfig) -> None:
        self.config = config
        self.statistics = config.statistics
        columns = _columns(config.statistics)
        measured = measure_function(space, config)
        values = measured.values[:, columns].float()
        checked = torch.arange(len(values)) % _CHECKED == 0
        low, median, high = values[~checked].quantile(_QUANTILES, dim=0)
        deviation = ((high - low) / 2).clamp(min=1e-6)
        values = ((values - median) / deviation).clamp(-_LARGEST, _LARGEST)
        self.cells, self.values = measured.cells[checked], values[checked]
        self._surrogate = Surrogate(num_descriptors(space))
        index = open_index(space)
        known = open_descriptors(index)(index, index.rows_of(measured.cells[~checked]))
        self._surrogate.fit(known, values[~checked])

    def __call__(self, descriptors: Tensor) -> Tensor:
        """The statistics of cells by their exact descriptors, ``[N, columns] -> [N, statistics]``.

        In half precision, as descriptors are.
        """
        parts = [self._surrogate.predict_mean(part) for part in descriptors.cpu().split(_CHUNK)]
        told = torch.cat(parts).clamp(-_LARGEST, _LARGEST).half()
        return told.to(descriptors.device)

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides what is told."""
        return checksum({"weights": self._surrogate.weights, "values": self.values})


def open_description(index: CellIndex, function: ToldFunction | None = None) -> Describer:
    """What gives the standardised descriptors of cells by their rows, and their told function.

    It is the last block, and none where ``function`` is None. Of a table it is computed once, and
    kept in the cache folder.

    Raises:
        UserError: the cache folder cannot be written.
    """
    describe = open_descriptors(index)
    if function is None:
        return describe
    if not isinstance(index, CellTable):

        def description(index: CellIndex, rows: Tensor) -> Tensor:
            descriptors = describe(index, rows)
            return torch.cat([descriptors, function(descriptors)], dim=1)

        return description
    exact = describe(index, torch.arange(len(index), device=index.cells.edges.device))
    path = cache_folder() / f"{index.space.name}-told-{function.fingerprint}.safetensors"

    def is_right(tensors: dict[str, Tensor], noted: str | None) -> bool:
        return noted == checksum(tensors) and [len(t) for t in tensors.values()] == [len(index)]

    told = open_cached(path, is_right, lambda: {"told": function(exact).cpu()})["told"]
    everything = torch.cat([exact, told.to(exact.device)], dim=1)
    return lambda _, rows: everything.index_select(0, rows)


def _columns(statistics: list[str]) -> list[int]:
    names = list(STATISTICS)
    if unknown := [name for name in statistics if name not in names]:
        raise UserError(
            f"function.statistics: there is no {unknown[0]}: give some of {', '.join(names)}"
        )
    return [names.index(name) for name in statistics]
