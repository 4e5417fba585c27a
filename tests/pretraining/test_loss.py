import math

import pytest
import torch
from pytorch_metric_learning import losses, miners
from torch import Tensor

from gnn_nas.config import FunctionConfig, MetricConfig, TrainingConfig
from gnn_nas.models.controller import Controller
from gnn_nas.pretraining.batches import BatchSampler, TrainingBatch, held_out_cells
from gnn_nas.pretraining.loss import PretrainingObjective
from gnn_nas.spaces.tokens import to_tokens

MULTISIM = MetricConfig(
    loss="MultiSimilarityLoss",
    loss_args={"alpha": 2, "beta": 30, "base": 1},
    miner="AngularMiner",
    miner_args={"angle": 20},
    weight=0.7,
)


@pytest.fixture(scope="module")
def batch(table) -> TrainingBatch:
    generator = torch.Generator().manual_seed(0)
    return BatchSampler(table, held_out_cells(table, 0.01), 6, 7, generator).draw()


@pytest.fixture
def controller(make_config) -> Controller:
    return Controller(make_config().model, seed=3)


TRAINING = TrainingConfig(
    steps=1,
    log_every=1,
    validate_every=1,
    checkpoint_every=1,
    embedding_noise=0.0,
    structure_weight=0.0,
    precision="float32",
)


def objective(
    metric: MetricConfig | None = None,
    generator: torch.Generator | None = None,
    descriptors: Tensor | None = None,
    **training,
) -> PretrainingObjective:
    generator = generator or torch.Generator().manual_seed(4)
    describe = None if descriptors is None else lambda _, rows: descriptors[rows]
    return PretrainingObjective(metric, TRAINING.model_copy(update=training), describe, generator)


def naive_reconstruction(logits: Tensor, tokens: Tensor) -> tuple[float, float]:
    """Mean cross-entropy and share of likeliest tokens that are right, position by position."""
    entropy, right, count = 0.0, 0, 0
    for sample, sequence in enumerate(tokens.tolist()):
        assert len(sequence) == 27
        for position, token in enumerate(sequence):
            scores = logits[position, :, sample].tolist()
            entropy += math.log(sum(math.exp(score) for score in scores)) - scores[token]
            right += scores.index(max(scores)) == token
            count += 1
    return entropy / count, right / count


def test_reconstruction_is_the_mean_over_all_27_positions(table, batch, controller):
    with torch.no_grad():
        result = objective()(controller, batch)
        tokens = to_tokens(table.cells[batch.rows])
        logits = controller.decoder(controller.encode(batch.cells), tokens)
    assert (tokens == 0).any()  # padding, which counts
    entropy, accuracy = naive_reconstruction(logits, tokens)
    assert result.reconstruction.item() == pytest.approx(entropy, rel=1e-5)
    assert result.token_accuracy.item() == pytest.approx(accuracy, abs=1e-6)
    assert result.total == result.reconstruction
    assert result.metric == 0
    assert result.descriptors == 0


