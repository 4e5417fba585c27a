"""The command ``pretrain`` with validation, checks and drawing cut short, for torchrun to start.

``FAIL_AT_STEP`` in the environment lets the main process meet a full disk after that step.
"""

import os
import sys

from gnn_nas.cli import pretrain
from gnn_nas.errors import UserError
from gnn_nas.pretraining import trainer
from gnn_nas.pretraining.report import Metrics
from gnn_nas.pretraining.validation import Validation

FIGURES = dict.fromkeys(
    ("token_accuracy", "exact_match", "precision_at_1", "map_at_r", "prior_validity"), 0.5
)


def cut_short(patch=setattr) -> None:
    """Put stand-ins in the place of what takes long."""
    patch(trainer, "_FIRST_CHECK", 1)
    patch(trainer, "_LAST_CHECK", 1)
    patch(pretrain, "draw_curves", lambda rows, path: path.touch())
    patch(Validation, "measure", lambda self, controller: dict(FIGURES))
    patch(Validation, "measure_all", lambda self, controller: dict(FIGURES))


def fail_at(step: int) -> None:
    """Let the row of this step's losses be what no longer fits on the disk."""
    on_train = Metrics.on_train

    def failing(self, now, losses):
        if now == step:
            raise UserError("cannot write metrics.jsonl: No space left on device")
        on_train(self, now, losses)

    Metrics.on_train = failing


if __name__ == "__main__":
    cut_short()
    if "FAIL_AT_STEP" in os.environ:
        fail_at(int(os.environ["FAIL_AT_STEP"]))
    sys.exit(pretrain.main(sys.argv[1:]))
