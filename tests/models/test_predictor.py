import torch
from torch import Tensor, nn

from gnn_nas.models.predictor import Predictor


def perceptron(layers: nn.Sequential, inputs: Tensor) -> Tensor:
    """Two linear layers with a ReLU between."""
    first, _, last = layers
    hidden = (inputs @ first.weight.T + first.bias).clamp(min=0)
    return hidden @ last.weight.T + last.bias


@torch.no_grad()
def test_it_is_a_perceptron_on_the_structure_that_another_reads():
    predictor = Predictor(embedding=4, hidden=6).double()
    embeddings = torch.randn(5, 4, dtype=torch.float64)
    # Unit vectors have components of a size of 1 / sqrt(4).
    descriptors = perceptron(predictor.structure, 2 * embeddings)
    assert predictor.predict_descriptors(embeddings).shape == (5, 141)
    torch.testing.assert_close(
        predictor.predict_descriptors(embeddings), descriptors, rtol=0, atol=1e-12
    )
    expected = perceptron(predictor.performance, descriptors)[:, 0]
    assert predictor(embeddings).shape == (5,)
    torch.testing.assert_close(predictor(embeddings), expected, rtol=0, atol=1e-12)


def test_one_cell_keeps_its_dimension():
    predictor = Predictor(3, 4)
    assert predictor(torch.zeros(1, 3)).shape == (1,)
    assert predictor.predict_descriptors(torch.zeros(1, 3)).shape == (1, 141)


def test_reading_the_structure_leaves_the_upper_half_alone():
    predictor = Predictor(3, 4)
    predictor.predict_descriptors(torch.randn(2, 3)).sum().backward()
    assert all(p.grad is not None for p in predictor.structure.parameters())
    assert all(p.grad is None for p in predictor.performance.parameters())
    predictor(torch.randn(2, 3)).sum().backward()
    assert all(p.grad is not None for p in predictor.performance.parameters())
