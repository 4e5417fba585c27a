import pytest
import torch

from bench.bound import left_out, main
from gnn_nas.experiments.ranker import Ranker
from gnn_nas.models.pretrained import WEIGHTS


@pytest.fixture
def inputs() -> torch.Tensor:
    return torch.randn(2000, 5, generator=torch.Generator().manual_seed(0))


def test_the_best_cell_comes_where_its_inputs_put_it(inputs):
    truth = inputs[:, 0].double()
    tau, place, count = left_out(inputs, truth, 0)
    assert tau > 0.9
    assert place <= 3
    assert 150 < count < 250
    # One that nothing about it foretells.
    truth[inputs[:, 0].abs().argmin()] = 9
    tau, place, count = left_out(inputs, truth, 0)
    assert tau > 0.9
    assert 0.35 * count < place < 0.65 * count


def test_nothing_is_learnt_of_the_cells_that_are_scored(inputs, monkeypatch):
    given = []
    monkeypatch.setattr(Ranker, "fit", lambda self, rows, *_: given.append(rows) or self)
    monkeypatch.setattr(Ranker, "score", lambda self, rows: (given.append(rows), rows.double())[1])
    _, _, count = left_out(inputs, inputs[:, 0], 0)
    learnt, scored = given
    assert count == len(scored)
    assert torch.cat([learnt, scored]).sort()[0].equal(torch.arange(2000))
    assert inputs[:, 0].argmax() in scored


def test_help_teaches(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "nine tenths" in capsys.readouterr().out


def test_a_checkpoint_of_another_space_is_refused(capsys):
    assert main(["--checkpoint", str(WEIGHTS / "nasbench201")]) == 2
    assert "nasbench201" in capsys.readouterr().err
