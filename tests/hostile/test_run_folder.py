"""A run's folder as strangers may leave it: refused in one line, or read as what it is."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from gnn_nas.config import load_config
from gnn_nas.locking import is_lock, writing
from gnn_nas.plots.curves import draw_curves
from gnn_nas.run_folder import RunFolder

CONFIG = load_config(Path(__file__).parents[2] / "configs" / "gin_multisim.yaml")
FILES = ("model.safetensors", "checkpoint.pt", "metrics.jsonl", "summary.json", "curves.png")
# Longer than Python turns into a number, and within.
LONG, SHORTER = "9" * 5000, "9" * 4000


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", CONFIG)


NO_ROWS = [
    *('{"step": "x"}', '{"step": 1.5}', '{"step": null}', '{"step": -1}', '{"step": true}'),
    *('{"step": [1]}', '{"step": {}}', '{"step": NaN}', '{"step": 1e999}', '{"step": Infinity}'),
    *(f'{{"step": {LONG}}}', f'{{"step": {SHORTER}}}', '{"loss": 1}', "{}", "[]", "[1]", "1"),
    *("null", '"step"', "", " ", "x", '{"step": 1', '{"step": 1}}', "\x00", "\x1b[31m"),
    *("[" * 100_000, '{"step":' * 100_000, '{"step": 1, "loss": ' + "[" * 100_000),
    *('{"step": 1, "kind": 5}', '{"step": 1, "kind": null}', '{"step": 1, "kind": ["train"]}'),
    *('{"step": 1, "loss": "x"}', '{"step": 1, "loss": true}', '{"step": 1, "loss": [1]}'),
    *('{"step": 1, "loss": {}}', '{"step": 1, "loss": NaN}', '{"step": 1, "loss": -1e999}'),
    *(f'{{"step": 1, "loss": {SHORTER}}}', '{"step": 1, "metric": 1e301}'),
    *(b'{"step": 1, "loss": "\xff"}'.decode("latin-1"), "\xff\xfe", '{"step": 1,}'),
]


@pytest.mark.parametrize("number", range(len(NO_ROWS)))
def test_what_is_no_row_of_metrics(folder, refusal, number):
    text = '{"step": 1}\n' + NO_ROWS[number] + '\n{"step": 3}\n'
    folder.metrics.write_text(text, encoding="latin-1")
    for read in (folder.read_metrics, lambda: folder.cut_metrics(5)):
        assert "metrics.jsonl: line 2 is no row of metrics" in refusal(read)
    assert folder.metrics.read_text(encoding="latin-1") == text


@pytest.mark.parametrize("seed", range(60))
def test_damaged_metrics(folder, refusal, damaged, seed):
    """Refused, or rows that can be drawn and cut; a figure of another value cannot be told."""
    for step in (5, 10, 15):
        names = ("loss", "reconstruction", "metric", "structure", "token_accuracy")
        folder.append_metrics({"step": step, "kind": "train", **dict.fromkeys(names, 0.5)})
        names = ("token_accuracy", "exact_match", "structure_error")
        folder.append_metrics({"step": step, "kind": "validation", **dict.fromkeys(names, 0.25)})
    folder.metrics.write_bytes(damaged(folder.metrics.read_bytes(), seed))
    if refusal(folder.read_metrics):
        return
    folder.cut_metrics(10)
    rows = folder.read_metrics()
    assert all(row["step"] <= 10 for row in rows)
    if seed % 6 == 0:  # drawing takes a second
        draw_curves(rows, folder.curves)


@pytest.mark.parametrize(
    "rows",
    [
        [{"step": 1, "kind": "train"}],
        [{"step": 1}],
        [{"step": 1, "kind": "train", "reconstruction": None, "metric": None}],
        [{"step": 1, "kind": "validation", "structure_error": None}],
        [{"step": 3, "kind": "train", "reconstruction": 1e299, "structure": 1}, {"step": 0}],
    ],
)
def test_rows_without_their_figures_are_drawn(folder, rows):
    for row in rows:
        folder.append_metrics(row)
    draw_curves(folder.read_metrics(), folder.curves)
    assert folder.curves.read_bytes().startswith(b"\x89PNG")


NO_SUMMARIES = [
    *("", " ", "x", "{", "}", "{}", "[]", "[1]", "1", "null", '"text"', "true", '{"steps": '),
    *('{"steps": 1', '{"steps": NaN}', '{"steps": -Infinity}', f'{{"steps": {LONG}}}', "\xff"),
    *("[" * 100_000, '{"a":' * 100_000, "\x00", "\x1b[31m", '{"steps": 1}x', "{'steps': 1}"),
]


@pytest.mark.parametrize("number", range(len(NO_SUMMARIES)))
def test_a_summary_that_is_none_does_not_count_as_finished(folder, refusal, number):
    folder.summary.write_text(NO_SUMMARIES[number], encoding="latin-1")
    for call in (
        lambda: folder.finished,
        folder.load_summary,
        lambda: RunFolder.create(folder.path, CONFIG),
    ):
        message = refusal(call)
        assert "summary.json is damaged or no summary: delete it and --resume the run" in message


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_summary(folder, refusal, damaged, seed):
    summary = {"steps": 1, "exact_match": 0.5, "notes": {"a": [1, 2, 3], "b": "words"}}
    folder.save_summary(summary)
    folder.summary.write_bytes(damaged(folder.summary.read_bytes(), seed))
    if not refusal(folder.load_summary):
        assert isinstance(folder.load_summary(), dict)
        assert folder.finished


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_the_place_of_a_file(folder, refusal, name):
    (folder.path / name).mkdir()
    message = refusal(RunFolder.create, folder.path, CONFIG, True)
    assert name in message
    assert sorted(os.listdir(folder.path)) == sorted(["config.yaml", name])


@pytest.mark.parametrize("kind", ["file", "link", "pipe"])
def test_something_else_in_the_place_of_tensorboard(folder, refusal, kind):
    match kind:
        case "file":
            folder.tensorboard.touch()
        case "link":
            folder.tensorboard.symlink_to(folder.config)
        case "pipe":
            os.mkfifo(folder.tensorboard)
    assert "tensorboard is a file, but a run writes a folder there" in refusal(
        RunFolder.create, folder.path, CONFIG, True
    )


@pytest.mark.parametrize("name", ["metrics.jsonl", "summary.json", "model.safetensors"])
@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "loop"])
def test_a_file_that_never_ends(folder, refusal, name, kind):
    path = folder.path / name
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(kind if kind == "/dev/zero" else name)
    read = {
        "metrics.jsonl": folder.read_metrics,
        "summary.json": lambda: folder.finished,
        "model.safetensors": folder.load_weights,
    }
    assert f"{path}: cannot read: " in refusal(read[name])


@pytest.mark.parametrize("seed", range(20))
def test_a_lock_file_of_anything_is_taken_or_refused(folder, refusal, seed):
    """It may say what it likes, and lead where it likes: nothing else is written."""
    draw = random.Random(seed)
    with writing(folder.path):
        (name,) = filter(is_lock, os.listdir(folder.path))
    precious = folder.path.parent / "precious"
    precious.write_text("words")
    path = folder.path / name
    match seed % 5:
        case 0:
            path.write_bytes(draw.randbytes(draw.randrange(1, 1000)))
        case 1:
            path.symlink_to(draw.choice([precious, folder.path, path, "/dev/zero", "absent"]))
        case 2:
            path.mkdir()
        case 3:
            os.mkfifo(path)
        case 4:
            path.write_text("process 1\x1b[31m on \x00 (\n)")

    def claim() -> None:
        with RunFolder.claimed(folder.path, CONFIG, resume=True):
            pass

    message = refusal(claim)
    assert message.isprintable()
    assert bool(message) == (seed % 5 in (1, 2, 3))
    assert precious.read_text() == "words"
    assert json.loads(json.dumps(CONFIG.model_dump())) == load_config(folder.config).model_dump()
