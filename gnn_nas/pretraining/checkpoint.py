"""Whether a checkpoint is one that a run of this config can have written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.config import PretrainConfig, load_config
from gnn_nas.errors import UserError
from gnn_nas.module_weights import refuse_other_architecture
from gnn_nas.plain_yaml import parse_yaml
from gnn_nas.pretraining.extending import can_extend
from gnn_nas.pretraining.form import is_plain_tensor, refuse_other_form
from gnn_nas.pretraining.optimisation import refuse_impossible_state

if TYPE_CHECKING:
    from gnn_nas.pretraining.training_state import TrainingState


def refuse_other_run(state: dict[str, Any], run: TrainingState, source: Path) -> None:
    """Compare all of a checkpoint with what a run would have written; the run stays as it is.

    Raises:
        UserError: the checkpoint is of another architecture, config or kind of device, or holds
            what no run of this config comes to.
    """
    try:
        _refuse_other_config(state, run, source)
        _refuse_impossible(state, run)
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{source} is no checkpoint of a pretraining run ({error}): delete the file and"
            " --resume to run from step 0"
        ) from error


def _refuse_other_config(state: dict[str, Any], run: TrainingState, source: Path) -> None:
    weights = state["controller"]
    if not isinstance(weights, Mapping) or not all(map(is_plain_tensor, weights.values())):
        raise ValueError("its controller is none")
    refuse_other_architecture(run.controller, weights, source)
    begun = _config(state["config"], source)
    if can_extend(run.config) and begun.training.steps < run.config.training.steps:
        longer = begun.training.model_copy(update={"steps": run.config.training.steps})
        begun = begun.model_copy(update={"training": longer})
    if begun != run.config:
        raise UserError(
            f"{source} belongs to a run with another config: delete the file and --resume to run"
            " from step 0"
        )
    if run.function and state["function"] != run.function.fingerprint:
        raise UserError(
            f"{source} belongs to a run that was told another function of cells, as the images or"
            " ops of its config have changed, or an earlier version measured it: delete the file"
            " and --resume to run from step 0"
        )
    if state["device"] != run.held_out.device.type:
        if state["device"] not in ("cpu", "cuda"):
            raise ValueError("its device is none")
        raise UserError(
            f"{source} was written on another device: resume with --device {state['device']}"
        )


def _config(text: object, source: Path) -> PretrainConfig:
    """The config of a checkpoint, which may lack keys that were added since."""
    try:
        return load_config(dict(parse_yaml(str(text), str(source))))
    except (UserError, TypeError, ValueError):
        raise ValueError("its config is none") from None


def _refuse_impossible(state: dict[str, Any], run: TrainingState) -> None:
    """Raise ``ValueError`` or ``KeyError`` for what no run of this config comes to."""
    training = run.config.training
    if training.precision == "auto" and state["precision"] not in ("float32", "bfloat16"):
        raise ValueError("its precision is none")
    refuse_other_form(state["controller"], run.controller.state_dict(), "controller")
    refuse_other_form(state.get("metric", {}), run.metric_state(), "metric")
    for name, like in run.counters().items():
        refuse_other_form(state[name], like, name)
    step, seconds, duplicates = (state[name] for name in ("step", "seconds", "duplicates"))
    if not 0 <= step <= training.steps:
        raise ValueError(f"step is {step} of {training.steps}")
    if seconds < 0:
        raise ValueError(f"{step} steps have taken {seconds} seconds")
    if not 0 <= duplicates <= step * run.config.data.batch_size:
        raise ValueError(f"{step} steps have had {duplicates} duplicates")
    run.batches.refuse_impossible(state["batches"], step)
    if not isinstance(state["optimizer"], Mapping):
        raise ValueError("its optimizer is none")
    refuse_impossible_state(run.config.optimizer, run.trained, state["optimizer"]["state"], step)
