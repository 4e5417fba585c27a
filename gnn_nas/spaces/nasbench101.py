"""The space of NAS-Bench-101 (Ying et al. 2019)."""

from gnn_nas.spaces.space import CellSpace

NASBENCH101 = CellSpace(
    name="nasbench101",
    ops=("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"),
    parameters=(9.0, 1.0, 0.0),
    max_vertices=7,
    max_edges=9,
    modules=tuple(f"gnn_nas.tasks.ops:{op}" for op in ("conv3x3", "conv1x1", "maxpool3x3")),
)

NUM_CELLS = 423_624
"""Its distinct cells."""
