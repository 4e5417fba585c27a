from dataclasses import replace

import pytest

from gnn_nas.pretraining.suggested import measure_space, suggested_settings
from gnn_nas.spaces.known import described_space, get_space
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.space import CellSpace

LARGE = get_space(described_space("large"))


@pytest.mark.parametrize(
    ("space", "forms", "edits", "has_table"),
    [
        (NASBENCH101, 1_293_208, 3, True),
        (NASBENCH201, 15_625, 1, True),
        (LARGE, 10_521_497_386, 3, False),
        (CellSpace.wired("chain", ("a", "b"), (1.0, 1.0), [(0, 1), (1, 2)]), 2, 1, True),
    ],
    ids=lambda each: getattr(each, "name", None),
)
def test_edits_follow_from_how_far_random_pairs_are_apart(space, forms, edits, has_table):
    measures = measure_space(space, None)
    assert (measures.forms, measures.space.max_edits, measures.has_table) == (
        forms,
        edits,
        has_table,
    )
    assert f"{forms:,} labelled forms" in str(measures)


def test_distances_are_those_of_published_pairs():
    # Uniform forms lie a little farther apart than uniform cells, of which .8811 are beyond 6.
    assert measure_space(NASBENCH101, None).beyond == pytest.approx(0.9, abs=0.03)
    assert measure_space(NASBENCH201, None).mean_distance == pytest.approx(4.8, abs=0.1)


def test_what_is_said_is_kept():
    assert measure_space(NASBENCH101, 1).space == replace(NASBENCH101, max_edits=1)


def test_smaller_spaces_are_given_smaller_sizes():
    toy = CellSpace("toy", ("a", "b"), (1.0, 1.0), max_vertices=4, max_edges=5)
    settings = [suggested_settings(measure_space(each, 1)) for each in (toy, NASBENCH201, LARGE)]
    steps = [each["training.steps"] for each in settings]
    assert steps == sorted(steps)
    assert settings[0]["data.batch_size"] < settings[1]["data.batch_size"] == 512
    # Nobody says how networks of the toy space are built.
    assert settings[0]["function"] is None
    assert settings[1]["function.cells"] == 600
    assert not any(key.startswith("function") for key in settings[2])
    assert suggested_settings(measure_space(NASBENCH101, 3)) == {}
