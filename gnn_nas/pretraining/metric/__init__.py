"""The metric term of the pretraining loss: a miner and a loss by name, exact and fast."""
