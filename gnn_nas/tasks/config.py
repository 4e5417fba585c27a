"""The configuration of a task of classifying images: one YAML file, checked before any work.

Nothing but the network's sizes has a default in code, so that one file tells a task whole.
"""

from typing import Literal

from pydantic import Field, model_validator

from gnn_nas.config import Section
from gnn_nas.tasks.network import NetworkConfig


class DataConfig(Section):
    """Where the images are."""

    source: str = Field(
        description="digits, a folder with a folder of images for every class, or an .npz file with"
        " the arrays images and labels; a path is taken from the task file's folder"
    )
    size: int | None = Field(
        ge=1, le=4096, description="height and width of a folder's images; null for arrays"
    )
    channels: Literal[1, 3] | None = Field(
        description="of a folder's images: 1 grey, 3 colour; null for arrays"
    )


class SplitConfig(Section):
    """How the images are parted, class by class; what is left is trained on."""

    validation: float = Field(gt=0, lt=1, description="share that gives the reward")
    test: float = Field(gt=0, lt=1, description="share that no search sees, used at the end")
    seed: int = Field(ge=0, lt=2**32, description="of the draw")

    @model_validator(mode="after")
    def _leaves_something(self) -> "SplitConfig":
        if self.validation + self.test >= 1:
            raise ValueError("validation and test leave no images to train on")
        return self


class AugmentationConfig(Section):
    """How training images are varied, every time they are seen."""

    flip: bool = Field(description="mirror half of them, left to right")
    shift: int = Field(
        ge=0, le=4096, description="most pixels by which one is moved up, down and sideways"
    )


class TrainingConfig(Section):
    """How a network is trained: SGD with Nesterov momentum, the learning rate falls as a cosine."""

    epochs: int = Field(ge=1, le=10**6, description="passes over the training images")
    batch_size: int = Field(ge=2, le=10**6, description="images a step")
    lr: float = Field(gt=0, le=1000, description="learning rate at the beginning")
    momentum: float = Field(gt=0, lt=1, description="of SGD")
    weight_decay: float = Field(ge=0, le=1000, description="of SGD")
    device: Literal["cpu", "cuda"] = Field(description="where it is trained")


class EarlyStopConfig(Section):
    """When a candidate is hopeless; the rule is fixed, so that no order of cells matters."""

    epoch: int = Field(ge=1, description="after which the accuracy is looked at")
    below: float = Field(gt=0, lt=1, description="validation accuracy that is too low to go on")


class CostConfig(Section):
    """A second objective: reward = accuracy · min(1, (target / cost)^weight).

    Of Tan et al. 2019, MnasNet, but for the minimum: what is cheaper than the target gains nothing,
    or a tiny network would be rewarded above its accuracy.
    """

    of: Literal["parameters", "latency"] = Field(
        description="what a cell costs; latency needs trainings one at a time"
    )
    target: float = Field(gt=0, le=1e15, description="cost up to which the reward is the accuracy")
    weight: float = Field(gt=0, le=10, description="exponent; MnasNet has 0.07")


class ImageTaskConfig(Section):
    """Everything that decides a task of classifying images."""

    name: str = Field(
        min_length=1, pattern=r"^[\w.-]+$", description="what the task is called in folders"
    )
    data: DataConfig = Field(description="where the images are")
    split: SplitConfig = Field(description="how they are parted")
    augmentation: AugmentationConfig = Field(description="how training images are varied")
    network: NetworkConfig = Field(description="sizes of the network around a cell")
    training: TrainingConfig = Field(description="how it is trained")
    early_stop: EarlyStopConfig | None = Field(description="when to give up, or null for never")
    cost: CostConfig | None = Field(description="a second objective, or null for accuracy alone")
    trainings: int = Field(ge=1, le=1000, description="trainings of every cell, with other seeds")
    timeout: float | None = Field(
        gt=0, le=10**7, description="most seconds a training; null for no limit"
    )
