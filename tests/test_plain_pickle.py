"""Foreign pickles: plain values come back, and nothing else does anything."""

import codecs
import io
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from gnn_nas import plain_pickle

PLAIN = {1: {"a": [0.5, None, True]}, "b": (2**70, b"bytes", {3, 4})}


def load(content: bytes) -> object:
    return plain_pickle.load(io.BytesIO(content))


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_back(protocol):
    plain = PLAIN if protocol >= 4 else {1: PLAIN[1]}
    assert load(pickle.dumps(plain, protocol)) == plain


@pytest.mark.parametrize("protocol", range(2, 6))
def test_what_torch_s_protocol_has_comes_back_too(protocol):
    value = OrderedDict(b=b"\x00\xff", c={3, 4}, a=OrderedDict([(1, np.float64(0.5))]))
    found = load(pickle.dumps(value, protocol))
    assert found == {"b": b"\x00\xff", "c": {3, 4}, "a": {1: 0.5}}
    assert list(found) == ["b", "c", "a"]
    assert type(found) is dict


def test_pickles_in_a_row_are_read_one_by_one():
    stream = io.BytesIO(pickle.dumps([1]) + pickle.dumps({2: 3}) + b"what follows")
    assert [plain_pickle.load(stream), plain_pickle.load(stream)] == [[1], {2: 3}]
    assert stream.read() == b"what follows"


@pytest.mark.parametrize(
    "value",
    [
        *(np.dtype(code).type(7) for code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8")),
        *(np.dtype(code).type(7) for code in ("u1", "u2", "u4", "u8")),
        np.bool_(True),
        np.dtype(">f8").type(-0.25),
    ],
)
@pytest.mark.parametrize("protocol", [2, 3, 5])
def test_numbers_of_numpy_become_python_s(value, protocol):
    found = load(pickle.dumps(value, protocol) if protocol > 2 else pickle.dumps(value, 3))
    assert type(found) in (int, float, bool)
    assert found == value
    # As files name it that numpy before version 2 wrote.
    older = pickle.dumps(value, 3).replace(b"numpy._core.", b"numpy.core.")
    assert load(older) == value


class Calls:
    def __init__(self, *called: object) -> None:
        self.called = called

    def __reduce__(self) -> tuple:
        return self.called[0], self.called[1:]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Calls(print, "called"), "it has more than plain values: builtins.print"),
        (Calls(eval, "1"), "it has more than plain values: builtins.eval"),
        (np.zeros(3), "it has more than plain values: numpy"),
        (np.datetime64("2022-01-01"), "it has more than plain values: dtype 'M8'"),
        (np.str_("text"), "it has more than plain values: dtype 'U"),
        (Calls(codecs.encode, "print", "rot13"), "it has more than plain values: bytes as 'rot13'"),
        (Calls(getattr, "", "join"), "it has more than plain values: builtins.getattr"),
    ],
)
def test_anything_else_is_refused_and_not_run(value, message, capsys):
    with pytest.raises(pickle.UnpicklingError, match=message):
        load(pickle.dumps(value, 3))
    assert capsys.readouterr().out == ""


def test_what_it_does_not_hold_itself_is_refused():
    # The opcode of a persistent id.
    with pytest.raises(pickle.UnpicklingError, match="more than plain values"):
        load(b"\x80\x03K\x01Q.")


def test_a_number_of_something_else_is_refused():
    # Its dtype is a number, its content a byte.
    with pytest.raises(pickle.UnpicklingError, match="a scalar of something else"):
        load(b"\x80\x03cnumpy.core.multiarray\nscalar\nK\x01C\x01a\x86R.")
