import csv
import statistics
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from gnn_nas.evaluation.cell_pairs import CellPairs, pairs_by_distance, random_pairs
from gnn_nas.experiments.locality import (
    locality_text,
    report_differences,
    report_distances,
    report_similarities,
)


@pytest.fixture(scope="module")
def even(table) -> CellPairs:
    return pairs_by_distance(table, 5, torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def random(table) -> CellPairs:
    return random_pairs(table, 60, torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def made_up(table) -> SimpleNamespace:
    """Accuracies that nobody measured."""
    accuracy = torch.rand(len(table), generator=torch.Generator().manual_seed(2)).double()
    return SimpleNamespace(
        table=table,
        all_rows=lambda: torch.arange(len(table)),
        mean_test=lambda rows: accuracy[rows],
    )


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_distances_are_counted(random, tmp_path):
    figures = report_distances(tmp_path, random)
    lines = read(tmp_path / "a-distances.csv")
    distances = random.distance.tolist()
    assert figures["pairs"] == 60
    assert figures["mean"] == pytest.approx(statistics.mean(distances))
    assert {int(line["edit_distance"]): int(line["pairs"]) for line in lines} == {
        at: distances.count(at) for at in range(1, max(distances) + 1)
    }
    assert [line["paper_ratio"] for line in lines[:7]] == [
        "0.0002", "0.0001", "0.0024", "0.0073", "0.0291", "0.0798", ""
    ]  # fmt: skip
    assert figures["ratios"][4]["ratio"] == pytest.approx(distances.count(5) / 60)


def test_differences_equal_those_taken_one_by_one(table, even, random, made_up, tmp_path):
    figures = report_differences(tmp_path, even, random, made_up)
    lines = read(tmp_path / "b-differences.csv")
    assert len(lines) == 60
    expected = []
    for line in lines:
        rows = [table.row_of_hash(line[name]) for name in ("first", "second")]
        one, other = (100 * made_up.mean_test(row).item() for row in rows)
        expected.append(abs(one - other))
        assert float(line["first_test_accuracy"]) == pytest.approx(one, abs=1e-6)
        assert float(line["difference"]) == pytest.approx(expected[-1], abs=1e-6)
    distances = [int(line["edit_distance"]) for line in lines]
    assert distances == even.distance.tolist()
    assert figures["spearman"] == pytest.approx(spearmanr(distances, expected).statistic)
    third = figures["by_distance"][2]
    assert (third["distance"], third["pairs"]) == (3, 5)
    assert third["mean"] == pytest.approx(statistics.mean(expected[10:15]))
    assert third["std"] == pytest.approx(statistics.stdev(expected[10:15]))
    assert third["median"] == pytest.approx(statistics.median(expected[10:15]))
    assert third["quarter"] == pytest.approx(sorted(expected[10:15])[1])


def test_similarities_equal_those_of_cells_one_by_one(table, even, random, controller, tmp_path):
    figures = report_similarities(tmp_path, even, random, table, {"small": controller})
    lines = read(tmp_path / "c-similarities.csv")
    for number in range(0, 60, 7):
        with torch.no_grad():
            one, other = (
                controller.encode(table.cells[rows[number : number + 1]].to_batch())[0]
                for rows in (even.first, even.second)
            )
        assert float(lines[number]["small"]) == pytest.approx((one @ other).item(), abs=2e-6)
    values = [float(line["small"]) for line in lines]
    expected = spearmanr(even.distance.tolist(), values).statistic
    assert figures["small"]["spearman"] == pytest.approx(expected, abs=1e-3)
    assert figures["small"]["spearman_random_pairs"] != figures["small"]["spearman"]
    assert [each["distance"] for each in figures["small"]["by_distance"]] == list(range(1, 13))


def test_a_correlation_with_what_never_differs_is_no_number(table, even, random, tmp_path):
    same = SimpleNamespace(
        table=table,
        all_rows=lambda: torch.arange(len(table)),
        mean_test=lambda rows: torch.full((len(rows),), 0.9),
    )
    figures = report_differences(tmp_path, even, random, same)
    assert np.isnan([figures["spearman"], figures["spearman_random_pairs"]]).all()


SPREAD = {"pairs": 10, "mean": 1.5, "std": 1.0, "quarter": 0.5, "median": 1.25}
ROWS = [{"distance": at, **SPREAD, "three_quarters": 2.0} for at in (1, 2)]
RATIO = {"distance": ">6", "pairs": 8852, "ratio": 0.8852, "paper": 0.8811}


def test_every_part_has_its_table_and_correlations_stand_last():
    figures = {
        "a": {
            "pairs": 10_000,
            "mean": 8.48,
            "ratios": [{**RATIO, "standard_error": 0.0045, "standard_errors_apart": 0.9}],
        },
        "b": {"spearman": 0.2784, "spearman_random_pairs": 0.1, "by_distance": ROWS},
        "c": {
            "a_long_name_of_a_run": {
                "spearman": -0.95, "spearman_random_pairs": -0.743, "by_distance": ROWS
            },
            "other": {
                "spearman": float("nan"), "spearman_random_pairs": -1.0, "by_distance": ROWS
            },
        },
    }  # fmt: skip
    a, b, c, correlations = locality_text(figures).split("\n\n")
    assert a.splitlines()[0] == "(a) edit distance of 10,000 random pairs, mean 8.48"
    assert a.splitlines()[-1].split() == [">6", "0.8852", "0.8811", "0.90"]
    assert b.splitlines()[1].split() == ["edits", "mean", "median", "25", "%", "75", "%"]
    assert b.splitlines()[2].split() == ["1", "1.500", "1.250", "0.500", "2.000"]
    assert c.splitlines()[1].split() == ["edits", "a_long_name_of_a_run", "other"]
    assert c.splitlines()[3].split() == ["2", "1.500", "1.500"]
    assert [line.split()[-2:] for line in correlations.splitlines()[1:]] == [
        ["0.278", "0.100"], ["-0.950", "-0.743"], ["nan", "-1.000"]
    ]  # fmt: skip
    for block in (a, b, c, correlations):
        assert len({len(line) for line in block.rstrip("\n").splitlines()[1:]}) == 1


def test_parts_that_were_not_made_are_left_out():
    figures = {"c": {"one": {"spearman": 1, "spearman_random_pairs": 1, "by_distance": ROWS}}}
    text = locality_text(figures)
    assert text.startswith("(c)")
    assert "(a)" not in text
    assert "(b)" not in text
    assert "Spearman" not in locality_text({"a": {"pairs": 1, "mean": 1.0, "ratios": []}})
