"""Costs against sizes as a picture."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from bench.measuring import Figure
from gnn_nas.analysis.search_curves import save_curves

_COLOURS = {1: "tab:blue", 2: "tab:orange"}


def draw_scaling(figures: Iterable[Figure], path: Path, title: str) -> None:
    """Draw every series of figures into a PNG file, a panel for each name. Raises ``OSError``.

    Beside each curve a straight line goes on linearly from its first point.
    """
    from matplotlib.figure import Figure as Picture

    measured = [figure for figure in figures if figure.size is not None]
    panels = {name: list(each) for name, each in groupby(measured, lambda figure: figure.name)}
    picture = Picture(figsize=(4.2 * len(panels), 3.8), layout="constrained")
    for axes, (name, panel) in zip(
        picture.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        for threads, each in groupby(panel, lambda figure: figure.threads):
            series = list(each)
            sizes, costs = zip(*((f.size, f.value) for f in series), strict=True)
            colour = _COLOURS.get(threads, "tab:green")
            label = f"{threads} thread{'s' if threads > 1 else ''}"
            axes.plot(sizes, costs, marker="o", ms=4, lw=1.5, color=colour, label=label)
            linear = [costs[0] * size / sizes[0] for size in sizes]
            axes.plot(sizes, linear, color=colour, lw=0.8, ls=":")
        cost, _, size = name.partition(" by ")
        axes.set(xscale="log", yscale="log", title=cost, xlabel=size, ylabel=panel[0].unit)
        ticks = sorted({figure.size for figure in panel})
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks], rotation=45, ha="right")
        axes.set_xticks([], minor=True)
        axes.legend(frameon=False)
    save_curves(picture, path, f"{title}; dotted: linear")
