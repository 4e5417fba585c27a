"""The LSTM decoder: from an embedding, and nothing else, back to a cell's tokens."""

import torch
from torch import Tensor, nn

from gnn_nas.models.lstm import lstm, lstm_cell
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.tokens import PAD, vocabulary


class Decoder(nn.Module):
    """An LSTM that sees the embedding and its own last token at every step.

    Each position, 27 in NAS-Bench-101, reads both through weights of its own, since every position
    means the same in all cells: the LSTM need not count where it stands.

    Args:
        embedding: dimension of the embedding; hidden: width of the LSTM.
        space: of the cells, whose tokens it spells.
    """

    def __init__(self, embedding: int, hidden: int, space: CellSpace = NASBENCH101) -> None:
        super().__init__()
        words = vocabulary(space)
        self.hidden, self.num_tokens, self.length = hidden, words.tokens, words.length
        channels = embedding + self.num_tokens
        self.input_weight = nn.Parameter(torch.empty(self.length, 4 * hidden, channels))
        self.recurrent_weight = nn.Parameter(torch.empty(4 * hidden, hidden))
        self.to_token = nn.Linear(hidden, self.num_tokens)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters from the global generator."""
        nn.init.normal_(self.input_weight, std=0.3)
        nn.init.uniform_(self.recurrent_weight, -(self.hidden**-0.5), self.hidden**-0.5)
        self.to_token.reset_parameters()

    def forward(self, embeddings: Tensor, tokens: Tensor) -> Tensor:
        """Logits of every next token, given the tokens before it (teacher forcing).

        Shapes:
            - embeddings: ``[B, embedding]``; tokens: ``[B, length]``
            - returns: ``[length, num_tokens, B]``
        """
        before = nn.functional.pad(tokens.T[:-1], (0, 0, 1, 0), value=PAD)
        every = torch.arange(self.num_tokens, device=tokens.device)[:, None]
        one_hot = (before[:, None] == every).to(embeddings.dtype)
        widths = [embeddings.shape[1], self.num_tokens]
        to_embedding, to_token = self.input_weight.split(widths, dim=2)
        scaled = self._scaled(embeddings).T
        states = lstm(scaled, one_hot, to_embedding, to_token, self.recurrent_weight)
        # Tokens before samples: as the states lie, and the softmax over them takes half the time.
        # The states are brought together first, or the backward pass would do it several times.
        bias = self.to_token.bias[:, None].expand(self.length, -1, -1)
        weight = self.to_token.weight.expand(self.length, -1, -1)
        return torch.baddbmm(bias, weight, states.contiguous())

    @torch.no_grad()
    def greedy(self, embeddings: Tensor) -> Tensor:
        """Free-running decoding that takes the likeliest token at every step.

        Shapes:
            - embeddings: ``[B, embedding]``
            - returns: int64 ``[B, length]``
        """
        scaled = self._scaled(embeddings).T
        inputs = torch.cat([scaled, scaled.new_zeros(self.num_tokens, len(embeddings))])
        one_hot = inputs[len(scaled) :]
        one_hot[PAD] = 1
        state = embeddings.new_zeros(self.hidden, len(embeddings))
        memory, squashed = torch.zeros_like(state), torch.empty_like(state)
        tokens = []
        for weight in self.input_weight:
            gates = (weight @ inputs).addmm_(self.recurrent_weight, state)
            lstm_cell(gates, memory, memory, squashed, state)
            tokens.append(self.to_token(state.T).argmax(1))
            one_hot.zero_().scatter_(0, tokens[-1][None], 1)
        return torch.stack(tokens, dim=1)

    @staticmethod
    def _scaled(embeddings: Tensor) -> Tensor:
        """Embeddings with components of about unit size, like the tokens: learnt much faster."""
        return embeddings * embeddings.shape[1] ** 0.5
