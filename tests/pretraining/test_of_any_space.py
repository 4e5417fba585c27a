"""Pretraining in spaces of one's own: a toy space with a table, and one that has none."""

import pytest
import torch

from gnn_nas.config import SpaceConfig
from gnn_nas.errors import UserError
from gnn_nas.evaluation.decoding import reconstruction
from gnn_nas.pretraining import trainer
from gnn_nas.pretraining.batches import (
    BLOCK,
    BatchSampler,
    EndlessBatchSampler,
    held_out_cells,
)
from gnn_nas.pretraining.trainer import pretrain
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.spaces.canonical import canonical
from gnn_nas.spaces.descriptors import descriptors, open_descriptors
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.known import get_space
from gnn_nas.spaces.packed import pack
from gnn_nas.spaces.registry import CellRegistry
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import load_table

TOY = SpaceConfig(name="toy", ops=["a", "b"], max_vertices=4, max_edges=5, max_edits=1)
LARGE = SpaceConfig(name="large-toy", ops=["a", "b", "c"], max_vertices=8, max_edges=10)


def endless(seed: int = 0, share: float = 0.05) -> EndlessBatchSampler:
    generator = torch.Generator().manual_seed(seed)
    return EndlessBatchSampler(get_space(LARGE), share, 8, 7, generator)


def test_anchors_are_drawn_for_ever_and_positives_lie_around_them():
    sampler = endless()
    seen = set()
    for _ in range(BLOCK + 2):
        batch = sampler.draw()
        cells = batch.index.cells.take(batch.rows)
        assert torch.equal(batch.index.index_of(batch.cells), batch.rows)
        anchors = cells.take(batch.labels)
        assert torch.equal(batch.labels[:8], torch.arange(8))
        distance = edit_distance(pack(batch.cells, get_space(LARGE)), anchors)
        assert (distance[:8] == 0).all()
        assert ((distance[8:] >= 1) & (distance[8:] <= 3)).all()
        assert not batch.index.share_below(batch.rows, 0.05).any()
        seen |= {batch.index.hash_of(row) for row in batch.rows[:8].tolist()}
    # Of more than a million cells hardly one comes twice.
    assert len(seen) > 0.98 * 8 * (BLOCK + 2)


def test_the_target_is_the_canonical_form():
    batch = endless().draw()
    target = batch.index.cells.take(batch.rows)
    forms, valid = canonical(pack(batch.cells, get_space(LARGE)))
    assert bool(valid.all())
    assert torch.equal(target.edges, forms.edges)
    assert torch.equal(target.ops, forms.ops)


