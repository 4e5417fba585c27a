"""The performance predictor: an MLP on the embedding."""

from torch import Tensor, nn


class Predictor(nn.Module):
    """Predicts one number per cell from its embedding (the paper's ``f_p``).

    Args:
        embedding: dimension of the embedding; hidden: width of the two hidden layers.

    Shapes:
        - embeddings: ``[B, embedding]``
        - returns: ``[B]``
    """

    def __init__(self, embedding: int, hidden: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(embedding, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.mlp(embeddings).squeeze(1)
