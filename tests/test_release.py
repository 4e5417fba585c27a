"""What a release says of itself, and the workflows that make it."""

import re
import subprocess
import sys

import pytest
import yaml

import gnn_nas


@pytest.fixture
def read(pytestconfig):
    return lambda name: (pytestconfig.rootpath / name).read_text(encoding="utf-8")


def test_the_newest_version_is_the_packages(read):
    assert re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)[0] == gnn_nas.__version__
    assert yaml.safe_load(read("CITATION.cff"))["version"] == gnn_nas.__version__


def test_workflows_are_valid_and_call_what_there_is(pytestconfig, read):
    root = pytestconfig.rootpath
    workflows = sorted((root / ".github" / "workflows").iterdir())
    check = [sys.executable, "-m", "check_jsonschema"]
    check += ["--builtin-schema", "vendor.github-workflows", *map(str, workflows)]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    called = {name for path in workflows for name in re.findall(r"\bbin/[\w-]+", path.read_text())}
    assert {"bin/test", "bin/test-lowest", "bin/test-package", "bin/docs"} < called
    assert [name for name in called if not (root / name).is_file()] == []


def test_an_invalid_workflow_is_found(tmp_path):
    path = tmp_path / "wrong.yml"
    path.write_text("on: push\njobs:\n  build:\n    steps: 3\n")
    check = [sys.executable, "-m", "check_jsonschema"]
    check += ["--builtin-schema", "vendor.github-workflows", str(path)]
    assert subprocess.run(check, capture_output=True).returncode == 1
