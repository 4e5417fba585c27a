"""Losses of pytorch-metric-learning, the costly ones by an exact short cut."""

import inspect
from typing import Any

import torch
from pytorch_metric_learning import losses
from pytorch_metric_learning.losses.base_metric_loss_function import BaseMetricLossFunction
from torch import Tensor, nn
from torch.nn.functional import pad

from gnn_nas.pretraining.metric.triplets import MinedTriplets


class MinedLoss(nn.Module):
    """A loss of pytorch-metric-learning on mined triplets.

    This route hands the triplets over as they are. A subclass gives the same value and gradient
    from fewer numbers, and reads its arguments and its distance from the library's loss.

    Args:
        library: the library's loss, or one of a user's own that is called like it.

    Shapes:
        - embeddings: ``[B, D]``; labels: ``[B]``
        - returns: a scalar
    """

    def __init__(self, library: Any) -> None:
        super().__init__()
        self.library = library

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        return self.library(embeddings, labels, mined.indices())


class Angular(MinedLoss):
    """The angular loss, which confronts a pair with all negatives of the batch, mined or not.

    The mean over triplets of log(1 + Σ_n exp(4 tan²α (a + p)n - 2(1 + tan²α) ap)). Triplets only
    repeat their pair's term, which is the same for (a, p) and (p, a): each is computed once.

    Source: Wang et al. 2017, Deep Metric Learning with Angular Loss, arXiv:1708.01682, eq. 7.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        counts = mined.positive_counts()
        counts = (counts + counts.T).triu()
        first, second = torch.where(counts > 0)
        weight = counts[first, second]

        # As in the library, only the pair's embeddings are normalised again.
        pairs = self.library.distance.normalize(embeddings)
        pairs_first, pairs_second = pairs[first], pairs[second]
        square = torch.tan(self.library.alpha).square().to(embeddings)
        towards_pair = 4 * square * (pairs_first + pairs_second) @ embeddings.T
        within_pair = 2 * (1 + square) * (pairs_first * pairs_second).sum(1, keepdim=True)
        is_negative = labels[first, None] != labels
        terms = log_one_plus_sum_exp(towards_pair - within_pair, is_negative)
        return (weight * terms).sum() / weight.sum().clamp(min=1)


class Contrastive(MinedLoss):
    """The contrastive loss, a pair counting once for every triplet that has it.

    The mean of the non-zero relu(d_ap - pos_margin) plus that of the non-zero
    relu(neg_margin - d_an).

    Source: Hadsell et al. 2006, Dimensionality Reduction by Learning an Invariant Mapping.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        distance = self.library.distance(embeddings)
        too_far = (distance - self.library.pos_margin).relu()
        too_close = (self.library.neg_margin - distance).relu()
        loss = _mean_of_nonzero(too_far, mined.positive_counts())
        loss = loss + _mean_of_nonzero(too_close, mined.negative_counts())
        return _zero_for_one_triplet(loss, mined)


def _mean_of_nonzero(terms: Tensor, counts: Tensor) -> Tensor:
    return (counts * terms).sum() / (counts * (terms > 0)).sum().clamp(min=1)


class FromPairs(MinedLoss):
    """A loss that asks of a pair only whether any triplet has it.

    The generalised lifted structure loss (Hermans et al. 2017, In Defense of the Triplet Loss,
    arXiv:1703.07737, equation 8) does. The N-pair loss (Sohn 2016, Improved Deep Metric Learning
    with Multi-class N-pair Loss Objective, eq. 7) takes the first mined positive pair of every
    label, that of the lowest anchor, then of the lowest positive, which is the order of
    `MinedTriplets.pairs`; its negatives are the other labels' positives, mined or not.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        return self.library(embeddings, labels, mined.pairs())


class Lifted(MinedLoss):
    """The lifted structure loss: a pair against the negatives mined for both of its samples.

    The mean over triplets of ½ relu(log(E_a + E_p) + neg_margin + d_ap - pos_margin)² with
    E_i = Σ_n N(i, n) exp(-d_in), N(i, n) being the number of triplets with anchor i and negative n.

    Source: Song et al. 2016, Deep Metric Learning via Lifted Structured Feature Embedding,
    arXiv:1511.06452, equation 4.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        distance = self.library.distance(embeddings)
        counts = mined.positive_counts()
        # Pairs without triplets are left out before the logarithm: it would make their gradient
        # NaN. With a triplet E_a is positive. No exponential can overflow, since 0 <= d <= 2.
        anchor, positive = torch.where(counts > 0)
        weight = counts[anchor, positive]
        pull = (mined.negative_counts() * (-distance).exp()).sum(1)
        lift = (pull[anchor] + pull[positive]).log() + self.library.neg_margin
        terms = (lift + distance[anchor, positive] - self.library.pos_margin).relu().square() / 2
        return _zero_for_one_triplet((weight * terms).sum() / weight.sum().clamp(min=1), mined)


