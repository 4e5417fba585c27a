"""How vertices look: the colours, shapes and labels of a space's operations."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from gnn_nas.spaces.space import CellSpace


@dataclass(frozen=True)
class VertexStyle:
    """How vertices of one kind look.

    Args:
        lines: the label; fill: colour of the box; ink: colour of the label.
        corner: how much of the box its corners take, in the drawing's units.
        is_cut: whether the corners are cut off instead of rounded.
        is_absent: whether it lets nothing pass: an edge with this operation is dashed.
        name: the label in full; by default its lines in one.
    """

    lines: tuple[str, ...]
    fill: str
    ink: str
    corner: float
    is_cut: bool = False
    is_absent: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or " ".join(self.lines))


_WHITE, _BLACK = "#FFFFFF", "#000000"
_ROUND, _CUT, _SQUARE = (0.07, False), (0.15, True), (0.0, False)
END_CORNER = 0.25

# Readers of all kinds of colour vision tell these colours apart, by at least 17 in CIELAB where 2
# is just noticeable. In grey the twelve lie 5 or more apart, as legible labels leave no more room;
# there boxes of one shape differ by at least 16. The first ones differ most. Convolutions are blue
# and pooling is orange in the spaces that are known.
_LOOKS = (
    ("#003F72", _WHITE, _ROUND),
    ("#A6D8F5", _BLACK, _ROUND),
    ("#E07B00", _BLACK, _CUT),
    ("#4B0000", _WHITE, _CUT),
    ("#E1A587", _BLACK, _SQUARE),
    ("#B4002D", _WHITE, _SQUARE),
    ("#0F004B", _WHITE, _ROUND),
    ("#4B1E3C", _WHITE, _SQUARE),
    ("#C3FF1E", _BLACK, _SQUARE),
    ("#5A1EC3", _WHITE, _CUT),
    ("#D2C369", _BLACK, _CUT),
    ("#4BB4A5", _BLACK, _ROUND),
)
_PALETTE = tuple(VertexStyle((), fill, ink, *shape) for fill, ink, shape in _LOOKS)
# From the thirteenth on, operations are told apart by their labels alone.
_FURTHER = VertexStyle((), _WHITE, _BLACK, *_SQUARE)
_CONV3X3 = replace(_PALETTE[0], lines=("conv", "3×3"), name="conv 3×3")
_CONV1X1 = replace(_PALETTE[1], lines=("conv", "1×1"), name="conv 1×1")
_MAX_POOL = replace(_PALETTE[2], lines=("max", "pool"), name="max pool")
# What computes nothing is white.
_SKIP = VertexStyle(("skip",), _WHITE, _BLACK, *_ROUND)
_NONE = VertexStyle(("none",), _WHITE, _BLACK, *_CUT, is_absent=True)
_KNOWN = {
    "conv3x3-bn-relu": _CONV3X3,
    "conv1x1-bn-relu": _CONV1X1,
    "maxpool3x3": _MAX_POOL,
    "conv3x3": _CONV3X3,
    "conv1x1": _CONV1X1,
    "nor_conv_3x3": _CONV3X3,
    "nor_conv_1x1": _CONV1X1,
    "avg_pool_3x3": replace(_MAX_POOL, lines=("avg", "pool"), name="avg pool"),
    "skip_connect": _SKIP,
    "skip": _SKIP,
    "identity": replace(_SKIP, lines=("identity",), name="identity"),
    "none": _NONE,
    "zero": replace(_NONE, lines=("zero",), name="zero"),
}
INPUT_STYLE = VertexStyle(("in",), _WHITE, _BLACK, END_CORNER)
OUTPUT_STYLE = VertexStyle(("out",), _WHITE, _BLACK, END_CORNER)

_MOST_LETTERS = 10  # of a line


@cache
def op_styles(space: CellSpace) -> tuple[VertexStyle, ...]:
    """Looks of a space's operations, in their order.

    Those whose names are known look alike in all spaces. The others take the colours that are left,
    in the order of the palette.
    """
    taken = {_KNOWN[op].fill for op in space.ops if op in _KNOWN}
    free = iter([look for look in _PALETTE if look.fill not in taken])
    return tuple(
        _KNOWN.get(op) or replace(next(free, _FURTHER), lines=label_lines(op), name=op)
        for op in space.ops
    )


def label_lines(op: str) -> tuple[str, ...]:
    """An operation's name on one or two lines, of which too long ones lose their middle."""
    words = [re.sub(r"(?<=\d)x(?=\d)", "×", word) for word in re.split(r"[_\s-]+", op) if word]
    words = words or [op]
    splits: list[tuple[str, ...]] = [(words[0],)]
    if len(words) > 1:
        splits = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    lines = min(splits, key=lambda split: max(map(len, split)))
    return tuple(
        line if len(line) <= _MOST_LETTERS else f"{line[: _MOST_LETTERS - 4]}…{line[-3:]}"
        for line in lines
    )
