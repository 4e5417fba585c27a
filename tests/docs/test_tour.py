"""The notebook of docs/ runs, and is committed with its outputs."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers.pages import ROOT

PATH = ROOT / "docs" / "tour.ipynb"
SMALL = {"MAPPED": 64, "PAIRS": 20, "QUERIES": 24, "TRAININGS": 1}


@pytest.fixture
def tour() -> nbformat.NotebookNode:
    return nbformat.read(PATH, as_version=4)


def test_it_is_committed_as_it_ran_from_top_to_bottom(tour):
    code = [cell for cell in tour.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = {name for cell in code for output in cell.outputs for name in output.get("data", ())}
    assert {"image/png", "image/svg+xml"} <= kinds
    # Neither errors nor warnings.
    outputs = [output for cell in code for output in cell.outputs]
    assert not [
        each for each in outputs if each.output_type == "error" or each.get("name") == "stderr"
    ]
    assert PATH.stat().st_size < 500_000


@pytest.mark.slow
def test_it_runs_in_small(tour, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    (sizes,) = (cell for cell in tour.cells if "parameters" in cell.metadata.get("tags", ()))
    assert re.findall(r"^(\w+) =", sizes.source, re.MULTILINE) == list(SMALL)
    sizes.source = "\n".join(f"{name} = {size}" for name, size in SMALL.items())
    NotebookClient(
        tour, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
