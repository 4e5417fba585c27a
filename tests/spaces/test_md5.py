import hashlib

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gnn_nas.spaces.md5 import md5, write_hex


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
