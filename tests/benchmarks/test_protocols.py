import math
import subprocess
import sys

import pytest
import torch

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.benchmarks.protocols import (
    PROTOCOLS,
    BenchmarkObjective,
    BenchmarkReport,
    objective_and_report,
)
from gnn_nas.errors import UserError

ROWS = torch.tensor([5, 90, 17])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_rewards_are_those_of_the_protocol(small, protocol):
    expected = {
        "validation": small.validation(ROWS, trial=0, epochs=108),
        "single-trial": small.test(ROWS, trial=0),
        "oracle": small.mean_test(ROWS),
    }[protocol]
    evaluations = BenchmarkObjective(small, protocol).evaluate(ROWS)
    assert [each.reward for each in evaluations] == expected.tolist()
    assert [each.seconds for each in evaluations] == small.training_seconds(ROWS).tolist()
    assert {each.failure for each in evaluations} == {None}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_report_is_the_mean_test_and_for_single_trials_the_unseen_one(small, protocol):
    report = objective_and_report(small, protocol)[1]
    figures = report.report(ROWS)
    assert report.columns == ("test", "test_unseen")
    assert figures.dtype == torch.float64
    assert figures.shape == (3, 2)
    assert figures[:, 0].equal(small.mean_test(ROWS))
    if protocol == "single-trial":
        assert figures[:, 1].equal(small.unseen_test(ROWS))
    else:
        assert figures[:, 1].isnan().all()
    assert report.report(ROWS[:0]).shape == (0, 2)


class Trap(NASBench101):
    """Data whose report must not be touched."""

    def _sprung(self, *_):
        raise AssertionError("the report was read")

    mean_test = unseen_test = rank = best_test = _sprung


@pytest.mark.parametrize("protocol", ["validation", "single-trial"])
def test_no_reward_comes_of_the_report(small, small_table, protocol):
    trap = Trap(small_table, small._figures, "trap")
    objective, report = objective_and_report(trap, protocol)
    assert len(objective.evaluate(ROWS)) == 3
    assert trap not in vars(objective).values()
    with pytest.raises(AssertionError, match="the report was read"):
        report.report(ROWS)


def test_of_no_cells_there_are_no_evaluations(small):
    assert BenchmarkObjective(small, "oracle").evaluate(ROWS[:0]) == []


def test_seconds_that_are_unknown_are_nan(compact_folder, small_table):
    benchmark = NASBench101.open(compact_folder, small_table)
    objective = BenchmarkObjective(benchmark, "single-trial")
    seconds = [each.seconds for each in objective.evaluate(torch.tensor([9, 10, 29, 30]))]
    assert [math.isnan(each) for each in seconds] == [True, False, False, True]
    assert seconds[1:3] == benchmark.training_seconds(torch.tensor([10, 29])).tolist()


def test_rows_that_are_none_are_refused(small):
    objective = BenchmarkObjective(small, "oracle")
    with pytest.raises(IndexError, match="row -1"):
        objective.evaluate(torch.tensor([3, -1]))


def test_validation_needs_the_whole_space(compact_folder, small_table):
    benchmark = NASBench101.open(compact_folder, small_table)
    message = "protocol validation: .* for 71 of the cells.* nasbench_only108.tfrecord"
    with pytest.raises(UserError, match=message):
        objective_and_report(benchmark, "validation")


def test_a_protocol_that_does_not_exist_is_refused(small):
    with pytest.raises(ValueError, match="no protocol 'best'; known are validation, single-trial"):
        objective_and_report(small, "best")
    assert BenchmarkReport.columns == ("test", "test_unseen")


def test_the_names_of_the_protocols_need_no_torch():
    code = "import sys, gnn_nas.benchmarks.protocols; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
