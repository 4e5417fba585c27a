"""MultiSimilarityLoss from two boolean masks."""

from torch import Tensor

from gnn_nas.pretraining.metric.losses.log_sum_exp import log_one_plus_sum_exp
from gnn_nas.pretraining.metric.losses.mined_loss import MinedLoss, zero_for_one_triplet
from gnn_nas.pretraining.metric.triplets import MinedTriplets


class MultiSimilarity(MinedLoss):
    """The multi-similarity loss, which asks of a pair only whether any triplet has it.

    Mean over all samples i of log(1 + Σ_p exp(α(base - s_ip))) / α
    + log(1 + Σ_n exp(β(s_in - base))) / β, s being the cosine similarity.

    Source: Wang et al. 2019, Multi-Similarity Loss, arXiv:1904.06627, equation 10.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        alpha, beta, base = self.library.alpha, self.library.beta, self.library.base
        similarity = self.library.distance(embeddings)
        to_positive = similarity.gather(1, mined.positive)
        positive = log_one_plus_sum_exp(alpha * (base - to_positive), mined.slot_mask())
        negative = log_one_plus_sum_exp(beta * (similarity - base), mined.negative_mask())
        return zero_for_one_triplet((positive / alpha + negative / beta).mean(), mined)
