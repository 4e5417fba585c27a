from argparse import Namespace
from pathlib import Path

from gnn_nas.cli.search_text import best_cell_text, default_folder, figures_text

LABELS = {"test": "accuracy", "first": "until it", "none": "unknown", "test_at": "after {} queries"}


def spread(*figures: float | None, **others: int) -> dict:
    return {**dict(zip(("mean", "std", "worst"), figures, strict=True)), **others}


def test_the_folder_is_named_by_method_subject_and_checkpoint():
    arguments = Namespace(method="nao", checkpoint=None)
    assert default_folder(arguments, "oracle") == Path("runs/search-nao-oracle")
    arguments.checkpoint = "runs/gin_nometric/"
    assert default_folder(arguments, "digits") == Path("runs/search-nao-digits-gin_nometric")


def test_figures_stand_in_columns_in_the_order_of_their_labels():
    spreads = {
        "test_at": {"50": spread(93.0, None, 93.0)},
        "none": spread(None, None, None),
        "first": spread(40.0, 2.0, 300.0, reached=3),
        "test": spread(94.0, 0.5, 93.5, reached=4),
    }
    summary = {"method": "nao", "seeds": 4, "aggregated": spreads}
    assert figures_text("protocol oracle", summary, LABELS, "{:.1f}".format, 8).splitlines() == [
        "nao, protocol oracle                    mean     std   worst",
        "accuracy                                94.0     0.5    93.5",
        "until it                                40.0     2.0   300.0  reached by 3 of 4",
        "after 50 queries                        93.0       –    93.0",
    ]


def test_the_best_cell_is_told_as_text(table):
    best = {"hash": table.hash_of(0), "seed": 3}
    told = best_cell_text(best, table)
    assert told.startswith(f"\nbest cell: {table.hash_of(0)} (seed 3)\n0  in\n")
    assert best_cell_text(None, table) == "every evaluation failed: the history says why"
