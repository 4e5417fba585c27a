"""``model.safetensors``, damaged, foreign or too large for its config: refused, or the same."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from gnn_nas import tensor_file
from gnn_nas.config import load_config
from gnn_nas.errors import UserError
from gnn_nas.models.pretrained import load_pretrained, new_controller
from gnn_nas.run_folder import RunFolder

SIZES = ("hidden=4", "layers=1", "embedding=6", "decoder_hidden=4", "predictor_hidden=4")
SOME = ("encoder.project.weight", "decoder.to_token.bias")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> RunFolder:
    config = load_config(
        Path(__file__).parents[2] / "configs" / "gin_multisim.yaml",
        [f"model.{size}" for size in SIZES],
    )
    folder = RunFolder.create(tmp_path_factory.mktemp("made"), config)
    folder.save_weights(new_controller(config, 3).state_dict())
    return folder


@pytest.fixture
def folder(made, tmp_path) -> RunFolder:
    shutil.copytree(made.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


@pytest.fixture
def is_refused(made, folder, refusal) -> Callable[[], bool]:
    """Says whether the folder's weights are refused, in one line; they are the same if not."""
    expected = made.load_weights()

    def check() -> bool:
        if message := refusal(load_pretrained, folder.path):
            assert message.startswith(str(folder.path))
            return True
        found = load_pretrained(folder.path).state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
        return False

    return check


def test_the_whole_one_is_taken(is_refused):
    assert not is_refused()


def test_one_without_a_checksum_is_taken(is_refused, folder):
    folder.weights.write_bytes(save(load(folder.weights.read_bytes())))
    assert not is_refused()


@pytest.mark.parametrize("seed", range(160))
def test_a_damaged_file(is_refused, folder, damaged, seed):
    folder.weights.write_bytes(damaged(folder.weights.read_bytes(), seed))
    is_refused()


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_bit_of_the_header(is_refused, folder, seed):
    draw = random.Random(seed)
    content = bytearray(folder.weights.read_bytes())
    end = 8 + int.from_bytes(content[:8], "little")
    content[draw.randrange(end)] ^= 1 << draw.randrange(8)
    folder.weights.write_bytes(content)
    is_refused()


CHANGES = {
    **{
        str(dtype): lambda tensor, dtype=dtype: tensor.to(dtype)
        for dtype in (
            *(torch.bool, torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64),
            *(torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2, torch.uint16),
        )
    },
    "nan": lambda tensor: tensor * float("nan"),
    "inf": lambda tensor: tensor + float("inf"),
    "one -inf": lambda tensor: tensor.index_fill(0, torch.tensor([0]), float("-inf")),
    "one nan": lambda tensor: tensor.index_fill(0, torch.tensor([1]), float("nan")),
    "half with inf": lambda tensor: tensor.half() * 1e38,
    "bfloat16 with nan": lambda tensor: tensor.bfloat16() * float("nan"),
    "beyond float32": lambda tensor: tensor.double() * 1e300 + 1e300,
    "wider": lambda tensor: torch.cat([tensor, tensor]),
    "narrower": lambda tensor: tensor[:-1],
    "another dimension": lambda tensor: tensor[None],
    "flat": lambda tensor: tensor.flatten()[None],
    "scalar": lambda tensor: tensor.sum(),
    "empty": lambda tensor: tensor[:0],
}


@pytest.mark.parametrize("has_checksum", [False, True])
@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("change", CHANGES)
def test_a_tensor_that_is_no_weight(is_refused, folder, name, change, has_checksum):
    weights = folder.load_weights()
    weights[name] = CHANGES[change](weights[name]).contiguous()
    folder.weights.write_bytes((tensor_file.to_bytes if has_checksum else save)(weights))
    assert is_refused()


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("change", ["gone", "renamed", "twice", "more"])
def test_other_names(is_refused, folder, name, change):
    weights = folder.load_weights()
    tensor = weights[name] if change in ("twice", "more") else weights.pop(name)
    if change != "gone":
        weights[{"more": "x"}.get(change, f"{name} ")] = tensor.clone()
    folder.save_weights(weights)
    assert is_refused()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_another_precision_is_converted(folder, dtype):
    given = {name: tensor.to(dtype) for name, tensor in folder.load_weights().items()}
    folder.save_weights(given)
    for name, tensor in load_pretrained(folder.path).state_dict().items():
        assert torch.equal(tensor, given[name].float())


@pytest.mark.parametrize("seed", range(20))
def test_a_config_of_sizes_for_which_there_is_no_memory(is_refused, folder, seed):
    """The limit on memory stands in ``conftest.py``."""
    draw = random.Random(seed)
    text = folder.config.read_text()
    for key, most in (("hidden", 4096), ("layers", 64), ("embedding", 4096)):
        size = most if draw.random() < 0.8 else draw.randrange(2, most)
        (line,) = [each for each in text.splitlines() if each.split(":")[0].strip() == key]
        text = text.replace(line, f"{line.split(':')[0]}: {size}")
    folder.config.write_text(text)
    assert is_refused()


@pytest.mark.parametrize("kind", ["folder", "pipe", "", "/dev/zero", "loop", "text", "nowhere"])
def test_something_else_in_its_place(folder, put_instead, kind):
    put_instead(folder.weights, kind)
    with pytest.raises(UserError, match=r"\A[^\n]*model\.safetensors[^\n]*\Z"):
        load_pretrained(folder.path)
