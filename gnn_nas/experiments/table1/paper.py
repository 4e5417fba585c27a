"""The paper's Table 1."""

from dataclasses import dataclass

RANDOM = "random"
"""The row that has no pretraining, and its method."""

Spread = tuple[float | None, float | None]
"""Mean and standard deviation; None for what is not known."""


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of the table.

    Args:
        key: its name among the figures of `summary.json`, and in the CSV file.
        title: for readers; decimals: that the paper gives of mean and deviation.
    """

    key: str
    title: str
    decimals: tuple[int, int]


TABLE_COLUMNS = (
    Column("queries_to_best", "#Queries", (0, 1)),
    Column("test", "Test acc. (%)", (2, 3)),
    Column("sd", "SD", (2, 3)),
    Column("regret", "Test regret", (2, 3)),
    Column("rank", "Ranking", (0, 1)),
)
LOSSES = {
    "angular": "Angular",
    "multisim": "MultiSimilarity",
    "npairs": "NPairs",
    "nometric": "NoMetric",
    "margin": "Margin",
    "lifted": "Lifted",
    "triplet": "Triplet",
    "contrastive": "Contrastive",
    "genlifted": "GenLifted",
}
NAMES = {**LOSSES, RANDOM: "Random"}

# In the order of TABLE_COLUMNS.
PAPER: dict[str, tuple[Spread, ...]] = {
    "angular": ((751, 141.5), (94.22, 0.004), (3.06, 1.067), (0.10, 0.004), (3, 0.4)),
    "multisim": ((763, 93.7), (94.23, 0.000), (3.45, 0.974), (0.09, 0.000), (2, 0.0)),
    "npairs": ((805, 188.4), (94.23, 0.000), (3.94, 1.246), (0.09, 0.000), (2, 0.0)),
    "nometric": ((810, 121.2), (94.23, 0.000), (3.94, 0.797), (0.09, 0.000), (2, 0.0)),
    "margin": ((838, 60.7), (94.23, 0.000), (2.80, 0.936), (0.09, 0.000), (2, 0.0)),
    "lifted": ((1007, 150.5), (94.22, 0.005), (4.50, 0.983), (0.10, 0.005), (3, 0.5)),
    "triplet": ((519, 34.5), (94.07, 0.138), (4.27, 0.860), (0.25, 0.138), (74, 147.5)),
    "contrastive": ((615, 87.2), (94.04, 0.139), (4.52, 0.764), (0.28, 0.139), (84, 118.1)),
    "genlifted": ((733, 280.4), (94.02, 0.127), (3.72, 0.711), (0.30, 0.127), (81, 94.8)),
    RANDOM: ((560, 248.4), (93.84, 0.068), (6.15, 1.797), (0.48, 0.068), (336, 228.1)),
}
