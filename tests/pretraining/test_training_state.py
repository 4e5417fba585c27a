import math
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gnn_nas.config import PretrainConfig, load_config
from gnn_nas.errors import UserError
from gnn_nas.function.told import open_description
from gnn_nas.models.pretrained import load_pretrained
from gnn_nas.pretraining import precision
from gnn_nas.pretraining import training_state as module
from gnn_nas.pretraining.batches import held_out_cells
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.descriptors import Describer

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def start(table, monkeypatch, request):
    """Gives a new state of a config; all states share the cells' descriptors."""

    def shared(given, function) -> Describer:
        assert given is table
        if function:
            return open_description(table, function)
        standard = request.getfixturevalue("standard")
        return lambda _, rows: standard[rows]

    monkeypatch.setattr(module, "open_description", shared)
    held_out = held_out_cells(table, 0.01)
    return lambda config: TrainingState(config, table, held_out)


def advanced(state: TrainingState, steps: int) -> TrainingState:
    for _ in range(steps):
        state.advance()
    return state


def everything(value) -> list[Tensor | float | str]:
    """All leaves of a checkpoint, in order; the time taken is no part of the state."""
    if isinstance(value, dict):
        return [leaf for key in value if key != "seconds" for leaf in everything(value[key])]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in everything(item)]
    return [value]


def content(state: TrainingState, path) -> list[Tensor | float | str]:
    folder = RunFolder(path)
    state.save(folder)
    return everything(folder.load_checkpoint())


def refuses(message: str):
    return pytest.raises(UserError, match=rf"\A[^\n]*{message}[^\n]*\Z")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("gin_multisim", []),
        ("gin_multisim", ["training.structure_weight=0.3"]),
        (
            "gin_multisim",
            [
                "training.structure_weight=0.3",
                "data.positives_by=both",
                "function={cells: 60, images: noise, seeds: 1, statistics: [synflow, snip],"
                " weight: 0.5}",
            ],
        ),
        (
            "gin_multisim",
            [
                "training.embedding_noise=0.1",
                "training.structure_weight=0.3",
                "training.precision=bfloat16",
            ],
        ),
        (
            "gin_margin",
            ["optimizer.clip=0.1", "optimizer.name=SGD", "optimizer.args={momentum: 0.9}"],
        ),
        ("paper_sgd", ["optimizer.schedule_args={at: [25], gamma: 0.2}"]),
        ("gin_nometric", ["optimizer.schedule=cosine", "optimizer.schedule_args={}"]),
    ],
)
def test_a_restored_run_goes_on_bit_for_bit(tmp_path, make_config, start, name, overrides):
    config = make_config(*overrides, name=name)
    whole = advanced(start(config), 40)

    folder = RunFolder.create(tmp_path / "run", config)
    advanced(start(config), 20).save(folder)
    restored = start(config)
    restored.restore(folder)
    assert restored.step == 20
    advanced(restored, 20)

    for name in ("whole", "restored"):
        (tmp_path / name).mkdir()
    expected, got = content(whole, tmp_path / "whole"), content(restored, tmp_path / "restored")
    assert len(expected) == len(got) > 50
    for one, other in zip(expected, got, strict=True):
        assert torch.equal(one, other) if isinstance(one, Tensor) else one == other


def test_a_run_goes_on_in_the_precision_in_which_it_began(
    tmp_path, make_config, start, monkeypatch
):
    config = make_config("training.precision=auto")
    folder = RunFolder.create(tmp_path / "run", config)
    for fast, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(precision, "computes_in_bfloat16", lambda device, fast=fast: fast)
        begun = advanced(start(config), 2)
        assert begun.objective.precision == expected
        begun.save(folder)
        monkeypatch.setattr(precision, "computes_in_bfloat16", lambda device, fast=fast: not fast)
        elsewhere = start(config)
        assert elsewhere.objective.precision != expected
        elsewhere.restore(folder)
        assert elsewhere.objective.precision == expected


def test_the_seed_decides(make_config, start):
    def weights(seed: int) -> Tensor:
        state = advanced(start(make_config(f"seed={seed}")), 3)
        return state.controller.decoder.input_weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.mark.slow
