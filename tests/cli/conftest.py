"""What the tests of commands share."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def complaint(request, capsys) -> Callable[..., str]:
    """Gives the one line with which the module's command refuses, its progress aside."""

    def call(*options: str | Path) -> str:
        capsys.readouterr()
        assert request.module.main([str(option) for option in options]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        (line,) = re.findall(r"^error: .*$", err, re.MULTILINE)
        return line

    return call


@pytest.fixture
def loaded_by_help(request) -> Callable[..., bool]:
    """Says whether the parser of the module's command loads one of these packages."""

    def call(*packages: str) -> bool:
        code = (
            f"import sys; from {request.module.main.__module__} import parser; parser();"
            f"sys.exit(bool({set(packages)} & sys.modules.keys()))"
        )
        status = subprocess.run([sys.executable, "-c", code]).returncode
        assert status in (0, 1)
        return status == 1

    return call
