"""Trains networks here, in a process and, where it is installed, on Ray; prints digests of them.

For `test_same_bits`: what torch may use of a processor is decided when it is imported. To be called
from another module: Ray's processes cannot import what is in ``__main__``.
"""

import functools
import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import torch
import yaml

from gnn_nas.parallel import get_engine
from gnn_nas.parallel.pool import Pool
from gnn_nas.spaces.table import load_table
from gnn_nas.tasks.config import ImageTaskConfig
from gnn_nas.tasks.image_task import ImageTask
from gnn_nas.tasks.images import Images, read_digits
from gnn_nas.tasks.task import TestResult
from gnn_nas.tasks.training_job import TrainingJob, TrainingRecord, run_training

DIGITS = Path(__file__).parents[2] / "configs" / "tasks" / "digits.yaml"
KINDS = ("grey", "grey, moved", "colour", "colour, moved")


class Tasks:
    """Tasks of images as readers give them, chosen from `KINDS` by a training's seed."""

    def __init__(self) -> None:
        values = yaml.safe_load(DIGITS.read_text())
        values["training"] |= {"weight_decay": 5e-4, "epochs": 1}
        grey, labels = (array[:300] for array in read_digits())
        # A picture file's channels come last.
        colour = np.repeat(grey.transpose(0, 2, 3, 1), 3, axis=3).transpose(0, 3, 1, 2)
        self.tasks = []
        for kind in KINDS:
            if kind.endswith("moved"):
                values["augmentation"] = {"flip": True, "shift": 1}
            else:
                values["augmentation"] = {"flip": False, "shift": 0}
            pixels = grey if kind.startswith("grey") else colour
            config = ImageTaskConfig.model_validate(values)
            self.tasks.append(ImageTask(config, Images(pixels, labels)))

    def test(self, cell, seed: int) -> TestResult:
        return self.tasks[seed].test(cell, 0)


def digest(record: TrainingRecord) -> str:
    """Of the network's weights, and of how good it is."""
    assert record.state == "done", record
    figures = json.dumps([record.metrics["accuracy"], record.metrics["test"]])
    return hashlib.sha256(record.weights + figures.encode()).hexdigest()


def made_by(engine: str, tasks: Tasks, jobs: list[TrainingJob]) -> list[TrainingRecord]:
    """Trainings made elsewhere."""
    with Pool(get_engine(engine, functools.partial(run_training, tasks), 1)) as pool:
        return [future.result(300) for future in [pool.submit(job) for job in jobs]]


def main() -> None:
    torch.set_num_threads(1)
    tasks, table = Tasks(), load_table()
    jobs = [TrainingJob.of_row(table, 0, seed, "test") for seed in range(len(KINDS))]
    records = {
        "here": [run_training(tasks, job) for job in jobs],
        "in a process": made_by("local", tasks, jobs),
    }
    if importlib.util.find_spec("ray"):
        records["on Ray"] = made_by("ray", tasks, jobs)
    print(json.dumps({where: list(map(digest, made)) for where, made in records.items()}))