@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_the_predictor_s_lower_half_moves_with_a_weight_only_its_upper_never(
    make_config, start, weight
):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    state = start(make_config(f"training.structure_weight={weight}"))
    assert (state.describe is None) == (weight == 0)
    first = {name: p.clone() for name, p in state.controller.named_parameters()}
    losses = advanced(state, 3).averages(3)
    assert torch.equal(torch.get_rng_state(), before)
    assert (losses["structure"] > 0) == (weight > 0)
    for name, parameter in state.controller.named_parameters():
        still = "predictor." if weight == 0 else "predictor.performance."
        assert torch.equal(parameter, first[name]) == name.startswith(still), name


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [*sorted(CONFIGS.glob("gin_*.yaml")), CONFIGS / "paper_sgd.yaml"], ids=lambda p: p.stem
)
def test_every_config_makes_steps_at_its_own_batch_size(start, path):
    config = load_config(path)
    state = advanced(start(config), 2)
    losses = state.averages(2)
    assert all(math.isfinite(loss) for loss in losses.values())
    assert 0.5 < losses["reconstruction"] < 5
    weight = config.metric.weight if config.metric else 0
    total = losses["reconstruction"] + weight * losses["metric"]
    total += config.training.structure_weight * losses["structure"]
    if config.function:
        assert losses["function"] > 0
        total += config.function.weight * losses["function"]
    assert losses["loss"] == pytest.approx(total, rel=1e-5)
    assert (losses["metric"] != 0) == (path.stem != "gin_nometric")
    assert (losses["structure"] != 0) == (path.stem != "paper_sgd")


def test_there_is_a_config_for_each_of_the_nine_losses():
    assert len(list(CONFIGS.glob("gin_*.yaml"))) == 9


@pytest.mark.slow
def test_the_losses_go_down(make_config, start):
    config = make_config(
        "training.steps=150",
        "training.structure_weight=0.3",
        "optimizer.lr=0.01",
        "data.batch_size=64",
    )
    state = start(config)
    first = advanced(state, 15).averages(15)
    advanced(state, 120).averages(120)
    last = advanced(state, 15).averages(15)
    assert last["reconstruction"] < 0.6 * first["reconstruction"]
    assert last["metric"] < first["metric"]
    assert last["structure"] < 0.9 * first["structure"]
    assert last["token_accuracy"] > first["token_accuracy"] + 0.1


def test_averages_are_the_means_of_the_steps_and_begin_anew(make_config, start):
    recorded = []
    state = start(make_config("training.structure_weight=0.3"))
    objective = state.objective

    def recording(*arguments):
        recorded.append(objective(*arguments))
        return recorded[-1]

    state.objective = recording
    for count in (3, 2):
        recorded.clear()
        averages = advanced(state, count).averages(count)
        for name in ("reconstruction", "metric", "structure", "token_accuracy"):
            part = "descriptors" if name == "structure" else name
            values = [getattr(losses, part).item() for losses in recorded]
            assert averages[name] == pytest.approx(sum(values) / count, rel=1e-5)
        assert len(recorded) == count


def test_gradients_are_clipped(make_config, start):
    def change(clip: float) -> float:
        sgd = ("optimizer.name=SGD", "optimizer.lr=1.0", "optimizer.schedule=constant")
        sgd += ("optimizer.args={}", "optimizer.schedule_args={}", "training.structure_weight=0.3")
        state = start(make_config(*sgd, f"optimizer.clip={clip}"))
        before = [p.detach().clone() for p in state.trained]
        advanced(state, 1)
        moved = [(a - b).flatten() for a, b in zip(before, state.trained, strict=True)]
        return torch.cat(moved).norm().item()

    assert change(0.0) > 0.1
    assert change(0.01) == pytest.approx(0.01, rel=1e-3)


def test_duplicates_add_up(make_config, start):
    state = start(make_config())
    drawn = []
    draw = state.batches.draw
    state.batches.draw = lambda: drawn.append(draw()) or drawn[-1]
    advanced(state, 5)
    assert state.duplicates == sum(batch.duplicates for batch in drawn)
    assert len(drawn) == state.step == 5


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("metric.loss=MultiSim", "config: Unknown metric loss 'MultiSim'; choose one of"),
        ("metric.miner=HardMiner", "config: Unknown miner 'HardMiner'; choose one of"),
        ("metric.loss_args={gamma: 1}", "no argument 'gamma'; it accepts alpha, beta, base"),
        ("metric.miner_args={angle: 90}", "config: .*90"),
        ("optimizer.name=Adan", "config: optimizer.name 'Adan' is none of"),
        ("optimizer.args={beta: 1}", "config: optimizer.args do not fit Adam"),
        ("optimizer.schedule_args={warm: 1}", "config: optimizer.schedule_args do not fit"),
    ],
)
def test_a_name_that_does_not_exist_is_the_user_s_mistake(make_config, start, override, message):
    with refuses(message):
        start(make_config(override))


