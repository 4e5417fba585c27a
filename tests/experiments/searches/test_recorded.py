import pytest

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.benchmarks.protocols import PROTOCOLS, BenchmarkReport, objective_and_report
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.experiments.searches.recorded import check_histories
from gnn_nas.experiments.searches.seed import run_seed
from gnn_nas.run_folder import RunFolder

QUERIES = 12


@pytest.fixture(params=[each for each in PROTOCOLS if each != "validation"])
def searched(request, tmp_path, table, made_up_benchmark):
    """A folder in which a seed has searched, and what checks it again."""
    config = SearchConfig(
        method="random",
        protocol=request.param,
        queries=QUERIES,
        seeds=1,
        seed=3,
        checkpoint="none",
        weights=None,
        benchmark="made up",
        settings={},
    )
    folder = RunFolder.create(tmp_path / "run", config)
    again = objective_and_report(NASBench101.open(made_up_benchmark, table), request.param)
    run_seed(folder, config, 3, table, *again)

    def check(config=config, again=again):
        check_histories(folder, config, BenchmarkReport.columns, table, again)

    return folder.history(3), config, check


def test_what_a_search_has_written_is_believed(searched):
    path, _, check = searched
    check()
    content = path.read_text()
    path.write_text("".join(content.splitlines(keepends=True)[:5]))
    check()
    path.unlink()
    check()


def test_what_the_measurements_contradict_is_refused(searched, table):
    path, config, check = searched
    header, *lines = path.read_text().splitlines()
    for column, value in ((2, "0.99"), (2, ""), (3, "0.5"), (3, ""), (4, "0.123"), (1, "f" * 32)):
        fields = lines[6].split(",")
        fields[column] = value
        path.write_text("\n".join([header, *lines[:6], ",".join(fields), *lines[7:]]) + "\n")
        with pytest.raises(UserError, match=rf"\A{path} is no history of this search \([^\n]*\Z"):
            check()
    path.write_text("\n".join([header, *lines]) + "\n")
    with pytest.raises(UserError, match=f"{QUERIES} queries of {QUERIES - 1}"):
        check(config=config.model_copy(update={"queries": QUERIES - 1}))


def test_what_cannot_be_asked_again_is_not_compared(searched):
    path, _, check = searched
    header, first, *lines = path.read_text().splitlines()
    fields = first.split(",")
    fields[2] = "0.99"
    path.write_text("\n".join([header, ",".join(fields), *lines]) + "\n")
    check(again=None)
