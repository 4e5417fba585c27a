"""Costs against sizes as a picture."""

from collections.abc import Iterable
from itertools import groupby, pairwise
from pathlib import Path

from bench.measuring import Figure
from gnn_nas.plots.curves import save_curves

_COLOURS = {1: "tab:blue", 2: "tab:orange"}
_COLUMNS = 2
# Sizes nearer to the next than this would have their labels overlap.
_APART = 1.25


def draw_scaling(figures: Iterable[Figure], path: Path, title: str) -> None:
    """Draw every series of figures into a PNG file, a panel for each name. Raises ``OSError``.

    Beside each curve a straight line goes on linearly from its first point.
    """
    from matplotlib.figure import Figure as Picture
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    measured = [figure for figure in figures if figure.size is not None]
    panels = {name: list(each) for name, each in groupby(measured, lambda figure: figure.name)}
    rows = -(-len(panels) // _COLUMNS)
    picture = Picture(figsize=(4.2 * _COLUMNS, 3.6 * rows), layout="constrained")
    for number, (name, panel) in enumerate(panels.items(), start=1):
        axes = picture.add_subplot(rows, _COLUMNS, number)
        for threads, each in groupby(panel, lambda figure: figure.threads):
            series = list(each)
            sizes, costs = zip(*((f.size, f.value) for f in series), strict=True)
            colour = _COLOURS.get(threads, "tab:green")
            label = f"{threads} thread{'s' if threads > 1 else ''}"
            axes.plot(sizes, costs, marker="o", ms=4, lw=1.5, color=colour, label=label)
            linear = [costs[0] * size / sizes[0] for size in sizes]
            axes.plot(sizes, linear, color=colour, lw=0.8, ls=":")
        size = name.partition(" by ")[2]
        axes.set(xscale="log", yscale="log", title=name, xlabel=size, ylabel=panel[0].unit)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.12g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        ticks = _readable(sorted({figure.size for figure in panel}))
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks], rotation=45, ha="right")
        axes.set_xticks([], minor=True)
    named = {}
    for axes in picture.axes:
        handles, labels = axes.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    picture.legend(
        named.values(), named, loc="outside lower center", ncols=len(named), frameon=False
    )
    save_curves(picture, path, f"{title}; dotted: linear")


def _readable(sizes: list[float]) -> list[float]:
    """Ascending sizes, the last and those that are well apart from the next."""
    return [a for a, b in pairwise(sizes) if b / a >= _APART] + sizes[-1:]
