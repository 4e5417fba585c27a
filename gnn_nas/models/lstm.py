"""An LSTM whose input weights differ from step to step, fast on a CPU.

`torch.nn.LSTM` has one input projection for all steps. Working on ``[hidden, B]`` keeps every gate
contiguous, what does not depend on the step before is done for all steps at once, and the
hand-written backward pass needs no autograd graph of all steps.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


def lstm(
    shared: Tensor, inputs: Tensor, shared_weight: Tensor, input_weight: Tensor, weight: Tensor
) -> Tensor:
    """Run an LSTM from zero state (Hochreiter & Schmidhuber 1997).

    Gates are in the order input, forget, output, new. A bias is an input that is always 1. Under
    autocast all of it runs in the lower precision.

    Shapes:
        - shared: ``[channels, B]``, what every step reads; shared_weight:
          ``[steps, 4 * hidden, channels]``
        - inputs: ``[steps, inputs, B]``, what each step reads; they get no gradient; input_weight:
          ``[steps, 4 * hidden, inputs]``
        - weight: ``[4 * hidden, hidden]``, the recurrent weights
        - returns: the states, ``[steps, hidden, B]``
    """
    given = [shared, inputs, shared_weight, input_weight, weight]
    device = shared.device.type
    if torch.is_autocast_enabled(device):
        given = [tensor.to(torch.get_autocast_dtype(device)) for tensor in given]
    return _Recurrence.apply(*given)


def lstm_cell(
    gates: Tensor, memory: Tensor, next_memory: Tensor, squashed: Tensor, next_state: Tensor
) -> None:
    """One LSTM step, in place, from the gates' pre-activations.

    Shapes:
        - gates: ``[4 * hidden, B]``, overwritten by the activations; all others ``[hidden, B]``,
          ``squashed`` receiving the hyperbolic tangent of the next memory
    """
    into, forget, output, new = gates.chunk(4)
    # tanh(x) = 2 sigmoid(2x) - 1, and the sigmoid is vectorised several times better. A sum with
    # itself costs half of a product with a number.
    new.add_(new)
    gates.sigmoid_()
    new.add_(new).sub_(1)
    torch.mul(forget, memory, out=next_memory)
    next_memory.addcmul_(into, new)
    torch.add(next_memory, next_memory, out=squashed).sigmoid_()
    squashed.add_(squashed).sub_(1)
    torch.mul(output, squashed, out=next_state)


class _Recurrence(Function):
    @staticmethod
    def forward(
        ctx: Any,
        shared: Tensor,
        inputs: Tensor,
        shared_weight: Tensor,
        input_weight: Tensor,
        weight: Tensor,
    ) -> Tensor:
        steps, width, _ = input_weight.shape
        hidden, batch = width // 4, inputs.shape[2]
        gates = (shared_weight.flatten(0, 1) @ shared).view(steps, width, batch)
        # What a step reads, the state before it and its own input, lies together for one product.
        read = gates.new_zeros(steps + 1, hidden + inputs.shape[1], batch)
        read[:-1, hidden:] = inputs
        states = read[:, :hidden]
        weights = torch.cat([weight.expand(steps, -1, -1), input_weight], dim=2)
        memories = gates.new_zeros(steps + 1, hidden, batch)
        squashed = gates.new_empty(steps, hidden, batch)
        # Tensors are taken apart once: an index at every step costs as much as a short operation.
        products = zip(gates, weights, read[:-1], strict=True)
        outcomes = zip(memories[:-1], memories[1:], squashed, states[1:], strict=True)
        for (step_gates, step_weight, seen), outcome in zip(products, outcomes, strict=True):
            step_gates.addmm_(step_weight, seen)
            lstm_cell(step_gates, *outcome)
        ctx.save_for_backward(shared, shared_weight, weight, gates, read, memories, squashed)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_states: Tensor) -> tuple[Tensor | None, ...]:
        shared, shared_weight, weight, gates, read, memories, squashed = ctx.saved_tensors
        hidden = squashed.shape[1]
        into, forget, output, new = gates.split(hidden, dim=1)
        # For all steps at once: what the gradient of a state or memory is multiplied by on its way
        # to the memory and to each gate's pre-activation.
        to_memory = torch.ops.aten.tanh_backward(output, squashed)
        grad_gates = torch.empty_like(gates)
        to_into, to_forget, to_output, to_new = grad_gates.split(hidden, dim=1)
        _sigmoid_backward(new, into, grad_input=to_into)
        _sigmoid_backward(memories[:-1], forget, grad_input=to_forget)
        _sigmoid_backward(squashed, output, grad_input=to_output)
        _tanh_backward(into, new, grad_input=to_new)

        grad_state = grad_states[-1].clone()
        grad_memory = torch.zeros_like(grad_state)
        to_both = grad_gates[:, : 2 * hidden].unflatten(1, (2, hidden))
        transposed = weight.T.contiguous()  # once, instead of in every product
        before = [None, *grad_states[:-1]]
        steps = zip(before, to_memory, to_both, to_output, to_new, forget, grad_gates, strict=True)
        for grad_before, memory, both, out, fresh, kept, gate in reversed(list(steps)):
            grad_memory.addcmul_(grad_state, memory)
            out.mul_(grad_state)
            fresh.mul_(grad_memory)
            both.mul_(grad_memory)
            grad_memory.mul_(kept)
            if grad_before is not None:
                torch.addmm(grad_before, transposed, gate, out=grad_state)
        grad_weights = torch.bmm(grad_gates, read[:-1].transpose(1, 2))
        flat = grad_gates.flatten(0, 1)
        return (
            shared_weight.flatten(0, 1).T @ flat,
            None,
            (flat @ shared.T).view_as(shared_weight),
            grad_weights[:, :, hidden:],
            grad_weights[:, :, :hidden].sum(0),
        )


_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input
