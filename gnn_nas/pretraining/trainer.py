"""The pretraining run, from the first step to the summary."""

from __future__ import annotations

import resource
import sys
import time
from typing import Any

import torch

from gnn_nas.errors import UserError
from gnn_nas.plots.curves import draw_curves
from gnn_nas.pretraining.allocation import keep_freed_memory
from gnn_nas.pretraining.precision import computes_in_bfloat16
from gnn_nas.pretraining.report import Report
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.pretraining.validation import Validation
from gnn_nas.run_folder import RunFolder
from gnn_nas.signals import HeldSignals
from gnn_nas.spaces.checker import PositivesCheck, check_positives

# Anchors whose positives networkx checks, and how many of each: 28 pairs with seven.
_FIRST_CHECK, _LAST_CHECK = 2, 15
_MOST_POSITIVES = 7


class PositivesViolation(RuntimeError):
    """A sampled positive is not one: a defect of the sampler, so the run is worth nothing."""


def pretrain(state: TrainingState, folder: RunFolder) -> dict[str, Any]:
    """Pretrain a controller in ``folder``, going on from the folder's checkpoint if it has one.

    Ctrl-C and SIGTERM end it after a step, with a checkpoint.

    Args:
        state: a new one, of the main process.

    Returns:
        the summary, as written to ``summary.json``

    Raises:
        UserError: the checkpoint does not fit, the loss is not finite or a file cannot be written.
        PositivesViolation: networkx found a positive that is too far from its anchor.
    """
    config = state.config
    validation = Validation(state.table, state.held_out, config.seed, state.descriptors)
    _begin(state, folder)
    folder.cut_metrics(state.step)
    _warn_of_emulation(state)
    _check(state, _FIRST_CHECK)

    with Report(folder, config.training.steps, state.step) as report:
        _train(state, folder, validation, report)
        report.say("final validation")
        figures = validation.measure_all(state.controller)
        if not _is_noted(folder, state.step):
            report.validation(state.step, figures)

    checked = _check(state, _LAST_CHECK)
    summary = {
        **figures,
        "checked_pairs": checked.checked_pairs,
        "max_anchor_distance": checked.max_anchor_distance,
        "max_positive_distance": checked.max_positive_distance,
        "duplicate_positives": state.duplicates.item(),
        "held_out_cells": len(validation.rows),
        "parameters": sum(p.numel() for p in state.controller.parameters()),
        "steps": state.step,
        "seconds": state.seconds,
        "steps_per_second": state.step / state.seconds if state.seconds else None,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "processes": state.processes.count,
        "threads": torch.get_num_threads(),
        "precision": state.objective.precision,
        "seed": config.seed,
    }
    draw_curves(folder.read_metrics(), folder.curves)
    folder.save_weights(state.controller.state_dict())
    folder.save_summary(summary)
    return summary


def assist(state: TrainingState, folder: RunFolder) -> None:
    """Do another process's share of the steps of `pretrain`, which the main process runs.

    Of Ctrl-C and SIGTERM, which torchrun passes on to all, this process ends when the main one has
    ended: that one needs it to come to the end of a step.

    Args:
        state: a new one.

    Raises:
        UserError: the checkpoint does not fit or the main process has ended.
    """
    _begin(state, folder)
    with HeldSignals() as signals:
        try:
            while state.step < state.config.training.steps:
                state.advance()
        except UserError:
            if not signals.received:
                raise


def _train(state: TrainingState, folder: RunFolder, validation: Validation, report: Report) -> None:
    """Make all steps that are left. A signal is heeded between two, when they are saved."""
    plan = state.config.training
    with HeldSignals() as signals:
        while state.step < plan.steps and not signals.received:
            started = time.perf_counter()
            state.advance()
            state.seconds += time.perf_counter() - started
            report.advance()
            if state.step % plan.log_every == 0:
                rate = state.schedule.get_last_lr()[0]
                report.train(state.step, {**state.averages(plan.log_every), "learning_rate": rate})
            if state.step % plan.validate_every == 0 and state.step < plan.steps:
                report.validation(state.step, validation.measure(state.controller))
            if state.step % plan.checkpoint_every == 0 or state.step == plan.steps:
                state.save(folder)
        if signals.received:
            state.save(folder)


def _begin(state: TrainingState, folder: RunFolder) -> None:
    keep_freed_memory()
    if folder.checkpoint.exists():
        state.restore(folder)
    first = torch.tensor([float(state.step)], device=state.held_out.device)
    state.processes.average([first])
    if first.item() != state.step:
        raise UserError(
            f"the processes see different checkpoints in {folder.path}: with several machines, the"
            " folder must be on a disk that they share"
        )


def _warn_of_emulation(state: TrainingState) -> None:
    if state.objective.precision == "bfloat16" and not computes_in_bfloat16(state.held_out.device):
        print(
            "warning: training.precision is bfloat16, which this processor emulates, many times"
            " slower than float32: set it to auto for a new run",
            file=sys.stderr,
        )


def _is_noted(folder: RunFolder, step: int) -> bool:
    """Whether a run that was killed after its last validation has noted it already."""
    return any(r.get("kind") == "validation" and r["step"] == step for r in folder.read_metrics())


def _check(state: TrainingState, anchors: int) -> PositivesCheck:
    """Let networkx measure positives of a few anchors, drawn apart from the training's draws."""
    sampler, candidates = state.batches.sampler, state.batches.candidates
    generator = torch.Generator(candidates.device).manual_seed(state.config.seed)
    chosen = torch.randint(
        len(candidates), (anchors,), generator=generator, device=candidates.device
    )
    positives = min(state.config.data.positives, _MOST_POSITIVES)
    check = check_positives(sampler, candidates[chosen], positives, generator)
    if check.violations:
        raise PositivesViolation("; ".join(check.violations))
    return check
