"""Pretraining steps of every config, their parts, their memory and how far the floor is."""

import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from bench.apart import CONFIGS, apart, peak_memory
from bench.floor import floor
from bench.measuring import Figure, at_most, say, time_of
from gnn_nas.cli import pretrain
from gnn_nas.config import PretrainConfig, load_config
from gnn_nas.pretraining.allocation import keep_freed_memory
from gnn_nas.pretraining.batches import BLOCK, held_out_cells
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.spaces.table import load_table
from gnn_nas.spaces.tokens import to_tokens

MAIN = CONFIGS / "gin_multisim.yaml"
"""The config with targets, measured on one thread as well."""

THREADS = 2
_ROUNDS, _PARTS = 12, 30
# Steps of the run whose memory is measured whole.
_RUN = 100


def measure() -> list[Figure]:
    """Measure every ``configs/gin_*.yaml`` at its own batch size."""
    figures = []
    for path in sorted(CONFIGS.glob("gin_*.yaml")):
        for threads in (1, THREADS) if path == MAIN else (THREADS,):
            say(f"{path.stem} on {threads} threads")
            figures += apart(_config, path, threads=threads)
    for threads in (1, THREADS):
        figures += _floor_of(figures, threads)
    say(f"{MAIN.stem} on {THREADS} threads, AVX2 only")
    ordinary = apart(_config, MAIN, threads=THREADS, ordinary=True)
    ordinary += _floor_of(ordinary, THREADS, ordinary=True)
    figures += [replace(f, name=f"{f.name}, AVX2 only", target=None) for f in ordinary]
    say("a run with its final validation")
    return [*figures, apart(_whole_run, threads=THREADS)]


def _floor_of(figures: list[Figure], threads: int, ordinary: bool = False) -> list[Figure]:
    say(f"the floor of {MAIN.stem} on {threads} threads")
    (step,) = (f for f in figures if f.name == _step(MAIN) and f.threads == threads)
    return apart(_floor, step.value, threads=threads, ordinary=ordinary)


def pretraining(config: PretrainConfig) -> TrainingState:
    """The state at the beginning of a run of a config, which keeps memory as a run does."""
    keep_freed_memory()
    table = load_table()
    return TrainingState(config, table, held_out_cells(table, config.data.held_out))


def _config(path: Path) -> list[Figure]:
    config = load_config(path)
    state = pretraining(config)
    # Whole blocks of batches, as these are drawn together.
    steps = time_of(state.advance, _ROUNDS, each=BLOCK, budget=20)
    # Taken before the parts are measured: only steps have run so far.
    peak = peak_memory()
    target = at_most(45) if path == MAIN and steps.threads == THREADS else None
    condition = f"batch {config.data.batch_size}, {state.objective.precision}"
    return [
        steps.spent(_step(path), condition=condition, target=target),
        *_parts(path.stem, state),
        Figure(f"{path.stem}, peak memory of steps", peak, "MB", "", steps.threads),
    ]


def _parts(name: str, state: TrainingState) -> list[Figure]:
    controller, table = state.controller, state.table
    batch = state.batches.draw()
    tokens = to_tokens(table.cells[batch.rows])
    lower = state.objective.precision == "bfloat16"
    with torch.autocast("cpu", torch.bfloat16, enabled=lower):
        # Not a part of any graph, so that only the decoder's own is built.
        embeddings = controller.encode(batch.cells).detach().requires_grad_()
        encoder = time_of(lambda: controller.encode(batch.cells), _PARTS)
        decoder = time_of(lambda: controller.decoder(embeddings, tokens), _PARTS)

    def loss() -> torch.Tensor:
        state.optimizer.zero_grad()
        return state.objective(controller, table, batch).total

    backward = time_of(lambda total: total.backward(), _PARTS, prepare=loss)
    return [
        time_of(state.batches.draw, 5, each=BLOCK).spent(f"{name}, drawing a batch"),
        encoder.spent(f"{name}, encoder forward"),
        decoder.spent(f"{name}, decoder forward", condition="teacher forcing"),
        time_of(loss, _PARTS).spent(f"{name}, all losses forward"),
        backward.spent(f"{name}, backward"),
    ]


def _floor(step: float) -> list[Figure]:
    state = pretraining(load_config(MAIN))
    for _ in range(3):
        state.advance()
    return floor(state, MAIN.stem, step)


def _whole_run() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"--config={MAIN}", f"--out={folder}/run", f"--max-steps={_RUN}"]
        status = pretrain.main([*arguments, "--device=cpu"])
    if status:
        raise RuntimeError(f"pretrain ended with status {status}")
    return Figure(
        f"{MAIN.stem}, peak memory of a run",
        peak_memory(),
        "MB",
        f"{_RUN} steps and the final validation",
        torch.get_num_threads(),
        target=at_most(1500),
    )


def _step(path: Path) -> str:
    return f"{path.stem}, step"
