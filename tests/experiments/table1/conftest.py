from __future__ import annotations

from collections.abc import Callable

import pytest

from gnn_nas.run_folder import RunFolder
from tests.helpers.made_up_command import Fake


@pytest.fixture
def make(tmp_path) -> Callable:
    """Gives jobs of the made-up command, by the name of their folder."""
    return lambda name, *rest, kind=Fake: kind(RunFolder(tmp_path / name), *rest)
