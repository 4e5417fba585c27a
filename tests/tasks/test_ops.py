import pytest
import torch
from torch import nn

from gnn_nas.errors import UserError
from gnn_nas.spaces.known import SPACES
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.space import CellSpace
from gnn_nas.tasks import ops
from gnn_nas.tasks.ops import build_op, check_ops, fingerprint_in, op_parameters, own_files
from tests.helpers.own_module import write_module

CONVOLUTIONS = "conv3x3 conv1x1 relu_conv3x3 relu_conv1x1 depthwise3x3 separable3x3"
OURS = tuple(f"{CONVOLUTIONS} maxpool3x3 avgpool3x3 skip none".split())
# Parameters with ten channels, by hand: area x in x out, and scale and shift of the normalisation.
COUNTS = [920, 120, 920, 120, 110, 230, 0, 0, 0, 0]

MODULE = """
import torch
from torch import nn

def good(channels):
    return nn.Conv2d(channels, channels, 1)

def grouped(channels):
    return nn.Conv2d(channels, channels, 3, padding=1, groups=4)

def shrinking(channels):
    return nn.Conv2d(channels, channels, 3)

def in_place(channels):
    return nn.ReLU(inplace=True)

def failing(channels):
    return nn.Linear(3, 3)

def pair(channels):
    return nn.LSTM(8, 8)

def text(channels):
    return "conv"

number = 3
"""


@pytest.fixture
def of_module(monkeypatch, tmp_path):
    """Gives a space with an op of the user's own module, which lies in the current folder."""
    write_module(monkeypatch, tmp_path, "own_ops", MODULE)

    def space(reference: str) -> CellSpace:
        modules = ("gnn_nas.tasks.ops:skip", reference)
        return CellSpace("mine", ("skip", "mine"), (0.0, 1.0), 4, 4, modules=modules)

    return space


def ours() -> CellSpace:
    modules = tuple(f"gnn_nas.tasks.ops:{op}" for op in OURS)
    return CellSpace("ours", OURS, (1.0,) * len(OURS), 4, 4, modules=modules)


def test_ours_keep_the_shape_and_have_the_parameters_that_they_should():
    check_ops(ours(), [1, 3, 10])
    assert op_parameters(ours(), 10) == COUNTS
    for op, count in enumerate(COUNTS):
        module = build_op(ours(), op, 10)
        assert sum(each.numel() for each in module.parameters()) == count


def test_what_has_no_weights_computes_what_it_says():
    x = torch.arange(32.0).reshape(1, 2, 4, 4)
    assert torch.equal(ops.skip(2)(x), x)
    assert not ops.none(2)(x).any()
    # At the corner: of the four pixels that the image has.
    assert ops.avgpool3x3(2)(x)[0, 0, 0, 0] == (0 + 1 + 4 + 5) / 4
    assert ops.maxpool3x3(2)(x)[0, 0, 0, 0] == 5


@pytest.mark.parametrize("space", [NASBENCH101, NASBENCH201])
def test_the_ops_of_benchmarks_are_built(space):
    check_ops(space, [7])
    assert [space.parameters[op] > 0 for op in range(len(space.ops))] == [
        count > 0 for count in op_parameters(space, 7)
    ]


def test_every_space_builds_all_its_ops_or_none():
    assert all(len(space.modules) in (0, len(space.ops)) for space in SPACES.values())


def test_trying_leaves_the_generator_alone(of_module):
    before = torch.random.get_rng_state()
    check_ops(of_module("own_ops:good"), [4, 5])
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        ("absent:x", "absent:x: cannot import absent: ModuleNotFoundError.* current folder"),
        ("own_ops:absent", "own_ops:absent: the module has no absent; it must be a module:object"),
        (
            "own_ops:number",
            r"\(own_ops:number\) must be built of any number .* not of 8: TypeError",
        ),
        ("own_ops:text", r"\(own_ops:text\) must give a torch.nn.Module, not a str"),
        ("own_ops:pair", r"\(own_ops:pair\) fails on images \[2, 8, 8, 8\]"),
        ("own_ops:failing", r"fails on images \[2, 8, 8, 8\]: RuntimeError"),
        ("own_ops:shrinking", r"makes \[2, 8, 6, 6\] of images \[2, 8, 8, 8\]: it must keep"),
        ("own_ops:in_place", "changes its input, which others read too: give inplace=False"),
        ("own_ops:grouped", r"of any number of channels, and is not of 6: .*own_ops.py, line 9\)"),
    ],
)
def test_an_op_that_will_not_do_is_named_with_its_space(of_module, reference, complaint):
    with pytest.raises(UserError, match=rf"^space mine: op mine .*{complaint}"):
        check_ops(of_module(reference), [8, 6])


def test_a_space_that_does_not_say_how_is_told_so():
    space = CellSpace("mute", ("a",), (1.0,), 4, 4)
    with pytest.raises(UserError, match="space mute does not say how its ops are built"):
        build_op(space, 0, 8)


def test_counting_takes_no_memory(of_module):
    # 36 GB of weights.
    assert op_parameters(of_module("own_ops:good"), 100_000)[1] == 100_000 * 100_001


def test_a_fingerprint_tells_networks_apart(of_module, tmp_path):
    assert fingerprint_in(NASBENCH101, "task") == "task"
    space, other = of_module("own_ops:good"), of_module("own_ops:grouped")
    found = {fingerprint_in(each, "task") for each in (NASBENCH201, space, other)}
    assert len(found) == 3
    assert fingerprint_in(space, "another") not in found
    assert fingerprint_in(of_module("own_ops:good"), "task") in found
    (tmp_path / "own_ops.py").write_text(MODULE + "\n# another way\n")
    assert fingerprint_in(space, "task") not in found


def test_files_of_the_users_own_are_found(of_module, tmp_path):
    assert own_files(of_module("own_ops:good")) == {"own_ops": tmp_path / "own_ops.py"}
    assert own_files(NASBENCH201) == {}
    assert isinstance(build_op(of_module("own_ops:good"), 1, 3), nn.Conv2d)
