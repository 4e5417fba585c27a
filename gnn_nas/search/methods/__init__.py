"""Search methods, one module each: a new file here is a new ``--method``.

A module ``some_name.py`` is the method ``some-name``; its class ``SomeName`` is a
`gnn_nas.search.method.Method`. A method of one's own is named by ``module:object``.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from gnn_nas.errors import UserError

if TYPE_CHECKING:
    from gnn_nas.search.method import Method

METHODS = tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)))


def get_method(reference: str) -> type[Method]:
    """The class of a method: one of ``METHODS``, or ``module:object``.

    Raises:
        UserError: there is no such method, or it is none.
    """
    if reference in METHODS:
        module = importlib.import_module(f"{__name__}.{reference.replace('-', '_')}")
        return getattr(module, "".join(part.title() for part in reference.split("-")))

    from gnn_nas.references import resolve
    from gnn_nas.search.method import Method

    if ":" not in reference:
        raise UserError(f"--method {reference}: neither {', '.join(METHODS)} nor module:object")
    found = resolve(reference, "--method")
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise UserError(
            f"--method {reference}: it must be a class derived from gnn_nas.search.method.Method"
        )
    return found
