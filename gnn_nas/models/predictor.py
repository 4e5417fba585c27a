"""The performance predictor: an MLP that tells descriptors and function from an embedding."""

from collections.abc import Sequence

from torch import Tensor, nn

from gnn_nas.spaces.descriptors import num_descriptors
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.space import CellSpace

# Hidden width of the upper half: narrow, as it learns from few accuracies.
_PERFORMANCE_HIDDEN = 32


class Predictor(nn.Module):
    """Predicts one number per cell from its embedding (the paper's ``f_p``).

    Its lower half is pretrained to predict the cell's descriptors (`gnn_nas.spaces.descriptors`)
    and what its untrained network does (`gnn_nas.function`) from the embedding alone, so that what
    is left to learn from few accuracies is a smooth function of these.

    Args:
        embedding: dimension of the embedding; hidden: width of the lower half's hidden layer.
        space: of the cells, whose descriptors it predicts.
        statistics: names of those of their untrained networks that it predicts after them.

    Attributes:
        blocks: columns of every block of what it predicts; statistics: names of the last of them.

    Shapes:
        - embeddings: ``[B, embedding]``
        - returns: ``[B]``
    """

    def __init__(
        self,
        embedding: int,
        hidden: int,
        space: CellSpace = NASBENCH101,
        statistics: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.statistics = tuple(statistics)
        self.blocks = num_descriptors(space)
        if self.statistics:
            self.blocks += (len(self.statistics),)
        descriptors = sum(self.blocks)
        # Called as in the weights that people have.
        self.structure = nn.Sequential(
            nn.Linear(embedding, hidden),
            nn.ReLU(),
            nn.Linear(hidden, descriptors),
        )
        self.performance = nn.Sequential(
            nn.Linear(descriptors, _PERFORMANCE_HIDDEN),
            nn.ReLU(),
            nn.Linear(_PERFORMANCE_HIDDEN, 1),
        )

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.performance(self.predict_descriptors(embeddings)).squeeze(1)

    def predict_descriptors(self, embeddings: Tensor) -> Tensor:
        """Descriptors and function of cells in standard deviations, ``[B, sum(blocks)]``."""
        return self.structure[-1](self.hidden(embeddings))

    def hidden(self, embeddings: Tensor) -> Tensor:
        """What they are told from, ``[B, hidden]``."""
        # Components of about unit size, as the decoder reads them: learnt much faster.
        return self.structure[:-1](embeddings * embeddings.shape[1] ** 0.5)
