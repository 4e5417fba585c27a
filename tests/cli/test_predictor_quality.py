"""The command as a user has it, over a space made small and, where it is, over the real one."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn_nas.benchmarks.importing import import_tfrecord
from gnn_nas.cli import predictor_quality
from gnn_nas.cli.predictor_quality import main
from gnn_nas.experiments import ensemble
from gnn_nas.experiments.predictor_quality import (
    ENSEMBLE,
    PUBLISHED,
    SIZES,
    Measurement,
    QualityFile,
    markdown,
    summarised,
)
from gnn_nas.experiments.ranker import Plan
from gnn_nas.spaces import descriptors as descriptors_module
from gnn_nas.spaces import table as table_module
from gnn_nas.spaces.descriptors import standard_descriptors
from gnn_nas.spaces.table import CellTable
from tests.helpers import official_writer as writer
from tests.helpers.measurements import nasbench201_arrays

ROOT = Path(__file__).parents[2]
TINY = ("--sizes", "5", "12", "--seeds", "2", "--members", "1")
KEYS = [(k, n, s) for s in (0, 1) for k in ("pretrained", "scratch") for n in (5, 12)]


@pytest.fixture(scope="module")
def small_table(table) -> CellTable:
    few = torch.arange(0, len(table), len(table) // 60)[:60]
    return CellTable(table.cells[few], table.module_hash[few], table.row_of_form, table.first_form)


@pytest.fixture(scope="module")
def measured(small_table, tmp_path_factory) -> Path:
    """Measurements of the small space, all that official files have."""
    folder = tmp_path_factory.mktemp("data")
    writer.write_tfrecord(folder / "official", writer.synthetic_rows(small_table))
    import_tfrecord(folder / "official", folder / "small.safetensors", small_table)
    return folder / "small.safetensors"


@pytest.fixture
def user(monkeypatch, tmp_path, small_table, measured) -> Path:
    """A user of the small space in an empty folder of their own."""
    monkeypatch.setattr(table_module, "load_table", lambda *_: small_table)
    # The cache folder holds that of the whole space.
    monkeypatch.setattr(descriptors_module, "load_standard_descriptors", standard_descriptors)
    monkeypatch.setenv("GNN_NAS_BENCHMARK", str(measured))
    monkeypatch.setattr(ensemble, "_FEW_PLAN", Plan(2, 0.05))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(folder: Path) -> tuple[list[dict], dict, str]:
    with (folder / "quality.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    summary = json.loads((folder / "summary.json").read_text())
    return lines, summary, (folder / "quality.md").read_text()


def test_help_teaches_labels_examples_and_files(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    # However its lines are broken.
    shown = " ".join(capsys.readouterr().out.split())
    for each in ("100 172 424 4236", "single-trial", "--sizes 100 172", "quality.md", "Kendall"):
        assert each in shown


def test_help_comes_before_torch_is_loaded(loaded_by_help):
    assert not loaded_by_help("torch")


def test_it_measures_every_kind_size_and_seed(user, capsys):
    assert main([*TINY]) == 0
    out, err = capsys.readouterr()
    lines, summary, text = read(user / "runs" / "predictor-quality")
    assert [(line["kind"], int(line["size"]), int(line["seed"])) for line in lines] == KEYS
    assert all(-1 <= float(line["kendall"]) <= 1 for line in lines)
    assert out.startswith(text)
    assert "8/8" in err
    of = [float(line["kendall"]) for line in lines[1::4]]
    figures = summary["results"]["pretrained"]["12"]
    assert figures["seeds"] == 2
    assert figures["kendall"]["mean"] == pytest.approx(sum(of) / 2)
    assert figures["kendall"]["worst"] == min(of)
    assert (summary["label"], summary["members"]) == ("test", 1)


@pytest.mark.slow
def test_without_a_checkpoint_it_measures_only_from_scratch(user):
    assert main([*TINY, "--checkpoint", "none", "--label", "validation", "--out", "x"]) == 0
    lines, summary, text = read(user / "x")
    assert {line["kind"] for line in lines} == {"scratch"}
    assert summary["label"] == "validation"
    assert "pretrained" not in text


@pytest.mark.slow
def test_an_interrupted_call_is_continued_by_the_same_call(user, monkeypatch, capsys):
    assert main([*TINY, "--out", "whole"]) == 0
    made = []

    def interrupted(ensemble, labels, truth, size, seed):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append((size, seed))
        return measure(ensemble, labels, truth, size, seed)

    measure = predictor_quality.measure
    monkeypatch.setattr(predictor_quality, "measure", interrupted)
    assert main([*TINY, "--out", "part"]) == 130
    assert sorted(os.listdir("part")) == ["config.yaml", "quality.csv"]
    made.clear()
    monkeypatch.setattr(
        predictor_quality, "measure", lambda *a: (made.append(a[3:]), measure(*a))[1]
    )
    assert main([*TINY, "--out", "part"]) == 0
    assert made == [key[1:] for key in KEYS[3:]]
    whole, part = (
        [{**line, "seconds": ""} for line in read(user / name)[0]] for name in ("whole", "part")
    )
    assert part == whole
    made.clear()
    assert main([*TINY, "--out", "part", "--seeds", "1"]) == 0
    assert made == []
    assert read(user / "part")[1]["results"]["scratch"]["5"]["seeds"] == 1


def test_every_mistake_is_one_line(user, complaint):
    for options, message in (
        (["--seeds", "0"], "--seeds must be at least 1, not 0"),
        (["--members", "0"], "--members must be at least 1, not 0"),
        (["--seed", "-1"], "--seed must be from 0 to"),
        (["--sizes", "5", "1"], "--sizes must be from 2 to 58, not 1"),
        (["--sizes", "59"], "--sizes must be from 2 to 58, not 59"),
        (["--checkpoint", "absent"], "absent: no such run folder"),
        (["--sizes", "5", "--benchmark", "absent"], "absent: cannot read"),
    ):
        assert message in complaint(*options)
    assert os.listdir(user) == []


def test_a_folder_of_something_else_is_refused(user, complaint):
    assert main([*TINY, "--checkpoint", "none"]) == 0
    assert "label was test, now single-trial" in complaint(
        *TINY, "--checkpoint", "none", "--label", "single-trial"
    )
    file = user / "runs" / "predictor-quality" / "quality.csv"
    for content in ("words", "", file.read_text() + "scratch,5,zero,1,1,1\n"):
        file.write_text(content)
        assert "holds no measurements of predictors" in complaint(*TINY, "--checkpoint", "none")


def test_figures_of_an_older_ensemble_are_not_mixed_with_todays(user, complaint):
    assert main([*TINY, "--checkpoint", "none"]) == 0
    config = user / "runs" / "predictor-quality" / "config.yaml"
    written = config.read_text()
    config.write_text(written.replace(f"ensemble: {ENSEMBLE}\n", ""))
    assert config.read_text() != written
    assert (
        f"(ensemble was 1, now {ENSEMBLE}): resume with its own, or give another --out"
        in complaint(*TINY, "--checkpoint", "none")
    )


def test_measurements_come_back_exactly(tmp_path):
    path = tmp_path / "quality.csv"
    file = QualityFile(path)
    measurements = [Measurement("scratch", 5, 0, 0.1 + 0.2, -1 / 3, 1e-9)]
    measurements.append(Measurement("pretrained", 5, 2**31, 1.0, 0.0, 12.5))
    for each in measurements:
        file.add(each)
    assert list(QualityFile(path).measurements.values()) == measurements


def test_the_table_stands_beside_figures_of_others():
    measurements = [
        Measurement("pretrained", size, seed, 0.5 + 0.1 * seed, 0.25, 1.0)
        for size in (100, 7)
        for seed in (0, 1)
    ]
    published = PUBLISHED["nasbench101"]
    lines = markdown(summarised(measurements), [100, 7], published).splitlines()
    assert len({len(line) for line in lines}) == 1
    rows = {cells[0].strip(): cells[1:] for cells in (line[2:-2].split("|") for line in lines)}
    cells = {name: [cell.strip() for cell in cells] for name, cells in rows.items()}
    assert cells["Kendall τ, pretrained"] == ["0.550 ± 0.071", "0.550 ± 0.071"]
    assert cells["Spearman ρ, pretrained"] == ["0.250 ± 0.000", "0.250 ± 0.000"]
    assert cells["Kendall τ, PINAT, supplement (BCE loss)"] == ["0.717", "–"]
    assert all(set(figures) == set(SIZES["nasbench101"]) for figures in published.values())


@pytest.mark.slow
def test_it_measures_nasbench201_too(tmp_path, monkeypatch, complaint):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ensemble, "_FEW_PLAN", Plan(2, 0.05))
    np.savez("data.npz", **nasbench201_arrays())
    call = ["--benchmark=data.npz", "--seeds=1", "--members=1", "--sizes", "156", "20"]
    assert main(call) == 0
    lines, summary, text = read(tmp_path / "runs" / "predictor-quality")
    assert [line["kind"] for line in lines] == ["pretrained"] * 2 + ["scratch"] * 2
    assert summary["dataset"] == "cifar10"
    assert summary["results"]["pretrained"]["156"]["kendall"]["mean"] > 0.5
    assert "Kendall τ, NN-Former" in text
    assert "0.804" in text
    capable = [*call, "--checkpoint=none", "--dataset=cifar100", "--out=other"]
    assert main(capable) == 0
    assert "NN-Former" not in read(tmp_path / "other")[2]
    wrong = complaint(*call, "--label=single-trial", "--out=third")
    assert "data.npz has means over a cell's trainings only" in wrong


@pytest.mark.slow
def test_the_real_space(benchmark_path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    options = ("--checkpoint", "none", "--sizes", "60", "--seeds", "1", "--members", "1")
    assert main([*options, "--benchmark", str(benchmark_path)]) == 0
    results = read(tmp_path / "runs" / "predictor-quality")[1]["results"]
    assert results["scratch"]["60"]["kendall"]["mean"] > 0.3