class Margin(MinedLoss):
    """The margin loss: distances to positives below β - margin, to negatives above β + margin.

    The sum over triplets of relu(d_ap - β + margin) + relu(β - d_an + margin), divided by the
    number of non-zero terms; plus νβ if β is learnt.

    Source: Wu et al. 2017, Sampling Matters in Deep Embedding Learning, arXiv:1706.07567, eq. 5.

    Raises:
        ValueError: there is a β per class, but labels mean something within one batch only.
    """

    def __init__(self, library: losses.MarginLoss) -> None:
        if len(library.beta) > 1:
            raise ValueError("MarginLoss: num_classes cannot be given, as labels are no classes.")
        super().__init__(library)

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        distance = self.library.distance(embeddings)
        margin, beta = self.library.margin, self.library.beta.to(distance)
        positive, negative = mined.positive_counts(), mined.negative_counts()
        too_far = (distance - beta + margin).relu()
        too_close = (beta - distance + margin).relu()
        nonzero = (positive * (too_far > 0)).sum() + (negative * (too_close > 0)).sum()
        loss = (positive * too_far + negative * too_close).sum() / nonzero.clamp(min=1)
        if self.library.learn_beta:
            loss = loss + (mined.count > 0) * self.library.nu * beta.squeeze()
        return loss


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
        return _zero_for_one_triplet((positive / alpha + negative / beta).mean(), mined)


class TripletMargin(MinedLoss):
    """The triplet margin loss: the mean of the non-zero relu(d_ap - d_an + margin).

    Over the triplets that violate the margin it is linear in the distances, so it is enough to
    count these triplets per pair. The variants `swap` and `smooth_loss` are not, and take the
    triplets themselves.

    Source: Schroff et al. 2015, FaceNet, arXiv:1503.03832, equation 3.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        if self.library.swap or self.library.smooth_loss:
            return super().forward(embeddings, labels, mined)
        margin = self.library.margin
        distance = self.library.distance(embeddings)
        violating = _violating(distance.detach(), margin, mined)
        weight = violating.positive_counts() - violating.negative_counts()
        total = (weight * distance).sum() + margin * violating.count
        return total / violating.count.clamp(min=1)


def _violating(distance: Tensor, margin: float, mined: MinedTriplets) -> MinedTriplets:
    positive = distance.gather(1, mined.positive)
    violation = positive[:, :, None] - distance[:, None] + margin
    return MinedTriplets(mined.positive, mined.chosen & (violation > 0))


def _zero_for_one_triplet(loss: Tensor, mined: MinedTriplets) -> Tensor:
    """Give 0 for a set of at most one triplet, as all the library's pair losses do."""
    return torch.where(mined.several, loss, 0 * loss)


def log_one_plus_sum_exp(x: Tensor, keep: Tensor) -> Tensor:
    """Compute log(1 + Σ_j exp(x_ij)) over the kept j, 0 for a row that keeps none.

    By one softmax it is several times faster than the library's.

    Shapes:
        - x: ``[R, C]``, finite; keep: bool ``[R, C]``
        - returns: ``[R]``
    """
    # So far below the others the exponential is 0, and nothing need be chosen entry by entry.
    x = x.sub((~keep).to(x.dtype), alpha=torch.finfo(x.dtype).max)
    # The 1 is exp(0): what remains is minus the logarithm of its softmax.
    return -pad(x, (1, 0)).log_softmax(1)[:, 0]


def _works_without_classes(loss: type) -> bool:
    """Whether all arguments are optional: what is required is a number of classes."""
    parameters = inspect.signature(loss).parameters.values()
    return all(p.kind is p.VAR_KEYWORD or p.default is not p.empty for p in parameters)


# Labels only say which samples of one batch share an anchor, so losses over fixed classes are out.
LIBRARY_LOSSES: dict[str, type[BaseMetricLossFunction]] = {
    name: loss
    for name, loss in inspect.getmembers(losses, inspect.isclass)
    if issubclass(loss, BaseMetricLossFunction)
    and loss is not BaseMetricLossFunction
    and _works_without_classes(loss)
}

# Library name -> exact short cut; a loss that is not here takes the triplets themselves.
ROUTES: dict[str, type[MinedLoss]] = {
    "AngularLoss": Angular,
    "ContrastiveLoss": Contrastive,
    "GeneralizedLiftedStructureLoss": FromPairs,
    "LiftedStructureLoss": Lifted,
    "MarginLoss": Margin,
    "MultiSimilarityLoss": MultiSimilarity,
    "NPairsLoss": FromPairs,
    "TripletMarginLoss": TripletMargin,
}
