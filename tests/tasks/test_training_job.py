import math

import pytest
import torch

from gnn_nas.tasks.training_job import TrainingJob, run_training
from tests.helpers.made_up_task import Task


@pytest.fixture
def job(table) -> TrainingJob:
    return TrainingJob.of_row(table, 0, 2, "search")


def test_a_job_is_a_cell_in_plain_numbers(job, table):
    assert job.module_hash == "00005c142e6f48ac74fdcf73e3439874"
    cell = job.cell()
    assert table.rows_of(cell).tolist() == [0]
    assert cell.ops.dtype == torch.long
    assert (
        len(
            {
                job,
                TrainingJob.of_row(table, 0, 2, "search"),
                TrainingJob.of_row(table, 0, 2, "test"),
            }
        )
        == 2
    )


@pytest.mark.parametrize(
    ("kind", "state", "failure"),
    [
        ("raise", "failed", "ValueError: of the cell"),
        ("exit", "failed", "SystemExit: 3"),
        ("diverge", "diverged", "the loss is nan in epoch 1"),
        ("nan", "diverged", "the reward is nan"),
    ],
)
def test_what_a_task_raises_is_its_outcome(job, tmp_path, kind, state, failure):
    outcome = run_training(Task(tmp_path / "notes", misbehave={job.edges % 7: kind}), job)
    assert (outcome.state, outcome.failure, outcome.reward) == (state, failure, None)


def test_outcomes_of_trainings_and_tests(job, tmp_path, table):
    outcome = run_training(Task(tmp_path / "notes", seconds=0.05), job)
    assert (outcome.state, outcome.failure) == ("done", None)
    assert outcome.reward == job.edges % 101 / 100 + 2
    assert 0.05 <= outcome.seconds < 5
    stopped = run_training(Task(tmp_path / "notes", misbehave={job.edges % 7: "stop"}), job)
    assert (stopped.state, stopped.reward) == ("stopped", 0.1)
    tested = run_training(Task(tmp_path / "notes"), TrainingJob.of_row(table, 0, 2, "test"))
    assert tested.metrics == {"test": 2.5}
    assert tested.weights == b"weights"
    assert tested.reward is None
    assert not math.isnan(tested.seconds)
