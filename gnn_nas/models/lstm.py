"""An LSTM whose input weights differ from step to step, fast on a CPU.

`torch.nn.LSTM` has one input projection for all steps. Working on ``[hidden, B]`` keeps every gate
contiguous, the projections of all steps are one batched product, and the hand-written backward
pass needs no autograd graph of 27 steps.
"""

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


def lstm(inputs: Tensor, input_weight: Tensor, weight: Tensor) -> Tensor:
    """Run an LSTM from zero state (Hochreiter & Schmidhuber 1997).

    Gates are in the order input, forget, output, new. A bias is an input that is always 1. Under
    autocast all of it runs in the lower precision.

    Shapes:
        - inputs: ``[steps, channels, B]``
        - input_weight: ``[steps, 4 * hidden, channels]``
        - weight: ``[4 * hidden, hidden]``, the recurrent weights
        - returns: the states, ``[steps, hidden, B]``
    """
    device = inputs.device.type
    if torch.is_autocast_enabled(device):
        lower = torch.get_autocast_dtype(device)
        inputs, input_weight, weight = inputs.to(lower), input_weight.to(lower), weight.to(lower)
    return _Recurrence.apply(inputs, input_weight, weight)


def lstm_cell(
    gates: Tensor, memory: Tensor, next_memory: Tensor, squashed: Tensor, next_state: Tensor
) -> None:
    """One LSTM step, in place, from the gates' pre-activations.

    Shapes:
        - gates: ``[4 * hidden, B]``, overwritten by the activations; all others ``[hidden, B]``,
          ``squashed`` receiving the hyperbolic tangent of the next memory
    """
    into, forget, output, new = gates.chunk(4)
    # tanh(x) = 2 sigmoid(2x) - 1, and the sigmoid is vectorised several times better.
    new.mul_(2)
    gates.sigmoid_()
    new.mul_(2).sub_(1)
    torch.mul(forget, memory, out=next_memory)
    next_memory.addcmul_(into, new)
    torch.mul(next_memory, 2, out=squashed).sigmoid_().mul_(2).sub_(1)
    torch.mul(output, squashed, out=next_state)


class _Recurrence(Function):
    @staticmethod
    def forward(ctx, inputs: Tensor, input_weight: Tensor, weight: Tensor) -> Tensor:
        gates = torch.bmm(input_weight, inputs)
        steps, width, batch = gates.shape
        states = gates.new_zeros(steps + 1, width // 4, batch)
        memories = torch.zeros_like(states)
        squashed = gates.new_empty(steps, width // 4, batch)
        for step in range(steps):
            gates[step].addmm_(weight, states[step])
            lstm_cell(
                gates[step], memories[step], memories[step + 1], squashed[step], states[step + 1]
            )
        ctx.save_for_backward(inputs, input_weight, weight, gates, states, memories, squashed)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inputs, input_weight, weight, gates, states, memories, squashed = ctx.saved_tensors
        steps, hidden, _ = squashed.shape
        grad_gates = torch.empty_like(gates)
        grad_state = grad_states[-1].clone()
        grad_memory = torch.zeros_like(grad_state)
        through_output = torch.empty_like(grad_state)
        for step in reversed(range(steps)):
            into, forget, output, new = gates[step].chunk(4)
            grad = grad_gates[step]
            torch.mul(grad_state, output, out=through_output)
            _tanh_backward(through_output, squashed[step])
            grad_memory += through_output
            torch.mul(grad_memory, new, out=grad[:hidden])
            torch.mul(grad_memory, memories[step], out=grad[hidden : 2 * hidden])
            torch.mul(grad_state, squashed[step], out=grad[2 * hidden : 3 * hidden])
            torch.mul(grad_memory, into, out=grad[3 * hidden :])
            _sigmoid_backward(grad[: 3 * hidden], gates[step, : 3 * hidden])
            _tanh_backward(grad[3 * hidden :], new)
            grad_memory *= forget
            if step:
                torch.addmm(grad_states[step - 1], weight.T, grad, out=grad_state)
        return (
            torch.bmm(input_weight.transpose(1, 2), grad_gates),
            torch.bmm(grad_gates, inputs.transpose(1, 2)),
            torch.bmm(grad_gates, states[:-1].transpose(1, 2)).sum(0),
        )


def _sigmoid_backward(grad: Tensor, value: Tensor) -> None:
    torch.ops.aten.sigmoid_backward.grad_input(grad, value, grad_input=grad)


def _tanh_backward(grad: Tensor, value: Tensor) -> None:
    torch.ops.aten.tanh_backward.grad_input(grad, value, grad_input=grad)
