import shutil
from pathlib import Path

import pytest

from gnn_nas.cli.checkpoints import loss_name, open_checkpoints
from gnn_nas.errors import UserError
from gnn_nas.models.pretrained import SHIPPED


@pytest.fixture
def runs(tmp_path) -> Path:
    """Folders of runs, some of the same name, and of a search's controllers."""
    for name in ("a/multisim", "b/multisim", "nometric", "search/controller-0"):
        shutil.copytree(SHIPPED, tmp_path / name)
    config = (SHIPPED / "config.yaml").read_text()
    start, end = config.index("metric:"), config.index("function:")
    without = config[:start] + "metric: null\n" + config[end:]
    (tmp_path / "nometric" / "config.yaml").write_text(without)
    return tmp_path


def test_names_are_as_short_as_tells_them_apart(runs):
    given = ["a/multisim", "b/multisim/", "nometric", "search/controller-0"]
    named = open_checkpoints([str(runs / each) for each in given] + ["none"])
    assert list(named) == [
        "a/multisim",
        "b/multisim",
        "nometric",
        "search/controller-0",
        "from scratch",
    ]
    assert [loss_name(each) for each in named.values()] == [
        "MultiSimilarityLoss",
        "MultiSimilarityLoss",
        "no metric loss",
        "MultiSimilarityLoss",
        "no pretraining",
    ]


def test_the_default_is_named_after_its_folder(runs, monkeypatch):
    monkeypatch.chdir(runs)
    assert list(open_checkpoints(None)) == ["gin_multisim"]


def test_mistakes_are_told(runs):
    for given, message in (
        ([runs / "a/multisim", runs / "nometric/../a/multisim"], "has .*a/multisim twice"),
        (["none", "none"], "has from scratch twice"),
        ([runs / "absent"], "absent: no such run folder"),
        ([runs / "a"], "is not a run folder"),
        ([runs / "search"], "is a search's folder: give one of its controllers, say .*-0$"),
    ):
        with pytest.raises(UserError, match=message):
            open_checkpoints([str(each) for each in given])
