"""What is kept between runs, and what a killed run leaves there."""

import os

import torch

from gnn_nas import files
from gnn_nas.spaces.cache import open_cached

TENSORS = {"rows": torch.arange(5)}


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path):
    path = tmp_path / "cells.safetensors"
    files.atomic_path(path).__enter__().write_bytes(b"half")
    assert len(os.listdir(tmp_path)) == 1
    open_cached(path, lambda there, _: there["rows"].equal(TENSORS["rows"]), lambda: TENSORS)
    assert [name for name in os.listdir(tmp_path) if name != "numba"] == [path.name]
