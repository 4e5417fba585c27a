import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gnn_nas.spaces.module_hash import md5, module_hash, write_hex


def official_hash(labels: list[int], edges: set[tuple[int, int]]) -> str:
    """The algorithm of ``nasbench/lib/graph_util.py``, written down in plain Python."""

    def digest(text: str) -> str:
        return hashlib.md5(text.encode("utf-8")).hexdigest()

    vertices = range(len(labels))
    into = [[x for x, y in edges if y == v] for v in vertices]
    out = [[y for x, y in edges if x == v] for v in vertices]
    names = [-1, *[label - 1 for label in labels[1:-1]], -2]
    state = [digest(str((len(out[v]), len(into[v]), names[v]))) for v in vertices]
    for _ in vertices:
        state = [
            digest(
                "".join(sorted(state[u] for u in into[v]))
                + "|"
                + "".join(sorted(state[u] for u in out[v]))
                + "|"
                + state[v]
            )
            for v in vertices
        ]
    return digest(str(sorted(state)))


def hex_of(hashes: np.ndarray) -> list[str]:
    return [bytes(row).hex() for row in hashes]


def test_agrees_with_plain_python(some_forms, plain):
    expected = [official_hash(*cell) for cell in plain(some_forms)]
    assert hex_of(module_hash(some_forms)) == expected


def test_first_cell_of_the_official_dataset(table, plain):
    assert table.hash_of(0) == "00005c142e6f48ac74fdcf73e3439874"
    labels, edges = plain(table.cells[:1])[0]
    assert labels == [0, 1, 3, 1, 1, 2, 4]
    assert hex_of(module_hash(table.cells[:1])) == [table.hash_of(0)]
    assert official_hash(labels, edges) == table.hash_of(0)


def test_isomorphic_forms_have_one_hash(table, forms):
    index = torch.randint(len(forms), (20_000,), generator=torch.Generator().manual_seed(0))
    rows = table.row_of_form[index].long()
    assert int((forms.edges[index] != table.cells.edges[rows]).sum()) > 5_000
    assert np.array_equal(module_hash(forms[index]), table.module_hash[rows].numpy())


def test_the_number_of_threads_stays_as_it_was(some_forms):
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            module_hash(some_forms[:10])
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_all_hashes_of_the_official_dataset(table):
    if not (folder := os.environ.get("GNN_NAS_BENCHMARK")):
        pytest.skip("GNN_NAS_BENCHMARK names no folder with the official dataset")
    official = np.load(Path(folder) / "nasbench101_108epochs.npz")["module_hash"]
    assert official.shape == (423_624, 16)
    assert np.array_equal(table.module_hash.numpy(), official)


@settings(derandomize=True, max_examples=300)
@given(st.binary(max_size=300))
@example(b"")
@example(b"a" * 55)  # the longest message of one block, the shortest of two, one block of text
@example(b"a" * 56)
@example(b"a" * 64)
def test_agrees_with_hashlib(message):
    words = np.full(96, 0xDEADBEEF, dtype=np.uint32)
    words.view(np.uint8)[: len(message)] = np.frombuffer(message, dtype=np.uint8)
    high, low = md5(words, len(message))
    digest = hashlib.md5(message).hexdigest()
    assert f"{high:016x}{low:016x}" == digest

    text = np.zeros(40, dtype=np.uint8)
    assert write_hex(text, 5, np.uint64(high), np.uint64(low)) == 37
    assert bytes(text) == b"\0" * 5 + digest.encode() + b"\0" * 3
