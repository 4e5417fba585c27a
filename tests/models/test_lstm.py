import pytest
import torch
from torch import Tensor, nn

from gnn_nas.models.lstm import lstm, lstm_cell

STEPS, CHANNELS, INPUTS, HIDDEN, BATCH = 5, 3, 2, 4, 2
TO_TORCH = (0, 1, 3, 2)  # torch has the gates as input, forget, new, output


def naive_lstm(
    shared: Tensor, inputs: Tensor, shared_weight: Tensor, input_weight: Tensor, weight: Tensor
) -> Tensor:
    """The equations, for autograd to differentiate."""
    batch, hidden = inputs.shape[2], weight.shape[1]
    state = memory = inputs.new_zeros(hidden, batch)
    states = []
    for step in range(len(inputs)):
        gates = shared_weight[step] @ shared + input_weight[step] @ inputs[step] + weight @ state
        into, forget, output, new = gates.split(hidden)
        memory = forget.sigmoid() * memory + into.sigmoid() * new.tanh()
        state = output.sigmoid() * memory.tanh()
        states.append(state)
    return torch.stack(states)


def arguments(steps: int = STEPS, batch: int = BATCH, scale: float = 1.0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(steps)
    shapes = (
        (CHANNELS, batch),
        (steps, INPUTS, batch),
        (steps, 4 * HIDDEN, CHANNELS),
        (steps, 4 * HIDDEN, INPUTS),
        (4 * HIDDEN, HIDDEN),
    )
    drawn = [scale * torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]
    return with_gradients(drawn)


def with_gradients(given: list[Tensor]) -> list[Tensor]:
    """All but the inputs are differentiated."""
    return [tensor.requires_grad_(number != 1) for number, tensor in enumerate(given)]


def gradients(function, given: list[Tensor], outer: Tensor) -> tuple[Tensor, ...]:
    wanted = [tensor for tensor in given if tensor.requires_grad]
    return torch.autograd.grad((function(*given) * outer).sum(), wanted)


@pytest.mark.parametrize("steps", [1, 2, STEPS])
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_values_and_gradients_equal_the_naive_loop(steps, scale):
    given = arguments(steps, scale=scale)
    expected = naive_lstm(*given)
    torch.testing.assert_close(lstm(*given), expected, rtol=0, atol=1e-12)
    outer = torch.randn_like(expected)
    assert expected.abs().max() > 1e-4
    for ours, theirs in zip(
        gradients(lstm, given, outer), gradients(naive_lstm, given, outer), strict=True
    ):
        assert theirs.abs().max() > 1e-4 or (steps == 1 and theirs.shape == given[4].shape)
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_gradients_equal_finite_differences():
    assert torch.autograd.gradcheck(lstm, arguments(3))


def test_it_is_torch_lstm_where_all_steps_share_weights():
    same, inputs, _, _, weight = arguments()
    theirs = nn.LSTM(CHANNELS + INPUTS, HIDDEN, bias=False).double()
    own = torch.randn(4 * HIDDEN, CHANNELS + INPUTS, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        for name, ours in (("weight_ih_l0", own), ("weight_hh_l0", weight)):
            parts = ours.chunk(4)
            getattr(theirs, name).copy_(torch.cat([parts[gate] for gate in TO_TORCH]))
    read = torch.cat([same.expand(STEPS, -1, -1), inputs], dim=1)
    expected, _ = theirs(read.transpose(1, 2))
    weights = own.expand(STEPS, -1, -1).split([CHANNELS, INPUTS], dim=2)
    states = lstm(same, inputs, *weights, weight)
    torch.testing.assert_close(states.transpose(1, 2), expected, rtol=0, atol=1e-12)

    outer = torch.randn_like(expected)
    (expected * outer).sum().backward()
    grad_own, grad_weight = torch.autograd.grad(
        (states.transpose(1, 2) * outer).sum(), (own, weight)
    )
    for ours, their in (
        (grad_own, theirs.weight_ih_l0.grad),
        (grad_weight, theirs.weight_hh_l0.grad),
    ):
        parts = ours.chunk(4)
        reordered = torch.cat([parts[gate] for gate in TO_TORCH])
        torch.testing.assert_close(reordered, their, rtol=1e-10, atol=1e-12)


def test_gates_far_out_are_saturated_and_finite():
    given = [tensor.detach().float() * 1e4 for tensor in arguments()]
    states = lstm(*given)
    assert states.isfinite().all()
    torch.testing.assert_close(states, naive_lstm(*given), rtol=0, atol=1e-6)


def test_single_precision_is_as_good_as_torch_s_own():
    given = [tensor.detach() for tensor in arguments(27, batch=50)]
    single = lstm(*(tensor.float() for tensor in given))
    torch.testing.assert_close(single.double(), naive_lstm(*given), rtol=0, atol=1e-5)


def test_under_autocast_all_of_it_is_in_the_lower_precision():
    given = with_gradients([tensor.detach().float() for tensor in arguments(27, batch=50)])
    with torch.autocast("cpu", torch.bfloat16):
        states = lstm(*given)
    assert states.dtype == torch.bfloat16
    assert torch.equal(states, lstm(*(tensor.bfloat16() for tensor in given)))
    expected = naive_lstm(*given)
    assert 1e-4 < (states - expected).abs().max() < 0.1
    outer = torch.randn_like(expected)
    theirs = gradients(naive_lstm, given, outer)
    wanted = [tensor for tensor in given if tensor.requires_grad]
    ours = torch.autograd.grad((states * outer).sum(), wanted)
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.03 * other.norm()


def test_samples_do_not_see_each_other():
    shared, inputs, *weights = arguments(batch=4)
    whole = lstm(shared, inputs, *weights)
    for sample in range(4):
        own = slice(sample, sample + 1)
        alone = lstm(shared[:, own], inputs[:, :, own], *weights)
        torch.testing.assert_close(alone[:, :, 0], whole[:, :, sample], rtol=0, atol=1e-12)


def test_a_cell_may_write_its_memory_in_place():
    gates = torch.randn(4 * HIDDEN, BATCH, dtype=torch.float64)
    memory = torch.randn(HIDDEN, BATCH, dtype=torch.float64)
    results = []
    for in_place in (False, True):
        own = memory.clone()
        target = own if in_place else torch.empty_like(own)
        squashed, state = torch.empty_like(own), torch.empty_like(own)
        lstm_cell(gates.clone(), own, target, squashed, state)
        results.append(torch.stack([target, squashed, state]))
    assert torch.equal(*results)
    assert not torch.equal(results[1][0], memory)
