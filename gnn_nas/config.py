"""The configuration of a pretraining run: one YAML file, checked before anything starts.

Nothing has a default in code, so that one file tells a run whole; but for keys that older files
lack, whose defaults are what was done before there was a choice.
"""

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from gnn_nas.config_file import load
from gnn_nas.errors import UserError
from gnn_nas.plain_yaml import dump_yaml, shortened
from gnn_nas.references import is_reference

CONFIGS = Path(__file__).with_name("configs")
"""The configs that come with the package; below it those of tasks."""
WEIGHTS = CONFIGS.with_name("weights")
"""The controllers that come with the package, run folders without their checkpoints."""

DEFAULT_SPACE = "nasbench101"
CONTROLLERS = {
    DEFAULT_SPACE: "gin_multisim",
    "nasbench201": "nasbench201",
    "nasbench_graph": "nasbench_graph",
}
"""The config, by space, of which a finished run comes with the package."""

FROM_SCRATCH = "none"
"""What stands for a checkpoint where a controller is to be as it is drawn."""


def _check_arguments(value: Any) -> Any:
    items = value.values() if isinstance(value, dict) else value
    for item in items:
        if isinstance(item, dict | list):
            _check_arguments(item)
        elif type(item) not in (type(None), str, bool, int, float):
            raise ValueError(f"an argument must be plain, not a {type(item).__name__}: {item}")
        elif isinstance(item, float) and not math.isfinite(item):
            raise ValueError(f"an argument must be finite, not {item}")
    return value


Arguments = Annotated[dict[str, Any], AfterValidator(_check_arguments)]