def test_the_target_is_the_canonical_cell_not_the_edited_one(table, batch, controller):
    """The edited cells as they stand are spelt otherwise, yet the loss is that of the canonical."""
    own = to_tokens(table.cells[batch.rows])
    canonical = TrainingBatch(
        table, table.cells[batch.rows].to_batch(), batch.rows, batch.labels, batch.duplicates
    )
    assert not torch.equal(batch.cells.edge_index, canonical.cells.edge_index)
    losses = [objective()(controller, each).total.item() for each in (batch, canonical)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert len(own) == len(batch.rows)


def test_the_metric_loss_is_the_library_s_and_weighted(table, batch, controller):
    with torch.no_grad():
        result = objective(MULTISIM)(controller, batch)
        plain = objective()(controller, batch)
        embeddings = controller.encode(batch.cells)
        mined = miners.AngularMiner(angle=20)(embeddings, batch.labels)
        expected = losses.MultiSimilarityLoss(2, 30, 1)(embeddings, batch.labels, mined)
    assert result.metric.item() == pytest.approx(expected.item(), rel=1e-5)
    assert result.metric > 0.01
    assert result.reconstruction == plain.reconstruction
    total = result.reconstruction.item() + 0.7 * result.metric.item()
    assert result.total.item() == pytest.approx(total, rel=1e-6)


def test_the_weight_scales_the_encoder_s_gradient(table, batch, controller):
    def gradient(metric: MetricConfig | None) -> Tensor:
        total = objective(metric)(controller, batch).total
        parameters = list(controller.encoder.parameters())
        return torch.cat([g.flatten() for g in torch.autograd.grad(total, parameters)])

    plain, once, twice = (
        gradient(metric) for metric in (None, MULTISIM, MULTISIM.model_copy(update={"weight": 1.4}))
    )
    assert (once - plain).norm() > 1e-3
    torch.testing.assert_close(twice - plain, 2 * (once - plain), rtol=1e-3, atol=1e-6)


def test_without_structure_the_predictor_has_no_part_in_it(table, batch, controller):
    result = objective(MULTISIM, embedding_noise=0.1)(controller, batch)
    assert result.descriptors == 0
    result.total.backward()
    assert all(p.grad is None for p in controller.predictor.parameters())
    trained = [*controller.encoder.parameters(), *controller.decoder.parameters()]
    assert all(p.grad is not None for p in trained)


@pytest.mark.slow
@torch.no_grad()
def test_the_structure_loss_is_the_mean_squared_error_and_weighted(
    table, batch, controller, standard
):
    # Noise is for the decoder alone.
    weights = {"structure_weight": 0.3, "embedding_noise": 0.1}
    result = objective(MULTISIM, descriptors=standard, **weights)(controller, batch)
    told = controller.predictor.predict_descriptors(controller.encode(batch.cells)).tolist()
    squares = [
        (value - wanted) ** 2
        for row, values in zip(batch.rows.tolist(), told, strict=True)
        for value, wanted in zip(values, standard[row].tolist(), strict=True)
    ]
    assert len(squares) == 48 * 141
    assert result.descriptors.item() == pytest.approx(sum(squares) / len(squares), rel=1e-5)
    assert result.descriptors > 0.1
    total = result.reconstruction + 0.7 * result.metric + 0.3 * result.descriptors
    assert result.total.item() == pytest.approx(total.item(), rel=1e-6)


@pytest.mark.slow
def test_the_structure_loss_trains_the_encoder_and_the_predictor_s_lower_half(
    table, batch, controller, standard
):
    def gradients(descriptors: Tensor | None, weight: float) -> dict[str, Tensor | None]:
        controller.zero_grad()
        loss = objective(MULTISIM, descriptors=descriptors, structure_weight=weight)
        loss(controller, batch).total.backward()
        return {name: parameter.grad for name, parameter in controller.named_parameters()}

    without, once, twice = gradients(None, 0.0), gradients(standard, 0.3), gradients(standard, 0.6)
    for name, gradient in without.items():
        if name.startswith("predictor.performance."):
            assert once[name] is None
        elif name.startswith("predictor.structure."):
            assert once[name].norm() > 1e-4
            torch.testing.assert_close(twice[name], 2 * once[name])
        elif name.startswith("decoder."):
            torch.testing.assert_close(once[name], gradient)
        else:
            share = once[name] - gradient
            assert share.norm() > 1e-6
            torch.testing.assert_close(twice[name] - gradient, 2 * share, rtol=1e-2, atol=1e-5)


class Listening(torch.nn.Module):
    """In the decoder's place: keeps the embeddings that it is given."""

    def forward(self, embeddings: Tensor, tokens: Tensor) -> Tensor:
        self.heard = embeddings.detach()
        return embeddings.new_zeros(27, 7, len(tokens))


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_noise_reaches_the_decoder_only_and_stays_on_the_sphere(table, batch, controller, noise):
    controller.decoder = Listening()
    with torch.no_grad():
        plain = controller.encode(batch.cells)
        result = objective(MULTISIM, embedding_noise=noise)(controller, batch)
        assert result.metric == objective(MULTISIM)(controller, batch).metric
        objective(None, embedding_noise=noise)(controller, batch)
    heard = controller.decoder.heard
    if not noise:
        assert torch.equal(heard, plain)
        return
    # One deviation for each embedding, up to the given one.
    generator = torch.Generator().manual_seed(4)
    draws = torch.randn(plain.shape, generator=generator)
    deviations = noise * torch.rand(len(plain), 1, generator=generator)
    moved = plain + deviations * draws
    torch.testing.assert_close(heard, moved / moved.norm(dim=1, keepdim=True))
    distances = (heard - plain).norm(dim=1)
    assert distances.max() > 5 * distances.min() > 0


def test_without_noise_nothing_is_drawn(table, batch, controller):
    generator = torch.Generator().manual_seed(4)
    before = generator.get_state()
    objective(None, generator)(controller, batch)
    assert torch.equal(generator.get_state(), before)
    objective(None, generator, embedding_noise=0.1)(controller, batch)
    assert not torch.equal(generator.get_state(), before)


@pytest.mark.slow
def test_lower_precision_moves_losses_and_gradients_a_little(table, batch, controller, standard):
    def measured(precision: str) -> tuple[Tensor, Tensor]:
        options = {"descriptors": standard, "structure_weight": 0.3, "precision": precision}
        result = objective(MULTISIM, **options)(controller, batch)
        parameters = [
            *controller.encoder.parameters(),
            *controller.decoder.parameters(),
            *controller.predictor.structure.parameters(),
        ]
        gradients = torch.autograd.grad(result.total, parameters)
        assert all(gradient.dtype == torch.float32 for gradient in gradients)
        assert result.total.dtype == torch.float32
        losses = torch.stack([result.reconstruction, result.metric, result.descriptors])
        return losses, torch.cat([gradient.flatten() for gradient in gradients])

    (losses, gradient), (lower_losses, lower_gradient) = map(measured, ("float32", "bfloat16"))
    difference = (losses - lower_losses).abs()
    assert difference.max() > 0
    assert (difference < 0.02 * losses).all()
    assert (gradient - lower_gradient).norm() < 0.1 * gradient.norm()


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="Unknown metric loss 'Multi'; choose one of Ang"):
        objective(MULTISIM.model_copy(update={"loss": "Multi"}))


