from gnn_nas.spaces.nasbench101 import NUM_SLOTS, SLOT_SOURCES, SLOT_TARGETS, num_slots, slot_of


def test_slots_number_the_upper_triangle():
    ends = list(zip(SLOT_SOURCES, SLOT_TARGETS, strict=True))
    assert [slot_of(x, y) for x, y in ends] == list(range(NUM_SLOTS))
    assert sorted(ends) == [(x, y) for x in range(7) for y in range(x + 1, 7)]


def test_the_slots_of_a_smaller_cell_come_first():
    for vertices in range(2, 8):
        inside = [y < vertices for y in SLOT_TARGETS]
        assert inside == sorted(inside, reverse=True)
        assert num_slots(vertices) == sum(inside)
