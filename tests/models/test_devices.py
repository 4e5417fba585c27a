"""The models run on the device of their parameters, and never make the host wait for it."""

import torch

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.models.controller import Controller
from gnn_nas.spaces.tokens import to_tokens
from tests.helpers.absent_device import Elsewhere

SMALL = ModelConfig(
    encoder=GINConfig(hidden=8, layers=2), embedding=8, decoder_hidden=8, predictor_hidden=8
)


def forward_and_backward(controller: Controller, batch, tokens) -> list:
    embeddings = controller.encode(batch)
    logits = controller.decoder(embeddings, tokens)
    predicted = controller.predict(embeddings)
    (logits.square().mean() + predicted.mean()).backward()
    return [embeddings, logits, predicted, *(weight.grad for weight in controller.parameters())]


def test_forward_and_backward(table, on_device):
    def compute(device):
        cells = table.to(device).cells[:64]
        return forward_and_backward(
            Controller(SMALL).to(device), cells.to_batch(), to_tokens(cells)
        )

    on_device(compute)


def test_decoding_and_encoding_of_rows(table, on_device):
    def compute(device):
        controller, moved = Controller(SMALL).to(device), table.to(device)
        embeddings = controller.encode_rows(moved, torch.arange(64, device=device))
        cells, valid = controller.decode(embeddings)
        return [embeddings, controller.decoder.greedy(embeddings), cells.vertices, valid]

    on_device(compute)


def test_the_host_waits_once_for_the_number_of_distinct_states(table):
    with Elsewhere() as there:
        cells = table.cells[:64]
        batch, tokens = cells.to_batch().to("cuda"), to_tokens(cells).to("cuda")
        controller = Controller(SMALL).to("cuda")
        there.waits.clear()
        embeddings = forward_and_backward(controller, batch, tokens)[0]
        controller.decoder.greedy(embeddings)
        assert [line.split(":")[0] for line in there.waits.elements()] == ["models/gin.py"]
