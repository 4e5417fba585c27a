"""A cell's network as a Python file that people read, import and change."""

from collections.abc import Iterable

from gnn_nas.spaces.conversion import to_matrix
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.tasks.network import NetworkConfig

_TEMPLATE = '''\
"""The network of cell {name}.

`build()` gives it: images [B, {in_channels}, H, W] to logits [B, {classes}]. The cell is a graph of
operations, here in topological order, which the network repeats: see `CellNetwork`.
"""

from pathlib import Path

from safetensors.torch import load_file

from gnn_nas.spaces import from_matrix, pack
from gnn_nas.tasks.network import CellNetwork, NetworkConfig

OPS = [
{ops}
]
# 1 in row x and column y: vertex y reads from vertex x.
MATRIX = [
{matrix}
]
SIZES = NetworkConfig(
{sizes}
)
{weights}


def build(weights: str | Path | None = WEIGHTS) -> CellNetwork:
    """Give the network with the weights of a safetensors file, or with new ones where it is None.

    New weights come from torch's generator: call `torch.manual_seed` before.
    """
    network = CellNetwork(pack(from_matrix(MATRIX, OPS)), SIZES)
    if weights is not None:
        network.load_state_dict(load_file(weights))
    return network
'''

_TRAINED = """\
# The trained weights, beside this file.
WEIGHTS = Path(__file__).with_name("{file}")"""
_UNTRAINED = """\
# The network was never trained.
WEIGHTS = None"""


def network_source(
    cell: PackedCells, config: NetworkConfig, name: str, weights: str | None = None
) -> str:
    """Give the text of a module that spells out one cell and builds its network.

    Args:
        cell: a batch of one pruned cell.
        name: what the text calls it, such as its hash.
        weights: name of the file beside the module that holds trained weights; ``None`` for none.
    """
    matrix, ops = to_matrix(cell.to_batch()[0])
    return _TEMPLATE.format(
        name=name,
        in_channels=config.in_channels,
        classes=config.classes,
        ops=_indented(f'"{op}"' for op in ops),
        matrix=_indented(str(row) for row in matrix.tolist()),
        sizes=_indented(f"{key}={value!r}" for key, value in config.model_dump().items()),
        weights=_TRAINED.format(file=weights) if weights else _UNTRAINED,
    )


def _indented(items: Iterable[str]) -> str:
    return "\n".join(f"    {item}," for item in items)
