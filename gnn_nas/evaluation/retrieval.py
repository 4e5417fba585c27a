"""Whether a cell's nearest embeddings are those of its positives."""

from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from torch import Tensor


def retrieval(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Precision@1 and MAP@R of groups of anchors and positives (Musgrave et al. 2020).

    Shapes:
        - embeddings: ``[N, embedding]``; labels: ``[N]``, equal within a group

    Returns:
        ``precision_at_1`` and ``map_at_r``, every embedding being a query against all others
    """
    # Without faiss: exact neighbours by the library's own Euclidean distances.
    calculator = AccuracyCalculator(
        include=("precision_at_1", "mean_average_precision_at_r"),
        k="max_bin_count",
        knn_func=CustomKNN(LpDistance(), batch_size=1000),
        device=embeddings.device,
    )
    scores = calculator.get_accuracy(embeddings, labels)
    return {
        "precision_at_1": scores["precision_at_1"],
        "map_at_r": scores["mean_average_precision_at_r"],
    }
