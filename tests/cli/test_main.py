"""The one command, its verbs and what is said of them."""

import importlib
import json
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

import gnn_nas
from gnn_nas.cli.main import VERBS, main


def test_every_verb_has_a_command_of_its_name(capsys):
    for verb, (module, about) in VERBS.items():
        with pytest.raises(SystemExit, match="0"):
            main([verb, "--help"])
        assert capsys.readouterr().out.startswith(f"usage: gnn-nas {verb} ")
        assert importlib.import_module(f"gnn_nas.cli.{module}").parser().prog == f"gnn-nas {verb}"
        assert about[0].islower()


def test_its_own_help_tells_all_verbs(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"  {verb:18} {about}\n" in shown for verb, (_, about) in VERBS.items())
    assert main([]) == 2
    assert capsys.readouterr() == ("", shown)


def test_an_unknown_verb_is_answered_by_all(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["serach", "--help"])
    assert re.search(r"invalid choice: '?serach.*pretrain", capsys.readouterr().err)


def test_the_script_and_pythons_module_are_one_command(pytestconfig):
    project = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"gnn-nas": "gnn_nas.cli.main:main"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "gnn_nas", "--version"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"gnn-nas {gnn_nas.__version__}\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "gnn_nas", "search", "--help"], capture_output=True, text=True
    )
    assert done.stdout.startswith("usage: python -m gnn_nas search ")


def test_every_launcher_names_a_verb(pytestconfig):
    named = set()
    for launcher in (pytestconfig.rootpath / "bin").iterdir():
        if found := re.search(r'_launch" -m gnn_nas (\S+) "\$@"\n$', launcher.read_text()):
            named.add(found[1])
    assert named == VERBS.keys() - {"spaces", "completion", "function"}


def test_spaces_say_what_there_is(capsys, monkeypatch):
    monkeypatch.setenv("GNN_NAS_BENCHMARK", "/nowhere")
    assert main(["spaces"]) == 0
    assert "  measurements  none here: see gnn-nas import\n" in capsys.readouterr().out
    monkeypatch.setenv("GNN_NAS_BENCHMARK", "/")
    assert main(["spaces"]) == 0
    assert "  cells         423,624\n" in capsys.readouterr().out
    assert main(["spaces", "--json"]) == 0
    spaces = json.loads(capsys.readouterr().out)
    assert (
        spaces["nasbench201"]["controllers"] == spaces["nasbench201"]["configs"] == ["nasbench201"]
    )
    assert spaces["nasbench201"]["cells"] == 15_625
    assert spaces["nasbench201"]["measurements"] is None
    assert spaces["nasbench_graph"]["cells"] == 26_206
    assert spaces["nasbench_graph"]["controllers"] == ["nasbench_graph"]
    facts = spaces["nasbench101"]
    assert facts["measurements"] == "/"
    assert facts["controllers"] == ["gin_multisim"]
    assert {"gin_multisim", "paper_sgd"} < set(facts["configs"])


def test_bench_is_for_clones(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("gnn_nas.cli.bench._ROOT", tmp_path)
    assert main(["bench", "cells"]) == 2
    assert capsys.readouterr().err.startswith("error: bench measures a clone of the project")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash is here")
def test_bash_completes_verbs_options_and_values(capsys):
    def completed(*words: str) -> list[str]:
        line = " ".join(f"'{word}'" for word in words)
        call = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _shtab_gnn_nas 2>/dev/null"
        done = subprocess.run(
            ["bash", "-c", f"{script}\n{call}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""],
            capture_output=True,
            text=True,
        )
        return done.stdout.split()

    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert completed("gnn-nas", "pre") == ["pretrain", "predictor-quality"]
    assert completed("gnn-nas", "search", "--proto") == ["--protocol"]
    assert "oracle" in completed("gnn-nas", "search", "--protocol", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_script(capsys, shell):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(verb in script for verb in VERBS)
