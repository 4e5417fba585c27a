"""The LSTM decoder: from an embedding, and nothing else, back to a cell's tokens."""

import torch
from torch import Tensor, nn

from gnn_nas.cells.tokens import NUM_TOKENS, PAD, SEQUENCE_LENGTH
from gnn_nas.models.lstm import lstm, lstm_cell


class Decoder(nn.Module):
    """An LSTM that sees the embedding and its own last token at every step.

    Every position has its own table of token projections, so the LSTM need not count where in the
    27 tokens it stands.

    Args:
        embedding: dimension of the embedding; hidden: width of the LSTM.
    """

    def __init__(self, embedding: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.from_embedding = nn.Linear(embedding, 4 * hidden)
        self.from_token = nn.Parameter(torch.empty(SEQUENCE_LENGTH, 4 * hidden, NUM_TOKENS))
        self.recurrent = nn.Parameter(torch.empty(4 * hidden, hidden))
        self.to_token = nn.Linear(hidden, NUM_TOKENS)
        nn.init.normal_(self.from_token, std=hidden**-0.5)
        nn.init.uniform_(self.recurrent, -(hidden**-0.5), hidden**-0.5)

    def forward(self, embeddings: Tensor, tokens: Tensor) -> Tensor:
        """Logits of every next token, given the tokens before it (teacher forcing).

        Shapes:
            - embeddings: ``[B, embedding]``; tokens: ``[B, 27]``
            - returns: ``[B, 7, 27]``, as ``cross_entropy`` wants it
        """
        before = nn.functional.pad(tokens[:, :-1], (1, 0), value=PAD)
        spoken = nn.functional.one_hot(before.T, NUM_TOKENS).to(embeddings.dtype)
        projected = torch.baddbmm(
            self.from_embedding(embeddings).T.expand(SEQUENCE_LENGTH, -1, -1),
            self.from_token,
            spoken.transpose(1, 2),
        )
        states = lstm(projected, self.recurrent)
        logits = torch.matmul(self.to_token.weight, states) + self.to_token.bias[:, None]
        return logits.permute(2, 1, 0)

    @torch.no_grad()
    def greedy(self, embeddings: Tensor) -> Tensor:
        """Free-running decoding that takes the likeliest token at every step.

        Shapes:
            - embeddings: ``[B, embedding]``
            - returns: int64 ``[B, 27]``
        """
        constant = self.from_embedding(embeddings).T
        state = constant.new_zeros(self.hidden, len(embeddings))
        memory, squashed = torch.zeros_like(state), torch.empty_like(state)
        token = torch.full((len(embeddings),), PAD, device=embeddings.device)
        tokens = []
        for from_token in self.from_token:
            gates = torch.addmm(constant + from_token[:, token], self.recurrent, state)
            lstm_cell(gates, memory, memory, squashed, state)
            token = torch.addmm(self.to_token.bias[:, None], self.to_token.weight, state).argmax(0)
            tokens.append(token)
        return torch.stack(tokens, dim=1)
