"""``checkpoint.pt``, damaged, foreign or made up: refused, or as good as the whole one."""

from __future__ import annotations

import copy
import io
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gnn_nas.config import load_config
from gnn_nas.errors import UserError
from gnn_nas.pretraining.batches import held_out_cells
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.run_folder import RunFolder

TINY = (
    *(
        "model.encoder.hidden=8",
        "model.encoder.layers=2",
        "model.embedding=8",
        "model.decoder_hidden=8",
    ),
    *("model.predictor_hidden=8", "data.batch_size=16", "training.steps=40"),
    *("training.precision=auto", "training.structure_weight=0.0", "function=null"),
)
# In the second block of batches, between two rows of metrics.
STEP = 20


@pytest.fixture(scope="module")
def run(table) -> TrainingState:
    """A run that every case restores into."""
    config = load_config(Path(__file__).parents[2] / "configs" / "gin_multisim.yaml", TINY)
    return TrainingState(config, table, held_out_cells(table, config.data.held_out))


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory) -> bytes:
    folder = RunFolder(tmp_path_factory.mktemp("whole"))
    for _ in range(STEP):
        run.advance()
    run.save(folder)
    return folder.checkpoint.read_bytes()


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def same(one: object, other: object) -> bool:
    pairs = zip(leaves(one), leaves(other), strict=True)
    return all(torch.equal(a, b) if isinstance(a, Tensor) else a == b for a, b in pairs)


@pytest.fixture
def is_refused(run, whole, refusal, tmp_path) -> Callable[[bytes], bool]:
    """Says whether a checkpoint is refused, in one line; it is as good as the whole one if not."""
    expected = torch.load(io.BytesIO(whole), weights_only=True)

    def check(content: bytes) -> bool:
        folder = RunFolder(tmp_path)
        folder.checkpoint.write_bytes(content)
        run.optimizer.param_groups[0]["lr"] = 123.0
        if message := refusal(run.restore, folder):
            assert message.startswith(str(folder.checkpoint))
            return True
        run.save(folder)
        assert same(folder.load_checkpoint(), expected)
        return False

    return check


def test_the_whole_one_is_taken(is_refused, whole):
    assert not is_refused(whole)


@pytest.mark.parametrize("seed", range(120))
def test_a_damaged_file(is_refused, whole, damaged, seed):
    is_refused(damaged(whole, seed))


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_bit_outside_of_the_numbers(is_refused, whole, seed):
    """In the archive's directory, or in what comes before each of its parts."""
    draw = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        starts = [part.header_offset for part in archive.infolist()]
        start = draw.choice([*starts, *[archive.start_dir] * 3])
    end = len(whole) if start not in starts else start + 64
    content = bytearray(whole)
    content[draw.randrange(start, end)] ^= 1 << draw.randrange(8)
    is_refused(bytes(content))


