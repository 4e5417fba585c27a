"""``pretrain``: pretrain a controller on a whole search space."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from gnn_nas.benchmarks.labels import LEAST, check_labels, open_labels
from gnn_nas.benchmarks.locate import benchmark_path
from gnn_nas.cli.common import (
    USER_ERROR_STATUS,
    add_out,
    command_parser,
    continued,
    run_guarded,
)
from gnn_nas.config import CONTROLLERS, DEFAULT_SPACE, PretrainConfig, load_config
from gnn_nas.errors import UserError
from gnn_nas.plots.curves import draw_curves
from gnn_nas.pretraining.callback import Callback
from gnn_nas.pretraining.extending import has_ended
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.known import described_space, get_space

_DESCRIPTION = """\
Pretrain a controller (GIN encoder, LSTM decoder) on all cells of a search space: the 423,624 of
NAS-Bench-101, or what the config says.

Cells a few edits apart are pulled together by a metric loss while the decoder learns to spell
every cell from its embedding. No accuracy is needed and nothing is downloaded: the search space is
enumerated on the first call (some ten seconds) and kept in the user's cache folder. So is what the
untrained networks of a few thousand cells do, where the config has function (a minute, all cores).
"""

_EPILOG = """\
examples:
  %(prog)s --config gin_multisim
  %(prog)s --config gin_margin --seed 1 --out runs/margin-1
  %(prog)s --config gin_multisim --max-steps 300 --set model.embedding=16
  %(prog)s --space my_space.yaml
  %(prog)s --config nasbench201 --benchmark nasbench201.npz
  %(prog)s --resume --out runs/margin-1
  torchrun --nproc-per-node 4 -m gnn_nas pretrain --config gin_multisim

the folder (--out) receives:
  config.yaml         the resolved config
  model.safetensors   the controller; with config.yaml, what other commands take as --checkpoint
  summary.json        the final figures on held-out cells
  metrics.jsonl       every figure of the run, a row each; curves.png and tensorboard/ show them
  checkpoint.pt       where --resume goes on
"""

# Seconds that the main process may take longer to meet a mistake than the others.
_GRACE = 30


class _Curves(Callback):
    """Draws the figures of a run at its end."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_end(self, metrics: list[dict[str, Any]], summary: dict[str, Any]) -> None:
        draw_curves(metrics, self.path)


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    if _is_main():
        return _main(argv)
    # Of torchrun's processes the main one speaks for all.
    withheld = io.StringIO()
    with redirect_stderr(withheld):
        try:
            status = _main(argv)
        except SystemExit as stop:  # of argparse
            status = int(stop.code or 0)
    if status == USER_ERROR_STATUS:
        # The main process meets the same mistake, and torchrun ends this one when it has ended; so
        # this goes on only where the mistake is one of this process alone.
        time.sleep(_GRACE)
        sys.stderr.write(withheld.getvalue())
    return status


def _is_main() -> bool:
    """Whether this is the one process, or the main one of torchrun's."""
    return "TORCHELASTIC_RUN_ID" not in os.environ or int(os.environ["RANK"]) == 0