def snapshot(folder: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "model.encoder.hidden=9",
            r"another architecture than the config: encoder.* is \(8, .* \(9, ",
        ),
        ("model.encoder.layers=3", "another architecture than the config"),
        ("model.decoder_hidden=4", "another architecture than the config: decoder.input_weight"),
        ("model.predictor_hidden=4", "another architecture than the config: predictor.structure"),
        ("seed=1", "belongs to a run with another config"),
        ("optimizer.lr=1e-4", "belongs to a run with another config"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused(tmp_path, make_config, start, override, message):
    folder = RunFolder.create(tmp_path / "run", make_config())
    advanced(start(make_config()), 1).save(folder)
    before = snapshot(folder)
    with refuses(message):
        start(make_config(override)).restore(folder)
    assert snapshot(folder) == before


def test_a_checkpoint_of_another_device_names_it(tmp_path, make_config, start):
    folder = RunFolder.create(tmp_path / "run", make_config())
    start(make_config()).save(folder)
    folder.save_checkpoint({**folder.load_checkpoint(), "device": "cuda"})
    with refuses("was written on another device: resume with --device cuda"):
        start(make_config()).restore(folder)


def test_what_is_no_checkpoint_of_a_run_is_said(tmp_path, make_config, start):
    config = make_config("training.precision=auto")
    folder = RunFolder.create(tmp_path / "run", config)
    start(config).save(folder)
    whole = folder.load_checkpoint()
    for key in whole:
        folder.save_checkpoint({k: v for k, v in whole.items() if k != key})
        with refuses(f"is no checkpoint of a pretraining run .*{key}.*delete the file"):
            start(config).restore(folder)
    folder.save_checkpoint({**whole, "optimizer": {}})
    with refuses("is no checkpoint of a pretraining run"):
        start(config).restore(folder)


def test_a_diverged_run_stops_and_leaves_the_last_good_checkpoint(tmp_path, make_config, start):
    config: PretrainConfig = make_config()
    folder = RunFolder.create(tmp_path / "run", config)
    state = advanced(start(config), 2)
    state.save(folder)
    before = snapshot(folder)
    with torch.no_grad():
        state.controller.decoder.to_token.bias[0] = math.nan
    advanced(state, 1)
    for action in (lambda: state.averages(1), lambda: state.save(folder)):
        with refuses("loss has become infinite or NaN by step 3: lower optimizer.lr"):
            action()
    assert snapshot(folder) == before


LEARNT = (
    *("metric.loss=MarginLoss", "metric.loss_args={learn_beta: true, nu: 0.1}"),
    *("metric.miner=TripletMarginMiner", "metric.miner_args={}"),
)


def test_what_a_loss_learns_is_trained_and_goes_on_from_a_checkpoint(tmp_path, make_config, start):
    config = make_config(*LEARNT)
    state = start(config)
    (beta,) = state.objective.metric_loss.parameters()
    assert any(beta is each for each in state.trained)
    before = beta.item()
    folder = RunFolder.create(tmp_path / "run", config)
    advanced(state, 3).save(folder)
    assert beta.item() != before
    again = start(config)
    again.restore(folder)
    assert next(again.objective.metric_loss.parameters()) == beta
    one, other = content(advanced(state, 3), tmp_path), content(advanced(again, 3), tmp_path)
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a, b) if isinstance(a, Tensor) else a == b

    whole = folder.load_checkpoint()
    for damaged in ({}, {"loss.library.beta": torch.zeros(2)}):
        folder.save_checkpoint({**whole, "metric": damaged})
        with refuses("is no checkpoint of a pretraining run .*metric.loss.library.beta"):
            start(config).restore(folder)


def test_a_checkpoint_of_a_loss_that_learns_nothing_has_no_place_for_it(
    tmp_path, make_config, start
):
    folder = RunFolder.create(tmp_path / "run", make_config())
    start(make_config()).save(folder)
    state = folder.load_checkpoint()
    assert "metric" not in state
    # A run of the first format of configs is gone on with.
    encoder = "  encoder:\n    name: gin\n    hidden: 8\n    layers: 2\n"
    assert encoder in state["config"]
    old = state["config"].replace("format: 2\n", "").replace(encoder, "  hidden: 8\n  layers: 2\n")
    folder.save_checkpoint({**state, "config": old})
    start(make_config()).restore(folder)
    for text in ("[1]", "null", old + "format: 3\n"):
        folder.save_checkpoint({**state, "config": text})
        with refuses("its config is none"):
            start(make_config()).restore(folder)