def test_descriptors_of_a_block_are_those_of_its_cells():
    describe = open_descriptors(CellRegistry(get_space(LARGE)))
    generator = torch.Generator().manual_seed(0)
    sampler = EndlessBatchSampler(get_space(LARGE), 0.05, 8, 7, generator, describe=describe)
    for _ in range(BLOCK + 1):
        batch = sampler.draw()
        wanted = describe(batch.index, batch.rows)
        torch.testing.assert_close(batch.descriptors, wanted, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("drawn", [0, 1, BLOCK - 1, BLOCK, BLOCK + 3])
def test_it_goes_on_drawing_the_same_batches(drawn):
    whole = endless()
    for _ in range(drawn):
        whole.draw()
    state = whole.state_dict()
    other = endless(seed=9)
    other.refuse_impossible(state, drawn)
    with pytest.raises(ValueError, match="batches"):
        other.refuse_impossible(state, drawn + 1)
    other.load_state_dict(state)
    for _ in range(BLOCK + 1):
        one, two = whole.draw(), other.draw()
        assert torch.equal(one.cells.x, two.cells.x)
        assert torch.equal(one.cells.edge_index, two.cells.edge_index)
        assert torch.equal(one.rows, two.rows)


def test_cells_to_measure_on_are_met_first():
    registry = CellRegistry(get_space(LARGE))
    held_out = held_out_cells(registry, 0.05)
    assert int(held_out.sum()) == 4000
    assert len(held_out) == len(registry) > 20_000
    assert torch.equal(held_out_cells(CellRegistry(get_space(LARGE)), 0.05), held_out)


def test_descriptors_of_any_registry_are_standardised_alike():
    space = get_space(LARGE)
    first, second = CellRegistry(space), CellRegistry(space)
    describe = open_descriptors(first)
    rows = first.draw(3000, torch.Generator().manual_seed(1))
    there = second.rows_of(first.cells[rows].take(torch.arange(2999, -1, -1))).flip(0)
    standard = describe(first, rows)
    assert torch.equal(describe(second, there), standard)
    raw = torch.cat(descriptors(first.cells[rows]), 1)
    varied = raw.std(0) > 0.1
    spread = standard.float()[:, varied]
    # Of a few rare paths only many cells would tell the deviation.
    assert (spread.mean(0).abs() < 0.1).float().mean() > 0.9
    assert ((spread.std(0) - 1).abs() < 0.2).float().mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("space", [TOY, LARGE], ids=lambda space: space.name)
def test_a_killed_run_ends_in_the_same_weights(space, make_config, tmp_path, monkeypatch):
    class Killed(BaseException):
        """What SIGKILL would be."""

    monkeypatch.setattr(trainer, "_LAST_CHECK", 1)
    config = make_config(
        "training.steps=40",
        "training.checkpoint_every=10",
        "training.validate_every=20",
        "training.structure_weight=0.3",
        "data.held_out=0.1",
        "data.batch_size=16",
    ).model_copy(update={"space": space})
    whole = pretrain(config)
    save = TrainingState.save

    def killed(state, folder):
        save(state, folder)
        if state.step == 20:
            raise Killed

    monkeypatch.setattr(TrainingState, "save", killed)
    with pytest.raises(Killed):
        pretrain(config, tmp_path / "run")
    monkeypatch.setattr(TrainingState, "save", save)
    resumed = pretrain(config, tmp_path / "run", resume=True)
    for name, weight in whole.controller.state_dict().items():
        assert torch.equal(weight, resumed.controller.state_dict()[name]), name
    assert resumed.summary["checked_pairs"] > 0
    assert resumed.summary["max_anchor_distance"] <= get_space(space).max_edits
    assert resumed.controller.space == get_space(space)


@pytest.mark.slow
def test_a_toy_space_is_learnt_by_heart(make_config, tmp_path, monkeypatch):
    monkeypatch.setenv("GNN_NAS_CACHE", str(tmp_path))
    config = make_config(
        "training.steps=600",
        "model.encoder.hidden=32",
        "model.embedding=16",
        "model.decoder_hidden=32",
        "data.held_out=0.1",
    ).model_copy(update={"space": TOY})
    controller = pretrain(config).controller
    table = load_table(get_space(TOY))
    rows = (~held_out_cells(table, 0.1)).nonzero().flatten()
    assert reconstruction(controller, table, rows)["exact_match"] == 1


def test_a_batch_of_more_anchors_than_cells_is_refused(tmp_path):
    table = load_table(CellSpace("toy", ("a",), (1.0,), 4, 5), cache=tmp_path)
    with pytest.raises(UserError, match=r"only \d+ cells to train on: set it to at most"):
        BatchSampler(table, held_out_cells(table, 0.1), 64, 7, torch.Generator())


def test_a_gpu_is_refused_where_cells_are_drawn(make_config, monkeypatch):
    config = make_config("data.batch_size=16").model_copy(update={"space": LARGE})
    monkeypatch.setattr("gnn_nas.pretraining.distributed.torch.cuda.is_available", lambda: True)
    with pytest.raises(UserError, match="are drawn on the processor: use --device cpu"):
        pretrain(config, device="cuda")
