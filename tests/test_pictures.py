"""Every picture the commands draw, with little to show and with much: nothing is cut or covered.

What is looked at is the figure's geometry at its final size, not its pixels.
"""

import functools
import math
import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from bench.measuring import Figure as Measured
from bench.scaling_plot import draw_scaling
from gnn_nas.evaluation.cell_pairs import ratios
from gnn_nas.experiments.searches.task_judge import pareto_front
from gnn_nas.experiments.table1.paper import NAMES, TABLE_COLUMNS
from gnn_nas.experiments.table1.table import Row, draw_table1
from gnn_nas.plots.curves import draw_curves
from gnn_nas.plots.locality_figures import (
    draw_differences,
    draw_distances,
    draw_similarities,
)
from gnn_nas.plots.maps.colours import Colouring
from gnn_nas.plots.maps.picture import draw_maps
from gnn_nas.plots.search_curves import draw_pareto, draw_reward_curves, draw_search_curves
from tests.helpers import made_up_maps

ROOT = Path(__file__).parents[1]
DISTANCE = np.repeat(np.arange(1, 13), 40)
LONG_NAME = "gin_multisim-of-another-machine-with-a-long-name"


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def metric_rows(steps: int, descriptors: bool) -> list[dict]:
    rows = []
    for step in range(1, steps + 1):
        loss = {
            "reconstruction": 2 / step,
            "metric": math.cos(step),
            "token_accuracy": 1 - 1 / step,
        }
        rows.append({"step": step, "kind": "train", "structure": descriptors / step, **loss})
        if step % 5 == 0:
            held_out = {"token_accuracy": 1 - 1 / step, "exact_match": 1 - 2 / step}
            error = {"structure_error": 1 / step} if descriptors else {}
            rows.append({"step": step, "kind": "validation", **held_out, **error})
    return rows


def accuracies(seeds: int, queries: int) -> list[list[float]]:
    return [draw(seed).normal(93, 1, queries).clip(80, 94.3).tolist() for seed in range(seeds)]


def best_so_far(rewards: list[list[float]]) -> list[list[float]]:
    return [np.maximum.accumulate(each).tolist() for each in rewards]


def draw_search(path: Path, seeds: int, queries: int) -> None:
    rewards = accuracies(seeds, queries)
    draw_search_curves(path, best_so_far(rewards), rewards, 94.32, "nao, protocol oracle")


def draw_rewards(path: Path, seeds: int, queries: int, task: str = "digits") -> None:
    rewards = [[each / 100 for each in one] for one in accuracies(seeds, queries)]
    draw_reward_curves(path, best_so_far(rewards), rewards, f"nao, task {task}, seeds: {seeds}")


def draw_costs(path: Path, count: int, cost: str, task: str = "digits") -> None:
    costs = np.exp(draw(1).uniform(8, 13, count)) if cost == "parameters" else draw().random(count)
    scores = 0.98 - draw(2).exponential(0.02, count)
    points = [(*each, str(each)) for each in zip(costs.tolist(), scores.tolist(), strict=True)]
    draw_pareto(
        path, points, pareto_front(points), cost, "validation accuracy", f"nao, task {task}"
    )


def draw_similarity(path: Path, names: list[str]) -> None:
    panels = {name: np.cos(DISTANCE / 6 + draw(1).normal(0, 0.2, len(DISTANCE))) for name in names}
    draw_similarities(path, DISTANCE, panels, [-0.9] * len(names))


def draw_table(path: Path, losses: list[str], finished: bool = True) -> None:
    """With the figures of the table in docs/measured/."""
    rows = []
    for loss in losses:
        ours = {}
        if finished:
            (line,) = re.findall(rf"^\| {NAMES[loss]} .*", DOCUMENTED, re.MULTILINE)
            texts = [text.replace(",", "").split(" ± ") for text in line.split(" | ")[1:]]
            for column, (mean, deviation) in zip(
                TABLE_COLUMNS, texts[: 2 * len(TABLE_COLUMNS) : 2], strict=True
            ):
                ours[column.key] = (float(mean), float(deviation))
        rows.append(Row(loss, ours))
    draw_table1(path, rows, "Table 1, protocol oracle: mean ± standard deviation of 5 searches")