def _main(argv: Sequence[str]) -> int:
    return run_guarded(
        lambda: _run(parser().parse_args(argv)), continued("pretrain", argv, "--resume")
    )


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("pretrain", _DESCRIPTION, _EPILOG)
    parser.add_argument(
        "--config",
        type=Path,
        metavar="NAME|FILE",
        help="one that comes with the package (gnn-nas spaces lists them) or a YAML file; with"
        " --resume and --out by default the run's own",
    )
    parser.add_argument(
        "--space",
        metavar="NAME|FILE",
        help="instead of the config's space, one that gnn-nas spaces lists or a YAML file of your"
        " own; without --config, sizes and steps follow from how large it is",
    )
    add_out(parser, "runs/<name of the config, or of the space>", "the run's folder")
    parser.add_argument("--seed", type=int, metavar="N", help="instead of the config's seed")
    parser.add_argument(
        "--max-steps",
        type=int,
        metavar="N",
        help="a run of N steps instead of training.steps; the learning rate falls within them. With"
        " --resume a run of fewer goes on, where its schedule is constant or step",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in the folder; what is said besides must be as it was",
    )
    parser.add_argument(
        "--benchmark",
        nargs="?",
        const="",
        metavar="PATH",
        help="measurements to look at: every validation tells how well embeddings predict them"
        f" from {LEAST // 2} cells, Kendall's tau of nearest neighbours, ridge regression and a"
        " Gaussian process. What is learnt stays the same to the bit. Those of a benchmark, as"
        " search takes them, or a table of your own; without PATH those of NAS-Bench-101",
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="auto takes the GPU where there is one (default)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="SECTION.KEY=VALUE",
        help="change a value of the config; may be repeated",
    )
    return parser


def _config_of_space(
    arguments: argparse.Namespace, overrides: list[str]
) -> tuple[PretrainConfig, Path]:
    """The config, and the run's folder, for a space that was given instead of the config's."""
    described = described_space(arguments.space)
    name = described if isinstance(described, str) else described.name
    path = arguments.out or RunFolder.default_path(arguments.config or name)
    if isinstance(described, str):
        config = load_config(arguments.config or CONTROLLERS[described], overrides)
        return config.model_copy(update={"space": described}), path
    given = load_config(arguments.config or CONTROLLERS[DEFAULT_SPACE], overrides)

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.pretraining.suggested import measure_space, suggested_settings

    measures = measure_space(get_space(described), described.max_edits)
    print(measures, file=sys.stderr)
    described = described.model_copy(update={"max_edits": measures.space.max_edits})
    if not arguments.config:
        suggested = suggested_settings(measures).items()
        settings = [f"{key}={json.dumps(value)}" for key, value in suggested]
        given = load_config(CONTROLLERS[DEFAULT_SPACE], [*settings, *overrides])
    return given.model_copy(update={"space": described}), path


def _run(arguments: argparse.Namespace) -> None:
    overrides = list(arguments.overrides)
    if arguments.seed is not None:
        overrides.append(f"seed={arguments.seed}")
    if arguments.max_steps is not None:
        overrides.append(f"training.steps={arguments.max_steps}")
    resumes = arguments.resume and arguments.out and not arguments.config
    if not (arguments.config or arguments.space or resumes):
        raise UserError("give --config or --space, or --resume and --out of a run to go on with")
    if arguments.space and not resumes:
        config, path = _config_of_space(arguments, overrides)
    else:
        path = arguments.out or RunFolder.default_path(arguments.config)
        config = load_config(arguments.config or RunFolder.open(path).config, overrides)
    space = get_space(config.space)
    looked_at = None if arguments.benchmark is None else benchmark_path(arguments.benchmark)
    if looked_at:
        check_labels(looked_at, space)
    if has_ended(RunFolder(path), config, arguments.resume):
        print(f"{path} holds a finished run: nothing to resume", file=sys.stderr)
        return
    if (
        arguments.resume
        and not looked_at
        and any("tau_gp" in row for row in RunFolder(path).read_metrics())
    ):
        raise UserError(
            f"{path}: give the measurements that it looks at again, by --benchmark PATH"
        )

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.pretraining.report import ProgressBar
    from gnn_nas.pretraining.trainer import pretrain

    labels = open_labels(looked_at, space) if looked_at else None
    with ProgressBar() as bar:
        run = pretrain(
            config,
            path,
            (bar, _Curves(RunFolder(path).curves)),
            resume=arguments.resume,
            device=arguments.device,
            labels=labels,
        )
    if _is_main():
        for name, value in run.summary.items():
            print(f"{name:24} {value:.4f}" if isinstance(value, float) else f"{name:24} {value}")
        print(f"written to {os.fspath(path)}")
