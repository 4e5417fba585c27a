import pytest

from gnn_nas.config import PretrainConfig, load_config

TINY = (
    "model.encoder.hidden=8",
    "model.encoder.layers=2",
    "model.embedding=8",
    "model.decoder_hidden=8",
    "model.predictor_hidden=8",
    "data.batch_size=16",
    "training.steps=40",
    "training.precision=float32",
    "training.embedding_noise=0.0",
    "training.structure_weight=0.0",
    "function=null",
)


@pytest.fixture
def make_config(pytestconfig):
    """Gives gin_multisim.yaml made tiny, with further values set as by ``--set``."""

    def make(*overrides: str, name: str = "gin_multisim") -> PretrainConfig:
        path = pytestconfig.rootpath / "configs" / f"{name}.yaml"
        return load_config(path, (*TINY, *overrides))

    return make
