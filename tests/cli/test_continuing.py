"""The call that an interrupted one is continued with can be pasted into a shell."""

import shlex
import sys

import pytest

from gnn_nas.cli import common
from gnn_nas.cli.common import continued, repeated, run_guarded
from gnn_nas.signals import Terminated


def test_the_launcher_is_named_as_it_was_called_with_all_options(monkeypatch):
    monkeypatch.setattr(common, "_LAUNCHER", "../bin/pretrain")
    given = ["--config", "my config.yaml", "--set=metric.loss_args={alpha: 2}"]
    text = continued("pretrain", given, "--resume")
    assert text.startswith("continue with: ")
    assert shlex.split(text.removeprefix("continue with: ")) == [
        "../bin/pretrain",
        *given,
        "--resume",
    ]


def test_what_was_said_is_not_said_twice(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/venv/bin/gnn-nas", "search", "--resume", "--html"])
    text = continued("search", ["--resume", "--html"], "--resume")
    assert text == "continue with: /venv/bin/gnn-nas search --resume --html"


def test_a_script_on_the_path_is_named_shortly(monkeypatch, tmp_path):
    script = tmp_path / "gnn-nas"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(script), "search"])
    assert continued("search", []) == "continue with: gnn-nas search"
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    assert continued("search", []) == "continue with: gnn-nas search"
    monkeypatch.chdir("/")
    assert continued("search", []) == f"continue with: {str(script).removeprefix('/')} search"


def test_pythons_module_is_named_as_such(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/site-packages/gnn_nas/__main__.py", "embed-umap"])
    text = repeated("embed-umap", ["--html"])
    assert text == "start again with: python -m gnn_nas embed-umap --html"


def test_torchrun_starts_as_many_again(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    text = continued("pretrain", ["--config=x"], "--resume")
    assert text == (
        "continue with: torchrun --nproc-per-node 4 -m gnn_nas pretrain --config=x --resume"
    )


@pytest.mark.parametrize(("stop", "status"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_an_interruption_says_how_to_go_on(capsys, stop, status):
    def command() -> None:
        raise stop

    assert run_guarded(command, "continue with: bin/x \x1b[2J") == status
    assert capsys.readouterr() == ("", "interrupted: continue with: bin/x \\x1b[2J\n")
