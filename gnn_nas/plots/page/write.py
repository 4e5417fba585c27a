"""The page's file: template, plotting library and data in one."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from gnn_nas.files import write_text
from gnn_nas.plots.cell_figures import figure_names
from gnn_nas.plots.page.cell_map import CellMap, packed_map
from gnn_nas.spaces.index import CellIndex

_TEMPLATE = Path(__file__).with_name("template")
# Each uses what those before it define.
_SCRIPTS = (
    "data.js",
    "cell.js",
    "distance.js",
    "drawing.js",
    "colours.js",
    "elements.js",
    "map.js",
    "marks.js",
    "filters.js",
    "details.js",
    "path.js",
    "playback.js",
    "main.js",
)


def write_page(
    path: str | os.PathLike[str],
    table: CellIndex,
    cell_map: CellMap,
    title: str,
    subtitle: str = "",
    colour: str | None = None,
) -> None:
    """Write a map as one HTML file that opens offline and loads nothing.

    Args:
        colour: that of the points at first: ``accuracy``, ``class``, one of `figure_names`, or a
            statistic that is told; by default the first of these that is known.

    Raises:
        ValueError: the map does not know what it is to be coloured by.
        OSError: the file cannot be written.
    """
    measured = {"accuracy": cell_map.accuracies, "class": cell_map.classes}
    known = [name for name, values in measured.items() if values is not None]
    known += [*figure_names(table.space), *cell_map.told]
    if colour is None:
        colour = known[0]
    elif colour not in known:
        raise ValueError(f"cannot colour by {colour!r}: the map knows {', '.join(known)}")
    data = {
        "title": title,
        "subtitle": subtitle,
        "colour": colour,
        "colours": known,
        **packed_map(table, cell_map),
    }
    write_text(path, _assembled(title, data))


def _assembled(title: str, data: dict[str, Any]) -> str:
    # Imported here: it is needed for the page only.
    from plotly.offline import get_plotlyjs

    page = _template("page.html")
    parts = {
        "TITLE": title.replace("&", "&amp;").replace("<", "&lt;"),
        "STYLE": _template("style.css"),
        "LIBRARY": get_plotlyjs(),
        # "<" only ever stands in a string of the data; escaped, it cannot end the element.
        "DATA": json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c"),
        "SCRIPT": "\n".join(_template(name) for name in _SCRIPTS),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], page)


def _template(name: str) -> str:
    return (_TEMPLATE / name).read_text(encoding="utf-8")
