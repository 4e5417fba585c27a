"""The controller and its parts: GIN encoder, LSTM decoder, MLP predictor."""

from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import load_pretrained

__all__ = ["Controller", "load_pretrained"]
