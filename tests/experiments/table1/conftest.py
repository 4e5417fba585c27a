from __future__ import annotations

import os
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gnn_nas.run_folder import RunFolder

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def made_up() -> SimpleNamespace:
    """The made-up command's kinds of jobs."""
    return SimpleNamespace(**runpy.run_path(str(HERE / "made_up_command.py")))


@pytest.fixture
def make(made_up, tmp_path, monkeypatch) -> Callable:
    """Gives jobs of the made-up command, by the name of their folder."""
    monkeypatch.setenv("PYTHONPATH", f"{HERE}{os.pathsep}{HERE.parents[2]}")
    return lambda name, *rest, kind=made_up.Fake: kind(RunFolder(tmp_path / name), *rest)
