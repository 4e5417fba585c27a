import pytest
import torch

from gnn_nas.search.rewards import spread


def test_the_order_stays_and_the_upper_end_is_stretched():
    rewards = torch.tensor([0.1, 0.5, 0.9, 0.93, 0.94], dtype=torch.float64)
    gaps = spread(rewards).diff()
    assert (gaps > 0).all()
    assert gaps[-1] / 0.01 > gaps[0] / 0.4


def test_neither_unit_nor_origin_matter():
    rewards = torch.rand(20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values, others = spread(rewards), spread(3 * rewards - 7)
    torch.testing.assert_close(values.diff(), others.diff())


@pytest.mark.parametrize("reward", [0.0, 1.0, -20_000.0, 1e9, 1e30])
def test_equal_rewards_give_finite_values(reward):
    assert spread(torch.full((5,), reward, dtype=torch.float64)).isfinite().all()
