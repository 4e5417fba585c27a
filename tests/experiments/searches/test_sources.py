import pickle

import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.sources import BenchmarkSource, TrainingSource
from gnn_nas.objective import Evaluation
from gnn_nas.tasks.evaluator import Evaluated
from gnn_nas.tasks.task import COLUMNS


def refuse(message):
    raise AssertionError("measurements are not asked for")


def test_measurements_are_opened_where_they_are(made_up_benchmark, table):
    source = pickle.loads(pickle.dumps(BenchmarkSource(made_up_benchmark, "oracle")))
    cells, objective, report = source.open(refuse)
    rows = torch.tensor([3, 1])
    rewards = [evaluation.reward for evaluation in objective.evaluate(rows)]
    assert len(cells) == len(table)
    assert report.report(rows)[:, 0].tolist() == rewards
    with pytest.raises(UserError, match="cannot read"):
        BenchmarkSource(made_up_benchmark / "absent", "oracle").open(refuse)


def test_trainings_are_asked_for_a_round_at_a_time(table):
    asked = []

    def answer(rows):
        asked.append(rows)
        return [Evaluated(Evaluation(row / 10, 1.0), (row, 2.0 * row, 3.0)) for row in rows]

    cells, objective, report = pickle.loads(pickle.dumps(TrainingSource())).open(answer)
    assert len(cells) == len(table)
    assert report.columns == COLUMNS
    evaluations = objective.evaluate(torch.tensor([3, 1]))
    assert [evaluation.reward for evaluation in evaluations] == [0.3, 0.1]
    assert report.report(torch.tensor([1, 3])).tolist() == [[1, 2, 3], [3, 6, 3]]
    assert asked == [[3, 1]]