FUNCTION = FunctionConfig(
    cells=50, images="noise", seeds=1, statistics=["snip", "synflow"], weight=0.5
)


def test_what_is_told_of_function_has_a_loss_of_its_own(table, batch, make_config):
    controller = Controller(make_config().model, seed=3, statistics=("snip", "synflow"))
    generator = torch.Generator().manual_seed(6)
    described = torch.randn(len(table), 143, generator=generator).half()
    loss = PretrainingObjective(
        MULTISIM,
        TRAINING.model_copy(update={"structure_weight": 0.3}),
        lambda _, rows: described[rows],
        generator,
        function=FUNCTION,
    )
    with torch.no_grad():
        result = loss(controller, batch)
        told = controller.predictor.predict_descriptors(controller.encode(batch.cells))
    errors = (told - described[batch.rows].float()).square()
    assert controller.predictor.blocks == (53, 88, 2)
    assert result.descriptors.item() == pytest.approx(errors[:, :141].mean().item(), rel=1e-5)
    assert result.function.item() == pytest.approx(errors[:, 141:].mean().item(), rel=1e-5)
    total = result.reconstruction + 0.7 * result.metric + 0.3 * result.descriptors
    assert result.total.item() == pytest.approx((total + 0.5 * result.function).item(), rel=1e-6)
    plain = objective(MULTISIM, descriptors=described[:, :141], structure_weight=0.3)
    assert plain(Controller(make_config().model, seed=3), batch).function == 0
