from itertools import combinations

import numpy as np
import pytest

from gnn_nas.plots.op_styles import INPUT_STYLE, OUTPUT_STYLE, VertexStyle, label_lines, op_styles
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.space import CellSpace

# What linear RGB becomes to readers who lack a kind of cones (Machado et al. 2009, table 1).
COLOUR_VISION = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
    "grey": np.tile([0.2126, 0.7152, 0.0722], (3, 1)),
}  # fmt: skip


def space_of(*ops: str) -> CellSpace:
    return CellSpace("own", ops, (0.0,) * len(ops), 4, 4)


TWELVE = space_of(*(f"op{number}" for number in range(12)))


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB, white point D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ rgb.clip(0, 1) / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_fills_differ_to_everyone_and_in_grey(vision):
    """By a multiple of what is just noticeable, about 2."""
    fills = [style.fill for style in (*op_styles(NASBENCH101), INPUT_STYLE)]
    seen = [lab(COLOUR_VISION[vision] @ linear(fill)) for fill in fills]
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(one - other) > 15


def test_labels_are_legible_on_their_boxes():
    """By the strictest level of WCAG 2.1, a contrast ratio of 7."""
    for style in (*op_styles(TWELVE), *op_styles(NASBENCH201), INPUT_STYLE, OUTPUT_STYLE):
        light, dark = sorted((luminance(style.fill), luminance(style.ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 7


def shape(style: VertexStyle) -> tuple[float, bool]:
    return style.corner, style.is_cut


def seen(style: VertexStyle, vision: str) -> np.ndarray:
    return lab(COLOUR_VISION[vision] @ linear(style.fill))


@pytest.mark.parametrize("vision", [each for each in COLOUR_VISION if each != "grey"])
def test_twelve_operations_and_white_differ_to_everyone(vision):
    looks = (*op_styles(TWELVE), INPUT_STYLE)
    assert len(looks) == 13
    for one, other in combinations(looks, 2):
        assert np.linalg.norm(seen(one, vision) - seen(other, vision)) > 17


def test_in_grey_those_of_one_shape_differ():
    """Twelve greys with legible labels lie close together, so that shapes help."""
    looks = op_styles(TWELVE)
    for one, other in combinations(looks, 2):
        apart = np.linalg.norm(seen(one, "grey") - seen(other, "grey"))
        assert apart > (16 if shape(one) == shape(other) else 5)
    # What computes nothing is white, and no lighter than those of its shape by chance.
    for white in op_styles(space_of("skip_connect", "none")):
        for one in looks:
            if shape(one) == shape(white):
                assert np.linalg.norm(seen(one, "grey") - seen(white, "grey")) > 15


@pytest.mark.parametrize(("count", "least"), [(3, 20), (6, 10), (9, 6)])
def test_the_first_ones_differ_most_in_grey(count, least):
    looks = op_styles(TWELVE)[:count]
    for one, other in combinations(looks, 2):
        assert np.linalg.norm(seen(one, "grey") - seen(other, "grey")) > least


def test_known_operations_look_alike_in_every_space():
    conv3x3, conv1x1, pool = op_styles(NASBENCH101)
    none, skip, small, large, mean = op_styles(NASBENCH201)
    assert (large, small) == (conv3x3, conv1x1)
    assert (mean.fill, shape(mean)) == (pool.fill, shape(pool))
    assert none.fill == skip.fill == "#FFFFFF"
    assert [style.is_absent for style in op_styles(NASBENCH201)] == [True] + 4 * [False]
    own = op_styles(space_of("mine", "nor_conv_3x3", "other", "skip_connect"))
    assert own[1] == conv3x3
    assert own[3] == skip
    # The others get colours that no known one has here.
    assert len({style.fill for style in own}) == 4


def test_further_operations_are_white_boxes_of_another_shape():
    looks = op_styles(space_of(*(f"op{number}" for number in range(15))))
    assert looks[:12] == op_styles(TWELVE)
    further = looks[12:]
    assert {style.fill for style in further} == {"#FFFFFF"}
    assert [style.name for style in further] == ["op12", "op13", "op14"]
    whites = (INPUT_STYLE, *op_styles(space_of("skip", "none")))
    assert shape(further[0]) not in {shape(style) for style in whites}


@pytest.mark.parametrize(
    ("op", "lines"),
    [
        ("gcn", ("gcn",)),
        ("sep_conv_5x5", ("sep", "conv 5×5")),
        ("dil-conv 3x3", ("dil", "conv 3×3")),
        ("depthwiseconvolution", ("depthw…ion",)),
        ("___", ("___",)),
        ("max", ("max",)),
    ],
)
def test_labels_are_one_or_two_short_lines(op, lines):
    assert label_lines(op) == lines
    (style,) = op_styles(space_of(op))
    assert (style.lines, style.name) == (lines, op)
