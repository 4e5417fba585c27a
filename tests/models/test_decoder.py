import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gnn_nas.models.decoder import Decoder
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.tokens import to_tokens, vocabulary

NUM_TOKENS, SEQUENCE_LENGTH = vocabulary(NASBENCH101).tokens, vocabulary(NASBENCH101).length

EMBEDDING = 10
TOKENS = st.lists(
    st.integers(0, NUM_TOKENS - 1), min_size=SEQUENCE_LENGTH, max_size=SEQUENCE_LENGTH
)


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    torch.manual_seed(1)
    return Decoder(EMBEDDING, hidden=16).double()


def embeddings(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    drawn = torch.randn(count, EMBEDDING, generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(drawn, dim=1)


def naive_logits(decoder: Decoder, embedding: Tensor, tokens: Tensor) -> Tensor:
    """One sample, position by position, from the equations."""
    state = memory = torch.zeros(decoder.hidden).double()
    logits = []
    for position in range(SEQUENCE_LENGTH):
        before = torch.zeros(NUM_TOKENS).double()
        before[tokens[position - 1] if position else 0] = 1
        heard = torch.cat([embedding * EMBEDDING**0.5, before])
        gates = decoder.input_weight[position] @ heard
        gates = gates + decoder.recurrent_weight @ state
        into, forget, output, new = gates.chunk(4)
        memory = forget.sigmoid() * memory + into.sigmoid() * new.tanh()
        state = output.sigmoid() * memory.tanh()
        logits.append(decoder.to_token.weight @ state + decoder.to_token.bias)
    return torch.stack(logits)


@torch.no_grad()
def test_logits_equal_the_equations(decoder):
    tokens = torch.randint(NUM_TOKENS, (5, SEQUENCE_LENGTH))
    given_embeddings = embeddings(5)
    logits = decoder(given_embeddings, tokens)
    assert logits.shape == (SEQUENCE_LENGTH, NUM_TOKENS, 5)
    for sample in range(5):
        expected = naive_logits(decoder, given_embeddings[sample], tokens[sample])
        torch.testing.assert_close(logits[:, :, sample], expected, rtol=0, atol=1e-12)


def test_gradients_equal_those_of_the_equations(decoder):
    tokens = torch.randint(NUM_TOKENS, (2, SEQUENCE_LENGTH))
    embedding = embeddings(2).requires_grad_()
    wanted = [embedding, *decoder.parameters()]
    outer = torch.randn(SEQUENCE_LENGTH, NUM_TOKENS, 2, dtype=torch.float64)
    ours = torch.autograd.grad((decoder(embedding, tokens) * outer).sum(), wanted)
    naive = torch.stack([naive_logits(decoder, embedding[i], tokens[i]) for i in (0, 1)], dim=2)
    theirs = torch.autograd.grad((naive * outer).sum(), wanted)
    for one, other in zip(ours, theirs, strict=True):
        assert other.any()
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


@torch.no_grad()
def test_greedy_equals_a_loop_over_teacher_forced_logits(decoder):
    given_embeddings = embeddings(300)
    tokens = torch.zeros(300, SEQUENCE_LENGTH, dtype=torch.long)
    for position in range(SEQUENCE_LENGTH):
        tokens[:, position] = decoder(given_embeddings, tokens)[position].argmax(0)
    greedy = decoder.greedy(given_embeddings)
    assert greedy.dtype == torch.int64
    # An untrained decoder babbles, but not monotonously: there is something to compare.
    assert len(tokens.unique(dim=0)) > 100
    assert len(tokens.unique()) == NUM_TOKENS
    assert torch.equal(greedy, tokens)


@given(TOKENS, st.integers(0, SEQUENCE_LENGTH - 1), st.integers(1, NUM_TOKENS - 1))
@torch.no_grad()
def test_logits_depend_on_earlier_tokens_only(decoder, tokens, position, change):
    before = torch.tensor([tokens])
    after = before.clone()
    after[0, position] = (after[0, position] + change) % NUM_TOKENS
    moved = (decoder(embeddings(1), before) - decoder(embeddings(1), after)).abs().amax((1, 2))
    assert moved[: position + 1].max() == 0
    assert (moved[position + 1 :] > 0).all()


@torch.no_grad()
def test_a_sample_sees_nothing_of_the_others(decoder):
    given_embeddings, tokens = embeddings(4), torch.randint(NUM_TOKENS, (4, SEQUENCE_LENGTH))
    whole, greedy = decoder(given_embeddings, tokens), decoder.greedy(given_embeddings)
    for sample in range(4):
        own = slice(sample, sample + 1)
        alone = decoder(given_embeddings[own], tokens[own])[:, :, 0]
        torch.testing.assert_close(alone, whole[:, :, sample], rtol=0, atol=1e-12)
        assert torch.equal(decoder.greedy(given_embeddings[own])[0], greedy[sample])


@torch.no_grad()
def test_every_position_reads_the_embedding(decoder):
    tokens = torch.zeros(1, SEQUENCE_LENGTH, dtype=torch.long)
    one, other = embeddings(2).split(1)
    assert ((decoder(one, tokens) - decoder(other, tokens)).abs().amax((1, 2)) > 1e-4).all()


def test_it_learns_to_spell(table):
    """Eight cells by heart: gradients point the right way through all 27 positions."""
    torch.manual_seed(0)
    decoder = Decoder(EMBEDDING, hidden=32)
    wanted = to_tokens(table.cells[torch.arange(0, 400_000, 50_000)])
    given_embeddings = embeddings(len(wanted)).float()
    optimizer = torch.optim.Adam(decoder.parameters(), lr=0.02)
    for _ in range(80):
        logits = decoder(given_embeddings, wanted)
        loss = torch.nn.functional.cross_entropy(logits, wanted.T)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert torch.equal(decoder.greedy(given_embeddings), wanted)
