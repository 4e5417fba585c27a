"""Miners that work from pairwise distances, named as in pytorch-metric-learning."""

from gnn_nas.pretraining.metric.miners.angular import AngularMiner
from gnn_nas.pretraining.metric.miners.triplet_margin import TripletMarginMiner

MINERS = {miner.__name__: miner for miner in (AngularMiner, TripletMarginMiner)}

__all__ = ["MINERS", "AngularMiner", "TripletMarginMiner"]
