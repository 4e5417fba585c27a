"""Several processes that share the work on every batch, as ``torchrun`` starts them.

All draw the same batches from the same seed; each encodes and decodes its own share of a batch. The
metric loss is that of the whole batch in all of them, so the losses, and the weights after a step,
are those of one process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gnn_nas.config import DataConfig
from gnn_nas.errors import UserError

# The others wait while the main process validates, however long. That one has died need not be
# found out by waiting: torchrun ends the others then.
_PATIENCE = timedelta(days=7)


@dataclass(frozen=True)
class Processes:
    """The processes of a run as one of them sees them; by default there is no other.

    Args:
        rank: number of this process, 0 for the main one, which alone writes, shows and validates.
        count: their number.
    """

    rank: int = 0
    count: int = 1

    @property
    def alone(self) -> bool:
        """Whether there is no other process."""
        return self.count == 1

    def shares(self, labels: Tensor) -> Tensor:
        """Deal the samples of a batch out, an anchor always with all of its positives.

        Shapes:
            - labels: ``[B]``, number of the anchor each belongs to
            - returns: ``[count, B / count]``, the samples of every process in ascending order
        """
        return (labels % self.count).argsort(stable=True).view(self.count, -1)

    def gather(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings of the whole batch, in its order, from each process's own.

        Gradients flow to the own ones alone, times ``count``: their `average` over the processes is
        the gradient of the whole.

        Shapes:
            - embeddings: ``[B / count, D]``, those of this process's share; labels: ``[B]``
            - returns: ``[B, D]``
        """
        if self.alone:
            return embeddings
        return _Gather.apply(embeddings, self.shares(labels), self.rank)

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their mean over the processes, the same bits in all of them.

        Raises:
            UserError: another process has ended.
        """
        if self.alone:
            return
        # One message: many small ones take longer than the numbers in them.
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        with _reported():
            dist.all_reduce(flat)
        flat /= self.count
        sizes = [tensor.numel() for tensor in tensors]
        for tensor, mean in zip(tensors, flat.split(sizes), strict=True):
            tensor.copy_(mean.view_as(tensor))


ALONE = Processes()


@contextmanager
def joined(device: str, data: DataConfig) -> Iterator[tuple[Processes, torch.device]]:
    """Join the processes that ``torchrun`` has started, if it has, and say where to compute.

    Args:
        device: ``cpu``, ``cuda`` or ``auto``, which takes the GPU where there is one.
        data: the config of batches, which must come out even.

    Raises:
        UserError: there is no GPU, or not one for each process, or the anchors of a batch cannot be
            shared equally.
    """
    rank, count, local_rank, local_count = 0, 1, 0, 1
    if dist.is_torchelastic_launched():
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        rank, count, local_rank, local_count = (int(os.environ[name]) for name in names)
    _refuse_unequal_shares(data, count)
    place = _choose_device(device, local_rank, local_count)
    if count == 1:
        yield ALONE, place
        return
    if place.type == "cuda":
        torch.cuda.set_device(place)
    with _reported():
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo", timeout=_PATIENCE)
    yield Processes(rank, count), place
    # Not after an error, when it could wait for others that have ended.
    dist.destroy_process_group()


def _refuse_unequal_shares(data: DataConfig, count: int) -> None:
    if data.anchors % count:
        raise UserError(
            f"data.batch_size {data.batch_size} is {data.anchors} anchors with their positives,"
            f" which {count} processes cannot share equally: set it to a multiple of"
            f" {count * (1 + data.positives)}, or give torchrun another --nproc-per-node"
        )


def _choose_device(device: str, local_rank: int, local_count: int) -> torch.device:
    if device not in ("cpu", "cuda", "auto"):
        raise UserError(f"device must be cpu, cuda or auto, not {device}")
    usable = torch.cuda.is_available()
    if device == "cuda" and not usable:
        raise UserError("--device cuda: torch finds no usable GPU here; use --device cpu")
    if device == "cpu" or not usable:
        return torch.device("cpu")
    if local_count == 1:
        return torch.device("cuda")
    if local_count > torch.cuda.device_count():
        raise UserError(
            f"{local_count} processes need a GPU each, but there are {torch.cuda.device_count()}:"
            " lower torchrun's --nproc-per-node, or use --device cpu"
        )
    return torch.device("cuda", local_rank)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor, shares: Tensor, rank: int) -> Tensor:
        ctx.share, ctx.count = shares[rank], len(shares)
        parts = [torch.empty_like(own) for _ in range(ctx.count)]
        with _reported():
            dist.all_gather(parts, own.contiguous())
        gathered = torch.cat(parts)
        return torch.empty_like(gathered).index_copy(0, shares.flatten(), gathered)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient[ctx.share] * ctx.count, None, None


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise UserError(
            f"process {os.environ['RANK']} has lost the others: one of them has ended, and says"
            f" itself why unless the system has killed it ({error})"
        ) from error
