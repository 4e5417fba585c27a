"""The performance predictor: an MLP that reads a cell's structure out of its embedding."""

from torch import Tensor, nn

from gnn_nas.cells.structure import NUM_PATTERNS, NUM_SHAPE

# Hidden width of the upper half: narrow, as it learns from few accuracies.
_PERFORMANCE_HIDDEN = 32


class Predictor(nn.Module):
    """Predicts one number per cell from its embedding (the paper's ``f_p``).

    Its lower half is pretrained to tell the cell's structure (`gnn_nas.cells.structure`) from the
    embedding alone, so that what is left to learn from few accuracies is a smooth function of that.

    Args:
        embedding: dimension of the embedding; hidden: width of the lower half's hidden layer.

    Shapes:
        - embeddings: ``[B, embedding]``
        - returns: ``[B]``
    """

    def __init__(self, embedding: int, hidden: int) -> None:
        super().__init__()
        self.structure = nn.Sequential(
            nn.Linear(embedding, hidden),
            nn.ReLU(),
            nn.Linear(hidden, NUM_SHAPE + NUM_PATTERNS),
        )
        self.performance = nn.Sequential(
            nn.Linear(NUM_SHAPE + NUM_PATTERNS, _PERFORMANCE_HIDDEN),
            nn.ReLU(),
            nn.Linear(_PERFORMANCE_HIDDEN, 1),
        )

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.performance(self.read_structure(embeddings)).squeeze(1)

    def read_structure(self, embeddings: Tensor) -> Tensor:
        """The cell's structure, shape before patterns, in standard deviations, ``[B, 141]``."""
        # Components of about unit size, as the decoder reads them: learnt much faster.
        return self.structure(embeddings * embeddings.shape[1] ** 0.5)
