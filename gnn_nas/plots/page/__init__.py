"""A map of cells as one HTML file that people explore offline."""

from gnn_nas.plots.page.cell_map import CellMap, SearchPath, View
from gnn_nas.plots.page.write import write_page

__all__ = ["CellMap", "SearchPath", "View", "write_page"]
