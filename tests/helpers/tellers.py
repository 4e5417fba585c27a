"""Controllers that tell statistics, without a pretraining."""

from pathlib import Path

from gnn_nas.config import load_config
from gnn_nas.models.pretrained import SHIPPED, new_controller
from gnn_nas.run_folder import RunFolder


def saved_teller(path: Path, *statistics: str) -> Path:
    """A run folder whose controller of random weights tells these statistics, or none."""
    told = (
        f"{{cells: 50, images: noise, seeds: 1, statistics: [{', '.join(statistics)}], weight: 1}}"
    )
    function = told if statistics else "null"
    config = load_config(SHIPPED / "config.yaml", [f"function={function}"])
    RunFolder.create(path, config).save_weights(new_controller(config, 5).state_dict())
    return path
