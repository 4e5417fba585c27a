import torch

from gnn_nas.models.predictor import Predictor


@torch.no_grad()
def test_it_is_a_perceptron_with_two_hidden_layers():
    predictor = Predictor(embedding=3, hidden=4).double()
    embeddings = torch.randn(5, 3, dtype=torch.float64)
    first, _, second, _, last = predictor.mlp
    hidden = (embeddings @ first.weight.T + first.bias).clamp(min=0)
    hidden = (hidden @ second.weight.T + second.bias).clamp(min=0)
    expected = (hidden @ last.weight.T + last.bias)[:, 0]
    assert predictor(embeddings).shape == (5,)
    torch.testing.assert_close(predictor(embeddings), expected, rtol=0, atol=1e-12)


def test_one_cell_keeps_its_dimension():
    assert Predictor(3, 4)(torch.zeros(1, 3)).shape == (1,)
