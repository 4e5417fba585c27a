"""``pretrain --benchmark``: accuracies are looked at, and nothing is learnt from them."""

import re

import numpy as np
import pytest

from gnn_nas.cli.pretrain import main
from gnn_nas.pretraining import trainer
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.known import described_space, get_space
from gnn_nas.spaces.table import open_table
from gnn_nas.spaces.text import to_texts
from tests.cli.test_pretrain import TINY
from tests.helpers.measurements import nasbench201_arrays

CHAIN = "name: chain\nops: [a, b, c]\nedges: [[0,1],[1,2],[2,3],[3,4],[4,5],[5,6]]\n"
TAUS = {"tau_knn", "tau_ridge", "tau_gp"}
CALL = ["--space=chain.yaml", "--config=gin_multisim", *(f"--set={value}" for value in TINY)]
CALL += ["--max-steps=8", "--set=training.validate_every=3"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with a space of 243 cells and a table of what they are worth."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)
    monkeypatch.setattr(trainer, "_FIRST_CHECK", 1)
    monkeypatch.setattr(trainer, "_LAST_CHECK", 1)
    (tmp_path / "chain.yaml").write_text(CHAIN)
    cells = open_table(get_space(described_space("chain.yaml"))).cells
    lines = [f"{ops},{ops.count('a')}" for ops, _ in to_texts(cells)]
    (tmp_path / "results.csv").write_text("\n".join(["ops,reward", *lines, ""]))


def without_taus(rows: list[dict]) -> list[dict]:
    return [{name: value for name, value in row.items() if name not in TAUS} for row in rows]


@pytest.mark.slow
def test_looking_changes_not_a_bit_of_what_is_learnt(capsys, monkeypatch):
    plain, looking, resumed = (RunFolder(name) for name in ("plain", "looking", "resumed"))
    assert main([*CALL, "--out=plain"]) == 0
    assert not TAUS & plain.load_summary().keys()
    assert main([*CALL, "--out=looking", "--benchmark=results.csv"]) == 0
    assert re.search(r"^tau_gp +0\.\d{4}$", capsys.readouterr().out, re.MULTILINE)
    assert looking.weights.read_bytes() == plain.weights.read_bytes()
    assert without_taus(looking.read_metrics()) == plain.read_metrics()
    shown = [row for row in looking.read_metrics() if row["kind"] == "validation"]
    assert [row["step"] for row in shown] == [3, 6, 8]
    assert all(row.keys() >= TAUS and all(-1 <= row[name] <= 1 for name in TAUS) for row in shown)
    # Before training as after it an encoder tells how often an op is there.
    assert shown[-1]["tau_gp"] > 0.4
    assert looking.load_summary()["tau_gp"] == shown[-1]["tau_gp"]

    on_step = trainer.Metrics.on_step

    def interrupt(self, step):
        on_step(self, step)
        if step == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Metrics, "on_step", interrupt)
        call = [*CALL, "--set=training.checkpoint_every=4", "--out=resumed"]
        assert main([*call, "--benchmark=results.csv"]) == 130
    capsys.readouterr()
    assert main(["--resume", "--out=resumed"]) == 2
    message = "error: resumed: give the measurements that it looks at again, by --benchmark PATH\n"
    assert capsys.readouterr().err == message
    assert main(["--resume", "--out=resumed", "--benchmark=results.csv"]) == 0
    assert resumed.weights.read_bytes() == plain.weights.read_bytes()
    assert resumed.read_metrics() == looking.read_metrics()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--benchmark=absent.csv"], "absent.csv: cannot read"),
        (["--benchmark"], "no measurements of NAS-Bench-101 are here"),
        (["--benchmark=201.npz"], "has measurements of nasbench201, and the cells are those of"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(
    capsys, monkeypatch, tmp_path, options, message
):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    np.savez("201.npz", **nasbench201_arrays())
    assert main([*CALL, "--out=run", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err.splitlines()[-1]
    assert not (tmp_path / "run").exists()
