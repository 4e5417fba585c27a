import csv
import re

import pytest

from gnn_nas.cli.function import main
from gnn_nas.function import STATISTICS


def test_help_says_what_every_statistic_is_before_torch_is_loaded(capsys, loaded_by_help):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert all(f"{name} {about}" in shown for name, about in STATISTICS.items())
    assert not loaded_by_help("torch", "sklearn", "scipy")


@pytest.mark.slow
def test_a_table_has_a_cell_a_line_and_a_column_for_every_statistic(tmp_path, capsys, complaint):
    out = tmp_path / "new" / "function.csv"
    options = ["--space", "nasbench201", "--cells", "50", "--images", "noise", "--seeds", "2"]
    assert main([*options, "--jobs", "1", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    with out.open() as stream:
        header, *rows = csv.reader(stream)
    assert header == ["ops", "edges", *STATISTICS]
    assert len(rows) == len({row[0] for row in rows}) == 50
    values = [float(row[2]) for row in rows]
    mean, _, alike = re.search(r"^feature_norm +(\S+) +(\S+) +(\S+)$", shown, re.M).groups()
    assert float(mean) == pytest.approx(sum(values) / 50, abs=1e-3)
    assert -1 <= float(alike) <= 1
    assert shown.endswith(f"written to {out}\n")
    assert complaint(*options, "--out", out) == (
        f"error: --out {out}: it is there already: give another"
    )


def test_mistakes_are_answered_in_one_line(complaint, tmp_path):
    assert complaint("--cells", "49") == "error: --cells must be from 50 to 100000, not 49"
    assert complaint("--seeds", "0") == "error: --seeds must be from 1 to 100, not 0"
    assert complaint("--jobs", "0") == "error: --jobs must be at least 1, not 0"
    assert complaint("--space", "x.yaml").startswith("error: x.yaml: cannot read")
    (tmp_path / "file").touch()
    assert complaint("--out", tmp_path / "file" / "table.csv").startswith("error: cannot write")
    assert "neither digits nor noise" in complaint("--images", "cats")
    assert "are of a graph: give graph" in complaint(
        "--space", "nasbench_graph", "--images", "noise"
    )
    assert "are of images: give digits" in complaint("--images", "graph")
    (tmp_path / "mute.yaml").write_text("name: mute\nops: [a, b]\nmax_vertices: 4\nmax_edges: 5\n")
    refused = complaint("--space", tmp_path / "mute.yaml")
    assert "does not say how its ops are built" in refused
    assert "function: null" in refused


@pytest.mark.slow
def test_cells_of_nasbench_graph_are_given_a_graph(capsys):
    assert main(["--space", "nasbench_graph", "--cells", "50", "--jobs", "1"]) == 0
    shown = capsys.readouterr().out
    values = re.findall(r"^(\w+) +(\S+) +(\S+)$", shown, re.M)
    assert [name for name, *_ in values] == list(STATISTICS)
    # Every one tells cells apart.
    assert all(float(deviation) > 0 for *_, deviation in values)
