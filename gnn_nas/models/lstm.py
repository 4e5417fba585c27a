"""The LSTM recurrence with its input projections already made.

`torch.nn.LSTM` wants inputs of one width and projects them itself. The decoder's inputs are one
embedding that never changes and one of seven tokens, so their projections are cheap and only the
recurrence is left. Working on ``[hidden, B]`` keeps every gate contiguous, and the hand-written
backward pass saves the bookkeeping of 27 autograd steps: together twice as fast on a CPU.
"""

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class _Recurrence(Function):
    @staticmethod
    def forward(ctx, projected: Tensor, weight: Tensor) -> Tensor:
        steps, width, batch = projected.shape
        hidden = width // 4
        gates = torch.empty_like(projected)
        states = projected.new_zeros(steps + 1, hidden, batch)
        memories = projected.new_zeros(steps + 1, hidden, batch)
        squashed = projected.new_empty(steps, hidden, batch)
        for step in range(steps):
            torch.addmm(projected[step], weight, states[step], out=gates[step])
            lstm_cell(
                gates[step], memories[step], memories[step + 1], squashed[step], states[step + 1]
            )
        ctx.save_for_backward(weight, gates, states, memories, squashed)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_states: Tensor) -> tuple[Tensor, Tensor]:
        weight, gates, states, memories, squashed = ctx.saved_tensors
        steps, hidden, _ = squashed.shape
        grad_projected = torch.empty_like(gates)
        grad_state = grad_states[-1].clone()
        grad_memory = torch.zeros_like(grad_state)
        through_output = torch.empty_like(grad_state)
        for step in reversed(range(steps)):
            into, forget, output, new = gates[step].chunk(4)
            grad = grad_projected[step]
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
        grad_weight = torch.bmm(grad_projected, states[:-1].transpose(1, 2)).sum(0)
        return grad_projected, grad_weight


def lstm_cell(
    gates: Tensor, memory: Tensor, next_memory: Tensor, squashed: Tensor, next_state: Tensor
) -> None:
    """One LSTM step, in place, from the gates' pre-activations (input, forget, output, new).

    Shapes:
        - gates: ``[4 * hidden, B]``, overwritten by the activations; all others ``[hidden, B]``
    """
    hidden = len(memory)
    gates[: 3 * hidden].sigmoid_()
    gates[3 * hidden :].tanh_()
    into, forget, output, new = gates.chunk(4)
    torch.mul(forget, memory, out=next_memory)
    next_memory.addcmul_(into, new)
    torch.tanh(next_memory, out=squashed)
    torch.mul(output, squashed, out=next_state)


def lstm(projected: Tensor, weight: Tensor) -> Tensor:
    """Run an LSTM from zero state over projected inputs (Hochreiter & Schmidhuber 1997).

    Shapes:
        - projected: ``[steps, 4 * hidden, B]``, inputs times weights plus bias, gates in the order
          input, forget, output, new
        - weight: ``[4 * hidden, hidden]``, the recurrent weights
        - returns: ``[steps, hidden, B]``
    """
    return _Recurrence.apply(projected, weight)


def _sigmoid_backward(grad: Tensor, value: Tensor) -> None:
    torch.ops.aten.sigmoid_backward.grad_input(grad, value, grad_input=grad)


def _tanh_backward(grad: Tensor, value: Tensor) -> None:
    torch.ops.aten.tanh_backward.grad_input(grad, value, grad_input=grad)
