from __future__ import annotations

from collections.abc import Callable

import pytest

from gnn_nas.run_folder import RunFolder
from tests.helpers.made_up_command import Fake


@pytest.fixture
def make(pytestconfig, tmp_path, monkeypatch) -> Callable:
    """Gives jobs of the made-up command, by the name of their folder."""
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    return lambda name, *rest, kind=Fake: kind(RunFolder(tmp_path / name), *rest)
