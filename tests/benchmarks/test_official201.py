"""Made-up files in the layout of NATS-Bench and NAS-Bench-201, of a space made small."""

import bz2
import os
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn_nas.benchmarks.official201 import read_folder, read_pth
from gnn_nas.errors import UserError
from gnn_nas.spaces.nasbench201 import ops_of
from tests.helpers import official_writer201 as writer

TINY = writer.TINY
SETS = {
    "cifar10_val": ("cifar10-valid", "x-valid"),
    "cifar10_test": ("cifar10", "ori-test"),
    "cifar100_val": ("cifar100", "x-valid"),
    "cifar100_test": ("cifar100", "x-test"),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return writer.write_folder(tmp_path_factory.mktemp("written") / "simple", TINY)


@pytest.fixture
def folder(written, tmp_path) -> Path:
    return shutil.copytree(written, tmp_path / "simple")


@pytest.fixture
def content() -> dict:
    return writer.pth_content(TINY)


def assert_as_written(arrays: dict[str, np.ndarray]) -> None:
    texts = writer.texts(TINY)
    assert arrays["ops"].dtype == arrays["seeds"].dtype == np.uint8
    assert arrays["ops"].tolist() == [ops_of(text, TINY) for text in texts]
    expected: dict[str, list] = {name: [] for name in arrays if name != "ops"}
    for index in range(len(texts)):
        seeds = writer.seeds_of(index)
        expected["seeds"].append(len(seeds))
        for name, (trained, asked) in SETS.items():
            last = [writer.accuracy(index, trained, asked, 200, seed) for seed in seeds]
            expected[f"{name}200"].append(np.mean(last))
            expected[f"{name}12"].append(writer.accuracy(index, trained, asked, 12, 777))
        first = writer.accuracy(index, "cifar10-valid", "x-valid", 200, 777)
        expected["cifar10_val200_first"].append(first)
        for dataset, trained in (("cifar10", "cifar10-valid"), ("cifar100", "cifar100")):
            expected[f"{dataset}_seconds200"].append(200 * writer.seconds(index, trained))
            more = dataset == "cifar100"
            expected[f"{dataset}_params_mb"].append(1 + index % 50 / 100 + more)
    assert len(expected) == 14
    for name, values in expected.items():
        assert arrays[name] == pytest.approx(np.array(values), rel=1e-6), name
        assert name == "seeds" or arrays[name].dtype == np.float32


@pytest.mark.parametrize("zipped", [False, True])
def test_a_pth_arrives_as_it_was_written(tmp_path, content, zipped):
    read = []
    path = writer.write_pth(tmp_path / "all.pth", content, zipped)
    assert_as_written(read_pth(path, TINY, read.append))
    assert read == list(range(1, 9))


def test_a_folder_arrives_as_it_was_written(folder):
    # Cells' names need no zeros before the number.
    (folder / "000007.pickle.pbz2").rename(folder / "7.pickle.pbz2")
    read = []
    assert_as_written(read_folder(folder, TINY, read.append))
    assert read == list(range(1, 9))


def test_a_cell_with_all_its_epochs_gives_the_last(folder):
    text = writer.texts(TINY)[5]
    cell = {str(epochs): writer.results(5, text, epochs, True) for epochs in (12, 200)}
    writer.pack(folder / "000005.pickle.pbz2", cell)
    assert_as_written(read_folder(folder, TINY))


def test_times_that_are_not_told_are_nan_and_seed_888_tells_the_parameters(tmp_path, content):
    trainings = content["arch2infos"][2]["full"]["all_results"]
    for seed in (777, 888, 999):
        trainings["cifar10-valid", seed]["train_times"] = None
    trainings["cifar10", 888]["params"] = 3.5
    arrays = read_pth(writer.write_pth(tmp_path / "all.pth", content), TINY)
    assert np.flatnonzero(np.isnan(arrays["cifar10_seconds200"])).tolist() == [2]
    assert arrays["cifar10_params_mb"][2] == 3.5


def test_missing_cells_are_counted_before_any_is_read(folder, tmp_path, content):
    for index in (3, 6, 7):
        (folder / f"{index:06d}.pickle.pbz2").unlink()
        del content["arch2infos"][index]
    (folder / "000001.pickle.pbz2").write_bytes(b"damaged")
    shown = "is not complete: 3 of 8 cells are missing, the first is "
    with pytest.raises(UserError, match=f"simple {shown}000003.pickle.pbz2: get it anew"):
        read_folder(folder, TINY)
    with pytest.raises(UserError, match=f"all.pth {shown}cell 3: get it anew"):
        read_pth(writer.write_pth(tmp_path / "all.pth", content), TINY)


class Calls:
    def __reduce__(self) -> tuple:
        return os.system, ("echo called > called",)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("value", "message"),
    [(Calls(), "posix.system"), (torch.ones(2), "more than plain values"), (Path("x"), "pathlib")],
)
def test_what_is_no_plain_value_is_refused_and_not_run(
    folder, tmp_path, content, value, message, zipped, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    text = writer.texts(TINY)[0]
    cell = {str(epochs): writer.results(0, text, epochs) for epochs in (12, 200)}
    cell["12"]["all_results"]["cifar10", 777]["net_state_dict"] = value
    writer.pack(folder / "000000.pickle.pbz2", cell)
    content["arch2infos"][0]["full"]["all_results"]["cifar10", 777]["net_state_dict"] = value
    start = "is damaged or no NAS-Bench-201 data (UnpicklingError: it has more than plain values: "
    with pytest.raises(UserError, match=f"000000.pickle.pbz2 {re.escape(start)}") as error:
        read_folder(folder, TINY)
    assert message in str(error.value) or isinstance(value, torch.Tensor)
    with pytest.raises(UserError, match=f"all.pth {re.escape(start)}") as error:
        read_pth(writer.write_pth(tmp_path / "all.pth", content, zipped), TINY)
    assert message in str(error.value)
    assert not Path("called").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it["dataset_seed"].pop("cifar10-valid"), "KeyError: 'cifar10-valid'"),
        (lambda it: it["dataset_seed"]["cifar100"].clear(), "it has 0 trainings on cifar100"),
        (lambda it: it["dataset_seed"].update(cifar10=[5]), r"KeyError: \('cifar10', 5\)"),
        (lambda it: it["dataset_seed"].update(cifar10=777), "TypeError"),
        (lambda it: it.update(arch_str="|x~0|"), r"it is about '\|x~0\|', not about \|"),
        (lambda it: of(it).update(epochs=90), "a training on cifar10-valid has 90 epochs"),
        (lambda it: of(it)["eval_acc1es"].clear(), "KeyError: 'x-valid@199'"),
        (lambda it: of(it)["eval_acc1es"].update({"x-valid@199": 101.0}), "x-valid .* is 101"),
        (lambda it: of(it)["eval_acc1es"].update({"x-valid@199": np.nan}), "x-valid .* is nan"),
        (lambda it: of(it)["eval_acc1es"].update({"x-valid@199": "90"}), "TypeError"),
        (lambda it: of(it).update(train_times={0: -1.0}), "its cifar10_seconds200 is -1.0"),
        (lambda it: of(it).update(train_times=5), "AttributeError"),
        (lambda it: of(it, "cifar10").update(params="many"), "ValueError"),
        (lambda it: of(it, "cifar10").update(params=1e12), "its cifar10_params_mb is 1000"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_file(folder, tmp_path, change, message):
    text = writer.texts(TINY)[0]
    cell = {str(epochs): writer.results(0, text, epochs) for epochs in (12, 200)}
    change(cell["200"])
    writer.pack(folder / "000000.pickle.pbz2", cell)
    shown = f"000000.pickle.pbz2 is damaged or no NAS-Bench-201 data .*{message}.*: get it anew$"
    with pytest.raises(UserError, match=shown):
        read_folder(folder, TINY)
    whole = {str(epochs): writer.results(0, text, epochs) for epochs in (12, 200)}
    content = writer.pth_content(TINY)
    content["arch2infos"][0] = {"less": whole["12"], "full": cell["200"]}
    with pytest.raises(UserError, match=f"all.pth is damaged or no .*cell 0: .*{message}"):
        read_pth(writer.write_pth(tmp_path / "all.pth", content), TINY)


def of(results: dict, trained: str = "cifar10-valid") -> dict:
    return results["all_results"][trained, 777]


def test_damaged_bytes_are_one_line(folder, tmp_path, content):
    cell = folder / "000004.pickle.pbz2"
    whole = cell.read_bytes()
    for damaged in (
        *(whole[:-20], b"", b"words", whole[:400] + bytes([whole[400] ^ 8]) + whole[401:]),
        *(bz2.compress(pickle.dumps([1, 2])), bz2.compress(b"words")),
    ):
        cell.write_bytes(damaged)
        with pytest.raises(UserError, match=r"000004.pickle.pbz2 is damaged or no NAS-Bench-201"):
            read_folder(folder, TINY)
    path = writer.write_pth(tmp_path / "all.pth", content)
    whole = path.read_bytes()
    zipped = writer.write_pth(tmp_path / "zip.pth", content, True).read_bytes()
    other = pickle.dumps(3) * 5
    for damaged in (whole[:-2000], b"", b"words", other, zipped[:-2000], zipped[:2000]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"all.pth is damaged or no NAS-Bench-201 data"):
            read_pth(path, TINY)


@pytest.mark.slow
def test_a_packed_file_that_grows_without_bound_is_refused(folder):
    (folder / "000004.pickle.pbz2").write_bytes(bz2.compress(bytes(100_000_001)))
    with pytest.raises(UserError, match="unpacked it has more than 100,000,000 bytes"):
        read_folder(folder, TINY)


def test_other_cells_than_the_space_s_are_refused(folder, tmp_path, content):
    texts = writer.texts(TINY)
    meta = folder / "meta.pickle.pbz2"
    for change, message in (
        (texts[:-1], "it has 7 cells in 7, not 8"),
        ([*texts[:-1], texts[0]], "it has 7 cells in 8, not 8"),
        ([*texts[:-1], texts[0].replace("none", "maxpool")], "unknown op 'maxpool'"),
        ([5], "TypeError"),
        (5, "TypeError"),
    ):
        writer.pack(meta, {"meta_archs": change})
        with pytest.raises(UserError, match=f"meta.pickle.pbz2 is damaged or no .*{message}"):
            read_folder(folder, TINY)
        path = writer.write_pth(tmp_path / "all.pth", content | {"meta_archs": change})
        with pytest.raises(UserError, match=f"all.pth is damaged or no .*{message}"):
            read_pth(path, TINY)