OWN = """
import torch
from torch import nn
from torch.nn.functional import normalize

class Drawing(nn.Module):
    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.ones(2))
        self.drop = nn.Dropout(0.5)
    def forward(self, embeddings, labels):
        return self.drop(embeddings).square().mean()

class Plain(nn.Module):
    def __init__(self, embedding_size):
        super().__init__()
        self.embedding_size = embedding_size
        self.map = nn.Linear(5, embedding_size)
        self.norm = nn.BatchNorm1d(embedding_size)
        self.unused = nn.Parameter(torch.ones(2))
    def pooled(self, cells):
        sums = cells.x.new_zeros(cells.num_graphs, 5).index_add(0, cells.batch, cells.x)
        return self.norm(self.map(sums))
    def encode(self, cells):
        return normalize(self.pooled(cells), dim=1)

class Long(Plain):
    def encode(self, cells):
        return self.pooled(cells)

class Wide(Plain):
    def encode(self, cells):
        return torch.cat([super().encode(cells)] * 2, dim=1)

class Fixed(Plain):
    def encode(self, cells):
        return super().encode(cells).detach()

class Raising(Plain):
    def encode(self, cells):
        return cells.features

class Computing(Plain):
    def __init__(self, embedding_size):
        super().__init__(embedding_size)
        self.rates = torch.linspace(0, 1, embedding_size).tolist()

class Untrained(Plain):
    def encode(self, cells):
        if not self.training:
            raise RuntimeError("only in training")
        return super().encode(cells)

class Lazy(Plain):
    def __init__(self, embedding_size):
        super().__init__(embedding_size)
        self.map = nn.LazyLinear(embedding_size)

class Tiring(nn.Module):
    calls = 0
    def forward(self, embeddings, labels):
        self.calls += 1
        if self.calls == 3:
            raise ValueError("three is enough")
        return embeddings.square().mean()

class Sized(Plain):
    def __init__(self, embedding_size):
        super().__init__(embedding_size + 1)

def make(embedding_size):
    return Plain(embedding_size)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_state.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("own_state", None)


def test_parts_of_ones_own_go_on_bit_for_bit(own, tmp_path, make_config, start):
    config = make_config(
        *("metric.loss=own_state:Drawing", "metric.loss_args={}"),
        *("metric.miner=null", "metric.miner_args={}"),
        "model.encoder={name: 'own_state:Plain'}",
    )
    generator = torch.get_rng_state()
    state = advanced(start(config), 2)
    assert torch.equal(torch.get_rng_state(), generator)
    folder = RunFolder.create(tmp_path / "run", config)
    state.save(folder)
    torch.rand(3)
    again = start(config)
    again.restore(folder)
    one = content(advanced(state, 2), folder.path)
    other = content(advanced(again, 2), folder.path)
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a, b) if isinstance(a, Tensor) else a == b


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Long", "must give embeddings of length 1"),
        ("Wide", r"encodes 16 cells to \(16, 16\), not \(16, 8\)"),
        ("Fixed", "cannot be trained: its embeddings have no gradient"),
        ("Raising", r"cannot encode: AttributeError: .*features.* \(own_state.py, line "),
        ("Untrained", r"cannot encode: RuntimeError: only in training \(own_state.py, line "),
        ("Lazy", "cannot be made: ValueError: it has parameters without a shape"),
        ("Sized", "its embedding_size is 9, not 8"),
        ("make", "is no encoder: it must be a class derived from torch.nn.Module"),
        ("Drawing", "is no encoder"),
        ("absent", "the module has no absent"),
    ],
)
def test_what_is_no_encoder_is_one_line(own, make_config, start, name, message):
    with refuses(f"model.encoder.name own_state:{name}.*{message}"):
        start(make_config(f"model.encoder={{name: 'own_state:{name}'}}"))
    with refuses(r"own_state:Plain cannot be made: TypeError: .*width"):
        start(make_config("model.encoder={name: 'own_state:Plain', width: 3}"))


def test_a_part_of_ones_own_that_fails_in_a_step_is_one_line(own, make_config, start):
    config = make_config(
        *("metric.loss=own_state:Tiring", "metric.loss_args={}"),
        *("metric.miner=null", "metric.miner_args={}"),
    )
    state = advanced(start(config), 2)
    message = (
        r"step 3 with own_state:Tiring fails: ValueError: three is enough \(own_state.py, line "
    )
    with refuses(message):
        state.advance()


def test_an_encoder_that_computes_when_it_is_made_comes_back_from_its_folder(
    own, tmp_path, make_config, start
):
    config = make_config("model.encoder={name: 'own_state:Computing'}")
    weights = start(config).controller.state_dict()
    folder = RunFolder.create(tmp_path / "run", config)
    folder.save_weights(weights)
    loaded = load_pretrained(folder.path).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in weights.items())


@pytest.mark.slow
def test_a_run_that_was_told_another_function_is_refused(tmp_path, make_config, start, monkeypatch):
    config = make_config(
        "training.structure_weight=0.3",
        "function={cells: 60, images: noise, seeds: 1, statistics: [synflow, snip], weight: 0.5}",
    )
    folder = RunFolder.create(tmp_path / "run", config)
    state = start(config)
    state.save(folder)
    state.restore(folder)
    monkeypatch.setattr(type(state.function), "fingerprint", "another")
    with refuses("told another function of cells, as the images or ops"):
        state.restore(folder)
