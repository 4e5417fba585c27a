"""The metric term of the pretraining loss: a miner and a loss by name, exact and fast."""

from gnn_nas.pretraining.metric.metric_loss import MetricLoss, make_metric_loss

__all__ = ["MetricLoss", "make_metric_loss"]
