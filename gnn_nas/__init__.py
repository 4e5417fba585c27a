"""Pretraining and search of neural-architecture-search controllers with graph neural networks."""

__version__ = "0.1.0"
