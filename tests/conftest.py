from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.benchmarks.nasbench101 import NASBench101
    from gnn_nas.models.controller import Controller
    from gnn_nas.spaces.table import CellTable

# How fast an example is depends on what else the machine does; that is no property to test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# A shell starts background jobs deaf to Ctrl-C, and their children inherit it: the tests that send
# it to commands would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)

# CPU seconds after which a test, its fixtures included, is too slow for --quick.
_MOST_SECONDS = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="leave out the tests that are marked slow, and warn of others that are",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.quick:
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    # By CPU time, as a machine may be busy; no failure, as its first call fills the caches.
    began = sum(os.times()[:4])
    result = yield
    took = sum(os.times()[:4]) - began
    if item.config.option.quick and took > _MOST_SECONDS:
        remedy = "if it does so every time, mark it slow"
        item.warn(pytest.PytestWarning(f"{item.name} took {took:.0f} s under --quick: {remedy}"))
    return result


@pytest.fixture(scope="session")
def table() -> CellTable:
    """The table of all cells; the first test run of a machine enumerates it."""
    # Imported here: torch_geometric is slow to import, and most tests do without.
    from gnn_nas.spaces.table import load_table

    return load_table()


@pytest.fixture(scope="session")
def standard(table: CellTable) -> Tensor:
    """Standardised descriptors of every cell; it takes some seconds."""
    from gnn_nas.spaces.descriptors import standard_descriptors

    return standard_descriptors(table)


@pytest.fixture
def controller() -> Controller:
    """A small controller that nothing was learned by."""
    from gnn_nas.config import GINConfig, ModelConfig
    from gnn_nas.models.controller import Controller

    sizes = ModelConfig(
        encoder=GINConfig(hidden=8, layers=2), embedding=6, decoder_hidden=8, predictor_hidden=8
    )
    return Controller(sizes, seed=1)


@pytest.fixture(scope="session")
def benchmark_path() -> Path:
    """Real measurements of NAS-Bench-101, which not every machine has."""
    path = os.environ.get("GNN_NAS_BENCHMARK")
    if not path:
        pytest.skip("GNN_NAS_BENCHMARK does not say where measurements of NAS-Bench-101 are")
    return Path(path)


@pytest.fixture(scope="session")
def benchmark(benchmark_path: Path, table: CellTable) -> NASBench101:
    """The real measurements, opened."""
    from gnn_nas.benchmarks.nasbench101 import NASBench101

    return NASBench101.open(benchmark_path, table)


@pytest.fixture(scope="session")
def made_up_benchmark(table: CellTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of measurements that nobody made."""
    from tests.helpers.measurements import write_benchmark

    return write_benchmark(tmp_path_factory.mktemp("benchmark"), table)


@pytest.fixture(params=["elsewhere", "cuda"])
def on_device(request: pytest.FixtureRequest) -> Callable:
    """Gives ``check(compute)``: what ``compute(device)`` returns is the same on another device.

    The device is a GPU, where there is one, and the one that is told apart from the CPU on any
    machine. All tensors that are returned must be there. With ``drawn`` they may differ on a real
    GPU, whose generators draw other numbers.
    """
    import torch
    from torch.utils._pytree import tree_leaves

    from tests.helpers.absent_device import Elsewhere

    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device is here")

    def check(compute: Callable[[torch.device], object], drawn: bool = False) -> None:
        expected = tree_leaves(compute(torch.device("cpu")))
        is_gpu = request.param == "cuda"
        with nullcontext() if is_gpu else Elsewhere():
            found = tree_leaves(compute(torch.device("cuda", 0)))
            assert {each.device.type for each in found} == {"cuda"}
            found = [each.detach().cpu() for each in found]
        if is_gpu and drawn:
            assert [each.dtype for each in found] == [each.dtype for each in expected]
        else:
            torch.testing.assert_close(found, [each.detach() for each in expected])

    return check
