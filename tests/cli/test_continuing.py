"""The call that an interrupted one is continued with can be pasted into a shell."""

import shlex
import sys

import pytest

from gnn_nas.cli import common
from gnn_nas.cli.common import continued, repeated, run_guarded
from gnn_nas.signals import Terminated


def test_the_launcher_is_named_with_all_options(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/gnn_nas/cli/pretrain.py"])
    given = ["--config", "my config.yaml", "--set=metric.loss_args={alpha: 2}"]
    text = continued("pretrain", given, "--resume")
    assert text.startswith("continue with: ")
    command, *options = shlex.split(text.removeprefix("continue with: "))
    assert command.endswith("bin/pretrain")
    assert options == [*given, "--resume"]


def test_what_was_said_is_not_said_twice(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/venv/bin/nao-search", "--resume", "--html"])
    text = continued("nao-search", None, "--resume")
    assert text == "continue with: /venv/bin/nao-search --resume --html"


def test_without_launchers_it_is_pythons_module(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["/site-packages/gnn_nas/cli/embed_umap.py"])
    monkeypatch.setattr(common, "__file__", str(tmp_path / "gnn_nas" / "cli" / "common.py"))
    text = repeated("embed-umap", ["--html"])
    assert text == "start again with: python -m gnn_nas.cli.embed_umap --html"


def test_torchrun_starts_as_many_again(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    text = continued("pretrain", ["--config=x"], "--resume")
    assert text == (
        "continue with: torchrun --nproc-per-node 4 -m gnn_nas.cli.pretrain --config=x --resume"
    )


@pytest.mark.parametrize(("stop", "status"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_an_interruption_says_how_to_go_on(capsys, stop, status):
    def command() -> None:
        raise stop

    assert run_guarded(command, "continue with: bin/x \x1b[2J") == status
    assert capsys.readouterr() == ("", "interrupted: continue with: bin/x \\x1b[2J\n")
