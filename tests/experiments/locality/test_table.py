from gnn_nas.experiments.locality.table import locality_text

SPREAD = {"pairs": 10, "mean": 1.5, "std": 1.0, "quarter": 0.5, "median": 1.25}
ROWS = [{"distance": at, **SPREAD, "three_quarters": 2.0} for at in (1, 2)]
RATIO = {"distance": ">6", "pairs": 8852, "ratio": 0.8852, "paper": 0.8811}


def test_every_part_has_its_table_and_correlations_stand_last():
    figures = {
        "a": {
            "pairs": 10_000,
            "mean": 8.48,
            "ratios": [{**RATIO, "standard_error": 0.0045, "standard_errors_apart": 0.9}],
        },
        "b": {"spearman": 0.2784, "spearman_random_pairs": 0.1, "by_distance": ROWS},
        "c": {
            "a_long_name_of_a_run": {
                "spearman": -0.95, "spearman_random_pairs": -0.743, "by_distance": ROWS
            },
            "other": {
                "spearman": float("nan"), "spearman_random_pairs": -1.0, "by_distance": ROWS
            },
        },
    }  # fmt: skip
    a, b, c, correlations = locality_text(figures).split("\n\n")
    assert a.splitlines()[0] == "(a) edit distance of 10,000 random pairs, mean 8.48"
    assert a.splitlines()[-1].split() == [">6", "0.8852", "0.8811", "0.90"]
    assert b.splitlines()[1].split() == ["edits", "mean", "median", "25", "%", "75", "%"]
    assert b.splitlines()[2].split() == ["1", "1.500", "1.250", "0.500", "2.000"]
    assert c.splitlines()[1].split() == ["edits", "a_long_name_of_a_run", "other"]
    assert c.splitlines()[3].split() == ["2", "1.500", "1.500"]
    assert [line.split()[-2:] for line in correlations.splitlines()[1:]] == [
        ["0.278", "0.100"], ["-0.950", "-0.743"], ["nan", "-1.000"]
    ]  # fmt: skip
    for block in (a, b, c, correlations):
        assert len({len(line) for line in block.rstrip("\n").splitlines()[1:]}) == 1


def test_parts_that_were_not_made_are_left_out():
    figures = {"c": {"one": {"spearman": 1, "spearman_random_pairs": 1, "by_distance": ROWS}}}
    text = locality_text(figures)
    assert text.startswith("(c)")
    assert "(a)" not in text
    assert "(b)" not in text
    assert "Spearman" not in locality_text({"a": {"pairs": 1, "mean": 1.0, "ratios": []}})
