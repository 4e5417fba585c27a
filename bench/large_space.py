"""What holds in a space that no table holds: ``python -m bench.large_space [DIR]``.

Prints, on one core, canonical forms, rows and positives a second; on how many of 300 pairs networkx
agrees, about isomorphism and about the distance of positives; and of a pretraining run in DIR how
many of 4,000 cells never seen it spells exactly, what its prior decodes to, and how many of
100,000 random cells have embeddings of their own.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import networkx as nx
import torch
from torch import Tensor

from gnn_nas.cli.common import run_guarded
from gnn_nas.config import load_config
from gnn_nas.evaluation.decoding import prior, reconstruction
from gnn_nas.evaluation.embeddings import distinct_embeddings
from gnn_nas.models.pretrained import load_pretrained
from gnn_nas.pretraining.batches import held_out_cells
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.canonical import canonical
from gnn_nas.spaces.checker import networkx_distance
from gnn_nas.spaces.forms import count_forms, draw_forms
from gnn_nas.spaces.known import described_space, get_space
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.registry import CellRegistry
from gnn_nas.spaces.space import CellSpace

_SEED = 1000
_DRAWN, _ANCHORS, _POSITIVES, _PAIRS = 500_000, 7_168, 7, 300


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures and return the exit status."""
    parser = argparse.ArgumentParser(prog="large_space", description=__doc__)
    parser.add_argument("folder", nargs="?", metavar="DIR", help="a pretraining run of the space")
    parser.add_argument("--space", default="large", help="where there is no DIR (default: large)")
    arguments = parser.parse_args(argv)
    return run_guarded(lambda: _run(arguments.folder, arguments.space))


def _run(folder: str | None, name: str) -> None:
    torch.set_num_threads(1)
    described = load_config(RunFolder.open(folder).config).space if folder else None
    space = get_space(described or described_space(name))
    print(f"{space.name}: {count_forms(space):,} labelled forms")
    generator = torch.Generator().manual_seed(_SEED)
    _speeds(space, generator)
    _second_opinion(space, generator)
    if folder:
        _of_run(folder, space, generator)


def _speeds(space: CellSpace, generator: torch.Generator) -> None:
    cells = draw_forms(space, _DRAWN, generator)
    registry = CellRegistry(space)
    anchors = registry.draw(_ANCHORS, generator)
    anchors = anchors[registry.cells.vertices[anchors] > 2]
    sampler = PositiveSampler(registry)
    for what, count, work in (
        ("forms drawn", _DRAWN, lambda: draw_forms(space, _DRAWN, generator)),
        ("canonical forms", _DRAWN, lambda: canonical(cells)),
        ("rows", _DRAWN, lambda: CellRegistry(space).rows_of(cells)),
        (
            "positives",
            len(anchors) * _POSITIVES,
            lambda: sampler.sample(anchors, _POSITIVES, generator),
        ),
    ):
        print(f"{what:16} {count / _seconds(work):12,.0f} a second")


def _seconds(work: Callable[[], object]) -> float:
    """The shortest of five calls, after one that compiles."""
    work()
    starts = [time.perf_counter()]
    for _ in range(5):
        work()
        starts.append(time.perf_counter())
    return min(end - start for start, end in pairwise(starts))


def _second_opinion(space: CellSpace, generator: torch.Generator) -> None:
    registry = CellRegistry(space)
    rows = registry.draw(_PAIRS, generator)
    rows = rows[registry.cells.vertices[rows] > 2]
    positives = PositiveSampler(registry).sample(rows, 1, generator)
    edited = positives.cells.to_data_list()
    anchors = registry.cells[rows].to_batch().to_data_list()
    distances = [
        networkx_distance(anchor, positive, space.max_edits, space)
        for anchor, positive in zip(anchors, edited, strict=True)
    ]
    near = sum(
        distance is not None and 1 <= distance <= int(edits)
        for distance, edits in zip(distances, positives.num_edits, strict=True)
    )
    print(f"networkx         {near} of {len(rows)} positives as near as they were made")
    forms = draw_forms(space, _PAIRS, generator)
    known, _ = canonical(forms)
    same = sum(_isomorphic(forms, known, i, i) for i in range(_PAIRS))
    found = registry.rows_of(forms)
    agrees = sum(
        _isomorphic(forms, forms, i, i - 1) == bool(found[i] == found[i - 1]) for i in range(_PAIRS)
    )
    print(f"networkx         {same} of {_PAIRS} cells isomorphic to their canonical forms")
    print(f"networkx         {agrees} of {_PAIRS} pairs alike or apart as their rows are")


def _isomorphic(some: PackedCells, others: PackedCells, i: int, j: int) -> bool:
    graphs = []
    for cells, number in ((some, i), (others, j)):
        graph = nx.DiGraph(cells.adjacency()[number].nonzero().tolist())
        nx.set_node_attributes(graph, dict(enumerate(cells.features()[number].tolist())), "op")
        graphs.append(graph)
    return nx.is_isomorphic(*graphs, node_match=lambda one, other: one["op"] == other["op"])


def _of_run(folder: str, space: CellSpace, generator: torch.Generator) -> None:
    controller, registry = load_pretrained(folder), CellRegistry(space)
    share = load_config(RunFolder.open(folder).config).data.held_out
    held_out = held_out_cells(registry, share)
    unseen: Tensor = held_out.nonzero().flatten()
    exact = reconstruction(controller, registry, unseen)["exact_match"]
    print(f"exact match      {exact:.4f} on {len(unseen):,} cells never seen")
    embeddings = controller.encode_rows(registry, (~held_out).nonzero().flatten())
    for name, figure in prior(controller, registry, embeddings, generator).items():
        print(f"{name:16} {figure:.4f}")
    print(f"distinct         {distinct_embeddings(controller, registry):,} embeddings of 100,000")


if __name__ == "__main__":
    sys.exit(main())
