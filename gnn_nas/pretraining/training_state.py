"""All that changes in a pretraining run, and so all that a checkpoint holds."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from gnn_nas.config import OwnEncoderConfig, PretrainConfig
from gnn_nas.errors import UserError
from gnn_nas.function.distance import FunctionSampler
from gnn_nas.function.told import ToldFunction, open_description
from gnn_nas.models.pretrained import new_controller
from gnn_nas.pretraining.batches import BatchSampler, ByFunction, EndlessBatchSampler
from gnn_nas.pretraining.checkpoint import refuse_other_run
from gnn_nas.pretraining.distributed import ALONE, Processes
from gnn_nas.pretraining.loss import PretrainingObjective
from gnn_nas.pretraining.optimisation import make_optimizer, make_schedule
from gnn_nas.pretraining.precision import choose_precision
from gnn_nas.pretraining.rehearsal import rehearse, rehearse_encoder
from gnn_nas.references import is_reference, users_code
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.index import CellIndex

# Share of the positives that are drawn by function.
_BY_FUNCTION = {"edits": 0.0, "both": 0.5, "function": 1.0}


class TrainingState:
    """Controller, optimiser, schedule, batches and counters of one run.

    Args:
        config: the run's config.
        table: the cells, on the device to train on.
        held_out: bool ``[N]``, which of them are never trained on.
        processes: those that share each batch; all have the same state.

    Raises:
        UserError: a loss, miner or optimiser of the config does not exist, takes no such argument
            or does not run.
    """

    def __init__(
        self,
        config: PretrainConfig,
        table: CellIndex,
        held_out: Tensor,
        processes: Processes = ALONE,
    ) -> None:
        device = held_out.device
        self.step = 0
        self.config = config
        self.table = table
        self.held_out = held_out
        self.processes = processes
        self.generator = torch.Generator(device).manual_seed(config.seed)
        self.controller = new_controller(config, config.seed).to(device)
        # Before anything is measured, which takes a while.
        self._rehearse()
        self.function = ToldFunction(table.space, config.function) if config.function else None
        learnt = config.training.structure_weight > 0
        self.describe = open_description(table, self.function) if learnt else None
        draws = (config.data.anchors, config.data.positives, self.generator, self._by_function())
        self.batches = (
            BatchSampler(table, held_out, *draws)
            if table.is_complete
            else EndlessBatchSampler(table.space, config.data.held_out, *draws, self.describe)
        )
        # The predictor's upper half has no part in pretraining and stays as it was drawn.
        self.trained = [
            *self.controller.encoder.parameters(),
            *self.controller.decoder.parameters(),
        ]
        if self.describe is not None:
            self.trained += self.controller.predictor.structure.parameters()
        try:
            with self._seeded():
                self.objective = PretrainingObjective(
                    config.metric,
                    config.training.model_copy(update={"precision": self._precision()}),
                    self.describe,
                    self.generator,
                    processes,
                    config.function,
                )
            if self.objective.metric_loss:
                # Such as a margin that is learnt; most losses have none.
                self.trained += self.objective.metric_loss.parameters()
            self.optimizer = make_optimizer(config.optimizer, self.trained)
            self.schedule = make_schedule(config.optimizer, self.optimizer, config.training.steps)
        except ValueError as error:
            raise UserError(f"config: {error}") from error
        self.seconds = 0.0
        self.duplicates = torch.zeros((), dtype=torch.long, device=device)
        # Sums over the steps since the last row of metrics.
        self.sums = torch.zeros(len(self._losses), device=device)

    def _rehearse(self) -> None:
        encoder = self.config.model.encoder
        try:
            rehearse(self.config, self.held_out.device)
        except ValueError as error:
            raise UserError(f"config: {error}") from error
        if isinstance(encoder, OwnEncoderConfig):
            rehearse_encoder(self.controller.encoder, encoder.name, self.table)

    def _by_function(self) -> ByFunction | None:
        share = _BY_FUNCTION[self.config.data.positives_by]
        if not share or self.describe is None:
            return None
        blocks = self.controller.predictor.blocks
        return functools.partial(
            FunctionSampler, describe=self.describe, blocks=blocks, share=share
        )

    def advance(self) -> None:
        """Make one optimiser step on the next batch."""
        batch = self.batches.draw()
        if not self.controller.training:
            self.controller.train()
        with self._seeded(), self._own_parts_reported():
            losses = self.objective(self.controller, batch)
        self.optimizer.zero_grad()
        losses.total.backward()
        for parameter in self.trained:
            # What a part of the user's own had no use for in this step.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        row = torch.stack(losses[: len(self.sums)]).detach()
        gradients: list[Any] = [parameter.grad for parameter in self.trained]
        self.processes.average([*gradients, row])
        if self.config.optimizer.clip:
            torch.nn.utils.clip_grad_norm_(self.trained, self.config.optimizer.clip)
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        self.duplicates += batch.duplicates
        self.sums += row

    def averages(self, steps: int) -> dict[str, float]:
        """Mean losses of the last ``steps`` steps; starts a new mean.

        Raises:
            UserError: a loss was not finite.
        """
        self._refuse_divergence()
        means = (self.sums / steps).tolist()
        self.sums.zero_()
        return dict(zip(self._losses, means, strict=True))

    @property
    def _losses(self) -> tuple[str, ...]:
        """Names of what is summed up, as in the rows of metrics."""
        names = ("loss", "reconstruction", "metric", "structure", "token_accuracy")
        return (*names, "function") if self.function else names

    def save(self, folder: RunFolder | None) -> None:
        """Write the checkpoint from which `restore` goes on bit for bit, where there is a folder.

        Raises:
            UserError: a loss was not finite, or the file cannot be written.
        """
        self._refuse_divergence()
        if folder is None:
            return
        # Absent where it is empty, as it is of most losses.
        metric = {"metric": self.metric_state()} if self.metric_state() else {}
        function = {"function": self.function.fingerprint} if self.function else {}
        folder.save_checkpoint(
            {
                **metric,
                **function,
                "config": self.config.to_yaml(),
                "device": self.held_out.device.type,
                "precision": self.objective.precision,
                "controller": self.controller.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "batches": self.batches.state_dict(),
                **self.counters(),
            }
        )

    def metric_state(self) -> dict[str, Any]:
        """Parameters and buffers that the metric loss and the miner have of their own."""
        return dict(self.objective.metric_loss.state_dict()) if self.objective.metric_loss else {}

    def counters(self) -> dict[str, Any]:
        """What a checkpoint counts and sums up."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "duplicates": self.duplicates,
            "sums": self.sums,
        }

    def restore(self, folder: RunFolder) -> None:
        """Take over the folder's checkpoint; where it is refused nothing changes.

        The learning rate follows from the config and the step, so it is not read.

        Raises:
            UserError: it is damaged, of another architecture, config or kind of device, or holds
                what no run of this config comes to.
        """
        state = folder.load_checkpoint()
        refuse_other_run(state, self, folder.checkpoint)
        if self.config.training.precision == "auto":
            # That of the first steps, whatever this processor would choose.
            self.objective.precision = state["precision"]
        self.controller.load_state_dict(state["controller"])
        if self.objective.metric_loss:
            self.objective.metric_loss.load_state_dict(state.get("metric", {}))
        self.optimizer.load_state_dict(
            {**self.optimizer.state_dict(), "state": state["optimizer"]["state"]}
        )
        self.batches.load_state_dict(state["batches"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.duplicates.copy_(state["duplicates"])
        self.sums.copy_(state["sums"])
        self.schedule.last_epoch = self.step
        (factor,) = self.schedule.lr_lambdas
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor(self.step)

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """Let torch's own generators follow from seed and step: some losses and layers use them."""
        generators = (torch.default_generator, *torch.cuda.default_generators)
        before = [generator.get_state() for generator in generators]
        try:
            for generator in generators:
                generator.manual_seed((self.config.seed + (self.step << 32)) % 2**63)
            yield
        finally:
            for generator, state in zip(generators, before, strict=True):
                generator.set_state(state)

    def _own_parts_reported(self) -> AbstractContextManager[None]:
        metric, encoder = self.config.metric, self.config.model.encoder.name
        parts = (encoder, metric.loss, metric.miner or "") if metric else (encoder,)
        own = ", ".join(filter(is_reference, parts))
        return users_code(f"step {self.step + 1} with {own} fails") if own else nullcontext()

    def _precision(self) -> str:
        """The precision that the config asks for, the same in all processes."""
        chosen = choose_precision(self.config.training.precision, self.held_out.device)
        lower = torch.tensor([float(chosen == "bfloat16")], device=self.held_out.device)
        self.processes.average([lower])
        return "bfloat16" if lower.item() == 1 else "float32"

    def _refuse_divergence(self) -> None:
        if not self.sums.isfinite().all():
            raise UserError(
                f"the loss has become infinite or NaN by step {self.step}:"
                " lower optimizer.lr or set optimizer.clip"
            )