DOCUMENTED = (ROOT / "docs" / "measured" / "table1-oracle.md").read_text(encoding="utf-8")


def draw_costs_of_sizes(path: Path, names: list[str], count: int) -> None:
    figures = [
        Measured(name, 0.5 * 3**k * 1.1**thread, "ms", threads=thread, size=2 ** (6 + k))
        for name in names
        for thread in (1, 2)
        for k in range(count)
    ]
    draw_scaling(figures, path, "torch 2.13.0, two cores")


def draw_map(path: Path, maps: list, coloured: bool = False) -> None:
    values = draw().normal(93, 1, len(maps[0].cells))
    colours = Colouring("mean test accuracy (%)", values, 90.0, 95.0, False) if coloured else None
    draw_maps([path], maps, colours)


PICTURES = {
    "curves": lambda path: draw_curves(metric_rows(300, True), path),
    "curves without descriptors": lambda path: draw_curves(metric_rows(300, False), path),
    "curves of few steps": lambda path: draw_curves(metric_rows(6, True), path),
    "curves of one step": lambda path: draw_curves(metric_rows(1, True), path),
    "search": lambda path: draw_search(path, 5, 300),
    "search of one seed": lambda path: draw_search(path, 1, 40),
    "search of one query": lambda path: draw_search(path, 1, 1),
    "search of 1,000": lambda path: draw_search(path, 20, 1000),
    "rewards": lambda path: draw_rewards(path, 5, 100),
    "rewards of one seed": lambda path: draw_rewards(path, 1, 40),
    "rewards of few queries": lambda path: draw_rewards(path, 1, 3),
    "pareto of a poor large cell": lambda path: draw_pareto(
        path, [(1e3, 0.9, "a"), (1e6, 0.5, "b")], [{"cost": 1e3, "score": 0.9}], "parameters", "x"
    ),
    "pareto of no costs": lambda path: draw_pareto(
        path, [(0.0, 0.9, "a")], [{"cost": 0.0, "score": 0.9}], "parameters", "x"
    ),
    "rewards of a long name": lambda path: draw_rewards(path, 1, 40, LONG_NAME * 4),
    "pareto of a long name": lambda path: draw_costs(path, 40, "parameters", LONG_NAME * 4),
    **{
        f"pareto of {count} by {cost}": lambda path, count=count, cost=cost: draw_costs(
            path, count, cost
        )
        for count in (1, 3, 40, 500)
        for cost in ("parameters", "latency")
    },
    "distances": lambda path: draw_distances(path, DISTANCE, ratios(torch.from_numpy(DISTANCE))),
    "distances of one pair": lambda path: draw_distances(
        path, DISTANCE[-1:], ratios(torch.from_numpy(DISTANCE[-1:]))
    ),
    "differences": lambda path: draw_differences(
        path, DISTANCE, draw().lognormal(size=len(DISTANCE)), 0.278
    ),
    **{
        f"similarities of {count}": lambda path, count=count: draw_similarity(
            path, [f"{'from scratch' if number else LONG_NAME} {number}" for number in range(count)]
        )
        for count in (1, 2, 3, 4)
    },
    "similarities of a short name": lambda path: draw_similarity(path, ["x"]),
    "table 1": lambda path: draw_table(path, list(NAMES)),
    "table 1 of one loss": lambda path: draw_table(path, ["lifted"]),
    "table 1 without ours": lambda path: draw_table(path, list(NAMES), finished=False),
    "scaling": lambda path: draw_costs_of_sizes(
        path, ["step by samples in a batch", "embedding by cells", "search by queries"], 6
    ),
    "scaling of one": lambda path: draw_costs_of_sizes(path, ["search by queries"], 2),
    "map": lambda path: draw_map(path, [made_up_maps.classes()]),
    "map of one anchor": lambda path: draw_map(path, [made_up_maps.classes(1, 2)]),
    "maps side by side": lambda path: draw_map(
        path, [made_up_maps.classes(name=name) for name in ("gin_multisim", LONG_NAME)]
    ),
    "cells": lambda path: draw_map(path, [made_up_maps.random_cells()], coloured=True),
    "cells of four": lambda path: draw_map(path, [made_up_maps.random_cells()] * 4, coloured=True),
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Iterator[Callable[[str], Figure]]:
    """Gives the figure of a picture, laid out at the size in which it is saved."""
    path = tmp_path_factory.mktemp("pictures") / "picture.png"
    kept: list[Figure] = []

    def lay_out(figure: Figure, target: Path, dpi: int, **_: object) -> None:
        figure.set_dpi(dpi)
        figure.draw_without_rendering()
        target.touch()
        kept.append(figure)

    @functools.cache
    def call(name: str) -> Figure:
        PICTURES[name](path)
        return kept.pop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", lay_out)
        yield call


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_every_text_is_whole_and_none_covers_another(drawn, name):
    figure = drawn(name)
    texts = list(shown_texts(figure))
    assert texts
    for text, box in texts:
        assert within(box, figure.bbox), f"{text!r} is cut off"
    for (one, first), (other, second) in combinations(texts, 2):
        assert not overlap(first, second), f"{one!r} covers {other!r}"


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_no_legend_covers_what_is_drawn(drawn, name):
    figure = drawn(name)
    for legend in (*figure.legends, *(axes.get_legend() for axes in figure.axes)):
        if legend is None:
            continue
        box = legend.get_window_extent()
        assert within(box, figure.bbox), "the legend is cut off"
        for axes in figure.axes:
            points = drawn_points(axes)
            inside = box.x0 < points[:, 0], points[:, 0] < box.x1
            inside += box.y0 < points[:, 1], points[:, 1] < box.y1
            assert not np.logical_and.reduce(inside).any(), "the legend covers a point"


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_what_is_written_beside_points_stays_in_its_panel(drawn, name):
    figure = drawn(name)
    for axes in figure.axes:
        for text in axes.texts:
            # Titles of maps are written above their panels.
            if getattr(text, "xycoords", None) != "axes fraction":
                assert within(text.get_window_extent(), axes.bbox), f"{text.get_text()!r}"


@pytest.mark.slow
def test_the_best_so_far_is_drawn_as_steps(drawn):
    for name in ("rewards of one seed", "search of one seed"):
        (line,) = drawn(name).axes[0].lines
        assert line.get_drawstyle() == "steps-post"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("search of one seed", "Mean of all queries so far"),
        ("search", "Mean of the last 128 queries"),
        ("rewards of few queries", "Every query, and the mean of all queries so far"),
        ("rewards", "Every query, and the mean of the last 16 queries"),
    ],
)
def test_the_mean_is_said_to_be_of_no_more_than_there_is(drawn, name, title):
    assert drawn(name).axes[1].get_title() == title


