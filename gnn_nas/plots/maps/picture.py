"""Maps of embeddings as pictures, side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gnn_nas.benchmarks import TITLES
from gnn_nas.files import atomic_path
from gnn_nas.plots.maps.colours import Colouring
from gnn_nas.plots.maps.embedding_map import FIGURE_NAMES, EmbeddingMap
from gnn_nas.plots.umap_layout import MIN_DISTANCE, NEIGHBOURS
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.space import CellSpace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

# Okabe and Ito's colours but for the yellow, too pale on white; with the shapes, 21 classes differ
# in more than their numbers.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#444444")
_SHAPES = ("o", "s", "D")
# Dark is more. The palest end of the scale would be lost on white.
_SCALE, _PALEST = "viridis_r", 0.06

_PANEL, _ABOVE, _BELOW, _BAR = 4.6, 0.75, 0.55, 0.95  # inches
_COLUMNS = 3
_DPI = 150
# A panel holds a name of so many letters in points of their height.
_NAME_LETTERS = 420
# Beyond, an SVG file holds its points as an image.
_MOST_SHAPES = 2000


def draw_maps(
    paths: Sequence[str | os.PathLike[str]],
    maps: Sequence[EmbeddingMap],
    colours: Colouring | None = None,
    space: CellSpace = NASBENCH101,
) -> None:
    """Draw maps of the same cells into files, the same bit for bit; raises ``OSError``.

    Args:
        paths: of the files, whose suffixes (``.png``, ``.svg``) say their formats.
        colours: of the points; by default each class has a colour and a shape of its own.
        space: of the cells.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    columns = 2 if len(maps) == 4 else min(len(maps), _COLUMNS)
    lines = -(-len(maps) // columns)
    width = columns * _PANEL + (_BAR if colours else 0)
    height = lines * (_PANEL + _ABOVE) + _BELOW
    figure = Figure(figsize=(width, height))
    scale = None
    for number, each in enumerate(maps):
        line, column = divmod(number, columns)
        place = (column * _PANEL + 0.1, _BELOW + (lines - 1 - line) * (_PANEL + _ABOVE))
        size = (_PANEL - 0.2, _PANEL - 0.1)
        axes = figure.add_axes(_share(place, size, width, height))
        if each.cells.classes is None:
            scale = _draw_cells(axes, each, colours)
        else:
            scale = _draw_classes(axes, each, colours)
        _frame(axes, each)
    if colours:
        place = (columns * _PANEL + 0.1, _BELOW + 0.1)
        axes = figure.add_axes(_share(place, (0.17, _PANEL - 0.3), width, height))
        _draw_scale(figure, axes, scale, colours)
    figure.text(0.1 / width, 0.12 / height, _caption(maps[0], space), fontsize=8.5, color="#333333")
    # Without the salt and with a date, no two SVG files would be the same.
    with rc_context({"svg.hashsalt": "gnn_nas"}):
        for path in paths:
            with atomic_path(path) as temporary:
                metadata = {"Date": None} if temporary.suffix == ".svg" else None
                figure.savefig(temporary, dpi=_DPI, metadata=metadata)


def _share(
    place: tuple[float, float], size: tuple[float, float], width: float, height: float
) -> tuple[float, float, float, float]:
    return place[0] / width, place[1] / height, size[0] / width, size[1] / height


def _draw_cells(axes: Axes, drawn: EmbeddingMap, colours: Colouring) -> ScalarMappable:
    # The cells are in random order, so neither good nor bad ones lie on top.
    x, y = drawn.coordinates.T
    return axes.scatter(
        x,
        y,
        s=float(np.clip(60_000 / len(drawn.cells), 1.2, 20)),
        c=colours.values,
        lw=0,
        rasterized=len(drawn.cells) > _MOST_SHAPES,
        **_scale_options(colours),
    )


def _draw_classes(
    axes: Axes, drawn: EmbeddingMap, colours: Colouring | None
) -> ScalarMappable | None:
    """Anchors with their numbers, joined to their positives by faint lines."""
    classes, is_anchor = drawn.cells.classes.numpy(), drawn.cells.is_anchor.numpy()
    scale = None
    for number in range(classes.max() + 1):
        colour = "#777777" if colours else _COLOURS[number % len(_COLOURS)]
        shape = _SHAPES[number // len(_COLOURS) % len(_SHAPES)]
        members = classes == number
        (anchor,) = drawn.coordinates[members & is_anchor]
        for x, y in drawn.coordinates[members & ~is_anchor]:
            axes.plot([anchor[0], x], [anchor[1], y], color=colour, lw=0.7, alpha=0.35, zorder=1)
        for chosen, size, layer in ((members & ~is_anchor, 34, 2), (members & is_anchor, 130, 3)):
            options: dict[str, Any] = {"color": colour}
            if colours:
                options = {"c": colours.values[chosen], **_scale_options(colours)}
            scale = axes.scatter(
                drawn.coordinates[chosen, 0],
                drawn.coordinates[chosen, 1],
                s=size,
                marker=shape,
                edgecolors="black" if layer == 3 else "white",
                lw=0.9 if layer == 3 else 0.4,
                zorder=layer,
                **options,
            )
        scale.update_scalarmappable()  # otherwise only done when the figure is drawn
        axes.annotate(
            str(number + 1),
            anchor,
            xytext=(0, -0.2),
            textcoords="offset points",
            ha="center",
            va="center_baseline",
            fontsize=6.5,
            fontweight="bold",
            color=_ink(scale.get_facecolor()[0]),
            zorder=4,
        )
    return scale


def _ink(colour: Any) -> str:
    """Black or white, whichever is more legible on a colour."""
    red, green, blue = colour[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def _scale_options(colours: Colouring) -> dict[str, Any]:
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize

    count = int(colours.highest - colours.lowest) + 1 if colours.whole else 256
    shades = ListedColormap(colormaps[_SCALE](np.linspace(_PALEST, 1, count)))
    if colours.whole:
        limits = np.arange(count + 1) + colours.lowest - 0.5
        return {"cmap": shades, "norm": BoundaryNorm(limits, count)}
    return {"cmap": shades, "norm": Normalize(colours.lowest, colours.highest)}


def _draw_scale(figure: Figure, axes: Axes, scale: ScalarMappable, colours: Colouring) -> None:
    ticks = np.arange(colours.lowest, colours.highest + 1) if colours.whole else None
    below, above = colours.values.min() < colours.lowest, colours.values.max() > colours.highest
    clipped = {(True, True): "both", (True, False): "min", (False, True): "max"}
    extend = clipped.get((below, above), "neither")
    bar = figure.colorbar(scale, cax=axes, ticks=ticks, extend=extend)
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)
    bar.set_label(colours.label)
    if colours.whole:
        bar.set_ticklabels([str(int(tick)) for tick in ticks])


def _frame(axes: Axes, drawn: EmbeddingMap) -> None:
    low, high = drawn.coordinates.min(0), drawn.coordinates.max(0)
    middle, half = (low + high) / 2, 0.54 * (high - low).max()
    axes.set(
        xlim=(middle[0] - half, middle[0] + half),
        ylim=(middle[1] - half, middle[1] + half),
        xticks=[],
        yticks=[],
    )
    for spine in axes.spines.values():
        spine.set(color="#BBBBBB", lw=0.8)
    figures = "  ".join(
        f"{name} {drawn.figures[key]:.3f}"
        for key, name in FIGURE_NAMES.items()
        if key in drawn.figures and key != "map_at_r"
    )
    lines = (
        (drawn.name, 33, min(11, _NAME_LETTERS / max(1, len(drawn.name))), "bold"),
        (drawn.loss, 19, 9, "normal"),
        (figures, 5, 9, "normal"),
    )
    for text, points, size, weight in lines:
        axes.annotate(
            text,
            (0, 1),
            (0, points),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=size,
            weight=weight,
            parse_math=False,  # a folder's name may have dollars
        )


def _caption(drawn: EmbeddingMap, space: CellSpace) -> str:
    made = f"UMAP of Euclidean distances, {NEIGHBOURS} neighbours, min. distance {MIN_DISTANCE:g}"
    if drawn.cells.classes is None:
        return (
            f"{len(drawn.cells):,} random cells of {TITLES.get(space.name, space.name)}.\n{made}."
        )
    edits = f"1 to {space.max_edits} edits" if space.max_edits > 1 else "1 edit"
    return f"Numbered: anchors. Joined to them: their positives, {edits} away.\n{made}."
