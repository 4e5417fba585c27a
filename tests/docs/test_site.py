"""The site is built of the pages without a warning."""

import os
import subprocess
import sys

import pytest

from tests.helpers.pages import ROOT


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    for name in ("furo", "myst_nb", "sphinx", "sphinx_copybutton"):
        pytest.importorskip(name, reason="the extra docs is not installed")
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "sphinx", "--fail-on-warning", "--quiet"),
            *("-d", str(tmp_path / "doctrees"), str(ROOT / "docs"), str(tmp_path / "site")),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    site = {page.relative_to(tmp_path / "site").as_posix() for page in tmp_path.rglob("*.html")}
    assert {"index.html", "tour.html", "reference/python.html", "measured/speed.html"} <= site
    commands = (tmp_path / "site/reference/commands.html").read_text(encoding="utf-8")
    assert "gnn-nas search" in commands
    assert "--task-gpus" in commands
    python = (tmp_path / "site/reference/python.html").read_text(encoding="utf-8")
    configs = (tmp_path / "site/reference/configs.html").read_text(encoding="utf-8")
    assert "model.encoder.hidden" in configs
    import gnn_nas

    for name in set(gnn_nas.__all__) - {"__version__"}:
        assert f'id="gnn_nas.{name}"' in python, f"the reference lacks {name}"
