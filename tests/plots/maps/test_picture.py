import warnings

import matplotlib.image
import numpy as np
import pytest

from gnn_nas.plots.maps.colours import Colouring
from gnn_nas.plots.maps.picture import draw_maps
from tests.helpers import made_up_maps


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def colours(count: int, whole: bool = False) -> Colouring:
    values = np.linspace(3, 9, count).round() if whole else np.linspace(80, 94.3, count)
    lowest = values.min() if whole else 86.0
    return Colouring("number of edges", values, lowest, values.max(), whole)


def distinct(picture: np.ndarray) -> int:
    return len(np.unique((255 * picture[:, :, :3]).astype(int).reshape(-1, 3), axis=0))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classes", "classes by value", "cells", "cells by number"])
def test_pictures_are_the_same_bit_for_bit(tmp_path, kind):
    if kind.startswith("classes"):
        maps = [made_up_maps.classes(), made_up_maps.classes(name="gin_nometric")]
        shown = colours(128) if kind.endswith("value") else None
    else:
        maps = [made_up_maps.random_cells()]
        shown = colours(300, whole=kind.endswith("number"))
    first = [tmp_path / "1.png", tmp_path / "1.svg"]
    second = [tmp_path / "2.png", tmp_path / "2.svg"]
    draw_maps(first, maps, shown)
    draw_maps(second, maps, shown)
    assert sorted(tmp_path.iterdir()) == sorted(first + second)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert distinct(matplotlib.image.imread(first[0])) > 50


@pytest.mark.slow
def test_the_scale_is_pointed_where_values_lie_beyond(tmp_path):
    values = np.linspace(-3, 3, 300)
    pictures = []
    for lowest, highest in ((-3, 3), (-2, 3), (-3, 2), (-2, 2)):
        path = tmp_path / "one.svg"
        shown = Colouring("told", values, lowest, highest, whole=False)
        draw_maps([path], [made_up_maps.random_cells()], shown)
        pictures.append(path.read_text().count('<g id="patch_'))
    # Each point of the scale is a patch more.
    assert [count - pictures[0] for count in pictures] == [0, 1, 1, 2]


@pytest.mark.slow
def test_panels_stand_in_rows_of_three_and_four_in_a_square(tmp_path):
    sizes = {}
    for count in (1, 2, 3, 4, 6):
        path = tmp_path / f"{count}.png"
        draw_maps([path], [made_up_maps.classes(4, 9, name=str(n)) for n in range(count)])
        sizes[count] = matplotlib.image.imread(path).shape[:2]
    assert sizes[2] == (sizes[1][0], 2 * sizes[1][1])
    assert sizes[3] == (sizes[1][0], 3 * sizes[1][1])
    assert sizes[4] == (sizes[6][0], sizes[2][1])
    assert sizes[6][1] == sizes[3][1]
    assert sizes[6][0] > 1.8 * sizes[1][0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["gin_multisim", "search-nao-oracle-gin_multisim/controller-12", r"$\frac$"]
)
@pytest.mark.parametrize("kind", ["classes", "cells"])
def test_nothing_is_cut_off(tmp_path, name, kind):
    path = tmp_path / "map.png"
    if kind == "classes":
        draw_maps([path], [made_up_maps.classes(99, 1, name=name)])
    else:
        draw_maps([path], [made_up_maps.random_cells(name=name)], colours(300))
    picture = matplotlib.image.imread(path)[:, :, :3]
    for edge in (picture[:8], picture[-8:], picture[:, :8], picture[:, -8:]):
        assert (edge > 0.99).all()


def test_many_points_of_an_svg_are_an_image_and_few_are_shapes(tmp_path):
    path, images, shapes = tmp_path / "map.svg", [], []
    for count in (2000, 2001):
        draw_maps([path], [made_up_maps.random_cells(count)], colours(count))
        images.append(path.read_text().count("<image"))
        shapes.append(path.read_text().count("<use"))
    # The colour bar is an image in both.
    assert images[1] == images[0] + 1
    assert shapes[0] > 2000 > 500 > shapes[1]
