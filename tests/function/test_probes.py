import numpy as np
import pytest
import torch

from gnn_nas.config import CONFIGS
from gnn_nas.errors import UserError
from gnn_nas.function.probes import open_probes
from gnn_nas.tasks.image_task import ImageTask

TASK = (CONFIGS / "tasks" / "digits.yaml").read_text()


def own_task(folder, pixels, labels) -> str:
    np.savez(folder / "mine.npz", images=pixels, labels=labels)
    (folder / "mine.yaml").write_text(TASK.replace("source: digits", "source: mine.npz"))
    return str(folder / "mine.yaml")


def counts(labels: torch.Tensor) -> list[int]:
    return sorted(labels.bincount().tolist())


@pytest.mark.parametrize("given", ["digits", "noise"])
def test_what_needs_no_file_is_of_ten_classes_and_normalised(given):
    probes = open_probes(given)
    assert probes.images.shape == (16, 1, 8, 8)
    assert probes.further.shape == (112, 1, 8, 8)
    assert probes.classes == 10
    assert counts(probes.labels) == [1] * 4 + [2] * 6
    assert counts(torch.cat([probes.labels, probes.further_labels]))[0] == 12
    pixels = torch.cat([probes.images, probes.further])
    assert pixels.mean().abs() < 0.05
    assert pixels.std() == pytest.approx(1, abs=0.05)
    assert len(pixels.unique(dim=0)) == 128
    again = open_probes(given)
    assert all(map(torch.equal, probes, again))
    assert probes.digest == again.digest


def test_images_have_the_labels_that_they_have_in_the_source():
    from sklearn.datasets import load_digits

    digits = load_digits()
    pairs = zip(digits.images, digits.target, strict=True)
    known = {image.tobytes(): label for image, label in pairs}
    pixels = torch.from_numpy(digits.images)
    probes, names = open_probes("digits"), {}
    for image, label in zip(probes.further[:, 0], probes.further_labels.tolist(), strict=True):
        original = (image.double() * pixels.std() + pixels.mean()).round().abs()
        # The classes have other numbers, but one each.
        name = known[original.numpy().tobytes()]
        assert names.setdefault(label, name) == name
    assert sorted(names.values()) == list(range(10))


def test_the_graph_has_no_direction_and_most_neighbours_are_of_the_same_class():
    probes = open_probes("graph")
    assert probes.is_graph
    assert probes.images.shape == (96, 16)
    assert probes.images is probes.further
    assert counts(probes.labels) == [24] * 4
    sources, targets = probes.edges
    pairs = set(zip(sources.tolist(), targets.tolist(), strict=True))
    assert pairs == {(target, source) for source, target in pairs}
    assert all(source != target for source, target in pairs)
    assert 3 < len(pairs) / 96 < 5
    assert 0.7 < (probes.labels[sources] == probes.labels[targets]).float().mean() < 0.9
    assert probes.images.std() == pytest.approx(1, abs=1e-5)
    again = open_probes("graph")
    assert all(map(torch.equal, probes, again))
    assert probes.digest == again.digest
    # An edge that is elsewhere makes another probe.
    assert probes._replace(edges=probes.edges.roll(1, 0)).digest != probes.digest
    assert not open_probes("digits").is_graph


def test_noise_and_digits_have_other_digests():
    assert open_probes("noise").digest != open_probes("digits").digest


def test_images_of_ones_own_are_averaged_down_and_come_from_the_training_part(tmp_path):
    draw = np.random.default_rng(0)
    labels = np.repeat(np.arange(14), 30)
    pixels = draw.integers(0, 255, (len(labels), 20, 36, 3), np.uint8)
    task = own_task(tmp_path, pixels, labels)
    probes = open_probes(task)
    # 36 pixels are averaged three by three, and 20 of the other side likewise.
    assert probes.images.shape == (16, 3, 7, 12)
    assert len(probes.further) == 112
    assert probes.classes == 10
    parts = ImageTask.from_file(task).parts
    training = torch.nn.functional.adaptive_avg_pool2d(parts.training.images, (7, 12))
    for image in probes.images:
        assert (training == image).flatten(1).all(1).any()


def test_small_images_stay_as_they_are(tmp_path):
    draw = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 60)
    task = own_task(tmp_path, draw.integers(0, 255, (180, 16, 5), np.uint8), labels)
    probes = open_probes(task)
    assert probes.images.shape == (16, 1, 16, 5)
    # All that the training part has.
    assert len(probes.images) + len(probes.further) == len(
        ImageTask.from_file(task).parts.training.labels
    )
    assert probes.classes == 3


def test_what_is_no_source_of_images_is_refused(tmp_path):
    with pytest.raises(UserError, match="images nonsense: neither digits nor noise nor a task"):
        open_probes("nonsense")
    with pytest.raises(UserError, match=r"absent\.yaml"):
        open_probes(str(tmp_path / "absent.yaml"))
    labels = np.repeat(np.arange(2), 12)
    task = own_task(tmp_path, np.zeros((24, 8, 8), np.uint8), labels)
    with pytest.raises(UserError, match=r"mine.yaml: \d+ training images, of which"):
        open_probes(task)