class Section(BaseModel):
    """A part of a configuration: no unknown keys, no coerced types, no later changes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class RunConfig(Section):
    """The whole of a config file, which says as ``format`` by which keys it was written."""

    moved: ClassVar[tuple[Mapping[str, str], ...]] = ()
    """Of every format but the newest, the dotted keys that the next one has elsewhere."""
    absent: ClassVar[Mapping[str, Any]] = {}
    """Dotted keys of free mappings that were added since, with what a file without them means."""

    def to_yaml(self) -> str:
        """Give the YAML text that `gnn_nas.config_file.load` reads back to an equal object."""
        return dump_yaml({"format": 1 + len(self.moved), **self.model_dump()})


class SpaceConfig(Section):
    """A space of one's own, of which `gnn_nas.spaces.known.get_space` makes a ``CellSpace``."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][\w.-]{0,99}$", description="for files and messages, one word"
    )
    ops: dict[str, str | None] = Field(
        description="names of the ops, and how each is built: module:object, which makes a module"
        " of a number of channels, or null; a list of names where none is built"
    )
    on: Literal["vertices", "edges"] = Field(
        default="vertices", description="what of a cell carries the ops"
    )
    max_vertices: int | None = Field(
        default=None, description="of a cell, input and output included; where edges are free"
    )
    max_edges: int | None = Field(default=None, description="of a cell; where edges are free")
    edges: list[tuple[int, int]] | None = Field(
        default=None,
        description="those that every cell has, where only ops differ: [[0, 1], [0, 2], ...], the"
        " input being 0 and the output the highest number",
    )
    nodes: int | None = Field(default=None, description="of a cell; with on: edges")
    max_edits: int | None = Field(
        default=None,
        description="unit edits that a positive may be away from its anchor; by default as many as"
        " leave most random pairs of cells beyond twice that",
    )
    parameters: dict[str, float] = Field(
        default={},
        description="of ops of unit width, relative to each other: what descriptors weigh them by;"
        " 1 where nothing is said",
    )
    zero: str | None = Field(
        default=None, description="the op that gives zeros whatever it is given, if there is one"
    )
    identity: str | None = Field(
        default=None, description="the op that gives what it is given, if there is one"
    )

    @field_validator("ops", mode="before")
    @classmethod
    def _names_alone(cls, value: Any) -> Any:
        if isinstance(value, list) and all(isinstance(op, str) for op in value):
            if len(set(value)) < len(value):
                raise ValueError("two ops have one name")
            return dict.fromkeys(value)
        return value

    @field_validator("edges", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if isinstance(value, list):
            return [tuple(edge) if isinstance(edge, list) else edge for edge in value]
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> "SpaceConfig":
        for op, reference in self.ops.items():
            if reference is not None and not is_reference(reference):
                raise ValueError(f"ops: {shortened(reference)}, of {op}, is no module:object")
        if unknown := self.parameters.keys() - self.ops.keys():
            raise ValueError(f"parameters: {min(unknown)} is none of the ops")
        kind, needed = "free edges", {"max_vertices", "max_edges"}
        if self.on == "edges":
            kind, needed = "on: edges", {"nodes"}
        elif self.edges is not None:
            kind, needed = "given edges", {"edges"}
        for key in ("max_vertices", "max_edges", "edges", "nodes"):
            if (getattr(self, key) is None) == (key in needed):
                verb = "needs" if key in needed else "takes no"
                raise ValueError(f"a space with {kind} {verb} {key}")
        return self


def _named_or_described(value: Any) -> Any:
    if isinstance(value, str | SpaceConfig):
        return value
    if not isinstance(value, dict):
        raise ValueError("neither the name of a space nor a mapping that describes one")
    return SpaceConfig.model_validate(value)


DescribedSpace = Annotated[str | SpaceConfig, BeforeValidator(_named_or_described)]
"""What a config holds of a space: the name of one that comes with the package, or its own."""


class GINConfig(Section):
    """Our encoder, see `gnn_nas.models.gin`."""

    name: str = Field(default="gin", description="gin, or module:object of one's own")
    hidden: int = Field(ge=1, le=4096, description="width of the GIN layers")
    layers: int = Field(ge=1, le=64, description="number of GIN layers")

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name != "gin":
            raise ValueError(f"{shortened(name)} is neither gin nor module:object")
        return name


class OwnEncoderConfig(Section):
    """An encoder of the user's own, see `gnn_nas.models.encoder`; further keys are arguments."""

    model_config = ConfigDict(extra="allow")

    name: str

    @property
    def args(self) -> dict[str, Any]:
        """Keyword arguments of the encoder."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _plain_arguments(self) -> "OwnEncoderConfig":
        _check_arguments(self.args)
        return self


class ModelConfig(Section):
    """The controller's encoder and the sizes of its parts."""

    encoder: GINConfig | OwnEncoderConfig = Field(description="its name and its arguments")
    embedding: int = Field(ge=2, le=4096, description="dimension of the L2-normalised embedding")
    decoder_hidden: int = Field(ge=1, le=4096, description="width of the LSTM decoder")
    predictor_hidden: int = Field(ge=1, le=4096, description="width of the predictor's lower half")

    @field_validator("encoder", mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any) -> Any:
        own = isinstance(value, dict) and is_reference(str(value.get("name")))
        kind = OwnEncoderConfig if own or isinstance(value, OwnEncoderConfig) else GINConfig
        return kind.model_validate(value)


class DataConfig(Section):
    """What a batch is made of."""

    batch_size: int = Field(ge=2, le=65536, description="samples a step: anchors x (1 + positives)")
    positives: int = Field(ge=1, le=1023, description="edited cells that go with each anchor")
    positives_by: Literal["edits", "function", "both"] = Field(
        # Older files lack it.
        default="edits",
        description="what makes a cell a positive: few edits; that its untrained network is told to"
        " do what the anchor's does, which needs function; or one half each",
    )
    held_out: float = Field(
        ge=1e-4,
        le=0.5,
        description="share of the cells, chosen by hash, that is never trained on",
    )

    @property
    def anchors(self) -> int:
        """Anchors in a batch."""
        return self.batch_size // (1 + self.positives)

    @model_validator(mode="after")
    def _whole_groups(self) -> "DataConfig":
        group = 1 + self.positives
        if self.batch_size % group:
            raise ValueError(
                f"batch_size {self.batch_size} must be divisible by 1 + positives = {group}"
            )
        return self


class MetricConfig(Section):
    """The metric-learning loss; without this section a run reconstructs only."""

    loss: str = Field(description="a loss of pytorch-metric-learning, or module:object")
    loss_args: Arguments = Field(description="keyword arguments of the loss")
    miner: str | None = Field(
        description="a miner of pytorch-metric-learning, module:object, or null"
    )
    miner_args: Arguments = Field(description="keyword arguments of the miner")
    weight: float = Field(ge=0, description="the loss's weight beside the reconstruction loss")

    @model_validator(mode="after")
    def _no_orphaned_arguments(self) -> "MetricConfig":
        if self.miner is None and self.miner_args:
            raise ValueError("miner_args are given, but miner is null")
        return self


class MeasuringConfig(Section):
    """Which untrained networks are measured, by `gnn_nas.function.measuring`."""

    cells: int = Field(
        ge=50, le=100_000, description="random cells whose untrained networks are measured"
    )
    images: str = Field(
        description="what the networks are shown: digits, noise, or a task file with images of"
        " one's own; graph where they are of nasbench_graph"
    )
    seeds: int = Field(
        ge=1, le=100, description="initial weights of every network; figures are means over them"
    )


class FunctionConfig(MeasuringConfig):
    """What the predictor learns to tell of the untrained networks of cells, see `gnn_nas.function`.

    Nothing of it sees an accuracy.
    """

    statistics: list[str] = Field(
        min_length=1,
        description="those that are told, of gnn_nas.function.statistics; with synflow among them,"
        " searches begin with cells that have much of it",
    )
    weight: float = Field(
        gt=0, description="weight of the predictor's loss in telling them from the embedding"
    )

    @field_validator("statistics")
    @classmethod
    def _once(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("a statistic is named twice")
        return names


class OptimizerConfig(Section):
    """How the weights are stepped."""

    name: str = Field(description="a class of torch.optim")
    lr: float = Field(gt=0, description="learning rate; the peak where the schedule has one")
    args: Arguments = Field(description="further keyword arguments of the class")
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = Field(
        description="how the learning rate moves over the run"
    )
    schedule_args: Arguments = Field(description="keyword arguments of the schedule")
    clip: float = Field(ge=0, description="largest gradient norm; 0 = no clipping")


class TrainingConfig(Section):
    """How long a run is and what it writes when; all intervals are in steps."""

    steps: int = Field(ge=1, le=10**12, description="optimiser steps of the whole run")
    log_every: int = Field(ge=1, le=10**12, description="steps between rows of metrics")
    validate_every: int = Field(ge=1, le=10**12, description="steps between validations")
    checkpoint_every: int = Field(ge=1, le=10**12, description="steps between checkpoints")
    embedding_noise: float = Field(
        ge=0,
        description="largest standard deviation of the Gaussian noise on embeddings to decode;"
        " each draws its own, uniformly from 0",
    )
    noise_power: float = Field(
        # Older files lack it.
        default=1.0,
        ge=1,
        le=10,
        description="power to which that uniform draw is raised: the higher, the more embeddings"
        " get little noise and the fewer as much",
    )
    structure_weight: float = Field(
        ge=0,
        description="weight of the predictor's loss in telling a cell's descriptors from its"
        " embedding; 0 = the predictor is not pretrained",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        description="of the matrix products in training; auto is bfloat16 where the processor"
        " computes in it, else float32; all figures are measured in float32"
    )


class PretrainConfig(RunConfig):
    """Everything that decides a pretraining run."""

    moved = ({"model.hidden": "model.encoder.hidden", "model.layers": "model.encoder.layers"},)

    seed: int = Field(ge=0, lt=2**32, description="seed of all random generators")
    # Older files lack it.
    space: DescribedSpace = Field(
        default=DEFAULT_SPACE,
        description="of the cells: a name that gnn-nas spaces lists, or a space of one's own",
    )
    model: ModelConfig = Field(description="sizes of the controller")
    data: DataConfig = Field(description="what a batch is made of")
    metric: MetricConfig | None = Field(description="metric-learning loss, or null for none")
    # Older files lack it.
    function: FunctionConfig | None = Field(
        default=None, description="what is told of untrained networks, or null for nothing"
    )
    optimizer: OptimizerConfig = Field(description="how the weights are stepped")
    training: TrainingConfig = Field(description="length and intervals")

    @model_validator(mode="after")
    def _function_is_learnt(self) -> "PretrainConfig":
        if self.function is None and self.data.positives_by != "edits":
            raise ValueError(f"data.positives_by is {self.data.positives_by}, but function is null")
        if self.function and not self.training.structure_weight:
            raise ValueError(
                "function is told beside descriptors: set training.structure_weight above 0, or"
                " function to null"
            )
        return self


def load_config(
    source: str | os.PathLike[str] | Mapping[str, Any], overrides: Iterable[str] = ()
) -> PretrainConfig:
    """Check a pretraining config after setting each ``section.key=value`` override.

    ``source`` is a file, the name of a config of `CONFIGS`, or what such a file holds. Values of
    overrides are parsed as YAML. Raises :class:`UserError`, one line that names the file or the
    override, the key, the problem and what is allowed.
    """
    if not isinstance(source, Mapping):
        source = _config_file(source)
    return load(PretrainConfig, source, overrides)


def _config_file(given: str | os.PathLike[str]) -> Path:
    path = Path(given)
    # A folder of this name is a run that has it.
    if path.suffix or len(path.parts) != 1 or os.path.isfile(path):
        return path
    names = sorted(each.stem for each in CONFIGS.glob("*.yaml"))
    if str(path) not in names:
        raise UserError(
            f"{path}: neither a file nor a config that comes with the package: {', '.join(names)}"
        )
    return CONFIGS / f"{path}.yaml"
