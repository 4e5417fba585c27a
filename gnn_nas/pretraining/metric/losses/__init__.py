"""Losses of pytorch-metric-learning, the costly ones by an exact short cut."""

import inspect

from pytorch_metric_learning import losses
from pytorch_metric_learning.losses.base_metric_loss_function import BaseMetricLossFunction

from gnn_nas.pretraining.metric.losses.angular import Angular
from gnn_nas.pretraining.metric.losses.contrastive import Contrastive
from gnn_nas.pretraining.metric.losses.generalized_lifted import GeneralizedLifted
from gnn_nas.pretraining.metric.losses.lifted import Lifted
from gnn_nas.pretraining.metric.losses.margin import Margin
from gnn_nas.pretraining.metric.losses.mined_loss import MinedLoss
from gnn_nas.pretraining.metric.losses.multi_similarity import MultiSimilarity
from gnn_nas.pretraining.metric.losses.n_pairs import NPairs
from gnn_nas.pretraining.metric.losses.triplet_margin import TripletMargin

# Library name -> exact short cut; a loss that is not here takes the triplets themselves.
ROUTES: dict[str, type[MinedLoss]] = {
    "AngularLoss": Angular,
    "ContrastiveLoss": Contrastive,
    "GeneralizedLiftedStructureLoss": GeneralizedLifted,
    "LiftedStructureLoss": Lifted,
    "MarginLoss": Margin,
    "MultiSimilarityLoss": MultiSimilarity,
    "NPairsLoss": NPairs,
    "TripletMarginLoss": TripletMargin,
}


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

__all__ = ["LIBRARY_LOSSES", "ROUTES", "MinedLoss"]
