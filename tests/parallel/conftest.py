from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from tests.helpers.made_up_work import Work


@pytest.fixture
def make_work(tmp_path) -> Callable[..., Work]:
    """Gives made-up work that notes what it does in one place."""
    return functools.partial(Work, tmp_path / "notes")
