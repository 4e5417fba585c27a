"""What can be set of each search method.

Apart from the methods, so that a mistake in a setting is answered before torch has loaded.
"""

from __future__ import annotations

from pydantic import Field

from gnn_nas.config import Section


def settings_of(method: str) -> type[Section]:
    """The settings of a method: ``some-name`` has the class ``SomeName``."""
    return globals()["".join(part.title() for part in method.split("-"))]


class Evolution(Section):
    """Settings of regularized evolution."""

    population: int = Field(default=50, ge=1, description="cells alive; at first, random ones")
    sample: int = Field(default=20, ge=1, description="cells of which the fittest has a child")


class Local(Section):
    """Settings of local search."""

    initial: int = Field(default=10, ge=1, description="random cells before each climb")


class Nao(Section):
    """Settings of the search; the defaults are the best found on NAS-Bench-101."""

    initial: int = Field(default=16, ge=2, description="random cells to begin with")
    candidates: int = Field(default=8, ge=1, description="cells queried in a round")
    seeds: int = Field(default=48, ge=1, description="best cells so far that the ascent starts at")
    restarts: int = Field(default=240, ge=1, description="random cells that it starts at as well")
    steps: int = Field(default=12, ge=1, description="steps of the ascent, each of them decoded")
    step_size: float = Field(default=0.1, gt=0, description="length of a step on the unit sphere")
    optimism: float = Field(
        default=1.0, ge=0, description="weight of the surrogate's uncertainty beside its mean"
    )
    patience: int = Field(
        default=100, ge=1, description="queries without a better cell before the search widens"
    )
    wide_candidates: int = Field(
        default=32, ge=1, description="cells queried in a round of the widened search"
    )
    share: float = Field(
        default=0.8, ge=0, le=1, description="share of these drawn from all promising cells met"
    )


class NaoPaper(Section):
    """The paper's settings (appendix, Table 2)."""

    initial: int = Field(default=128, ge=2, description="random cells to begin with")
    rounds: int = Field(default=50, ge=1, description="rounds at most (outer epochs)")
    candidates: int = Field(default=128, ge=1, description="cells queried in a round at most")
    seeds: int = Field(default=128, ge=1, description="best cells so far that the ascent starts at")
    steps: int = Field(default=100, ge=1, description="lengths tried along the gradient")
    step_size: float = Field(default=1.0, gt=0, description="the shortest, in gradients")
    epochs: int = Field(default=100, ge=1, description="inner epochs: passes over the known cells")
    batch_size: int = Field(default=64, ge=1, description="cells a training step")
    lr: float = Field(default=0.1, gt=0, description="learning rate of SGD")
    clip: float = Field(default=5.0, gt=0, description="largest gradient norm")
    prediction: float = Field(
        default=0.5, ge=0, le=1, description="lambda: weight of prediction beside reconstruction"
    )
    floor: float = Field(
        default=0.8, description="the predictor's target is max(reward - floor, 0) * scale"
    )
    scale: float = Field(default=5.0, gt=0, description="see floor")


class Predictor(Section):
    """Settings of predictor-guided search."""

    initial: int = Field(default=16, ge=2, description="random cells to begin with")
    candidates: int = Field(default=8, ge=1, description="cells queried in a round")
    scored: int = Field(default=20_000, ge=1, description="random cells scored in a round")
    optimism: float = Field(
        default=1.0, ge=0, description="weight of the surrogate's uncertainty beside its mean"
    )


class Descriptors(Predictor):
    """Those of the same search without a controller."""


class Random(Section):
    """Random search has none."""
