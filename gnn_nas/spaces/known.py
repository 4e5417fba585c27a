"""The spaces that come with the package."""

from gnn_nas.errors import UserError
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.space import CellSpace

SPACES = {space.name: space for space in (NASBENCH101, NASBENCH201)}


def is_known(space: CellSpace) -> bool:
    """Whether a space is one of these, and not another of the same name."""
    return SPACES.get(space.name) == space


def get_space(name: str) -> CellSpace:
    """The space of a name. Raises :class:`UserError` where there is none."""
    if name not in SPACES:
        raise UserError(f"there is no space {name} (known: {', '.join(SPACES)})")
    return SPACES[name]
