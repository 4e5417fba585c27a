"""Two processes against one: by torchrun in whole runs, in turn within this process elsewhere."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from gnn_nas.cli.pretrain import main
from gnn_nas.config import DataConfig
from gnn_nas.errors import UserError
from gnn_nas.models.controller import Controller
from gnn_nas.pretraining import distributed
from gnn_nas.pretraining.batches import BatchSampler, held_out_cells
from gnn_nas.pretraining.distributed import Processes, joined
from gnn_nas.pretraining.loss import Losses, PretrainingObjective
from gnn_nas.run_folder import RunFolder
from tests.helpers.quick_pretrain import cut_short

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "configs").glob("gin_*.yaml"))
STEPS = 10
OPTIONS = [
    f"--config={ROOT / 'configs' / 'gin_multisim.yaml'}",
    f"--max-steps={STEPS}",
    "--device=cpu",
    "--set=model.encoder.hidden=16",
    "--set=model.encoder.layers=2",
    "--set=data.batch_size=64",
    "--set=training.log_every=1",
    "--set=training.validate_every=4",
    "--set=training.checkpoint_every=3",
    "--set=training.precision=float32",
    "--set=training.structure_weight=0.0",
    "--set=function=null",
    "--set=optimizer.clip=0.5",
]


def torchrun(*options: str | Path, **environment: str) -> subprocess.CompletedProcess:
    """Let two processes make the run of ``OPTIONS``."""
    launcher = [sys.executable, "-P", "-m", "torch.distributed.run", "--nproc-per-node=2"]
    return subprocess.run(
        [*launcher, "-m", "tests.helpers.quick_pretrain", *OPTIONS, *map(str, options)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def failed(tmp_path_factory) -> tuple[RunFolder, str]:
    """A run of two processes of which the main one failed, and what they said."""
    folder = RunFolder(tmp_path_factory.mktemp("failed") / "run")
    result = torchrun("--out", folder.path, FAIL_AT_STEP="8")
    assert result.returncode != 0
    return folder, result.stderr


@pytest.fixture(scope="module")
def resumed(failed, tmp_path_factory) -> RunFolder:
    """The same run, brought to its end by two processes."""
    path = shutil.copytree(failed[0].path, tmp_path_factory.mktemp("resumed") / "run")
    result = torchrun("--out", path, "--resume")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("written to") == result.stdout.count("exact_match") == 1
    assert result.stderr.count("step 8: ") == 1
    return RunFolder.open(path)


@pytest.fixture
def alone(monkeypatch):
    """Makes or resumes the same run with this process alone."""
    cut_short(monkeypatch.setattr)

    def run(path: Path, *options: str) -> RunFolder:
        assert main([*OPTIONS, f"--out={path}", *options]) == 0
        return RunFolder.open(path)

    return run


def assert_same_run(one: RunFolder, other: RunFolder) -> None:
    """The same events, losses and weights, but for the order of additions."""
    for row, expected in zip(one.read_metrics(), other.read_metrics(), strict=True):
        assert row.pop("kind") == expected.pop("kind")
        assert row == pytest.approx(expected, rel=2e-5)
    weights, expected = one.load_weights(), other.load_weights()
    assert weights.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_failure_of_the_main_process_ends_both_with_its_line(failed):
    folder, said = failed
    assert re.findall("^error: .*", said, re.MULTILINE) == [
        "error: cannot write metrics.jsonl: No space left on device"
    ]
    # Of torchrun itself.
    assert said.count("Traceback (most recent call last)") == 1
    assert not folder.finished
    assert folder.load_checkpoint()["step"] == 6


@pytest.mark.slow
def test_two_processes_make_the_run_of_one_even_if_resumed(resumed, alone, tmp_path):
    expected = alone(tmp_path / "run")
    assert len(expected.read_metrics()) == STEPS + 3
    assert_same_run(resumed, expected)
    assert sorted(os.listdir(resumed.path)) == sorted(os.listdir(expected.path))
    assert len(os.listdir(resumed.tensorboard)) == 2  # of the main process, twice
    summaries = [folder.load_summary() for folder in (resumed, expected)]
    assert [summary["processes"] for summary in summaries] == [2, 1]
    assert len({summary["duplicate_positives"] for summary in summaries}) == 1


@pytest.mark.slow
def test_resumed_by_one_it_ends_the_same(resumed, failed, alone, tmp_path):
    shutil.copytree(failed[0].path, tmp_path / "run")
    assert_same_run(alone(tmp_path / "run", "--resume"), resumed)


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_one_line_before_any_work(tmp_path):
    result = torchrun("--out", tmp_path / "run", "--set=data.batch_size=24")
    assert result.returncode != 0
    (line,) = re.findall("^error: .*", result.stderr, re.MULTILINE)
    assert "data.batch_size 24 is 3 anchors with their positives, which 2 processes" in line
    assert "set it to a multiple of 16" in line
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_every_loss_average_to_those_of_one_process(
    make_config, table, monkeypatch, name, count
):
    config = make_config(
        "data.batch_size=64",
        "training.embedding_noise=0.1",
        "training.structure_weight=0.3",
        name=name,
    )
    controller = Controller(config.model, seed=3)
    draws = torch.Generator().manual_seed(0)
    batch = BatchSampler(table, held_out_cells(table, 0.01), 8, 7, draws).draw()
    embeddings = controller.encode(batch.cells).detach()
    # Any will do; the real ones take seconds.
    targets = torch.arange(len(table)).sin()[:, None].expand(-1, 141)

    def losses(rank: int, count: int) -> tuple[Losses, list[Tensor]]:
        processes = Processes(rank, count)
        generator = torch.Generator().manual_seed(4)
        objective = PretrainingObjective(
            config.metric, config.training, lambda _, rows: targets[rows], generator, processes
        )
        result = objective(controller, batch)
        trained = [*controller.encoder.parameters(), *controller.decoder.parameters()]
        trained += controller.predictor.structure.parameters()
        return result, torch.autograd.grad(result.total, trained)

    def all_gather(parts: list[Tensor], own: Tensor) -> None:
        for part, share in zip(parts, Processes(0, count).shares(batch.labels), strict=True):
            part.copy_(embeddings[share])
        assert any(torch.allclose(part, own, atol=1e-6) for part in parts)

    monkeypatch.setattr(dist, "all_gather", all_gather)
    whole, gradients = losses(0, 1)
    several = [losses(rank, count) for rank in range(count)]
    for name in Losses._fields:
        mean = sum(getattr(result, name).item() for result, _ in several) / count
        assert mean == pytest.approx(getattr(whole, name).item(), rel=1e-5), name
    for gradient, *parts in zip(gradients, *(each for _, each in several), strict=True):
        torch.testing.assert_close(sum(parts) / count, gradient, rtol=1e-4, atol=1e-5)


def test_shares_are_whole_groups_and_equal():
    number = torch.arange(6)
    labels = torch.cat([number, number.repeat_interleave(2)])
    shares = Processes(1, 3).shares(labels)
    assert shares.shape == (3, 6)
    assert sorted(shares.flatten().tolist()) == list(range(18))
    for share in shares:
        assert share.tolist() == sorted(share.tolist())
        assert labels[share].bincount().tolist().count(3) == 2


@pytest.fixture
def launched(monkeypatch):
    """Makes this process one of several that torchrun has started, on a machine with GPUs."""

    def launch(rank: int, count: int, gpus: int) -> list[tuple]:
        names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
        for name, value in zip(names, (rank, rank, count, count), strict=True):
            monkeypatch.setenv(name, str(value))
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
        calls = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        for owner, name in (
            (torch.cuda, "set_device"),
            (dist, "init_process_group"),
            (dist, "destroy_process_group"),
        ):
            monkeypatch.setattr(
                owner, name, lambda *given, name=name, **_: calls.append((name, *given))
            )
        return calls

    return launch


DATA = DataConfig(batch_size=64, positives=7, held_out=0.01)


@pytest.mark.parametrize(
    ("device", "gpus", "place", "backend"),
    [
        ("auto", 2, "cuda:1", "nccl"),
        ("cuda", 3, "cuda:1", "nccl"),
        ("cpu", 2, "cpu", "gloo"),
        ("auto", 0, "cpu", "gloo"),
    ],
)
def test_every_process_has_a_gpu_of_its_own_where_there_are_any(
    launched, device, gpus, place, backend
):
    calls = launched(1, 2, gpus)
    with joined(device, DATA) as (processes, chosen):
        assert processes == Processes(1, 2)
        assert chosen == torch.device(place)
        assert ("init_process_group", backend) in calls
        assert (("set_device", chosen) in calls) == (backend == "nccl")
        assert ("destroy_process_group",) not in calls
    assert calls[-1] == ("destroy_process_group",)


@pytest.mark.parametrize(
    ("device", "gpus", "message"),
    [
        ("auto", 1, "2 processes need a GPU each, but there are 1: lower torchrun's"),
        ("cuda", 0, "--device cuda: torch finds no usable GPU here"),
    ],
)
def test_too_few_gpus_are_the_user_s_mistake(launched, device, gpus, message):
    launched(0, 2, gpus)
    with pytest.raises(UserError, match=message), joined(device, DATA):
        pass


def test_one_process_of_torchrun_is_alone(launched):
    calls = launched(0, 1, 0)
    with joined("auto", DATA) as (processes, place):
        assert processes.alone
        assert place == torch.device("cpu")
    assert not any("process_group" in name for name, *_ in calls)


def test_a_mistake_of_another_process_is_said_when_the_main_one_had_time_to_say_it(
    launched, monkeypatch, capsys
):
    waits = []
    monkeypatch.setattr(time, "sleep", lambda seconds: waits.append((seconds, capsys.readouterr())))
    for options, message in (
        (["--config=absent.yaml"], "error: absent.yaml: cannot read the config"),
        (["--nonsense"], "usage: torchrun --nproc-per-node"),
    ):
        launched(1, 2, 0)
        assert main(options) == 2
        ((seconds, before),) = waits
        assert seconds >= 10
        assert before.out == before.err == ""
        assert capsys.readouterr().err.startswith(message)
        waits.clear()


def test_a_lost_process_is_one_line(monkeypatch):
    def broken(_):
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(distributed.dist, "all_reduce", broken)
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(UserError, match=r"process 1 has lost the others.*closed by peer"):
        Processes(1, 2).average([torch.zeros(2)])
