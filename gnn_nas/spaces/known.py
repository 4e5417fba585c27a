"""The spaces that come with the package, and those that configs describe."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from gnn_nas.config import CONFIGS, SpaceConfig
from gnn_nas.config_file import load
from gnn_nas.errors import UserError
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH
from gnn_nas.spaces.space import CellSpace

SPACES = {space.name: space for space in (NASBENCH101, NASBENCH201, NASBENCH_GRAPH)}


def is_known(space: CellSpace) -> bool:
    """Whether a space is one of these, and not another of the same name."""
    return SPACES.get(space.name) == space


def have_same_cells(one: CellSpace, other: CellSpace) -> bool:
    """Whether spaces differ in nothing but the edits of positives, which no cell depends on."""
    return replace(one, max_edits=other.max_edits) == other


def get_space(described: str | SpaceConfig) -> CellSpace:
    """The space of a name, or of one's own description.

    Raises:
        UserError: there is no space of that name, or none can be as described.
    """
    if isinstance(described, str):
        if described not in SPACES:
            raise UserError(f"there is no space {described} (known: {', '.join(SPACES)})")
        return SPACES[described]
    if described.name in SPACES:
        raise UserError(f"space {described.name}: it is the name of one that comes with gnn_nas")
    name, ops = described.name, tuple(described.ops)
    parameters = tuple(float(described.parameters.get(op, 1.0)) for op in ops)
    others: dict[str, Any] = {"zero": described.zero, "identity": described.identity}
    if described.max_edits is not None:
        others["max_edits"] = described.max_edits
    references = tuple(described.ops.values())
    if any(references):
        if None in references:
            missing = ops[references.index(None)]
            raise UserError(f"space {name}: ops.{missing} is null, but others are built")
        others["modules"] = references
    if described.nodes is not None:
        return CellSpace.on_edges(name, ops, parameters, described.nodes, **others)
    if described.edges is not None:
        return CellSpace.wired(name, ops, parameters, described.edges, **others)
    # The config has seen to it that they are there.
    vertices, edges = described.max_vertices or 0, described.max_edges or 0
    return CellSpace(name, ops, parameters, vertices, edges, **others)


def described_space(given: str | os.PathLike[str]) -> str | SpaceConfig:
    """What a config holds of the space that a name or a YAML file gives.

    Raises:
        UserError: it is neither, or the file describes no space.
    """
    path = Path(given)
    if str(given) in SPACES:
        return str(given)
    if not path.suffix and len(path.parts) == 1 and not path.is_file():
        path = CONFIGS / "spaces" / f"{given}.yaml"
        if not path.exists():
            names = ", ".join([*SPACES, *sorted(each.stem for each in path.parent.glob("*.yaml"))])
            raise UserError(f"{given}: neither a file nor a space of gnn_nas: {names}")
    config = load(SpaceConfig, path)
    get_space(config)
    return config
