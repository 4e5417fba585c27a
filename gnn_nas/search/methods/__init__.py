"""Search methods, one module each: a new file here is a new ``--method``.

A module ``some_name.py`` is the method ``some-name``. It has

- ``Settings``: ``SomeName`` of `gnn_nas.search.settings`, whose defaults are the method's,
- ``search(queries, table, controller, generator, settings)``: asks `Queries` for rewards until
  its budget is spent; may train ``controller`` in place.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch

    from gnn_nas.config import Section
    from gnn_nas.models.controller import Controller
    from gnn_nas.search.queries import Queries
    from gnn_nas.spaces.table import CellTable

METHODS = tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)))


class Method(Protocol):
    """What a module of this package offers."""

    Settings: type[Section]

    def search(
        self,
        queries: Queries,
        table: CellTable,
        controller: Controller,
        generator: torch.Generator,
        settings: Section,
    ) -> None:
        """Query cells until ``queries.remaining`` is 0."""


def get_method(name: str) -> Method:
    """The module of a method. Raises ``KeyError`` for a name that is not in ``METHODS``."""
    if name not in METHODS:
        raise KeyError(name)
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
