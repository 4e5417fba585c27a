"""What every encoder is, ours and a user's own, and how a config names it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from gnn_nas.config import GINConfig, OwnEncoderConfig
from gnn_nas.errors import UserError
from gnn_nas.models.gin import GINEncoder
from gnn_nas.references import resolve, users_code

if TYPE_CHECKING:
    from torch_geometric.data import Batch

    from gnn_nas.spaces.packed import Graphs
    from gnn_nas.spaces.space import CellSpace


class Encoder(Protocol):
    """Maps cells to embeddings.

    One of a user's own is a class derived from `torch.nn.Module`, named as ``module:object`` by
    ``model.encoder.name``. It is made with ``embedding_size`` and the further keys of
    ``model.encoder`` as keyword arguments, draws its parameters from torch's generator, and need
    not derive from this class. Where it takes a ``space`` it is given the `CellSpace`, of which
    ``len(space.features)`` is the number of columns of ``x``.

    Attributes:
        embedding_size: dimension of the embeddings, ``model.embedding`` of the config.
    """

    embedding_size: int

    def encode(self, cells: Batch | Graphs) -> Tensor:
        """Embeddings of length 1 that depend on each cell alone, not on its vertices' order.

        In training it may run under autocast to bfloat16; some figures are measured after
        ``double()``, when ``x`` is float64.

        Args:
            cells: a PyG `Batch` or `gnn_nas.spaces.packed.Graphs`; both have ``x``, the one-hot
                ops, ``edge_index``, ``batch`` and ``num_graphs``.

        Shapes:
            - returns: ``[B, embedding_size]``, floating point
        """


def make_encoder(
    config: GINConfig | OwnEncoderConfig, embedding_size: int, space: CellSpace
) -> nn.Module:
    """Make the encoder of a config for a space, its parameters drawn from the global generator.

    Raises:
        UserError: a user's own cannot be imported, is no encoder or takes no such arguments.
    """
    if isinstance(config, GINConfig):
        return GINEncoder(embedding_size, config.hidden, config.layers, len(space.features))
    option = f"model.encoder.name {config.name}"
    kind = resolve(config.name, "model.encoder.name")
    # A folder's config names what is called here, so that it must be nothing but a module.
    if not (inspect.isclass(kind) and issubclass(kind, nn.Module) and hasattr(kind, "encode")):
        raise UserError(
            f"{option} is no encoder: it must be a class derived from torch.nn.Module with a method"
            " encode(cells)"
        )
    # Also where only shapes are asked for: a user's own may compute with numbers when it is made.
    with users_code(f"{option} cannot be made"), torch.device("cpu"):
        told = {"space": space} if "space" in inspect.signature(kind).parameters else {}
        encoder = kind(embedding_size=embedding_size, **told, **config.args)
        given = getattr(encoder, "embedding_size", None)
        if any(map(nn.parameter.is_lazy, encoder.parameters())):
            raise ValueError("it has parameters without a shape, as LazyLinear has")
    if given != embedding_size:
        raise UserError(f"{option}: its embedding_size is {given}, not {embedding_size}")
    return encoder
