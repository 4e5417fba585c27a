import pytest

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.models.controller import Controller


@pytest.fixture
def controller() -> Controller:
    sizes = ModelConfig(
        encoder=GINConfig(hidden=8, layers=2), embedding=6, decoder_hidden=8, predictor_hidden=8
    )
    return Controller(sizes, seed=1)
