"""The pretraining run, from the first step to the summary."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from gnn_nas.benchmarks.labels import Labels
from gnn_nas.config import PretrainConfig, load_config
from gnn_nas.errors import UserError
from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import load_pretrained
from gnn_nas.pretraining.allocation import keep_freed_memory
from gnn_nas.pretraining.batches import held_out_cells
from gnn_nas.pretraining.callback import Callback
from gnn_nas.pretraining.distributed import joined
from gnn_nas.pretraining.extending import MAY_GROW, has_ended
from gnn_nas.pretraining.precision import computes_in_bfloat16
from gnn_nas.pretraining.report import Metrics
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.pretraining.validation import Validation
from gnn_nas.run_folder import RunFolder
from gnn_nas.signals import HeldSignals
from gnn_nas.spaces.checker import PositivesCheck, check_positives
from gnn_nas.spaces.index import open_index
from gnn_nas.spaces.known import get_space
from gnn_nas.spaces.table import CellTable

# Anchors whose positives networkx checks, and how many of each: 28 pairs with seven.
_FIRST_CHECK, _LAST_CHECK = 2, 15
_MOST_POSITIVES = 7


class PositivesViolation(RuntimeError):
    """A sampled positive is not one: a defect of the sampler, so the run is worth nothing."""


@dataclass(frozen=True)
class Pretraining:
    """What a run has come to.

    Attributes:
        controller: as it is after the last step, in evaluation mode.
        summary: the final figures, as in ``summary.json``; of torchrun's processes only the main
            one has any.
        metrics: the rows of ``metrics.jsonl``, likewise.
    """

    controller: Controller
    summary: dict[str, Any]
    metrics: list[dict[str, Any]]


def pretrain(
    config: PretrainConfig | str | os.PathLike[str] | Mapping[str, Any],
    out: str | os.PathLike[str] | None = None,
    callbacks: Sequence[Callback] = (),
    *,
    resume: bool = False,
    device: str = "auto",
    labels: Labels | None = None,
) -> Pretraining:
    """Pretrain a controller on all cells but the held-out ones.

    Ctrl-C and SIGTERM end it after a step, with a checkpoint where there is a folder.

    Args:
        config: all that decides the run, or a YAML file of it, or what such a file holds.
        out: the run's folder, which receives all that the command writes but ``curves.png``;
            without it nothing is written.
        callbacks: what is told how the run goes, for example a
            :class:`~gnn_nas.pretraining.report.ProgressBar`.
        resume: whether ``out`` may hold a run to go on with: one of this config, or of fewer
            ``training.steps`` where the learning rate does not depend on them. One that is finished
            is read.
        device: ``cpu``, ``cuda``, or ``auto``, which takes the GPU where there is one.
        labels: see `gnn_nas.benchmarks.labels.open_labels`. Validations then say what embeddings
            tell of them; nothing else ever sees them, and what is learnt is the same to the bit.

    Raises:
        UserError: the config, the folder or its checkpoint does not fit, the loss is not finite, or
            a file cannot be written.
        PositivesViolation: networkx found a positive that is too far from its anchor.
    """
    config = config if isinstance(config, PretrainConfig) else load_config(config)
    folder = None if out is None else RunFolder(out)
    if resume and folder is None:
        raise UserError("resume needs out, the folder of the run to go on with")
    if folder and has_ended(folder, config, resume):
        return Pretraining(
            load_pretrained(folder.path), folder.load_summary(), folder.read_metrics()
        )
    if folder:
        folder.refuse_taken(resume)
    with joined(device, config.data) as (processes, place):
        table = open_index(get_space(config.space))
        if isinstance(table, CellTable):
            table = table.to(place)
        elif place.type != "cpu":
            raise UserError(
                f"cells of {table.space.name}, which are too many for a table, are drawn on the"
                " processor: use --device cpu"
            )
        held_out = held_out_cells(table, config.data.held_out)
        # Before the folder: a loss or an optimiser that does not exist leaves nothing behind.
        state = TrainingState(config, table, held_out, processes)
        # And a finished run stays one that is to be extended from a checkpoint that is refused.
        _begin(state, folder)
        if processes.rank:
            _share_steps(state)
            return Pretraining(state.controller.eval(), {}, [])
        claimed = folder and RunFolder.claimed(folder.path, config, resume, MAY_GROW)
        with claimed or nullcontext():
            return _run(state, folder, callbacks, labels)


def _run(
    state: TrainingState,
    folder: RunFolder | None,
    callbacks: Sequence[Callback],
    labels: Labels | None,
) -> Pretraining:
    config = state.config
    validation = Validation(
        state.table, state.held_out, config.seed, state.describe, state.function, labels
    )
    _warn_of_emulation(state)
    _check(state, _FIRST_CHECK)
    with Metrics(folder, state.step) as metrics:
        callbacks = (metrics, *callbacks)
        for callback in callbacks:
            callback.on_begin(state.step, config.training.steps)
        _train(state, folder, validation, callbacks)
        figures = validation.measure_all(state.controller)
        # A run that was killed after its last validation has noted it already.
        if not any(r.get("kind") == "validation" and r["step"] == state.step for r in metrics.rows):
            for callback in callbacks:
                callback.on_validation(state.step, figures)
    summary = figures | _counts(state, _check(state, _LAST_CHECK))
    for callback in callbacks:
        callback.on_end(metrics.rows, summary)
    if folder:
        folder.save_weights(state.controller.state_dict())
        folder.save_summary(summary)
    return Pretraining(state.controller.eval(), summary, metrics.rows)


def _train(
    state: TrainingState,
    folder: RunFolder | None,
    validation: Validation,
    callbacks: Sequence[Callback],
) -> None:
    """Make all steps that are left. A signal is heeded between two, when they are saved."""
    plan = state.config.training
    with HeldSignals() as signals:
        while state.step < plan.steps and not signals.received:
            started = time.perf_counter()
            state.advance()
            state.seconds += time.perf_counter() - started
            for callback in callbacks:
                callback.on_step(state.step)
            if state.step % plan.log_every == 0:
                rate = float(state.schedule.get_last_lr()[0])
                losses = {**state.averages(plan.log_every), "learning_rate": rate}
                for callback in callbacks:
                    callback.on_train(state.step, losses)
            if state.step % plan.validate_every == 0 and state.step < plan.steps:
                figures = validation.measure(state.controller)
                for callback in callbacks:
                    callback.on_validation(state.step, figures)
            if state.step % plan.checkpoint_every == 0 or state.step == plan.steps:
                state.save(folder)
        if signals.received:
            state.save(folder)


def _share_steps(state: TrainingState) -> None:
    """Do another process's share of the steps of `_train`, which the main process runs.

    Of Ctrl-C and SIGTERM, which torchrun passes on to all, this process ends when the main one has
    ended: that one needs it to come to the end of a step.
    """
    with HeldSignals() as signals:
        try:
            while state.step < state.config.training.steps:
                state.advance()
        except UserError:
            if not signals.received:
                raise


def _begin(state: TrainingState, folder: RunFolder | None) -> None:
    keep_freed_memory()
    if folder and (folder.checkpoint.exists() or folder.finished):
        state.restore(folder)
    first = torch.tensor([float(state.step)], device=state.held_out.device)
    state.processes.average([first])
    if folder and first.item() != state.step:
        raise UserError(
            f"the processes see different checkpoints in {folder.path}: with several machines, the"
            " folder must be on a disk that they share"
        )


def _counts(state: TrainingState, checked: PositivesCheck) -> dict[str, Any]:
    """What a summary says of the run itself."""
    return {
        "checked_pairs": checked.checked_pairs,
        "max_anchor_distance": checked.max_anchor_distance,
        "max_positive_distance": checked.max_positive_distance,
        "duplicate_positives": state.duplicates.item(),
        "held_out_cells": int(state.held_out.sum()),
        "parameters": sum(p.numel() for p in state.controller.parameters()),
        "steps": state.step,
        "seconds": state.seconds,
        "steps_per_second": state.step / state.seconds if state.seconds else None,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "processes": state.processes.count,
        "threads": torch.get_num_threads(),
        "precision": state.objective.precision,
        "seed": state.config.seed,
    }


def _warn_of_emulation(state: TrainingState) -> None:
    if state.objective.precision == "bfloat16" and not computes_in_bfloat16(state.held_out.device):
        print(
            "warning: training.precision is bfloat16, which this processor emulates, many times"
            " slower than float32: set it to auto for a new run",
            file=sys.stderr,
        )


def _check(state: TrainingState, anchors: int) -> PositivesCheck:
    """Let networkx measure positives of a few anchors, drawn apart from the training's draws."""
    generator = torch.Generator(state.held_out.device).manual_seed(state.config.seed)
    sampler, rows = state.batches.draw_anchors(anchors, generator)
    positives = min(state.config.data.positives, _MOST_POSITIVES)
    check = check_positives(sampler, rows, positives, generator)
    if check.violations:
        raise PositivesViolation("; ".join(check.violations))
    return check
