import json
import math
import os
import stat

import numpy as np
import pytest
import torch

from gnn_nas import files


def test_content_appears_under_the_name_only_when_whole(tmp_path):
    target = tmp_path / "weights.npz"
    with files.atomic_path(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".npz"
        temporary.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["weights.npz"]


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path):
    target = tmp_path / "table"
    files.write_text(target, "old")

    def write_half():
        with files.atomic_path(target) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["table"]


def test_files_get_the_usual_permissions(tmp_path):
    files.write_bytes(tmp_path / "atomic", b"")
    (tmp_path / "plain").write_bytes(b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("atomic", "plain")}
    assert len(modes) == 1


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(tmp_path):
    (tmp_path / ".tmp-mine").touch()
    writer = files.atomic_path(tmp_path / "model")
    writer.__enter__().touch()
    assert len(os.listdir(tmp_path)) == 2
    files.remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == [".tmp-mine"]


def test_leftovers_of_one_file_are_removed_and_nothing_else(tmp_path):
    for name in ("model", "other"):
        files.atomic_path(tmp_path / name).__enter__().touch()
    files.remove_leftovers(tmp_path, "model")
    (left,) = os.listdir(tmp_path)
    assert left.endswith("-other")


def test_json_is_strict_and_takes_scalars_of_numpy_and_torch(tmp_path):
    value = {
        "nan": math.nan,
        "nested": [{"inf": -math.inf}, (1, 2.5)],
        "numpy": np.float32(0.5),
        "numpy_nan": np.float64("nan"),
        "torch": torch.tensor(3),
        "text": "λ",
    }
    files.write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {
        "nan": None,
        "nested": [{"inf": None}, [1, 2.5]],
        "numpy": 0.5,
        "numpy_nan": None,
        "torch": 3,
        "text": "λ",
    }
    with pytest.raises(TypeError):
        files.to_json({"path": tmp_path})


def test_names_that_are_no_text_can_be_written_and_read_back(tmp_path):
    name = os.fsdecode(b"runs/\xff")
    files.write_json(tmp_path / "summary.json", {"checkpoint": name})
    assert json.loads((tmp_path / "summary.json").read_bytes()) == {"checkpoint": name}
