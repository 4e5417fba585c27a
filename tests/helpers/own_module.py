"""A module of the user's own, in the folder in which a command is called."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def write_module(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, text: str) -> None:
    """Write it, make its folder the current one, and let it be imported anew."""
    (folder / f"{name}.py").write_text(text)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)
