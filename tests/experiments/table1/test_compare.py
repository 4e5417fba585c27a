import csv
from pathlib import Path

import pytest

from gnn_nas.config import load_config
from gnn_nas.errors import UserError
from gnn_nas.experiments.table1.paper import LOSSES, NAMES, PAPER, TABLE_COLUMNS
from gnn_nas.experiments.table1.plan import Search, find_checkpoint, plan_pretraining, plan_searches
from gnn_nas.experiments.table1.table import Row, csv_text, draw_table1, markdown, read_row
from gnn_nas.models.pretrained import SHIPPED
from gnn_nas.run_folder import RunFolder

CONFIGS = Path(__file__).parents[3] / "configs"
ANCHORS = 96_000


def test_every_pretraining_sees_as_many_anchors(tmp_path):
    for loss in LOSSES:
        path = CONFIGS / f"gin_{loss}.yaml"
        config = load_config(path)
        job = plan_pretraining(path, RunFolder(tmp_path / "run"), ANCHORS)
        assert job.steps * config.data.anchors == ANCHORS
        changes = [option.removeprefix("--set=") for option in job.options() if "--set" in option]
        training = load_config(path, changes).training
        assert training.steps == job.steps
        assert training.log_every <= job.steps // 100
        assert training.validate_every <= job.steps // 4
        assert training.checkpoint_every <= job.steps // 20


def test_a_long_pretraining_keeps_the_intervals_of_its_config(tmp_path):
    path = CONFIGS / "gin_multisim.yaml"
    training = load_config(path).training
    job = plan_pretraining(path, RunFolder(tmp_path / "run"), 10**7)
    assert job.intervals == {key: getattr(training, key) for key in job.intervals}


def test_less_than_a_batch_of_anchors_is_a_step(tmp_path):
    job = plan_pretraining(CONFIGS / "gin_multisim.yaml", RunFolder(tmp_path / "run"), 1)
    assert job.steps == 1
    assert set(job.intervals.values()) == {1}


def test_checkpoints_that_are_there_are_taken(tmp_path):
    given, out = tmp_path / "given", tmp_path / "out"
    given.mkdir()
    (given / "gin_multisim").symlink_to(SHIPPED)
    assert find_checkpoint("gin_multisim", out, given)[0].path == given / "gin_multisim"
    folder, is_there = find_checkpoint("gin_margin", out, given)
    assert (folder.path, is_there) == (out / "gin_margin", False)
    (out / "gin_margin").mkdir(parents=True)
    folder.summary.write_text('{"steps": 1}')
    assert find_checkpoint("gin_margin", out, given)[1]
    (given / "gin_npairs").mkdir()
    with pytest.raises(UserError, match="gin_npairs is not a run folder"):
        find_checkpoint("gin_npairs", out, given)


def test_searches_of_every_loss_and_random_under_every_protocol(tmp_path):
    folder = RunFolder(tmp_path / "gin_margin")
    made = plan_pretraining(CONFIGS / "gin_margin.yaml", folder, ANCHORS)
    shipped = (RunFolder(SHIPPED), None)
    checkpoints = {"margin": (folder, made), "multisim": shipped}
    searches = plan_searches(
        checkpoints, tmp_path, "nao", ["single-trial", "oracle"], 500, 5, Path("measured")
    )
    assert len(searches) == len({search.folder.path for search in searches.values()}) == 6
    margin = searches["margin", "oracle"]
    assert margin.after is made
    assert margin.steps == 2500
    options = {"--protocol=oracle", "--queries=500", "--seeds=5", "--jobs=1", "--resume"}
    assert options < set(margin.options())
    assert {f"--checkpoint={folder.path}", "--benchmark=measured"} < set(margin.options())
    assert searches["multisim", "oracle"].after is None
    assert {"--method=random", "--checkpoint=none"} < set(searches["random", "oracle"].options())


def figures(base: float) -> dict:
    names = [column.key for column in TABLE_COLUMNS]
    spreads = {key: {"mean": base + i, "std": 0.25 * i} for i, key in enumerate(names)}
    return {"aggregated": {**spreads, "test_unseen": {"mean": 93.5, "std": None}}}


@pytest.fixture
def search(tmp_path) -> Search:
    """A finished one, with figures that nobody measured."""
    folder = RunFolder(tmp_path / "search")
    folder.path.mkdir()
    folder.config.write_text(
        "{method: random, protocol: single-trial, queries: 500, seeds: 5, weights: null}\n"
    )
    folder.save_summary(figures(90))
    return Search(None, folder, "random", "single-trial", 500, 5)


