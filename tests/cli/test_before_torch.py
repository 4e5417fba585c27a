"""Mistakes are answered before torch has loaded, which takes seconds: all in one process here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = f"--config={ROOT / 'configs' / 'gin_multisim.yaml'}"
DATA = "--benchmark=data"

MISTAKES = [
    ("pretrain", ["--config=absent.yaml"], "absent.yaml: cannot read the config"),
    ("pretrain", [CONFIG, "--out=x", "--set=model.hiden=3"], "unknown key model.hiden"),
    ("pretrain", [CONFIG, "--out=begun"], "begun holds an unfinished run: continue it with"),
    ("pretrain", [CONFIG, "--out=others"], "others holds files that no run wrote (thesis.tex)"),
    ("pretrain", [CONFIG, "--out=others", "--resume"], "others holds files that no run wrote"),
    ("pretrain", [CONFIG, "--out=file/x"], "cannot write the run folder file/x: Not a directory"),
    ("search", ["--checkpoint=absent"], "absent: no such run folder"),
    ("search", ["--checkpoint=begun"], "model.safetensors: no such file; a run writes its"),
    ("search", ["--benchmark=absent"], "absent: cannot read: No such file"),
    ("search", ["--protocol=oracle"], "no measurements of NAS-Bench-101 are here"),
    ("search", [DATA, "--out=begun"], "begun holds an unfinished run"),
    ("search", [DATA, "--out=others", "--resume"], "others holds files that no run wrote"),
    ("search", ["--task=digits", "--out=begun"], "begun holds an unfinished run"),
    ("search", ["--task=absent.yaml"], "absent.yaml: cannot read the config"),
    ("search", ["--task=absent:train"], "cannot import absent: ModuleNotFoundError"),
    ("search", ["--task=json:absent"], "the module has no absent"),
    ("compare", ["--benchmark=absent"], "absent: cannot read: No such file"),
    ("compare", ["--protocols=oracle"], "no measurements of NAS-Bench-101 are here"),
    ("compare", ["--checkpoints=absent"], "--checkpoints absent: no such folder"),
    ("compare", [DATA, "--configs=absent"], "absent/gin_angular.yaml: cannot read the config"),
    ("predictor_quality", ["--checkpoint=absent"], "absent: no such run folder"),
    ("predictor_quality", ["--benchmark=absent"], "absent: cannot read: No such file"),
    ("predictor_quality", [DATA, "--out=others"], "others holds files that no run wrote"),
    ("embed_umap", ["--checkpoint", "none", "absent"], "absent: no such run folder"),
    ("embed_umap", ["--benchmark=absent"], "absent: cannot read: No such file"),
    ("embed_umap", ["--out=others"], "others holds files that no run wrote"),
    ("locality", ["--checkpoint=absent", DATA], "absent: no such run folder"),
    ("locality", ["--benchmark=absent"], "only part b needs them: --parts a c does without"),
    ("locality", ["--out=others"], "others holds files that no run wrote"),
    ("export_cell", ["--from=absent"], "absent: no such run folder"),
    ("export_cell", ["00005c14", "--out=others"], "others holds files (thesis.tex)"),
    ("export_cell", ["00005c14", "--weights=absent"], "absent: cannot read the weights"),
    ("import_nasbench", ["absent"], "absent: no such file"),
    ("import_nasbench", ["others"], "others: cannot read: Is a directory"),
    ("import_nasbench", ["file", "--out=file"], "file is the file to be imported"),
    ("import_nasbench", ["file", "--out=file/x"], "cannot write file/x"),
]
# What can be set of a method stands beside its code.
LATER = [
    (
        "search",
        ["--task=digits", "--set=candidats=3"],
        "unknown key candidats, did you mean candidates?",
    ),
    ("search", ["--task=digits", "--set=steps=x"], "steps must be an integer"),
]

SCRIPT = """
import contextlib, importlib, io, json, sys
answers = []
for name, argv in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        status = importlib.import_module("gnn_nas.cli." + name).main(argv)
    answers.append((status, said.getvalue(), "torch" in sys.modules))
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> list:
    folder = tmp_path_factory.mktemp("cwd")
    (folder / "file").write_text("")
    (folder / "data").write_text("")
    (folder / "others").mkdir()
    (folder / "others" / "thesis.tex").write_text("words")
    (folder / "begun").mkdir()
    (folder / "begun" / "config.yaml").write_bytes(
        (ROOT / "configs" / "gin_multisim.yaml").read_bytes()
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(folder / "none")}
    environment.pop("GNN_NAS_BENCHMARK", None)
    process = subprocess.run(
        [sys.executable, "-P", "-c", SCRIPT],
        input=json.dumps([(name, argv) for name, argv, _ in MISTAKES + LATER]),
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment,
        check=True,
    )
    assert sorted(os.listdir(folder)) == ["begun", "data", "file", "others"]
    return json.loads(process.stdout)


@pytest.mark.parametrize("number", range(len(MISTAKES + LATER)))
def test_a_mistake_is_answered_before_torch_has_loaded(answers, number):
    status, said, has_torch = answers[number]
    (line,) = said.splitlines()
    assert status == 2
    assert line.startswith("error: ")
    assert (MISTAKES + LATER)[number][2] in line
    assert has_torch == (number >= len(MISTAKES))
