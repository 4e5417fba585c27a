"""A search of your own: cells are asked for, evaluated by workers of uneven speed, and told.

Eight workers evaluate cells at the same time. Whenever one is done, its result is told and it gets
the next cell, while the others go on. Here an evaluation is a look into NAS-Bench-101's table and
the time it takes is only counted; yours trains a network, in whatever you submit work to.

    python examples/own_loop.py --benchmark data/nasbench101.safetensors
    python examples/own_loop.py --seed 1000 --seeds 20 --compare
"""

from __future__ import annotations

import argparse
import heapq
import random
import statistics
import sys
import time

import torch

import gnn_nas

WORKERS = 8
SLOWEST = 4  # times as slow as the fastest


def asynchronous(searcher: gnn_nas.Searcher, evaluate, queries: int, seed: int) -> None:
    """Keep all workers busy; each is told of as soon as it is done."""
    draw = random.Random(seed)
    running: list[tuple[float, int, gnn_nas.Cell]] = []

    def begin(cell: gnn_nas.Cell, worker: int, now: float) -> None:
        speed = 1 + (SLOWEST - 1) * worker / (WORKERS - 1)
        heapq.heappush(running, (now + speed * draw.uniform(0.5, 1.5), worker, cell))

    for worker, cell in enumerate(searcher.ask(min(WORKERS, queries))):
        begin(cell, worker, 0.0)
    begun = len(running)
    while running:
        now, worker, cell = heapq.heappop(running)
        searcher.tell(cell, evaluate(cell))
        if begun < queries:
            for following in searcher.ask(1):
                begin(following, worker, now)
                begun += 1


def synchronous(searcher: gnn_nas.Searcher, evaluate) -> None:
    """Wait for each round of the method's before the next is asked for, as the command does."""
    while len(rows := searcher.propose()):
        cells = [gnn_nas.Cell(searcher.table, row) for row in rows.tolist()]
        searcher.tell(cells, [evaluate(cell) for cell in cells])


def main() -> None:
    """Search with several seeds and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--benchmark", help="measurements of NAS-Bench-101, by default as gnn-nas search finds them"
    )
    add("--method", default="nao", help="of search (default: nao)")
    add("--queries", type=int, default=150, help="evaluations a seed (default: 150)")
    add("--seed", type=int, default=0, help="the first seed (default: 0)")
    add("--seeds", type=int, default=1, help="how many (default: 1)")
    add("--compare", action="store_true", help="search synchronously too")
    arguments = parser.parse_args()

    # One thread, so that a seed gives the same search on any number of cores.
    torch.set_num_threads(1)
    table = gnn_nas.load_table()
    benchmark = gnn_nas.find_benchmark(arguments.benchmark, table)
    accuracy = benchmark.mean_test(benchmark.all_rows())

    def evaluate(cell: gnn_nas.Cell) -> float:
        return accuracy[cell.row].item()

    found: dict[str, list[float]] = {"asynchronous": [], "synchronous": []}
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        for kind in found if arguments.compare else ["asynchronous"]:
            # Without a budget it would not know how far to narrow its search.
            searcher = gnn_nas.Searcher(
                table,
                gnn_nas.load_pretrained(),
                method=arguments.method,
                seed=seed,
                budget=arguments.queries,
            )
            started = time.perf_counter()
            if kind == "asynchronous":
                asynchronous(searcher, evaluate, arguments.queries, seed)
            else:
                synchronous(searcher, evaluate)
            cell, best = searcher.best
            found[kind].append(best)
            seconds = time.perf_counter() - started
            print(f"seed {seed}, {kind}: {best:.4f} ({cell.module_hash}), {seconds:.0f} s")
    means = {kind: statistics.fmean(values) for kind, values in found.items() if values}
    for kind, mean in means.items():
        print(f"mean of {arguments.seeds} seeds, {kind}: {mean:.4f}")
    if arguments.compare:
        difference = 100 * (means["asynchronous"] - means["synchronous"])
        print(f"difference: {difference:+.3f} points of accuracy")


if __name__ == "__main__":
    try:
        main()
    except gnn_nas.UserError as error:
        sys.exit(f"error: {error}")
