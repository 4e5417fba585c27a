"""Compare two searches of the same seeds: ``python -m bench.paired runs/search-a runs/search-b``.

Prints mean accuracies after 50, 100, ... queries and the p-value of Wilcoxon's signed-rank test
over the seeds (two-sided; ties are split).
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import wilcoxon


def main() -> None:
    """Compare the folders' summaries."""
    parser = argparse.ArgumentParser(prog="paired", description=__doc__)
    parser.add_argument("folders", nargs=2, type=Path, metavar="DIR")
    arguments = parser.parse_args()
    first, second = (
        {seed["seed"]: seed["test_at"] for seed in summary["per_seed"]}
        for summary in (json.loads((f / "summary.json").read_text()) for f in arguments.folders)
    )
    seeds = sorted(first.keys() & second.keys())
    print(f"{len(seeds)} seeds; {arguments.folders[0]} against {arguments.folders[1]}")
    for queries in first[seeds[0]]:
        ours, theirs = (
            np.array([side[seed][queries] for seed in seeds]) for side in (first, second)
        )
        p = p_value(ours, theirs)
        print(f"{queries:>4} queries: {ours.mean():.3f} {theirs.mean():.3f}  p = {p:.2g}")


def p_value(ours: ArrayLike, theirs: ArrayLike) -> float:
    """Of Wilcoxon's signed-rank test of figures of the same seeds; 1 where none differs."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    differs = bool((ours != theirs).any())
    return float(wilcoxon(ours, theirs, zero_method="zsplit").pvalue) if differs else 1.0


if __name__ == "__main__":
    main()