def test_one_bit_of_the_weights_is_noticed(is_refused, whole, run):
    weight = run.controller.decoder.to_token.weight.detach().numpy().tobytes()
    place = whole.index(weight)
    for offset in range(0, len(weight), len(weight) // 8):
        content = bytearray(whole)
        content[place + offset] ^= 1
        assert is_refused(bytes(content))


def test_a_compressed_archive(is_refused, whole):
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive, zipfile.ZipFile(packed, "w", 8) as other:
        for part in archive.infolist():
            other.writestr(part.filename, archive.read(part))
    assert is_refused(packed.getvalue())


PLACES = (
    *("config", "device", "precision", "controller", "optimizer", "batches", "step", "seconds"),
    *("duplicates", "sums", "optimizer.state", "optimizer.state.0", "optimizer.state.1.exp_avg"),
    *("optimizer.state.2.exp_avg_sq", "optimizer.state.0.step", "batches.generator"),
    *("batches.order", "batches.used", "batches.generator_now", "controller.decoder.to_token.bias"),
)
GONE = object()
OF_ANY = {
    "gone": lambda value: GONE,
    "None": lambda value: None,
    "text": lambda value: "x",
    "bytes": lambda value: bytearray(3),
    "list": lambda value: [1, 2],
    "mapping": lambda value: {"a": 1},
    "empty": lambda value: {},
    "true": lambda value: True,
    "negative": lambda value: -5,
    "fraction": lambda value: 110.5,
    "99": lambda value: 99,
    "huge": lambda value: 10**400,
    "nan": lambda value: float("nan"),
    "inf": lambda value: float("inf"),
    "complex": lambda value: 1j,
    "three zeros": lambda value: torch.zeros(3),
    "no numbers": lambda value: torch.zeros(0),
    "a parameter": lambda value: nn.Parameter(torch.zeros(5)),
    "sparse": lambda value: torch.zeros(5).to_sparse(),
    "meta": lambda value: torch.zeros(5, device="meta"),
    "nested": lambda value: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]),
    "expanded": lambda value: torch.zeros(1).expand(10**12),
}
OF_TENSORS = {
    "double": lambda value: value.double(),
    "half": lambda value: value.half(),
    "int8": lambda value: value.to(torch.int8),
    "bool": lambda value: value.bool(),
    "complex tensor": lambda value: value.to(torch.complex64),
    "one more dimension": lambda value: value[None],
    "two dimensions": lambda value: value.flatten().repeat(2).view(2, -1),
    "shorter": lambda value: value.flatten()[:-1],
    "longer": lambda value: value.flatten().repeat(2),
}
OF_NUMBERS = {
    "nan": lambda value: value * float("nan"),
    "one nan": lambda value: value.index_fill(0, torch.tensor([1]), float("nan")),
    "inf": lambda value: value + float("inf"),
    "-inf": lambda value: value - float("inf"),
}
OUT_OF_RANGE = [
    *(("step", lambda value, n=n: n) for n in (-1, 0, 1, 4, 19, 21, 36, 40, 41, 10**18)),
    *(("step", lambda value, n=n: n) for n in (True, 20.0, "20", [20])),
    *(("seconds", lambda value, n=n: n) for n in (-0.5, -1e300, 20, True)),
    *(("batches.used", lambda value, n=n: n) for n in (-4, 0, 3, 5, 16, 17, 99, True, 4.0)),
    *(("duplicates", lambda value, n=n: torch.tensor(n)) for n in (-1, 321, 10**15)),
    *(
        ("optimizer.state.0.step", lambda value, n=n: torch.tensor(n))
        for n in (0.0, 19.0, 21.0, -20.0)
    ),
    ("optimizer.state.0.exp_avg_sq", lambda value: value - 1),
    ("optimizer.state.0", lambda value: {**value, "max_exp_avg_sq": value["exp_avg_sq"]}),
    ("optimizer.state", lambda value: {**value, 99: value[0]}),
    ("optimizer.state", lambda value: {str(key): each for key, each in value.items()}),
    ("optimizer.state", lambda value: {0: value[0]}),
    ("controller", lambda value: {**value, "more": torch.zeros(3)}),
    ("batches.order", lambda value: value - 10**6),
    ("batches.order", lambda value: value + 10**9),
    ("batches.order", lambda value: value * 0 + value[0]),
    ("batches.order", lambda value: torch.cat([value[:1], value[:-1]])),
    # The table's first cell is held out.
    ("batches.order", lambda value: torch.cat([torch.tensor([0]), value[1:]])),
    ("batches.order", lambda value: value[2:]),
    ("batches.order", lambda value: torch.cat([value, torch.tensor([-1])])),
    ("batches.generator", lambda value: value * 0),
    ("batches.generator", lambda value: value * 0 + 255),
    ("batches.generator_now", lambda value: value * 0),
    ("batches.generator_now", lambda value: value[:16]),
    ("batches", lambda value: {**value, "more": 1}),
    ("config", lambda value: value + "extra: 1\n"),
    ("device", lambda value: "cuda"),
    ("device", lambda value: "cuda\x1b[31m"),
    ("precision", lambda value: "float16"),
]
# What follows from the config and the step is not read.
NEEDLESS = [
    ("schedule", lambda value: {"last_epoch": "x", "_last_lr": [1e9]}),
    ("schedule", lambda value: "x"),
    ("more", lambda value: torch.zeros(3)),
    ("optimizer.param_groups", lambda value: GONE),
    ("optimizer.param_groups", lambda value: [{"lr": 1e9, "params": [99]}]),
    ("optimizer.param_groups", lambda value: [{**value[0], "lr": 0.0}]),
]


