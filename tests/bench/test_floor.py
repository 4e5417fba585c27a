"""What is counted of a step; formulas by hand, so that an uncounted operation shows."""

import pytest
import torch

from bench.floor import OperationCounter
from gnn_nas.models.decoder import Decoder

NUM_TOKENS, SEQUENCE_LENGTH = 7, 27

BATCH, EMBEDDING, HIDDEN = 16, 8, 4
FROM_EMBEDDING = 2 * SEQUENCE_LENGTH * BATCH * 4 * HIDDEN * EMBEDDING
FROM_TOKENS = 2 * SEQUENCE_LENGTH * BATCH * 4 * HIDDEN * NUM_TOKENS
RECURRENT = 2 * SEQUENCE_LENGTH * BATCH * 4 * HIDDEN * HIDDEN
OUTPUT = 2 * SEQUENCE_LENGTH * BATCH * HIDDEN * NUM_TOKENS


def test_products_that_add_in_place_are_counted_and_views_move_nothing():
    left, right, result = torch.ones(2, 3), torch.ones(3, 5), torch.ones(2, 5)
    with OperationCounter() as counter:
        result.addmm_(left, right)
        result.T.view(5, 2)
    assert counter.operations == {torch.float32: 2 * 2 * 3 * 5}
    assert counter.traffic == 4 * (6 + 15 + 10 + 10)


def test_a_look_up_reads_no_more_than_it_gives():
    table, rows = torch.ones(1000, 4), torch.zeros(2, dtype=torch.long)
    with OperationCounter() as counter:
        table[rows]
    assert counter.traffic == 2 * table[rows].nbytes


def test_the_decoder_is_counted_forward_and_backward():
    decoder = Decoder(EMBEDDING, HIDDEN)
    embeddings = torch.randn(BATCH, EMBEDDING, requires_grad=True)
    tokens = torch.randint(NUM_TOKENS, (BATCH, SEQUENCE_LENGTH))
    with OperationCounter() as forward:
        logits = decoder(embeddings, tokens)
    with OperationCounter() as backward:
        logits.sum().backward()
    # Within the first step's recurrent product, which is of zeros.
    spare = 3 * RECURRENT / SEQUENCE_LENGTH
    once = FROM_EMBEDDING + FROM_TOKENS + RECURRENT + OUTPUT
    assert forward.operations.total() == pytest.approx(once, abs=spare)
    # Tokens get no gradient, their weights do.
    assert backward.operations.total() == pytest.approx(2 * once - FROM_TOKENS, abs=spare)
