"""``pretrain --space``: spaces of one's own, from a file to a run."""

import pytest

from gnn_nas.cli.pretrain import main
from gnn_nas.config import SpaceConfig, load_config
from gnn_nas.models.pretrained import load_pretrained
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.known import get_space
from tests.helpers.quick_pretrain import cut_short

TOY = "name: toy\nops: [a, b]\nmax_vertices: 4\nmax_edges: 5\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder with the toy space's file; runs are made without what takes long."""
    monkeypatch.chdir(tmp_path)
    cut_short(monkeypatch.setattr)
    (tmp_path / "toy.yaml").write_text(TOY)


@pytest.mark.slow
def test_a_file_is_enough(capsys):
    assert main(["--space=toy.yaml", "--max-steps=4"]) == 0
    said = capsys.readouterr().err
    assert "space toy: 41 labelled forms, all in a table" in said
    assert "positives are up to 1 edit from their anchor" in said
    folder = RunFolder("runs/toy")
    config = load_config(folder.config)
    # What was found is kept, so that the checkpoint knows its space.
    assert config.space == SpaceConfig(
        name="toy", ops=["a", "b"], max_vertices=4, max_edges=5, max_edits=1
    )
    assert config.data.batch_size == 40
    assert load_pretrained(folder.path).space == get_space(config.space)
    assert main(["--resume", "--out=runs/toy"]) == 0
    assert "holds a finished run" in capsys.readouterr().err
    assert main(["--space=toy.yaml", "--max-steps=4", "--resume"]) == 0


@pytest.mark.slow
def test_what_a_config_says_is_kept(capsys):
    call = ["--space=toy.yaml", "--config=gin_margin", "--set=data.batch_size=16", "--max-steps=2"]
    assert main([*call, "--out=runs/other"]) == 0
    config = load_config(RunFolder("runs/other").config)
    assert config.space.name == "toy"
    assert config.metric.loss == "MarginLoss"
    assert config.model == load_config("gin_margin").model


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TOY.replace("[a, b]", "[a, a]"), "toy.yaml: ops: two ops have one name"),
        (TOY.replace("4", "12"), "space toy: max_vertices must be from 3 to 11, not 12"),
        (TOY.replace("ops", "op"), "unknown key op, did you mean ops?"),
        ("", "toy.yaml: the config is empty"),
        ("- a\n", "toy.yaml: the config must be a mapping"),
    ],
)
def test_a_wrong_file_is_one_line_and_leaves_nothing(capsys, tmp_path, text, problem):
    (tmp_path / "toy.yaml").write_text(text)
    assert main(["--space=toy.yaml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert problem in err
    assert not (tmp_path / "runs").exists()


def test_a_space_that_is_not_there_is_one_line(capsys):
    assert main(["--space=absent.yaml"]) == 2
    assert "absent.yaml: cannot read the config" in capsys.readouterr().err
    assert main(["--space=absent"]) == 2
    assert "absent: neither a file nor a space of gnn_nas" in capsys.readouterr().err