def put(state: dict[str, Any], place: str, change: Callable[[Any], Any]) -> None:
    """Change what is at a place, whose parts are split by dots, though names may have them too."""
    keys = place.split(".", 1) if place.startswith("controller.") else place.split(".")
    *way, last = [int(key) if key.isdigit() else key for key in keys]
    for key in way:
        state = state[key]
    changed = change(state.get(last))
    if changed is GONE:
        del state[last]
    else:
        state[last] = changed


@pytest.fixture
def changed(whole, tmp_path) -> Callable[..., bytes]:
    """Gives the bytes of a checkpoint with other content, whose checksums fit."""

    def call(*changes: tuple[str, Callable[[Any], Any]]) -> bytes:
        state = torch.load(io.BytesIO(whole), weights_only=True)
        for place, change in changes:
            put(state, place, change)
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return buffer.getvalue()

    return call


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("change", OF_ANY)
def test_anything_in_a_place(is_refused, changed, place, change):
    if (place, change) == ("seconds", "fraction"):
        pytest.skip("so many seconds are possible")
    assert is_refused(changed((place, OF_ANY[change])))


TENSORS = (
    *("sums", "controller.decoder.to_token.bias", "optimizer.state.0.exp_avg"),
    *("optimizer.state.0.exp_avg_sq", "duplicates", "optimizer.state.0.step", "batches.order"),
    *("batches.generator", "batches.generator_now"),
)


@pytest.mark.parametrize("place", TENSORS)
@pytest.mark.parametrize("change", OF_TENSORS)
def test_a_tensor_of_another_form(is_refused, changed, place, change):
    assert is_refused(changed((place, OF_TENSORS[change])))


@pytest.mark.parametrize("place", TENSORS[:4])
@pytest.mark.parametrize("change", OF_NUMBERS)
def test_numbers_that_are_none(is_refused, changed, place, change):
    assert is_refused(changed((place, OF_NUMBERS[change])))


@pytest.mark.parametrize("number", range(len(OUT_OF_RANGE)))
def test_what_no_run_comes_to(is_refused, changed, number):
    assert is_refused(changed(OUT_OF_RANGE[number]))


@pytest.mark.parametrize("number", range(len(NEEDLESS)))
def test_what_is_not_read(is_refused, changed, number):
    assert not is_refused(changed(NEEDLESS[number]))


@pytest.mark.parametrize("seed", range(80))
def test_changes_drawn_at_random(is_refused, whole, changed, seed):
    """Any place of the whole tree, and a change of its kind that makes it another."""
    draw = random.Random(seed)
    state = torch.load(io.BytesIO(whole), weights_only=True)
    states = [f"optimizer.state.{number}" for number in state["optimizer"]["state"]]
    places = [f"controller.{name}" for name in state["controller"]] + [
        f"{each}.{name}" for each in states for name in ("exp_avg", "exp_avg_sq", "step")
    ]
    kinds = [*(OF_ANY.values()), *(OF_TENSORS.values()), OF_NUMBERS["nan"], OF_NUMBERS["inf"]]
    places = draw.sample(places, draw.randrange(1, 4))
    assert is_refused(changed(*((place, draw.choice(kinds)) for place in places)))


def test_what_is_refused_changes_nothing(run, whole, changed, tmp_path):
    folder = RunFolder(tmp_path)
    folder.checkpoint.write_bytes(whole)
    run.restore(folder)
    before = copy.deepcopy([run.controller.state_dict(), run.optimizer.state_dict()])
    moved = ("controller.decoder.to_token.bias", lambda value: value + 1)
    for fault in OUT_OF_RANGE:
        folder.checkpoint.write_bytes(changed(moved, fault))
        with pytest.raises(UserError):
            run.restore(folder)
    assert same(before, [run.controller.state_dict(), run.optimizer.state_dict()])


@pytest.mark.parametrize("kind", ["folder", "pipe", "", "/dev/zero", "loop", "text", "npz"])
def test_something_else_in_its_place(run, tmp_path, put_instead, kind):
    folder = RunFolder(tmp_path)
    put_instead(folder.checkpoint, kind)
    if kind == "npz":
        with folder.checkpoint.open("wb") as stream:
            np.savez(stream, a=np.zeros(3))
    with pytest.raises(UserError, match=r"checkpoint\.pt.* delete the file"):
        run.restore(folder)
