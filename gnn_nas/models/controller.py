"""The controller: encoder, decoder and predictor joined."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gnn_nas.models.decoder import Decoder
from gnn_nas.models.encoder import make_encoder
from gnn_nas.models.predictor import Predictor
from gnn_nas.spaces.descriptors import num_descriptors
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.tokens import from_tokens

if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data

    from gnn_nas.config import ModelConfig

# Cells encoded at a time where there are many: large enough for the matrix products, small enough
# for the caches.
_CHUNK = 1024
# Of the whole process: who searches in threads may make controllers at the same time.
_RANDOM_STATE = threading.Lock()


class Controller(nn.Module):
    """What is pretrained and then searched with (the paper's ``f_e``, ``f_d`` and ``f_p``).

    Args:
        config: its encoder and the sizes of the parts.
        seed: of the initial parameters; the global random state is left as it was.
        space: of the cells.
        statistics: names of those of untrained networks that it tells, see
            `gnn_nas.models.predictor`.

    Attributes:
        config, space: as given.

    Raises:
        UserError: an encoder of the user's own is none, see `gnn_nas.models.encoder`.
    """

    def __init__(
        self,
        config: ModelConfig,
        seed: int = 0,
        space: CellSpace = NASBENCH101,
        statistics: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.config = config
        self.space = space
        with _RANDOM_STATE, torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder: Any = make_encoder(config.encoder, config.embedding, space)
            self.decoder = Decoder(config.embedding, config.decoder_hidden, space)
            self.predictor = Predictor(config.embedding, config.predictor_hidden, space, statistics)

    def encode(self, cells: Data | Batch) -> Tensor:
        """Embeddings of unit length, ``[B, embedding]``, of a `Batch` or of one `Data`."""
        from torch_geometric.data import Batch

        batch = cells if isinstance(cells, Batch) else Batch.from_data_list([cells])
        return self.encoder.encode(batch)

    def predict(self, embeddings: Tensor) -> Tensor:
        """Predicted performance, ``[B]``."""
        return self.predictor(embeddings)

    def decode(self, embeddings: Tensor) -> tuple[PackedCells, Tensor]:
        """Decode greedily to pruned cells.

        Shapes:
            - embeddings: ``[B, embedding]``
            - returns: `PackedCells` of ``B`` cells and bool ``[B]``, which of them are valid: the
              tokens parse, input and output are connected, no more edges are left than allowed
        """
        cells, parsed = from_tokens(self.decoder.greedy(embeddings), self.space)
        pruned, valid = prune(cells)
        return pruned, valid & parsed

    @torch.no_grad()
    def tell_function(self, table: CellIndex, rows: Tensor | None = None) -> Tensor:
        """What it tells of the function of rows, or of all cells, ``[N, statistics]``.

        In standard deviations. There may be no statistics.
        """
        columns = sum(num_descriptors(self.space))
        parts = self.encode_rows(table, rows).split(_CHUNK)
        return torch.cat([self.predictor.predict_descriptors(part)[:, columns:] for part in parts])

    def encode_rows(self, table: CellIndex, rows: Tensor | None = None) -> Tensor:
        """Embeddings of rows, or of all cells that have one, ``[N, embedding]``."""
        return self.encode_cells(table.cells if rows is None else table.cells[rows])

    @torch.no_grad()
    def encode_cells(self, cells: PackedCells) -> Tensor:
        """Embeddings of many cells, ``[N, embedding]``."""
        like = next(self.predictor.parameters())
        embeddings = like.new_empty(len(cells), self.encoder.embedding_size)
        for first in range(0, len(cells), _CHUNK):
            part = slice(first, first + _CHUNK)
            embeddings[part] = self.encode_packed(cells[part])
        return embeddings

    def encode_packed(self, cells: PackedCells) -> Tensor:
        """Embeddings of cells at once, ``[N, embedding]``; they can be learnt from."""
        graphs = cells.to_graphs()
        dtype = next(self.predictor.parameters()).dtype
        return self.encoder.encode(graphs._replace(x=graphs.x.to(dtype)))