def shown_texts(figure: Figure) -> Iterator[tuple[str, Bbox]]:
    """Texts that are to be seen, with their boxes in pixels."""
    tick_labels = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not low <= tick.get_loc() <= high:
                    tick_labels |= {tick.label1, tick.label2}
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text() and text not in tick_labels:
            yield text.get_text(), text.get_window_extent()


def drawn_points(axes: Axes) -> np.ndarray:
    """Points of lines, their middles included, and of scatters, in pixels."""
    points = [np.empty((0, 2))]
    for line in axes.lines:
        path = line.get_transform().transform_path(line.get_path())
        points.append(path.interpolated(20).vertices if len(path.vertices) > 1 else path.vertices)
    for collection in axes.collections:
        offsets = np.ma.filled(collection.get_offsets(), np.nan)
        points.append(collection.get_offset_transform().transform(offsets))
    return np.concatenate(points)


def within(box: Bbox, whole: Bbox, slack: float = 1.0) -> bool:
    return (
        box.x0 >= whole.x0 - slack
        and box.y0 >= whole.y0 - slack
        and box.x1 <= whole.x1 + slack
        and box.y1 <= whole.y1 + slack
    )


def overlap(one: Bbox, other: Bbox, slack: float = 1.0) -> bool:
    both = Bbox.intersection(one, other)
    return both is not None and both.width > slack and both.height > slack