def test_the_table_holds_ours_beside_the_papers(search, tmp_path):
    unfinished = Search(
        RunFolder(SHIPPED), RunFolder(tmp_path / "none"), "nao", "single-trial", 500, 5
    )
    rows = [read_row("multisim", unfinished), read_row("random", search)]
    text = markdown(rows, unfinished)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.split("\n")]
    head, _, multisim, random = lines[2:6]
    assert len({len(line) for line in (head, multisim, random)}) == 1
    assert multisim[:3] == ["MultiSimilarity", "–", "763 ± 93.7"]
    anchors = rows[0].anchors
    config = load_config(SHIPPED / "config.yaml")
    assert anchors == config.training.steps * config.data.anchors
    assert multisim[-2:] == [f"{config.training.steps:,}", f"{anchors:,}"]
    assert random[:5] == ["Random", "90 ± 0.0", "560 ± 248.4", "91.00 ± 0.250", "93.84 ± 0.068"]
    assert random[-4:] == ["336 ± 228.1", "93.50", "–", "–"]
    assert "The protocol is `single-trial`" in text
    assert "The paper's was `validation`" in text
    assert "not finished yet" in text

    by_loss = {line["loss"]: line for line in csv.DictReader(csv_text(rows).splitlines())}
    assert by_loss["random"]["rank_mean"] == "94"
    assert by_loss["random"]["rank_std_paper"] == "228.1"
    assert by_loss["random"]["test_unseen_mean"] == "93.5"
    assert by_loss["multisim"]["test_mean"] == ""
    assert by_loss["multisim"]["anchors"] == str(anchors)


def test_unequal_anchors_are_told(search):
    equal = [Row("margin", anchors=640), Row("lifted", anchors=640), Row("random")]
    assert "equally many anchors" not in markdown(equal, search)
    assert "equally many anchors" in markdown([*equal, Row("npairs", anchors=8)], search)


def test_every_row_has_all_of_the_papers_figures():
    assert PAPER.keys() == NAMES.keys() == {*LOSSES, "random"}
    assert {len(spreads) for spreads in PAPER.values()} == {len(TABLE_COLUMNS)}
    # The best cell of the space has 94.32 %.
    for _, test, _, regret, _ in PAPER.values():
        assert test[0] + regret[0] == pytest.approx(94.32, abs=0.011)


def test_a_picture_is_drawn_of_whatever_is_known(search, tmp_path):
    rows = [Row("margin"), read_row("random", search)]
    draw_table1(tmp_path / "table.png", rows, "made up")
    assert (tmp_path / "table.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{method: random, protocol: single-trial, queries: 9, seeds: 5}", "queries .9, now 500"),
        (
            "{method: random, protocol: single-trial, queries: 500, seeds: 5, weights: abc}",
            "weights .abc, now None",
        ),
    ],
)
def test_a_finished_search_of_another_kind_is_refused(search, text, message):
    search.folder.config.write_text(text)
    with pytest.raises(UserError, match=f"holds a search with other {message}.*another --out"):
        read_row("random", search)


def test_how_far_a_job_is_stands_in_the_last_whole_line(tmp_path):
    job = plan_pretraining(CONFIGS / "gin_multisim.yaml", RunFolder(tmp_path), ANCHORS)
    assert job.steps_done() == 0
    row = {"kind": "train", "loss": 0.123456789}
    for step in (0, *range(5, 1000, 5)):
        RunFolder(tmp_path).append_metrics({"step": step, **row})
    assert job.steps_done() == 995
    with RunFolder(tmp_path).metrics.open("a") as stream:
        stream.write('{"step": 1000')
    assert job.steps_done() == 995


def test_how_far_a_search_is_stands_in_the_last_lines_of_its_histories(tmp_path):
    search = Search(None, RunFolder(tmp_path), "random", "oracle", queries=300, seeds=2)
    assert search.steps_done() == 0
    lines = [f'{number},{number:032x},0.9,"a failure, 12,"\n' for number in range(1, 301)]
    RunFolder(tmp_path).history(0).write_text("query,hash,reward,failure\n" + "".join(lines))
    RunFolder(tmp_path).history(1).write_text("query,hash,reward,failure\n" + lines[0] + "2,")
    assert search.steps_done() == 301
